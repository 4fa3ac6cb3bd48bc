package broker

import (
	"cmp"
	"maps"
	"slices"

	"klamm/protocol"
)

// Kafka keeps names in hash tables and answers in their order, which depends on
// nothing but the names: an answer in that order can be compared with Kafka's.

// inJavaOrder are the keys of m in the order of a java.util.HashMap: by the low
// bits of their spread hashes. Those in one bucket Kafka has in the order in which
// they were put in, which is not known here.
func inJavaOrder[V any](m map[string]V) []string {
	return javaOrder(slices.Sorted(maps.Keys(m)), 16)
}

// inSizedJavaOrder are the keys of m in the order of a java.util.HashMap that was
// made for as many.
func inSizedJavaOrder[V any](m map[string]V) []string {
	return javaOrder(slices.Sorted(maps.Keys(m)), 1)
}

// javaOrder puts different names, in the order in which they were put in, into the
// order of a java.util.HashMap of a size, or the larger one that they need.
func javaOrder(names []string, size uint32) []string {
	for 4*len(names) > 3*int(size) {
		size *= 2
	}
	type placed struct {
		bucket uint32
		name   string
	}
	all := make([]placed, len(names))
	for i, name := range names {
		all[i] = placed{protocol.JavaBucket(name, size), name}
	}
	slices.SortStableFunc(all, func(a, b placed) int { return cmp.Compare(a.bucket, b.bucket) })
	for i := range all {
		names[i] = all[i].name
	}
	return names
}
