package groupcoord

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// overview is for kind.
func (c *consumer) overview() Overview {
	return Overview{State: c.stateName(), ProtocolType: "consumer", Type: "consumer"}
}

// describe is for kind: DescribeGroups knows classic groups only.
func (c *consumer) describe(*kmsg.DescribeGroupsResponseGroup) {}

func (c *consumer) isEmpty() bool { return len(c.members) == 0 }

// subscribedTo is for kind.
func (c *consumer) subscribedTo(topic string) bool {
	_, ok := c.topics[topic]
	return ok
}

// checkOffsetDelete is for kind.
func (c *consumer) checkOffsetDelete() protocol.ErrorCode { return protocol.None }

// expiry is for kind (ConsumerGroup.offsetExpirationCondition): each offset for itself.
func (c *consumer) expiry() expiryRule {
	return expiryRule{empty: c.isEmpty(), expires: true, since: -1, revision: c.revision}
}

// tombstones is for kind (ConsumerGroup.createGroupTombstoneRecords).
func (c *consumer) tombstones(g *Group, records []Record) []Record {
	ids := make([]string, 0, len(c.members))
	for id := range c.members {
		ids = append(ids, id)
	}
	sortTimeline(ids)
	add := func(kind uint16, of ...string) { records = append(records, newRecord(g.key(kind, of...), nil)) }
	for _, id := range ids {
		add(consumerGroupCurrentMemberAssignment, id)
	}
	for _, id := range ids {
		add(consumerGroupTargetAssignmentMember, id)
	}
	add(consumerGroupTargetAssignmentMetadata)
	for _, id := range ids {
		add(consumerGroupMemberMetadata, id)
	}
	for _, regex := range sortedKeys(c.resolved) {
		add(consumerGroupRegularExpression, regex)
	}
	add(consumerGroupPartitionMetadata)
	add(consumerGroupMetadata)
	return records
}

// DescribeConsumer is the group as ConsumerGroupDescribe shows it, authorized operations
// left out; false when it is not a consumer group. Topics that are not in the image are
// left out.
func (g *Group) DescribeConsumer(image TopicImage) (d kmsg.ConsumerGroupDescribeResponseGroup, ok bool) {
	d = kmsg.NewConsumerGroupDescribeResponseGroup()
	d.Group = g.id
	c, ok := g.kind.(*consumer)
	if !ok {
		return d, false
	}
	s := consumerStep{g: g, c: c}
	d.State, d.Epoch, d.AssignmentEpoch, d.AssignorName = c.stateName(), c.epoch, c.assignmentEpoch, s.preferred(nil, nil)
	ids := sortedKeys(c.members)
	sortTimeline(ids)
	d.Members = make([]kmsg.ConsumerGroupDescribeResponseGroupMember, 0, len(ids))
	for _, id := range ids {
		d.Members = append(d.Members, c.describeMember(c.members[id], image))
	}
	return d, true
}

func (c *consumer) describeMember(m *consumerMember, image TopicImage) kmsg.ConsumerGroupDescribeResponseGroupMember {
	d := kmsg.NewConsumerGroupDescribeResponseGroupMember()
	d.MemberID, d.InstanceID, d.RackID, d.MemberEpoch = m.id, m.instance, m.rack, m.epoch
	d.ClientID, d.ClientHost, d.SubscribedTopics = m.clientID, m.clientHost, m.topics
	d.SubscribedTopicRegex = &m.regex
	has := m.assigned.clone()
	for topic, partitions := range m.revoking {
		for p, epoch := range partitions {
			has.add(topic, p, epoch)
		}
	}
	d.Assignment.TopicPartitions = namedPartitions(has, currentOrder, image)
	d.TargetAssignment.TopicPartitions = namedPartitions(c.target[m.id], targetOrder, image)
	d.MemberType = 1
	if m.classic != nil {
		d.MemberType = 0
	}
	return d
}

func namedPartitions(set partitionSet, order func(map[int32]int32) []int32, image TopicImage) []kmsg.AssignmentTopicPartition {
	named := []kmsg.AssignmentTopicPartition{}
	for _, topic := range topicOrder(set) {
		if t, ok := image.TopicByID(topic); ok {
			one := kmsg.NewAssignmentTopicPartition()
			one.TopicID, one.Topic, one.Partitions = topic, t.Name, order(set[topic])
			named = append(named, one)
		}
	}
	return named
}

// checkCommit is for kind (ConsumerGroup.validateOffsetCommit). A member that says a
// former epoch may commit what it has had since then, or longer.
func (c *consumer) checkCommit(g *Group, _ time.Time, e OffsetCommit) protocol.ErrorCode {
	req := e.Req
	if req.Generation < 0 && len(c.members) == 0 {
		return protocol.None
	}
	if e.Txn != nil && req.Generation == -1 && req.MemberID == "" && req.InstanceID == nil {
		return protocol.None
	}
	m := c.members[req.MemberID]
	const memberEpochSince = 9
	switch {
	case m == nil:
		return unknownMember
	case e.Txn == nil && m.classic == nil && req.Version < memberEpochSince:
		return protocol.UnsupportedVersion
	case req.Generation == m.epoch:
		return protocol.None
	}
	stale := protocol.StaleMemberEpoch
	if m.classic != nil || e.Txn != nil && req.Version < memberEpochSince {
		stale = protocol.IllegalGeneration
	}
	if req.Generation > m.epoch {
		return stale
	}
	for i := range req.Topics {
		t := &req.Topics[i]
		for j := range t.Partitions {
			if p := &t.Partitions[j]; !g.metadataTooLarge(p.Metadata) && !m.hadSince(t.TopicID, p.Partition, req.Generation) {
				return stale
			}
		}
	}
	return protocol.None
}

// hadSince tells that the member has, or gives up, a partition that it got at the epoch or before.
func (m *consumerMember) hadSince(topic protocol.UUID, partition, epoch int32) bool {
	got, ok := m.assigned[topic][partition]
	if !ok {
		got, ok = m.revoking[topic][partition]
	}
	return ok && got <= epoch
}

// checkFetch is for kind (ConsumerGroup.validateOffsetFetch).
func (c *consumer) checkFetch(member *string, epoch int32) protocol.ErrorCode {
	if member == nil && epoch < 0 {
		return protocol.None
	}
	if member == nil {
		return protocol.UnknownServerError // Kafka's table has no null keys
	}
	m := c.members[*member]
	switch {
	case m == nil:
		return unknownMember
	case m.epoch == epoch:
		return protocol.None
	case m.classic != nil:
		return protocol.IllegalGeneration
	}
	return protocol.StaleMemberEpoch
}
