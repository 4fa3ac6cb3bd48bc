// Package peers tests Klamm with the real Go clients, franz-go, sarama, kafka-go
// and confluent-kafka-go, and measures it beside kfake. It is a module of its own, so
// that no client becomes a dependency of whoever imports klamm/kafkatest.
//
// The scenarios are written once. A driver does for its client library the few
// things that a scenario asks for; a ledger takes down what the members of a group
// say, and holds it against what a consumer group promises.
//
// The tests start a broker each. Two variables of the environment change that:
//
//	KLAMM_BOOTSTRAP=HOST:PORT  use that live broker, Apache Kafka for instance. It must
//	                           accept session timeouts of 4 s (group.min.session.timeout.ms).
//	KLAMM_WIRE=1               print every request and response of the groups' members.
//
// confluent-kafka-go needs cgo and a C compiler; without, its tests are skipped.
package peers
