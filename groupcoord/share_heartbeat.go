package groupcoord

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// heartbeat answers a ShareGroupHeartbeat. It mirrors GroupCoordinatorService's
// shareGroupHeartbeat and GroupMetadataManager's.
func (s *shareStep) heartbeat(e ShareGroupHeartbeat) {
	s.image = e.Topics
	resp, no := s.heard(e)
	if no == nil && s.g.batchTooLarge(s.records) {
		no = &refusal{code: protocol.UnknownServerError, text: protocol.UnknownServerError.Message()}
	}
	if no != nil {
		s.records, s.out = nil, nil
		resp = refusedShare(no)
	}
	s.out = slices.Insert(s.out, 0, Effect(Reply{e.To, resp}))
}

func refusedShare(no *refusal) *kmsg.ShareGroupHeartbeatResponse {
	resp := kmsg.NewPtrShareGroupHeartbeatResponse()
	resp.ErrorCode, resp.ErrorMessage = int16(no.code), &no.text
	return resp
}

// CheckShareHeartbeat tells what is wrong with a ShareGroupHeartbeat in itself; nil when
// nothing is (GroupCoordinatorService.throwIfShareGroupHeartbeatRequestIsInvalid).
func CheckShareHeartbeat(req *kmsg.ShareGroupHeartbeatRequest) *kmsg.ShareGroupHeartbeatResponse {
	text := ""
	switch {
	case isBlank(req.MemberID):
		text = "MemberId can't be empty."
	case isBlank(req.GroupID):
		text = "GroupId can't be empty."
	case req.RackID != nil && isBlank(*req.RackID):
		text = "RackId can't be empty."
	case req.MemberEpoch == 0 && len(req.SubscribedTopicNames) == 0:
		text = "SubscribedTopicNames must be set in first request."
	case req.MemberEpoch < leaveEpoch:
		text = "MemberEpoch is invalid."
	default:
		return nil
	}
	return refusedShare(&refusal{protocol.InvalidRequest, text})
}

func (s *shareStep) heard(e ShareGroupHeartbeat) (*kmsg.ShareGroupHeartbeatResponse, *refusal) {
	req, c := e.Req, s.c
	if req.MemberEpoch == leaveEpoch {
		return s.leave(req)
	}
	old, no := s.memberOf(req)
	if no != nil {
		return nil, no
	}
	m := *old
	if req.RackID != nil {
		m.rack = cloneText(req.RackID)
	}
	if req.SubscribedTopicNames != nil {
		m.topics = sortedNames(req.SubscribedTopicNames)
	}
	m.clientID, m.clientHost = e.ClientID, e.ClientHost
	epoch, bump := s.refresh(old, &m)
	targetEpoch, target := s.updateTarget(epoch, old, &m)
	next := s.reconcile(&m, targetEpoch, target, bump)
	s.keepAlive(next.id)
	resp := kmsg.NewPtrShareGroupHeartbeatResponse()
	resp.MemberID, resp.MemberEpoch = &next.id, next.epoch
	resp.HeartbeatIntervalMillis = int32(s.g.cfg.ShareHeartbeatInterval.Milliseconds())
	if req.MemberEpoch == 0 || req.SubscribedTopicNames != nil || !next.assigned.same(old.assigned) {
		resp.Assignment = sharedAssignment(next.assigned)
	}
	topics := maps.Clone(c.topics)
	countShareTopics(topics, c.members[m.id], &m)
	s.initialize(epoch, slices.Sorted(maps.Keys(topics)))
	return resp, nil
}

func sharedAssignment(set partitionSet) *kmsg.ShareGroupHeartbeatResponseAssignment {
	a := kmsg.NewShareGroupHeartbeatResponseAssignment()
	a.TopicPartitions = []kmsg.ShareGroupHeartbeatResponseAssignmentTopicPartition{}
	for _, topic := range topicOrder(set) {
		t := kmsg.NewShareGroupHeartbeatResponseAssignmentTopicPartition()
		t.TopicID, t.Partitions = topic, currentOrder(set[topic])
		a.TopicPartitions = append(a.TopicPartitions, t)
	}
	return &a
}

func (s *shareStep) leave(req *kmsg.ShareGroupHeartbeatRequest) (*kmsg.ShareGroupHeartbeatResponse, *refusal) {
	m := s.c.members[req.MemberID]
	if m == nil {
		return nil, s.unknown(req.MemberID)
	}
	resp := kmsg.NewPtrShareGroupHeartbeatResponse()
	resp.MemberID, resp.MemberEpoch = &m.id, req.MemberEpoch
	s.fence(m)
	return resp, nil
}

func (s *shareStep) unknown(id string) *refusal {
	return &refusal{unknownMember, "Member " + id + " is not a member of group " + s.g.id + "."}
}

// memberOf finds the member that a heartbeat is of, or makes it, if its epoch is right.
func (s *shareStep) memberOf(req *kmsg.ShareGroupHeartbeatRequest) (*shareMember, *refusal) {
	m, size := s.c.members[req.MemberID], s.g.cfg.ShareMaxSize
	if m == nil && size > 0 && len(s.c.members) >= size {
		return nil, &refusal{protocol.GroupMaxSizeReached, fmt.Sprintf("The share group has reached its maximum capacity of %d members.", size)}
	}
	switch {
	case m != nil:
		return m, m.checkEpoch(req.MemberEpoch)
	case req.MemberEpoch == 0:
		return &shareMember{id: req.MemberID, previousEpoch: -1}, nil
	}
	return nil, s.unknown(req.MemberID)
}

// checkEpoch is throwIfShareGroupMemberEpochIsInvalid. A member may say its former epoch,
// when the answer that told it of the new one was lost.
func (m *shareMember) checkEpoch(epoch int32) *refusal {
	text := ""
	switch {
	case epoch == 0 || epoch == m.epoch || epoch < m.epoch && epoch == m.previousEpoch:
		return nil
	case epoch > m.epoch:
		text = fmt.Sprintf("The share group member has a greater member epoch (%d) than the one known by the group coordinator (%d).", epoch, m.epoch)
	default:
		text = fmt.Sprintf("The share group member has a smaller member epoch (%d) than the one known by the group coordinator (%d), "+
			"and it does not match the previous member epoch (%d).", epoch, m.epoch, m.previousEpoch)
	}
	return &refusal{protocol.FencedMemberEpoch, text + " The member must abandon all its partitions and rejoin."}
}

// said compares what the members said; the rest is the coordinator's.
func (m *shareMember) said(o *shareMember) bool {
	return m.clientID == o.clientID && m.clientHost == o.clientHost && sameText(m.rack, o.rack) && slices.Equal(m.topics, o.topics)
}

// refresh writes what is new about the member, and makes a new group epoch if its
// subscription, the topics or what the share coordinator knows of them has changed.
func (s *shareStep) refresh(old, m *shareMember) (epoch int32, bump bool) {
	c := s.c
	if !old.said(m) {
		s.write(s.g.shareMemberRecord(m))
		bump = !slices.Equal(old.topics, m.topics)
	}
	if c.assignmentEpoch >= c.epoch && s.hasUnassigned() {
		bump = true
	}
	epoch = c.epoch
	if !bump && s.image == c.image {
		return epoch, false
	}
	topics := maps.Clone(c.topics)
	countShareTopics(topics, c.members[m.id], m)
	hash := s.hash(topics)
	if bump = bump || hash != c.hash; bump {
		epoch++
		s.write(s.g.shareEpochRecord(epoch, hash))
	}
	c.image = s.image
	return epoch, bump
}

// hash is that of the topics that members subscribe to.
func (s *shareStep) hash(topics map[string]subscribers) uint64 {
	h := consumerStep{c: &consumer{hash: s.c.hash}, image: s.image}
	return h.hash(topics)
}

// hasUnassigned tells that the state of a partition is kept that nobody is assigned
// (GroupMetadataManager.initializedAssignmentPending).
func (s *shareStep) hasUnassigned() bool {
	c := s.c
	if len(c.members) == 0 || len(c.topics) == 0 || len(c.initialized) == 0 {
		return false
	}
	assigned := map[protocol.UUID]map[int32]bool{}
	for _, target := range c.target {
		for topic, partitions := range target {
			if assigned[topic] == nil {
				assigned[topic] = map[int32]bool{}
			}
			for p := range partitions {
				assigned[topic][p] = true
			}
		}
	}
	for topic, kept := range c.initialized {
		if _, subscribed := c.topics[kept.name]; subscribed && !maps.Equal(assigned[topic], kept.partitions) {
			return true
		}
	}
	return false
}

// updateTarget computes the target assignment of a new group epoch, but no sooner after
// the last one than share.assignment.interval.ms, and tells the epoch of the target and
// what it gives the member (GroupMetadataManager.maybeUpdateTargetAssignment).
func (s *shareStep) updateTarget(epoch int32, old, m *shareMember) (int32, partitionSet) {
	c, interval := s.c, s.g.cfg.ShareAssignmentInterval
	if c.assignmentEpoch >= epoch || c.assignedMs != 0 && interval > 0 && s.now.Before(time.UnixMilli(c.assignedMs).Add(interval)) {
		return c.assignmentEpoch, c.target[m.id]
	}
	assigned := s.assign(m)
	ids := sortedKeys(assigned)
	memberOrder(ids, func(id string) bool { return c.members[id] == nil })
	for _, id := range ids {
		if before, had := c.target[id]; !had || !assigned[id].same(before) {
			s.write(s.g.shareTargetRecord(id, assigned[id]))
		}
	}
	s.write(s.g.shareAssignmentEpochRecord(epoch, s.now.UnixMilli()))
	return epoch, assigned[m.id]
}

// reconcile gives a member what the target gives it, at once (ShareGroupAssignmentBuilder).
func (s *shareStep) reconcile(m *shareMember, epoch int32, target partitionSet, bump bool) *shareMember {
	if !bump && m.epoch == epoch {
		return m
	}
	next := *m
	if epoch != m.epoch {
		next.previousEpoch, next.epoch = m.epoch, epoch
	}
	next.assigned = partitionSet{}
	for topic, partitions := range target {
		if t, ok := s.image.TopicByID(topic); ok && slices.Contains(m.topics, t.Name) {
			next.assigned[topic] = partitions
		}
	}
	if next.epoch == m.epoch && next.assigned.same(m.assigned) {
		return m
	}
	s.write(s.g.shareCurrentRecord(&next))
	return &next
}
