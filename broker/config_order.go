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
func inJavaOrder[V any](m map[string]V) []string { return javaOrder(m, 16) }

// inSizedJavaOrder are the keys of m in the order of a java.util.HashMap that was
// made for as many.
func inSizedJavaOrder[V any](m map[string]V) []string { return javaOrder(m, 1) }

func javaOrder[V any](m map[string]V, size uint32) []string {
	names := slices.Collect(maps.Keys(m))
	for 4*len(names) > 3*int(size) {
		size *= 2
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(protocol.JavaBucket(a, size), protocol.JavaBucket(b, size)), cmp.Compare(a, b))
	})
	return names
}
