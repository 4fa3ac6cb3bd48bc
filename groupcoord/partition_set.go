package groupcoord

import (
	"maps"

	"klamm/protocol"
)

// partitionSet is a set of partitions by topic. In a current assignment each has the
// epoch at which the member got it (KIP-1251), in a target assignment its place among
// those of the topic, by which Java's tables order what falls together. A topic is never
// without partitions. What is in a member or a target is never changed.
type partitionSet map[protocol.UUID]map[int32]int32

func (s partitionSet) has(topic protocol.UUID, partition int32) bool {
	_, ok := s[topic][partition]
	return ok
}

func (s partitionSet) add(topic protocol.UUID, partition, epoch int32) {
	if s[topic] == nil {
		s[topic] = map[int32]int32{}
	}
	s[topic][partition] = epoch
}

// put adds a partition to a target assignment, behind the others of its topic.
func (s partitionSet) put(topic protocol.UUID, partition int32) {
	s.add(topic, partition, int32(len(s[topic])))
}

// same compares partitions only.
func (s partitionSet) same(o partitionSet) bool {
	return maps.EqualFunc(s, o, func(a, b map[int32]int32) bool {
		for p := range a {
			if _, ok := b[p]; !ok {
				return false
			}
		}
		return len(a) == len(b)
	})
}

// remove takes a partition out, if it is there.
func (s partitionSet) remove(topic protocol.UUID, partition int32) {
	if delete(s[topic], partition); len(s[topic]) == 0 {
		delete(s, topic)
	}
}

func (s partitionSet) clone() partitionSet {
	c := make(partitionSet, len(s))
	for topic, partitions := range s {
		c[topic] = maps.Clone(partitions)
	}
	return c
}

// equal compares partitions and epochs.
func (s partitionSet) equal(o partitionSet) bool {
	return maps.EqualFunc(s, o, func(a, b map[int32]int32) bool { return maps.Equal(a, b) })
}

// withEpochs is the set with one epoch for all partitions.
func (s partitionSet) withEpochs(epoch int32) partitionSet {
	c := s.clone()
	for _, partitions := range c {
		for p := range partitions {
			partitions[p] = epoch
		}
	}
	return c
}
