package groupcoord

import (
	"cmp"
	"slices"
	"unicode/utf16"

	"klamm/protocol"
)

// assignRange is Kafka's RangeAssignor: the partitions of each topic are dealt out in
// ranges, to the members in the order of their ids, static ones first.
func (a *assignSpec) assignRange() map[string]partitionSet {
	ids := slices.Clone(a.ids)
	slices.SortFunc(ids, a.compareStaticFirst)
	topics := map[protocol.UUID]*topicRange{}
	for _, id := range ids {
		for topic, partitions := range a.subscriptions[id] {
			if topics[topic] == nil {
				topics[topic] = &topicRange{partitions: partitions}
			}
			topics[topic].members++
		}
	}
	assigned := make(map[string]partitionSet, len(ids))
	for _, id := range ids {
		set := partitionSet{}
		for topic := range a.subscriptions[id] {
			from, to := topics[topic].take()
			for p := from; p < to; p++ {
				set.put(topic, p)
			}
		}
		assigned[id] = set
	}
	return assigned
}

func (a *assignSpec) compareStaticFirst(x, y string) int {
	first, isStatic := a.instances[x]
	second, too := a.instances[y]
	switch {
	case isStatic && too:
		return compareJava(first, second)
	case isStatic:
		return -1
	case too:
		return 1
	}
	return compareJava(x, y)
}

// compareJava is java.lang.String.compareTo: by UTF-16 units.
func compareJava(a, b string) int {
	return slices.CompareFunc(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)), cmp.Compare[uint16])
}

// topicRange is a topic whose partitions are dealt out.
type topicRange struct {
	partitions, members int32
	dealt               int32 // members that had their turn
	next                int32 // the first partition that is left
}

// take is the next member's range, from up to, but without, to. The first members get
// one more where it does not go even.
func (t *topicRange) take() (from, to int32) {
	from, to = t.next, t.next+t.partitions/t.members
	if t.dealt < t.partitions%t.members {
		to++
	}
	t.dealt++
	t.next = to
	return from, to
}
