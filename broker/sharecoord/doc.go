// Package sharecoord is the share coordinator as a set of pure machines, one per share
// group and partition: what happened goes in, a record comes out, and nothing else
// happens. It blocks on nothing, starts nothing and reads no clock.
//
// Hard state is what Apache Kafka writes to __share_group_state. It changes only in
// Apply, which is called for each record that the owner appended, and again for all of
// them on reload. It mirrors org.apache.kafka.coordinator.share.ShareCoordinatorShard (KIP-932).
package sharecoord
