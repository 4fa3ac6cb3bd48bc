// Package conformance asks how close a broker is to Apache Kafka, rule by rule.
//
// It is a black box: it speaks only the wire, with kmsg for good requests and raw
// bytes for bad ones, to any address that a dialer reaches. A Rule drives one
// conversation over one or more named connections; every exchange is written into
// a readable transcript in which whatever varies from run to run (ids, names,
// addresses, times) is replaced by a name. What Apache Kafka answered is recorded
// once and committed under testdata, one file a rule; a target keeps a rule when
// its transcript is the same text.
//
//	go test ./conformance                                          the in-process broker
//	go test ./conformance -bootstrap HOST:PORT                     any broker
//	go test ./conformance -bootstrap HOST:PORT -against HOST:PORT  two brokers
//	go test ./conformance -bootstrap HOST:PORT -record             record from Apache Kafka
//	go test ./conformance -record                                  pin the accepted differences
//
// Where this broker answers otherwise on purpose, differences.txt says why. A rule is
// added as a value in the file of its chapter, and recorded; it is one only if Kafka
// says the same every time.
package conformance
