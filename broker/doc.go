// Package broker is an in-memory Kafka broker: sockets, locks, the clock and
// nothing else of its own. What a group, a partition or a frame means stands in
// groupcoord, partitions and protocol.
//
// Locks, in the order in which they may be taken: cluster (the topic registry and
// the table of groups), group, partition. A partition is a leaf. No lock is held
// across a write to a socket or a wait.
package broker
