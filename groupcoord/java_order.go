package groupcoord

import (
	"cmp"
	"encoding/binary"
	"maps"
	"math/bits"
	"slices"

	"klamm/protocol"
)

// Which member gets which partition depends in Kafka on the order in which Java's hash
// tables give their keys. The same keys are given in the same order here.

// spread is the bucket of a hash in a java.util.HashMap of so many buckets.
func spread(h int32, buckets uint32) uint32 { return (uint32(h) ^ uint32(h)>>16) & (buckets - 1) }

// uuidHash is org.apache.kafka.common.Uuid.hashCode.
func uuidHash(u protocol.UUID) int32 {
	x := binary.BigEndian.Uint64(u[:8]) ^ binary.BigEndian.Uint64(u[8:])
	return int32(x>>32) ^ int32(x)
}

// timelineSlot is where a table of Kafka's timeline package (BaseHashTable) has a name
// when it holds n of them.
func timelineSlot(name string, n int) int {
	size := 2
	for size*4 < n*3 {
		size *= 2
	}
	shift := 65 - bits.Len(uint(size))
	const knuth = 0x9e3779b97f4a7c15 // -7046029254386353131
	return int(uint64(int64(protocol.JavaHash(name)))*knuth>>shift) & (size - 1)
}

// topicOrder are the topics of a map in the order of a HashMap of Uuids.
func topicOrder[V any](m map[protocol.UUID]V) []protocol.UUID {
	buckets := protocol.JavaTableSize(len(m))
	return slices.SortedFunc(maps.Keys(m), func(a, b protocol.UUID) int {
		return cmp.Or(cmp.Compare(spread(uuidHash(a), buckets), spread(uuidHash(b), buckets)), slices.Compare(a[:], b[:]))
	})
}

// currentOrder are the partitions of a current assignment, in the order of a HashMap of
// Integers that they were put into one by one.
func currentOrder(m map[int32]int32) []int32 {
	buckets := protocol.JavaTableSize(len(m))
	return slices.SortedFunc(maps.Keys(m), func(a, b int32) int {
		return cmp.Or(cmp.Compare(spread(a, buckets), spread(b, buckets)), cmp.Compare(a, b))
	})
}

// targetOrder are the partitions of a target assignment, in the order of a HashSet of
// Integers that was made of them at once, with room for one more.
func targetOrder(m map[int32]int32) []int32 {
	buckets := uint32(16)
	for int(buckets) < len(m)*4/3+1 {
		buckets *= 2
	}
	return slices.SortedFunc(maps.Keys(m), func(a, b int32) int {
		return cmp.Or(cmp.Compare(spread(a, buckets), spread(b, buckets)), cmp.Compare(m[a], m[b]), cmp.Compare(a, b))
	})
}

// memberOrder are member ids in the order of the HashMap that TargetAssignmentBuilder
// makes of the members: those of one bucket come in the order of the group's own table,
// and after them who is new.
func memberOrder(ids []string, isNew func(string) bool) {
	buckets := protocol.JavaTableSize(len(ids))
	old := 0
	for _, id := range ids {
		if !isNew(id) {
			old++
		}
	}
	rank := func(id string) int {
		if isNew(id) {
			return old * 2
		}
		return timelineSlot(id, old)
	}
	slices.SortFunc(ids, func(a, b string) int {
		if x, y := protocol.JavaBucket(a, buckets), protocol.JavaBucket(b, buckets); x != y {
			return cmp.Compare(x, y)
		}
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
	})
}

// sortTimeline puts names in the order in which a table of Kafka's timeline package gives them.
func sortTimeline(names []string) {
	n := len(names)
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(timelineSlot(a, n), timelineSlot(b, n)), cmp.Compare(a, b))
	})
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
