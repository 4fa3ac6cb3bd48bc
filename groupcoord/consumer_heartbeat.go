package groupcoord

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// heartbeat answers a ConsumerGroupHeartbeat. It mirrors
// GroupCoordinatorService.consumerGroupHeartbeat and GroupMetadataManager's.
func (s *consumerStep) heartbeat(e ConsumerGroupHeartbeat) {
	s.image = orNone(e.Topics)
	resp, no := s.heard(e)
	if no == nil && s.g.batchTooLarge(s.records) {
		no = &refusal{code: protocol.UnknownServerError, text: protocol.UnknownServerError.Message()}
	}
	if no != nil {
		s.records = nil
		resp = kmsg.NewPtrConsumerGroupHeartbeatResponse()
		resp.ErrorCode = int16(no.code)
		if no.text != "" {
			resp.ErrorMessage = &no.text
		}
	}
	resp.Version = e.Req.Version
	s.replies = append(s.replies, Reply{e.To, resp})
}

func (s *consumerStep) heard(e ConsumerGroupHeartbeat) (*kmsg.ConsumerGroupHeartbeatResponse, *refusal) {
	req := e.Req
	if no := checkHeartbeat(req, s.g.cfg.ConsumerAssignors); no != nil {
		return nil, no
	}
	if req.MemberEpoch == leaveEpoch || req.MemberEpoch == leaveStaticEpoch {
		return s.leave(req)
	}
	id := req.MemberID
	if no := s.hasRoomFor(id, req.InstanceID); no != nil {
		return nil, no
	}
	if id == "" {
		id = protocol.RandomUUID(e.Random).String()
	}
	old, no := s.memberOf(id, req)
	if no != nil {
		return nil, no
	}
	m := *old
	m.takeHeartbeat(e)
	c, now := s.c, s.now.UnixMilli()
	subscribed := s.writeMember(old, &m)
	regex, no := s.regexChange(now, old, &m)
	if no != nil {
		return nil, no
	}
	epoch := c.epoch
	if bump := subscribed || regex == regexResolved || s.preferred(nil, nil) != s.preferred(old, &m); bump || s.image != c.image {
		epoch = s.refresh(bump, old, &m)
	}
	targetEpoch, target := s.updateTarget(epoch, old, &m)
	changed := subscribed || regex != regexSame
	next, no := s.reconcile(&m, targetEpoch, target, changed, owned(req.Topics))
	if no != nil {
		return nil, no
	}
	s.keepAlive(next.id, s.g.cfg.ConsumerSessionTimeout)
	resp := kmsg.NewPtrConsumerGroupHeartbeatResponse()
	resp.MemberID, resp.MemberEpoch = &next.id, next.epoch
	resp.HeartbeatIntervalMillis = int32(s.g.cfg.ConsumerHeartbeatInterval.Milliseconds())
	if req.MemberEpoch == 0 || isFull(req) || !next.assigned.equal(old.assigned) {
		resp.Assignment = assignmentOf(next.assigned)
	}
	return resp, nil
}

// isFull tells that a heartbeat says everything: such a one gets the whole assignment.
func isFull(req *kmsg.ConsumerGroupHeartbeatRequest) bool {
	return req.RebalanceTimeoutMillis != -1 && req.Topics != nil &&
		(req.SubscribedTopicNames != nil || req.SubscribedTopicRegex != nil)
}

// checkHeartbeat is throwIfConsumerGroupHeartbeatRequestIsInvalid.
func checkHeartbeat(req *kmsg.ConsumerGroupHeartbeatRequest, assignors []string) *refusal {
	invalid := func(text string) *refusal { return &refusal{protocol.InvalidRequest, text} }
	blank := func(s *string) bool { return s != nil && isBlank(*s) }
	joins := req.MemberEpoch == 0
	switch {
	case (req.Version >= 1 || req.MemberEpoch > 0 || req.MemberEpoch == leaveEpoch) && isBlank(req.MemberID):
		return invalid("MemberId can't be empty.")
	case isBlank(req.Group):
		return invalid("GroupId can't be empty.")
	case blank(req.InstanceID):
		return invalid("InstanceId can't be empty.")
	case blank(req.RackID):
		return invalid("RackId can't be empty.")
	case joins && req.RebalanceTimeoutMillis == -1:
		return invalid("RebalanceTimeoutMs must be provided in first request.")
	case joins && (req.Topics == nil || len(req.Topics) > 0):
		return invalid("TopicPartitions must be empty when (re-)joining.")
	case joins && req.SubscribedTopicNames == nil && req.SubscribedTopicRegex == nil:
		return invalid("Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.")
	case req.MemberEpoch == leaveStaticEpoch && req.InstanceID == nil:
		return invalid("InstanceId can't be null.")
	case req.MemberEpoch < leaveStaticEpoch:
		return invalid("MemberEpoch is invalid.")
	case req.ServerAssignor != nil && !slices.Contains(assignors, *req.ServerAssignor):
		return &refusal{protocol.UnsupportedAssignor, fmt.Sprintf("ServerAssignor %s is not supported. Supported assignors: %s.",
			*req.ServerAssignor, strings.Join(assignors, ", "))}
	}
	return nil
}

// isBlank tells that Java's String.trim leaves nothing.
func isBlank(s string) bool { return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' }) == "" }

// hasRoomFor applies group.consumer.max.size.
func (s *consumerStep) hasRoomFor(id string, instance *string) *refusal {
	c, size := s.c, s.g.cfg.ConsumerMaxSize
	if instance != nil && c.static[*instance] != "" || size == 0 || len(c.members) < size || id != "" && c.members[id] != nil {
		return nil
	}
	return &refusal{protocol.GroupMaxSizeReached, fmt.Sprintf("The consumer group has reached its maximum capacity of %d members.", size)}
}

// memberOf finds the member that a heartbeat is of, or makes it, if its epoch is right.
func (s *consumerStep) memberOf(id string, req *kmsg.ConsumerGroupHeartbeatRequest) (*consumerMember, *refusal) {
	joins := req.MemberEpoch == 0
	var m *consumerMember
	if req.InstanceID != nil {
		if joins {
			return s.joinStatic(id, *req.InstanceID)
		}
		var no *refusal
		if m, no = s.staticMember(*req.InstanceID, id); no != nil {
			return nil, no
		}
	} else if m = s.c.members[id]; m == nil {
		if !joins {
			return nil, s.unknown(id)
		}
		m = newConsumerMember(id)
	}
	return m, m.checkEpoch(req)
}

// checkEpoch is throwIfConsumerGroupMemberEpochIsInvalid. A member may say its former
// epoch, when the answer that told it of the new one was lost, but not have more than it got.
func (m *consumerMember) checkEpoch(req *kmsg.ConsumerGroupHeartbeatRequest) *refusal {
	epoch := req.MemberEpoch
	how := "greater"
	switch {
	case epoch == 0 || epoch == m.epoch:
		return nil
	case epoch < m.epoch && epoch == m.previousEpoch && req.Topics != nil && owned(req.Topics).within(m.assigned):
		return nil
	case epoch < m.epoch:
		how = "smaller"
	}
	return &refusal{protocol.FencedMemberEpoch, fmt.Sprintf("The consumer group member has a %s member epoch (%d) than the one "+
		"known by the group coordinator (%d). The member must abandon all its partitions and rejoin.", how, epoch, m.epoch)}
}

// takeHeartbeat takes what the heartbeat says of the member; null leaves things as they are.
func (m *consumerMember) takeHeartbeat(e ConsumerGroupHeartbeat) {
	req := e.Req
	if req.InstanceID != nil {
		m.instance = cloneText(req.InstanceID)
	}
	if req.RackID != nil {
		m.rack = cloneText(req.RackID)
	}
	if req.RebalanceTimeoutMillis != -1 {
		m.rebalanceTimeoutMs = req.RebalanceTimeoutMillis
	}
	if req.ServerAssignor != nil {
		m.assignor = cloneText(req.ServerAssignor)
	}
	if req.SubscribedTopicNames != nil {
		m.topics = sortedNames(req.SubscribedTopicNames)
	}
	if req.SubscribedTopicRegex != nil {
		m.regex = strings.Clone(*req.SubscribedTopicRegex)
	}
	m.clientID, m.clientHost, m.classic = e.ClientID, e.ClientHost, nil
}

func cloneText(s *string) *string {
	v := strings.Clone(*s)
	return &v
}

// writeMember writes the member if it changed, and tells whether its topic names did.
func (s *consumerStep) writeMember(old, m *consumerMember) (subscribed bool) {
	if old.equal(m) {
		return false
	}
	s.write(s.g.consumerMemberRecord(m))
	return !slices.Equal(old.topics, m.topics)
}

// equal compares what the member said; the rest is the coordinator's.
func (m *consumerMember) equal(o *consumerMember) bool {
	return m.rebalanceTimeoutMs == o.rebalanceTimeoutMs && m.clientID == o.clientID && m.clientHost == o.clientHost &&
		m.regex == o.regex && sameText(m.instance, o.instance) && sameText(m.rack, o.rack) &&
		sameText(m.assignor, o.assignor) && slices.Equal(m.topics, o.topics) && m.classic.equal(o.classic)
}

func (p *classicPart) equal(o *classicPart) bool {
	if p == nil || o == nil {
		return p == o
	}
	return p.sessionTimeoutMs == o.sessionTimeoutMs && slices.EqualFunc(p.protocols, o.protocols, func(a, b assignor) bool {
		return a.name == b.name && bytes.Equal(a.metadata, b.metadata)
	})
}

func sameText(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }

// owned are the partitions that a member says it has; nil when it says nothing of them.
func owned(topics []kmsg.ConsumerGroupHeartbeatRequestTopic) partitionSet {
	if topics == nil {
		return nil
	}
	set := partitionSet{}
	for _, t := range topics {
		for _, p := range t.Partitions {
			set.add(t.TopicID, p, 0)
		}
	}
	return set
}

// within tells that every partition of s is in o.
func (s partitionSet) within(o partitionSet) bool {
	for topic, partitions := range s {
		for p := range partitions {
			if !o.has(topic, p) {
				return false
			}
		}
	}
	return true
}

// assignmentOf is an assignment as the answer to a heartbeat gives it.
func assignmentOf(set partitionSet) *kmsg.ConsumerGroupHeartbeatResponseAssignment {
	a := kmsg.NewConsumerGroupHeartbeatResponseAssignment()
	a.Topics = []kmsg.ConsumerGroupHeartbeatResponseAssignmentTopic{}
	for _, topic := range topicOrder(set) {
		t := kmsg.NewConsumerGroupHeartbeatResponseAssignmentTopic()
		t.TopicID, t.Partitions = topic, currentOrder(set[topic])
		a.Topics = append(a.Topics, t)
	}
	return &a
}
