// Package partitions is one partition as a pure value: its log in memory, its
// watermarks, leader epochs and producer states. It neither blocks nor locks
// nor reads a clock; the broker keeps each Partition behind a mutex of its own.
//
// Appending has two halves, so that a lock is held only for the copy: Inspect and
// Validate look at the bytes of a Produce request and touch no partition, Append
// gives the batch its offset and keeps it. Reading hands out slices of the log
// itself, which stay valid and unchanged while the log grows, and after its
// records have been deleted.
package partitions
