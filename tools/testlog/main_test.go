package main

import (
	"strings"
	"testing"
)

func TestDigest(t *testing.T) {
	const passing = `{"Action":"start","Package":"p"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:1: noise\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestB","Output":"=== RUN   TestB\n"}
{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:2: no C compiler\n"}
{"Action":"output","Package":"p","Test":"TestB","Output":"--- SKIP: TestB (0.00s)\n"}
{"Action":"skip","Package":"p","Test":"TestB"}
{"Action":"output","Package":"p","Output":"PASS\n"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}
{"Action":"skip","Package":"empty"}
`
	const failing = `{"Action":"output","Package":"q","Test":"TestC","Output":"    c_test.go:3: wrong\n"}
{"Action":"output","Package":"q","Test":"TestC","Output":"--- FAIL: TestC (0.00s)\n"}
{"Action":"fail","Package":"q","Test":"TestC"}
{"Action":"output","Package":"q","Output":"FAIL\tq\t0.1s\n"}
{"Action":"fail","Package":"q"}
`
	const broken = `{"ImportPath":"r","Action":"build-output","Output":"r.go:1:1: undefined: x\n"}
{"ImportPath":"r","Action":"build-fail"}
go: a word of its own
`
	for _, tc := range []struct {
		in, out, skipped string
		failed           bool
	}{
		{passing, "ok  \tp\t0.1s\n", "p TestB: b_test.go:2: no C compiler\n", false},
		{failing, "    c_test.go:3: wrong\n--- FAIL: TestC (0.00s)\nFAIL\tq\t0.1s\n", "", true},
		{broken, "r.go:1:1: undefined: x\ngo: a word of its own\n", "", true},
	} {
		var out, skipped strings.Builder
		failed, err := digest(strings.NewReader(tc.in), &out, &skipped)
		if failed != tc.failed || err != nil || out.String() != tc.out || skipped.String() != tc.skipped {
			t.Errorf("%s\nfailed %v, %v\nprinted:\n%s\nskipped:\n%s", tc.in, failed, err, out.String(), skipped.String())
		}
	}
}
