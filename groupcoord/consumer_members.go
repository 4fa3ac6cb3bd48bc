package groupcoord

import (
	"maps"
	"slices"

	"klamm/protocol"
)

// What is counted from the members changes with one member at a time, so that a
// heartbeat costs the same in a group of any size.

// setMember puts a member in, in the place of an earlier one of its id (ConsumerGroup.updateMember).
func (c *consumer) setMember(m *consumerMember) {
	old := c.members[m.id]
	c.members[m.id] = m
	c.countTopics(old, m)
	countAssignors(c.assignors, old, m)
	c.freePartitions(old)
	c.takePartitions(m)
	if old != nil {
		c.countMember(old, -1)
		if old.instance != nil {
			delete(c.static, *old.instance)
		}
	}
	if c.countMember(m, 1); m.instance != nil {
		c.static[*m.instance] = m.id
	}
}

// removeMember forgets a member, if there is one of the id.
func (c *consumer) removeMember(id string) {
	old := c.members[id]
	if old == nil {
		return
	}
	delete(c.members, id)
	c.countTopics(old, nil)
	countAssignors(c.assignors, old, nil)
	c.freePartitions(old)
	c.countMember(old, -1)
	if old.instance != nil {
		delete(c.static, *old.instance)
	}
}

// countMember counts regular expressions, classic protocols and who has reached the target.
func (c *consumer) countMember(m *consumerMember, n int) {
	if m.regex != "" {
		count(c.regexes, m.regex, n)
	}
	if m.classic != nil {
		c.classics += n
		for _, p := range m.classic.protocols {
			count(c.protocols, p.name, n)
		}
	}
	if m.reached(c.assignmentEpoch) {
		c.settled += n
	}
}

// setAssignmentEpoch changes what the members have to reach.
func (c *consumer) setAssignmentEpoch(epoch int32, ms int64) {
	c.assignedMs = ms
	if epoch == c.assignmentEpoch {
		return
	}
	c.assignmentEpoch, c.settled = epoch, 0
	for _, m := range c.members {
		if m.reached(epoch) {
			c.settled++
		}
	}
}

func count(counts map[string]int, key string, n int) {
	if counts[key] += n; counts[key] <= 0 {
		delete(counts, key)
	}
}

func countAssignors(counts map[string]int, old, m *consumerMember) {
	if old != nil && old.assignor != nil {
		count(counts, *old.assignor, -1)
	}
	if m != nil && m.assignor != nil {
		count(counts, *m.assignor, 1)
	}
}

func (c *consumer) countTopics(old, m *consumerMember) {
	if old != nil && m != nil && slices.Equal(old.topics, m.topics) {
		return
	}
	countTopics(c.topics, old, m)
	c.revision++
}

// countTopics counts who subscribes by name: m in the place of old; each may be nil.
func countTopics(topics map[string]subscribers, old, m *consumerMember) {
	if old != nil {
		for _, t := range old.topics {
			addSubscribers(topics, t, -1, 0)
		}
	}
	if m != nil {
		for _, t := range m.topics {
			addSubscribers(topics, t, 1, 0)
		}
	}
}

// addSubscribers counts names and regular expressions; a topic without any is out.
func addSubscribers(topics map[string]subscribers, topic string, names, regexes int) {
	n := topics[topic]
	n.names += names
	n.regexes += regexes
	if n.names <= 0 && n.regexes <= 0 {
		delete(topics, topic)
		return
	}
	topics[topic] = n
}

// freePartitions forgets the epochs of what a member had, unless somebody else has it by now.
func (c *consumer) freePartitions(m *consumerMember) {
	if m == nil {
		return
	}
	for _, set := range [...]partitionSet{m.assigned, m.revoking} {
		for topic, partitions := range set {
			epochs := c.epochs[topic]
			for p := range partitions {
				if epoch, ok := epochs[p]; ok && epoch == m.epoch {
					delete(epochs, p)
				}
			}
			if len(epochs) == 0 {
				delete(c.epochs, topic)
			}
		}
	}
}

// takePartitions notes that a member has partitions, or gives them up. Kafka has an
// exception for one that somebody has at a later epoch; the later one counts here.
func (c *consumer) takePartitions(m *consumerMember) {
	for _, set := range [...]partitionSet{m.assigned, m.revoking} {
		for topic, partitions := range set {
			epochs := c.epochs[topic]
			if epochs == nil {
				epochs = make(map[int32]int32, len(partitions))
				c.epochs[topic] = epochs
			}
			for p := range partitions {
				if epoch, ok := epochs[p]; !ok || epoch < m.epoch {
					epochs[p] = m.epoch
				}
			}
		}
	}
}

// setTarget gives a member a target assignment; nil takes it away.
func (c *consumer) setTarget(id string, target partitionSet) {
	for topic, partitions := range c.target[id] {
		owners := c.owners[topic]
		for p := range partitions {
			if owners[p] == id && !target.has(topic, p) {
				delete(owners, p)
			}
		}
		if len(owners) == 0 {
			delete(c.owners, topic)
		}
	}
	for topic, partitions := range target {
		if c.owners[topic] == nil {
			c.owners[topic] = make(map[int32]string, len(partitions))
		}
		for p := range partitions {
			c.owners[topic][p] = id
		}
	}
	if target == nil {
		delete(c.target, id)
		return
	}
	c.target[id] = target
}

// setResolved keeps what a regular expression stands for; nil forgets it.
func (c *consumer) setResolved(regex string, r *resolvedRegex) {
	if old, ok := c.resolved[regex]; ok {
		for topic := range old.topics {
			addSubscribers(c.topics, topic, 0, -1)
		}
		delete(c.resolved, regex)
	}
	if r != nil {
		for topic := range r.topics {
			addSubscribers(c.topics, topic, 0, 1)
		}
		c.resolved[regex] = *r
	}
	c.revision++
}

// subscribesTo tells whether a member subscribes to a topic, by name or by its
// regular expression.
func (c *consumer) subscribesTo(m *consumerMember, topic string) bool {
	if _, ok := slices.BinarySearch(m.topics, topic); ok {
		return true
	}
	return m.regex != "" && c.resolved[m.regex].topics[topic]
}

// subscriptionOf are the topics that a member subscribes to and that exist.
func (c *consumer) subscriptionOf(m *consumerMember, image TopicImage) map[protocol.UUID]int32 {
	found := map[protocol.UUID]int32{}
	add := func(name string) {
		if t, ok := image.Topic(name); ok {
			found[t.ID] = t.Partitions
		}
	}
	for _, name := range m.topics {
		add(name)
	}
	if m.regex != "" {
		for name := range maps.Keys(c.resolved[m.regex].topics) {
			add(name)
		}
	}
	return found
}
