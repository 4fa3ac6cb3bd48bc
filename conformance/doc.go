// Package conformance asks how close a broker is to Apache Kafka, rule by rule.
//
// It is a black box: it speaks only the wire, with kmsg for good requests and raw
// bytes for bad ones, to any address that a dialer reaches. A Rule drives one
// conversation over one or more named connections; every exchange is written into
// a readable transcript in which whatever varies from run to run (ids, names,
// addresses, times) is replaced by a name. What Apache Kafka answered is recorded
// once and committed under testdata, one file a rule; a target keeps a rule when
// its transcript is the same text.
package conformance
