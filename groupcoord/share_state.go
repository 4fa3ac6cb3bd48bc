package groupcoord

import (
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// ShareStart is where the state of a share group on one partition is to begin.
type ShareStart struct {
	Topic       protocol.UUID
	Partition   int32
	StartOffset int64 // -1: as share.auto.offset.reset says, at the first fetch
}

// initialize asks for the state of partitions that members subscribe to and that the
// share coordinator does not know (GroupMetadataManager.maybeCreateInitializeShareGroupStateRequest).
// Partitions that come to a known topic begin at their first record.
func (s *shareStep) initialize(epoch int32, topics []string) {
	c := s.c
	var starts []ShareStart
	initializing := maps.Clone(c.initializing)
	for _, name := range topics {
		t, ok := s.image.Topic(name)
		if !ok {
			continue
		}
		start := int64(0)
		if c.initialized[t.ID].partitions == nil && c.initializing[t.ID].partitions == nil {
			start = -1
		}
		for p := range t.Partitions {
			if !c.initialized[t.ID].partitions[p] && !c.initializing[t.ID].partitions[p] {
				starts = append(starts, ShareStart{t.ID, p, start})
				addShared(initializing, t.ID, name, p)
			}
		}
	}
	if len(starts) > 0 {
		s.begin(epoch, initializing, starts)
	}
}

// begin writes what is being initialized, and asks the owner to do so.
func (s *shareStep) begin(epoch int32, initializing map[protocol.UUID]sharedTopic, starts []ShareStart) {
	deleting := maps.Clone(s.c.deleting)
	for topic := range initializing {
		delete(deleting, topic)
	}
	s.write(s.g.shareStateRecord(initializing, s.c.initialized, deleting))
	s.out = append(s.out, InitializeShareState{StateEpoch: epoch, Starts: starts})
}

// addShared adds a partition to one of the sets, whose entries are never changed.
func addShared(set map[protocol.UUID]sharedTopic, topic protocol.UUID, name string, partition int32) {
	t := sharedTopic{name: name, partitions: maps.Clone(set[topic].partitions)}
	if t.partitions == nil {
		t.partitions = map[int32]bool{}
	}
	t.partitions[partition] = true
	set[topic] = t
}

// stateInitialized notes that the share coordinator knows some partitions
// (GroupMetadataManager.initializeShareGroupState). Those of which it says that it could not are asked for again.
func (s *shareStep) stateInitialized(e ShareStateInitialized) {
	initializing, initialized := maps.Clone(s.c.initializing), maps.Clone(s.c.initialized)
	for _, start := range e.Starts {
		t := initializing[start.Topic]
		if !t.partitions[start.Partition] {
			continue
		}
		left := sharedTopic{name: t.name, partitions: maps.Clone(t.partitions)}
		delete(left.partitions, start.Partition)
		if initializing[start.Topic] = left; len(left.partitions) == 0 {
			delete(initializing, start.Topic)
		}
		if !e.Failed {
			addShared(initialized, start.Topic, t.name, start.Partition)
		}
	}
	s.write(s.g.shareStateRecord(initializing, initialized, s.c.deleting))
}

// topicsDeleted forgets topics that are gone (GroupMetadataManager.maybeCleanupShareGroupState).
func (s *shareStep) topicsDeleted(e TopicsDeleted) {
	gone := func(name string) bool { return slices.Contains(e.Topics, name) }
	initializing, initialized, deleting := maps.Clone(s.c.initializing), maps.Clone(s.c.initialized), maps.Clone(s.c.deleting)
	maps.DeleteFunc(initializing, func(_ protocol.UUID, t sharedTopic) bool { return gone(t.name) })
	maps.DeleteFunc(initialized, func(_ protocol.UUID, t sharedTopic) bool { return gone(t.name) })
	maps.DeleteFunc(deleting, func(_ protocol.UUID, name string) bool { return gone(name) })
	if len(initializing) < len(s.c.initializing) || len(initialized) < len(s.c.initialized) || len(deleting) < len(s.c.deleting) {
		s.write(s.g.shareStateRecord(initializing, initialized, deleting))
	}
}

// alterOffsets answers AlterShareGroupOffsets (GroupMetadataManager.alterShareGroupOffsets).
func (s *shareStep) alterOffsets(e AlterShareOffsets) {
	s.image = e.Topics
	resp := kmsg.NewPtrAlterShareGroupOffsetsResponse()
	if len(s.c.members) > 0 {
		resp.ErrorCode, resp.ErrorMessage = int16(protocol.NonEmptyGroup), kmsg.StringPtr(protocol.NonEmptyGroup.Message())
		s.out = append(s.out, Reply{e.To, resp})
		return
	}
	initializing := maps.Clone(s.c.initializing)
	var starts []ShareStart
	for _, asked := range e.Req.Topics {
		t, ok := s.image.Topic(asked.Topic)
		answer := kmsg.NewAlterShareGroupOffsetsResponseTopic()
		answer.Topic, answer.TopicID = asked.Topic, t.ID
		for _, p := range asked.Partitions {
			one := kmsg.NewAlterShareGroupOffsetsResponseTopicPartition()
			one.Partition = p.Partition
			if !ok || p.Partition >= t.Partitions {
				one.ErrorCode, one.ErrorMessage = int16(protocol.UnknownTopicOrPartition), kmsg.StringPtr(protocol.UnknownTopicOrPartition.Message())
			} else {
				starts = append(starts, ShareStart{t.ID, p.Partition, p.StartOffset})
				addShared(initializing, t.ID, t.Name, p.Partition)
			}
			answer.Partitions = append(answer.Partitions, one)
		}
		resp.Topics = append(resp.Topics, answer)
	}
	if len(starts) > 0 {
		s.begin(s.c.epoch, initializing, starts)
	}
	s.out = append(s.out, Reply{e.To, resp})
}

// deleteOffsets answers DeleteShareGroupOffsets, or begins the deletion of the whole group
// (GroupCoordinatorShard.initiateDeleteShareGroupOffsets and sharePartitionDeleteRequests).
func (s *shareStep) deleteOffsets(e DeleteShareOffsets) {
	resp := kmsg.NewPtrDeleteShareGroupOffsetsResponse()
	if len(s.c.members) > 0 {
		resp.ErrorCode, resp.ErrorMessage = int16(protocol.NonEmptyGroup), kmsg.StringPtr(protocol.NonEmptyGroup.Message())
		s.out = append(s.out, Reply{e.To, resp})
		return
	}
	if e.Req == nil {
		s.deleteAll(e)
		return
	}
	initialized, deleting := maps.Clone(s.c.initialized), maps.Clone(s.c.deleting)
	var gone []ShareStart
	var refused []kmsg.DeleteShareGroupOffsetsResponseTopic
	for _, asked := range e.Req.Topics {
		answer := kmsg.NewDeleteShareGroupOffsetsResponseTopic()
		answer.Topic = asked.Topic
		t, ok := e.Topics.Topic(asked.Topic)
		_, isDeleting := deleting[t.ID]
		switch kept, known := initialized[t.ID]; {
		case !ok:
			answer.ErrorCode, answer.ErrorMessage = int16(protocol.UnknownTopicOrPartition), kmsg.StringPtr(protocol.UnknownTopicOrPartition.Message())
			refused = append(refused, answer)
			continue
		case known:
			gone = appendStarts(gone, t.ID, kept)
			delete(initialized, t.ID)
			deleting[t.ID] = t.Name
		case isDeleting:
			for p := range t.Partitions {
				gone = append(gone, ShareStart{Topic: t.ID, Partition: p})
			}
		default:
			answer.ErrorCode, answer.ErrorMessage = int16(protocol.UnknownTopicOrPartition), kmsg.StringPtr("There is no offset information to delete.")
			refused = append(refused, answer)
			continue
		}
		answer.TopicID = t.ID
		resp.Topics = append(resp.Topics, answer)
	}
	resp.Topics = append(resp.Topics, refused...)
	s.write(s.g.shareStateRecord(s.c.initializing, initialized, deleting))
	if len(gone) > 0 {
		s.out = append(s.out, DeleteShareState{Starts: gone})
	}
	s.out = append(s.out, Reply{e.To, resp})
}

// deleteAll deletes all that the share coordinator knows of the group, which is to be deleted next.
func (s *shareStep) deleteAll(e DeleteShareOffsets) {
	deleting := maps.Clone(s.c.deleting)
	var gone []ShareStart
	for _, set := range [...]map[protocol.UUID]sharedTopic{s.c.initialized, s.c.initializing} {
		for topic, t := range set {
			gone = appendStarts(gone, topic, t)
			deleting[topic] = t.name
		}
	}
	none := map[protocol.UUID]sharedTopic{}
	s.write(s.g.shareStateRecord(none, none, deleting))
	s.out = append(s.out, DeleteShareState{Starts: gone}, Reply{e.To, kmsg.NewPtrDeleteShareGroupOffsetsResponse()})
}

func appendStarts(starts []ShareStart, topic protocol.UUID, t sharedTopic) []ShareStart {
	for _, p := range slices.Sorted(maps.Keys(t.partitions)) {
		starts = append(starts, ShareStart{Topic: topic, Partition: p})
	}
	return starts
}

// stateDeleted notes that the share coordinator has forgotten topics
// (GroupMetadataManager.completeDeleteShareGroupOffsets).
func (s *shareStep) stateDeleted(e ShareStateDeleted) {
	deleting := maps.Clone(s.c.deleting)
	for _, start := range e.Starts {
		delete(deleting, start.Topic)
	}
	s.write(s.g.shareStateRecord(s.c.initializing, s.c.initialized, deleting))
}

// ShareStates are the partitions whose state is kept, topics and partitions in order;
// ok is false when it is not a share group.
func (g *Group) ShareStates() (starts []ShareStart, ok bool) {
	c, ok := g.kind.(*share)
	if !ok {
		return nil, false
	}
	byTopic := map[protocol.UUID]bool{}
	for topic := range c.initialized {
		byTopic[topic] = true
	}
	for _, topic := range topicOrder(byTopic) {
		starts = appendStarts(starts, topic, c.initialized[topic])
	}
	return starts, true
}

// DescribeShare is the group as ShareGroupDescribe shows it, authorized operations left
// out; false when it is not a share group. Topics that are not in the image are left out.
func (g *Group) DescribeShare(image TopicImage) (d kmsg.ShareGroupDescribeResponseGroup, ok bool) {
	d = kmsg.NewShareGroupDescribeResponseGroup()
	d.GroupID = g.id
	c, ok := g.kind.(*share)
	if !ok {
		return d, false
	}
	d.GroupState, d.GroupEpoch, d.AssignmentEpoch, d.Assignor = c.stateName(), c.epoch, c.assignmentEpoch, "simple"
	ids := sortedKeys(c.members)
	sortTimeline(ids)
	for _, id := range ids {
		m := c.members[id]
		one := kmsg.NewShareGroupDescribeResponseGroupMember()
		one.MemberID, one.RackID, one.MemberEpoch = m.id, m.rack, m.epoch
		one.ClientID, one.ClientHost, one.SubscribedTopicNames = m.clientID, m.clientHost, m.topics
		for _, topic := range topicOrder(m.assigned) {
			if t, ok := image.TopicByID(topic); ok {
				tp := kmsg.NewShareGroupDescribeResponseGroupMemberAssignmentTopicPartition()
				tp.TopicID, tp.Topic, tp.Partitions = topic, t.Name, currentOrder(m.assigned[topic])
				one.Assignment.TopicPartitions = append(one.Assignment.TopicPartitions, tp)
			}
		}
		d.Members = append(d.Members, one)
	}
	return d, true
}
