module klamm/conformance/peers

go 1.26.0
