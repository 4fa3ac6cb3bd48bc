// Package partitions is one partition as a pure value: its log in memory, its
// watermarks, leader epochs and producer states. It neither blocks nor locks
// nor reads a clock; the broker keeps each Partition behind a mutex of its own.
package partitions
