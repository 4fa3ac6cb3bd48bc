// Package mutants tests the conformance suite: each of its mutants is the broker
// with one rule broken on purpose, and the rule that it names has to notice.
//
// The mutants are data, in testdata. Their text is laid over a file of the product
// with go test -overlay, so that nothing in the product knows of them.
package mutants
