package broker

import (
	"cmp"
	"slices"
	"strings"

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
	for 4*len(m) > 3*int(size) {
		size *= 2
	}
	type placed struct {
		bucket uint32
		name   string
	}
	all := make([]placed, 0, len(m))
	for name := range m {
		all = append(all, placed{protocol.JavaBucket(name, size), name})
	}
	slices.SortFunc(all, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.bucket, b.bucket), strings.Compare(a.name, b.name))
	})
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].name
	}
	return names
}
