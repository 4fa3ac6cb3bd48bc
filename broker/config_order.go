package broker

import (
	"cmp"
	"slices"
	"strings"
)

// Kafka keeps names in hash tables and answers in their order, which depends on
// nothing but the names: an answer in that order can be compared with Kafka's.

// inJavaOrder are the keys of m in the order of a java.util.HashMap.
func inJavaOrder[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sortAsJava(names, strings.Compare)
	return names
}

// sortAsJava sorts names as a hash table of all of them lists them: by the low
// bits of the spread hash. Names in one bucket come as they were put in, which
// before tells.
func sortAsJava(names []string, before func(a, b string) int) {
	size := uint32(16)
	for len(names) > int(size)*3/4 {
		size *= 2
	}
	bucket := func(name string) uint32 {
		h := uint32(javaHash(name))
		return (h ^ h>>16) & (size - 1)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(bucket(a), bucket(b)), before(a, b))
	})
}
