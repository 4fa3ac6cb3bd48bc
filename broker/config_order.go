package broker

import (
	"cmp"
	"slices"
)

// Kafka keeps names in hash tables and answers in their order, which depends on
// nothing but the names: an answer in that order can be compared with Kafka's.

// inJavaOrder are the keys of m in the order of a java.util.HashMap or a
// scala.collection.mutable.HashMap that they were put into one by one.
func inJavaOrder[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sortAsJava(names)
	return names
}

// sortAsJava sorts names as such a table of all of them lists them: by the low
// bits of the spread hash.
func sortAsJava(names []string) {
	size := uint32(16)
	for len(names) > int(size)*3/4 {
		size *= 2
	}
	hash := func(name string) uint32 {
		h := uint32(javaHash(name))
		return h ^ h>>16
	}
	slices.SortFunc(names, func(a, b string) int {
		ha, hb := hash(a), hash(b)
		return cmp.Or(cmp.Compare(ha&(size-1), hb&(size-1)), cmp.Compare(int32(ha), int32(hb)), cmp.Compare(a, b))
	})
}
