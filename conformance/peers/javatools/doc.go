// Package javatools holds Klamm against Kafka's own programs: its command-line tools,
// and a consumer, a producer and an Admin of its Java client. Scripts of them are run
// against a broker, and what they print is compared with what they printed against
// Apache Kafka 4.4.0, up to ids, times and addresses. A transformer of the Java client and
// a Kafka Streams application are killed in the middle of their transactions.
//
// It needs a JDK and Maven, which brings Kafka's jars; without, its tests are skipped.
// Where the jars lie is kept in the user's cache directory.
package javatools
