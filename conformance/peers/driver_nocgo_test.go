//go:build !cgo

package peers

func confluentDriver() driver {
	return driver{name: "confluent", skip: "confluent-kafka-go needs cgo and a C compiler: not tried here"}
}

func confluentTransformer() transformer {
	return transformer{name: "confluent", skip: confluentDriver().skip}
}
