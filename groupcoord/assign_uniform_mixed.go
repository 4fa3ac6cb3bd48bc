package groupcoord

import (
	"cmp"
	"slices"

	"klamm/protocol"
)

// mixed is Kafka's UniformHeterogeneousAssignmentBuilder at work: members subscribe to
// different topics. Who has partitions keeps them, what nobody has goes to those who
// have least, and then partitions move from who has most of all to who has least, as
// long as that makes things more even. Members are known by their place in ids.
type mixed struct {
	a           *assignSpec
	topics      map[protocol.UUID]int32 // with how many partitions they have
	subscribers map[protocol.UUID][]int
	assigned    []partitionSet
	sizes       []int                   // partitions by member
	owners      map[protocol.UUID][]int // member by partition; -1: nobody
}

func (a *assignSpec) assignUniformMixed() map[string]partitionSet {
	m := mixed{
		a: a, topics: map[protocol.UUID]int32{}, subscribers: map[protocol.UUID][]int{},
		assigned: make([]partitionSet, len(a.ids)), sizes: make([]int, len(a.ids)), owners: map[protocol.UUID][]int{},
	}
	for i, id := range a.ids {
		for topic, partitions := range a.subscriptions[id] {
			if m.owners[topic] == nil {
				m.topics[topic], m.owners[topic] = partitions, slices.Repeat([]int{-1}, int(partitions))
			}
			m.subscribers[topic] = append(m.subscribers[topic], i)
		}
	}
	if len(m.topics) == 0 {
		return nil
	}
	m.keep()
	m.assignRest()
	m.balance()
	assigned := make(map[string]partitionSet, len(a.ids))
	for i, id := range a.ids {
		assigned[id] = m.assigned[i]
	}
	return assigned
}

// keep leaves members what they have of topics that they still subscribe to.
func (m *mixed) keep() {
	for i, id := range m.a.ids {
		m.assigned[i] = partitionSet{}
		for topic, partitions := range m.a.target[id] {
			if _, ok := m.a.subscriptions[id][topic]; !ok {
				continue
			}
			for p := range partitions {
				if p >= 0 && p < m.topics[topic] {
					m.give(topic, p, i)
				}
			}
		}
	}
}

// give makes a member the owner of a partition, whoever was it before.
func (m *mixed) give(topic protocol.UUID, partition int32, member int) {
	if old := m.owners[topic][partition]; old >= 0 {
		m.assigned[old].remove(topic, partition)
		m.sizes[old]--
	}
	m.assigned[member].put(topic, partition)
	m.owners[topic][partition] = member
	m.sizes[member]++
}

// sorted are topics in the order in which they are dealt with: first those with most
// partitions for each subscriber, then those with fewer subscribers, then by id.
func (m *mixed) sorted(wanted func(protocol.UUID) bool) []protocol.UUID {
	var topics []protocol.UUID
	for topic := range m.topics {
		if wanted(topic) {
			topics = append(topics, topic)
		}
	}
	slices.SortFunc(topics, func(a, b protocol.UUID) int {
		x, y := len(m.subscribers[a]), len(m.subscribers[b])
		return cmp.Or(
			cmp.Compare(float64(m.topics[b])/float64(y), float64(m.topics[a])/float64(x)),
			cmp.Compare(x, y), compareUUIDs(a, b))
	})
	return topics
}

// compareUUIDs is org.apache.kafka.common.Uuid.compareTo: by two signed numbers.
func compareUUIDs(a, b protocol.UUID) int {
	for i := 0; i < len(a); i += 8 {
		first, second := a, b
		first[i] ^= 0x80
		second[i] ^= 0x80
		if order := slices.Compare(first[i:i+8], second[i:i+8]); order != 0 {
			return order
		}
	}
	return 0
}

// assignRest gives each partition that nobody has to the subscriber that has least.
func (m *mixed) assignRest() {
	isFree := func(topic protocol.UUID) bool { return slices.Contains(m.owners[topic], -1) }
	for _, topic := range m.sorted(isFree) {
		b := newBalancer(m.sizes, m.subscribers[topic])
		for p, owner := range m.owners[topic] {
			if owner < 0 {
				m.give(topic, int32(p), b.nextLeast())
			}
		}
	}
}

// balance moves partitions of topics that more than one member subscribes to, until a
// whole round over them changed nothing, or for maxRounds.
func (m *mixed) balance() {
	const maxRounds = 16
	topics := m.sorted(func(topic protocol.UUID) bool { return len(m.subscribers[topic]) >= 2 })
	last := -1
	for range maxRounds {
		for i, topic := range topics {
			if i == last {
				return
			}
			if moved := m.balanceTopic(topic); moved > 0 || last < 0 {
				last = i
			}
		}
	}
}

// balanceTopic moves partitions of one topic, and tells how many.
func (m *mixed) balanceTopic(topic protocol.UUID) (moved int) {
	b := newBalancer(m.sizes, m.subscribers[topic])
	if b.imbalance() <= 1 {
		return 0
	}
	held := make([][]int32, len(m.sizes)) // by member, in order
	for p, owner := range m.owners[topic] {
		held[owner] = append(held[owner], int32(p))
	}
	for !b.isBalanced() {
		most := b.nextMost()
		for most >= 0 && len(held[most]) == 0 {
			b.excludeMost()
			most = b.nextMost()
		}
		if most < 0 {
			break
		}
		p := held[most][len(held[most])-1]
		held[most] = held[most][:len(held[most])-1]
		least := b.nextLeast()
		if b.isBalanced() {
			break
		}
		m.give(topic, p, least)
		moved++
	}
	return moved
}

// balancer deals with the subscribers of one topic in the order of how much they have
// (MemberAssignmentBalancer): those with least, and those with most, are ranges of
// members that have equally much. sizes are those of the moment.
type balancer struct {
	sizes                          []int
	members                        []int
	leastEnd, leastSize, leastNext int
	mostStart, mostEnd, mostSize   int
	mostNext                       int
}

func newBalancer(sizes, members []int) *balancer {
	b := &balancer{sizes: sizes, members: slices.Clone(members)}
	slices.SortFunc(b.members, func(x, y int) int { return cmp.Or(cmp.Compare(sizes[x], sizes[y]), cmp.Compare(x, y)) })
	n := len(b.members)
	b.leastSize = sizes[b.members[0]] - 1
	b.mostStart, b.mostEnd, b.mostSize, b.mostNext = n, n, sizes[b.members[n-1]]+1, n-1
	return b
}

func (b *balancer) imbalance() int {
	return b.sizes[b.members[len(b.members)-1]] - b.sizes[b.members[0]]
}

func (b *balancer) isBalanced() bool { return b.mostSize-b.leastSize <= 1 }

func (b *balancer) nextLeast() int {
	if b.leastNext >= b.leastEnd {
		b.leastSize++
		for b.leastEnd < len(b.members) && b.sizes[b.members[b.leastEnd]] == b.leastSize {
			b.leastEnd++
		}
		b.leastNext = 0
	}
	b.leastNext++
	return b.members[b.leastNext-1]
}

// nextMost is -1 when there is none.
func (b *balancer) nextMost() int {
	if b.mostNext < b.mostStart {
		if b.mostEnd <= b.mostStart && b.mostStart > 0 {
			b.mostSize = b.sizes[b.members[b.mostStart-1]]
		} else {
			b.mostSize--
		}
		for b.mostStart > 0 && b.sizes[b.members[b.mostStart-1]] == b.mostSize {
			b.mostStart--
		}
		b.mostNext = b.mostEnd - 1
	}
	if b.mostNext < 0 {
		return -1
	}
	b.mostNext--
	return b.members[b.mostNext+1]
}

// excludeMost leaves out the member that nextMost gave last.
func (b *balancer) excludeMost() {
	b.members[b.mostNext+1], b.members[b.mostEnd-1] = b.members[b.mostEnd-1], b.members[b.mostNext+1]
	b.mostEnd--
}
