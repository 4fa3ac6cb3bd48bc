package groupcoord

import (
	"encoding/binary"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"klamm/protocol"
)

// hash tells apart what groups can see of the topics that they subscribe to: 0 when none
// of them exists. Kafka's is an XXH3 of the same; a number means something only to the
// coordinator that wrote it.
func (s *consumerStep) hash(topics map[string]subscribers) uint64 {
	if s.image == nil {
		return s.c.hash
	}
	h, any := fnv.New64a(), false
	for _, name := range slices.Sorted(maps.Keys(topics)) {
		t, ok := s.image.Topic(name)
		if !ok {
			continue
		}
		any = true
		h.Write(t.ID[:])
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(t.Partitions)))
	}
	if !any {
		return 0
	}
	return h.Sum64()
}

// refresh computes anew what the members subscribe to, with m in the place of old, and
// makes a new group epoch if bump says so or the topics have changed
// (GroupMetadataManager.updateSubscriptionMetadata).
func (s *consumerStep) refresh(bump bool, old, m *consumerMember) (epoch int32) {
	c := s.c
	epoch = c.epoch
	hash := s.hash(s.topicsWith(old, m))
	if bump || hash != c.hash {
		epoch++
		s.write(s.g.groupEpochRecord(epoch, hash))
	}
	c.image = s.image
	if c.oldMetadata {
		s.write(newRecord(s.g.key(consumerGroupPartitionMetadata), nil))
	}
	return epoch
}

// topicsWith counts subscribers with m in the place of old (ConsumerGroup.computeSubscribedTopicNames).
func (s *consumerStep) topicsWith(old, m *consumerMember) map[string]subscribers {
	topics := maps.Clone(s.c.topics)
	countTopics(topics, s.asStored(old), m)
	if old.regex != "" && old.regex != m.regex && s.c.regexes[old.regex] == 1 {
		for topic := range s.c.resolved[old.regex].topics {
			addSubscribers(topics, topic, 0, -1)
		}
	}
	return topics
}

// asStored is m, unless it is a new member, which is counted nowhere.
func (s *consumerStep) asStored(m *consumerMember) *consumerMember {
	if s.c.members[m.id] == nil && (m.instance == nil || s.c.static[*m.instance] == "") {
		return nil
	}
	return m
}

// preferred is the assignor that most members ask for, with m in the place of old, or
// the broker's first. Of a draw the order of Java's tables decides.
func (s *consumerStep) preferred(old, m *consumerMember) string {
	counts := s.c.assignors
	names := slices.Sorted(maps.Keys(counts))
	slot := func(name string) int { return timelineSlot(name, len(s.c.assignors)) }
	if m != nil {
		counts = maps.Clone(counts)
		countAssignors(counts, s.asStored(old), m)
		names = slices.Sorted(maps.Keys(counts))
		slot = func(name string) int { return int(protocol.JavaBucket(name, protocol.JavaTableSize(len(counts)))) }
	}
	best := ""
	for _, name := range names {
		if best == "" || counts[name] > counts[best] || counts[name] == counts[best] && slot(name) < slot(best) {
			best = name
		}
	}
	if best == "" {
		return s.g.cfg.defaultAssignor()
	}
	return best
}

func (cfg *Config) defaultAssignor() string {
	if len(cfg.ConsumerAssignors) == 0 {
		return "uniform"
	}
	return cfg.ConsumerAssignors[0]
}

// updateTarget computes the target assignment of a new group epoch, but no sooner after
// the last one than consumer.assignment.interval.ms, and tells the epoch of the target
// and what it gives the member (GroupMetadataManager.maybeUpdateTargetAssignment).
func (s *consumerStep) updateTarget(epoch int32, old, m *consumerMember) (int32, partitionSet) {
	c, interval := s.c, s.g.cfg.ConsumerAssignmentInterval
	if c.assignmentEpoch >= epoch || c.assignedMs != 0 && interval > 0 && s.now.Before(time.UnixMilli(c.assignedMs).Add(interval)) {
		return c.assignmentEpoch, c.targetOf(m)
	}
	spec := s.spec(m)
	assigned := spec.assign(s.preferred(old, m))
	for _, id := range spec.ids {
		before, had := spec.target[id]
		if after := assigned[id]; !had || !after.same(before) {
			s.write(s.g.targetRecord(id, after))
		}
	}
	s.write(s.g.assignmentEpochRecord(epoch, s.now.UnixMilli()))
	return epoch, assigned[m.id]
}

// targetOf is what the target gives a member, or the one whose place it takes.
func (c *consumer) targetOf(m *consumerMember) partitionSet {
	if m.instance != nil {
		return c.target[c.static[*m.instance]]
	}
	return c.target[m.id]
}

// spec is what the assignor is asked: all members, with m as it will be.
func (s *consumerStep) spec(m *consumerMember) *assignSpec {
	c := s.c
	replaced := ""
	if m.instance != nil && c.static[*m.instance] != m.id {
		replaced = c.static[*m.instance]
	}
	spec := &assignSpec{
		subscriptions: make(map[string]map[protocol.UUID]int32, len(c.members)+1), instances: map[string]string{},
		target: make(map[string]partitionSet, len(c.members)+1), owners: c.owners,
	}
	shared := sharedSubscriptions{s: s}
	add := func(one *consumerMember, target partitionSet, had bool) {
		spec.ids = append(spec.ids, one.id)
		spec.subscriptions[one.id] = shared.of(one)
		if one.instance != nil {
			spec.instances[one.id] = *one.instance
		}
		if had {
			spec.target[one.id] = target
		}
	}
	for id, one := range c.members {
		if id != m.id && id != replaced {
			target, had := c.target[id]
			add(one, target, had)
		}
	}
	from := m.id
	if replaced != "" {
		from = replaced
	}
	target, had := c.target[from]
	add(m, target, had)
	memberOrder(spec.ids, func(id string) bool { return c.members[id] == nil })
	spec.homogeneous = s.homogeneous(m, len(spec.ids))
	return spec
}

// sharedSubscriptions gives members that subscribe to the same the same answer.
type sharedSubscriptions struct {
	s     *consumerStep
	last  *consumerMember
	found map[protocol.UUID]int32
}

func (f *sharedSubscriptions) of(m *consumerMember) map[protocol.UUID]int32 {
	if f.last == nil || f.last.regex != m.regex || !slices.Equal(f.last.topics, m.topics) {
		f.last, f.found = m, f.s.c.subscriptionOf(m, f.s.image)
	}
	return f.found
}

// homogeneous tells that all members subscribe to the same, as far as counting shows
// (ConsumerGroup.subscriptionType).
func (s *consumerStep) homogeneous(m *consumerMember, members int) bool {
	c := s.c
	old := c.members[m.id]
	if m.instance != nil && c.static[*m.instance] != "" {
		old = c.members[c.static[*m.instance]]
	}
	before := old
	if before == nil {
		before = newConsumerMember(m.id)
	}
	topics := s.topicsWith(before, m)
	regexes := maps.Clone(c.regexes)
	if before.regex != m.regex {
		if before.regex != "" {
			count(regexes, before.regex, -1)
		}
		if m.regex != "" {
			count(regexes, m.regex, 1)
		}
	}
	for _, n := range regexes {
		if n != members {
			return false
		}
	}
	for _, n := range topics {
		if len(regexes) == 0 && n.names != members || len(regexes) > 0 && (n.regexes != 1 || n.names > 0) {
			return false
		}
	}
	return true
}
