package groupcoord

import (
	"cmp"
	"math"
	"slices"

	"klamm/protocol"
)

// The assignor of share groups (SimpleAssignor): partitions are shared by as many members
// as it takes to give every member one, and members keep what they have where they can.
// Which of several equal ones gets what depends in Kafka on the random ids of topics.

// assign computes the target assignment of all members, with m as it will be.
func (s *shareStep) assign(m *shareMember) map[string]partitionSet {
	c := s.c
	members := map[string]*shareMember{m.id: m}
	for id, one := range c.members {
		if id != m.id {
			members[id] = one
		}
	}
	ids := sortedKeys(members)
	memberOrder(ids, func(id string) bool { return c.members[id] == nil })
	subscriptions := make(map[string]map[protocol.UUID]bool, len(ids))
	all := map[protocol.UUID]bool{}
	homogeneous := true
	for _, id := range ids {
		subscriptions[id] = map[protocol.UUID]bool{}
		homogeneous = homogeneous && slices.Equal(members[id].topics, m.topics)
		for _, name := range members[id].topics {
			if t, ok := s.image.Topic(name); ok {
				subscriptions[id][t.ID], all[t.ID] = true, true
			}
		}
	}
	assigned := make(map[string]partitionSet, len(ids))
	for _, id := range ids {
		assigned[id] = partitionSet{}
		for topic, partitions := range c.target[id] {
			if all[topic] && (!homogeneous || subscriptions[id][topic]) {
				for p := range partitions {
					assigned[id].put(topic, p)
				}
			}
		}
	}
	if homogeneous {
		var targets []topicPartition
		for _, topic := range topicOrder(all) {
			targets = append(targets, s.assignable(topic)...)
		}
		shareOut(targets, ids, ids, assigned, func(protocol.UUID) bool { return true })
		return assigned
	}
	for _, topic := range topicOrder(all) {
		var subscribed []string
		for _, id := range ids {
			if subscriptions[id][topic] {
				subscribed = append(subscribed, id)
			}
		}
		shareOut(s.assignable(topic), subscribed, ids, assigned, func(t protocol.UUID) bool { return t == topic })
	}
	return assigned
}

// assignable are the partitions of a topic whose state is kept.
func (s *shareStep) assignable(topic protocol.UUID) (targets []topicPartition) {
	t, _ := s.image.TopicByID(topic)
	for p := range t.Partitions {
		if s.c.initialized[topic].partitions[p] {
			targets = append(targets, topicPartition{topic, p})
		}
	}
	return targets
}

// shareOut gives the targets to the subscribed members. What members have already of the
// topics that are meant is taken away only where they, or a partition, have too much.
func shareOut(targets []topicPartition, subscribed, all []string, assigned map[string]partitionSet, meant func(protocol.UUID) bool) {
	o := sharing{assigned: assigned, wanted: map[string]int{}, has: map[string]int{}, members: map[topicPartition]int{}}
	if len(targets) > 0 {
		o.each = (len(subscribed) + len(targets) - 1) / len(targets)
	}
	precise := float64(o.each*len(targets)) / float64(len(subscribed))
	for i, id := range subscribed {
		o.wanted[id] = int(math.Ceil(precise*float64(i+1))) - int(math.Ceil(precise*float64(i)))
	}
	for _, id := range all {
		o.count(id, meant)
	}
	for _, id := range all {
		for _, p := range o.of(id, meant) {
			if o.has[id] <= o.wanted[id] {
				break
			}
			o.take(id, p)
		}
	}
	for _, id := range all {
		for _, p := range o.of(id, meant) {
			if o.members[p] > o.each {
				o.take(id, p)
			}
		}
	}
	o.fill(targets, subscribed)
}

// sharing is an assignment on its way.
type sharing struct {
	assigned map[string]partitionSet
	each     int                    // members of a partition
	wanted   map[string]int         // partitions of a member
	has      map[string]int         // ... that it has
	members  map[topicPartition]int // ... who have a partition
}

func (o *sharing) of(id string, meant func(protocol.UUID) bool) (list []topicPartition) {
	for topic, partitions := range o.assigned[id] {
		if meant(topic) {
			for p := range partitions {
				list = append(list, topicPartition{topic, p})
			}
		}
	}
	slices.SortFunc(list, func(a, b topicPartition) int {
		return cmp.Or(slices.Compare(a.topic[:], b.topic[:]), cmp.Compare(a.partition, b.partition))
	})
	return list
}

func (o *sharing) count(id string, meant func(protocol.UUID) bool) {
	for _, p := range o.of(id, meant) {
		o.has[id]++
		o.members[p]++
	}
}

func (o *sharing) take(id string, p topicPartition) {
	o.assigned[id].remove(p.topic, p.partition)
	o.has[id]--
	o.members[p]--
}

// fill goes round the members that have less than they are to have.
func (o *sharing) fill(targets []topicPartition, subscribed []string) {
	var unfilled []string
	for _, id := range subscribed {
		if o.has[id] < o.wanted[id] {
			unfilled = append(unfilled, id)
		}
	}
	at := 0
	for _, p := range targets {
		for tried := 0; o.members[p] < o.each && tried < len(unfilled); {
			if at >= len(unfilled) {
				at = 0
			}
			id := unfilled[at]
			if o.assigned[id].has(p.topic, p.partition) {
				at, tried = at+1, tried+1
				continue
			}
			o.assigned[id].put(p.topic, p.partition)
			o.has[id]++
			o.members[p]++
			tried = 0
			if o.has[id] >= o.wanted[id] {
				unfilled = slices.Delete(unfilled, at, at+1)
			} else {
				at++
			}
		}
	}
}
