package groupcoord

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// Members that speak the classic protocol in a consumer group, while its members are
// upgraded one by one: the coordinator assigns, and JoinGroup, SyncGroup and Heartbeat
// are their way to learn of it (KIP-848, "online migration").

// joinClassic answers a JoinGroup to a group that has members
// (GroupMetadataManager.classicGroupJoinToConsumerGroup).
func (s *consumerStep) joinClassic(e JoinGroup) {
	s.image = orNone(e.Topics)
	resp, code := s.joinedClassic(e)
	if code == protocol.None && s.g.batchTooLarge(s.records) {
		code = protocol.UnknownServerError
	}
	if code != protocol.None {
		s.records, s.g.next = nil, nil
		id := ""
		switch code {
		case protocol.MemberIdRequired:
			id = newConsumerMemberID(e)
		case protocol.InvalidSessionTimeout:
			id = e.Req.MemberID
		}
		resp = joinError(id, code)
	}
	resp.Version = e.Req.Version
	s.replies = append([]Effect{Reply{e.To, resp}}, s.replies...)
}

// newConsumerMemberID is the id of a member that joins a consumer group without one.
func newConsumerMemberID(e JoinGroup) string { return protocol.RandomUUID(e.Random).String() }

func (s *consumerStep) joinedClassic(e JoinGroup) (*kmsg.JoinGroupResponse, protocol.ErrorCode) {
	req, id := e.Req, e.Req.MemberID
	isNew := id == ""
	if isNew {
		id = newConsumerMemberID(e)
	}
	const knownIDSince = 4
	switch no := s.hasRoomFor(id, req.InstanceID); {
	case !s.g.cfg.allowsSession(req.SessionTimeoutMillis):
		return nil, protocol.InvalidSessionTimeout
	case !s.g.cfg.ConsumerUpgrade && !s.g.cfg.ConsumerDowngrade:
		return nil, protocol.InconsistentGroupProtocol
	case no != nil:
		return nil, no.code
	case !s.c.supportsClassic(req):
		return nil, protocol.InconsistentGroupProtocol
	case isNew && req.InstanceID == nil && req.Version >= knownIDSince:
		return nil, protocol.MemberIdRequired
	}
	old, no := s.classicMember(id, req.InstanceID, isNew)
	if no != nil {
		return nil, no.code
	}
	subscription, ok := readSubscription(req.Protocols[0].Metadata)
	if !ok {
		return nil, protocol.InconsistentGroupProtocol
	}
	replaced := s.replacedBy(req.InstanceID)
	m := *old
	m.takeJoin(e, &subscription)
	changed := s.writeMember(old, &m)
	regex, no := s.regexChange(s.now.UnixMilli(), old, &m)
	if no != nil {
		return nil, no.code
	}
	changed = changed || regex != regexSame
	epoch := s.c.epoch
	if changed || s.image != s.c.image {
		epoch = s.refresh(changed, old, &m)
	}
	next, no := s.settleClassic(&m, old, replaced, epoch, changed, identified(subscription.owned, s.image, 0))
	if no != nil {
		return nil, no.code
	}
	resp := kmsg.NewPtrJoinGroupResponse()
	resp.MemberID, resp.Generation = next.id, next.epoch
	resp.ProtocolType, resp.Protocol = kmsg.StringPtr("consumer"), &next.classic.protocols[0].name
	return resp, protocol.None
}

// settleClassic brings a classic member nearer to its target, or, if it takes the place
// of the last member of the consumer protocol, makes the group a classic one.
func (s *consumerStep) settleClassic(m, old, replaced *consumerMember, epoch int32, changed bool, owns partitionSet) (*consumerMember, *refusal) {
	if replaced != nil && s.goesClassic(1, replaced) {
		next := m
		rebalance := s.c.assignmentEpoch < epoch
		if !rebalance {
			var no *refusal
			if next, no = s.reconcile(m, s.c.assignmentEpoch, s.c.targetOf(m), changed, owns); no != nil {
				return nil, no
			}
		}
		s.downgrade(nil, next, replaced, rebalance)
		return next, nil
	}
	targetEpoch, target := s.updateTarget(epoch, old, m)
	next, no := s.reconcile(m, targetEpoch, target, changed, owns)
	if no != nil {
		return nil, no
	}
	t := s.c.timers.of(next.id)
	s.c.timers.joins.cancel(&t.join)
	s.keepAlive(next.id, millis(next.classic.sessionTimeoutMs))
	s.c.timers.syncs.set(&t.sync, s.now.Add(millis(next.rebalanceTimeoutMs)))
	return next, nil
}

// replacedBy is the static member whose place a join takes.
func (s *consumerStep) replacedBy(instance *string) *consumerMember {
	if instance == nil {
		return nil
	}
	return s.c.members[s.c.static[*instance]]
}

// classicMember finds the member that joins, or makes it.
func (s *consumerStep) classicMember(id string, instance *string, isNew bool) (*consumerMember, *refusal) {
	switch {
	case instance != nil && !isNew:
		return s.staticMember(*instance, id)
	case instance != nil:
		if old := s.replacedBy(instance); old != nil {
			return s.replaceMember(old, id), nil
		}
	}
	if m := s.c.members[id]; m != nil {
		return m, nil
	}
	return newConsumerMember(id), nil
}

// supportsClassic tells that a join brings a protocol that all classic members support.
func (c *consumer) supportsClassic(req *kmsg.JoinGroupRequest) bool {
	return req.ProtocolType == "consumer" && slices.ContainsFunc(req.Protocols, func(p kmsg.JoinGroupRequestProtocol) bool {
		return c.protocols[p.Name] == c.classics
	})
}

// takeJoin takes what a JoinGroup says of the member.
func (m *consumerMember) takeJoin(e JoinGroup, s *consumerSubscription) {
	if e.Req.InstanceID != nil {
		m.instance = cloneText(e.Req.InstanceID)
	}
	if s.rack != nil {
		m.rack = s.rack
	}
	if ms := rebalanceTimeoutMs(e.Req); ms != -1 {
		m.rebalanceTimeoutMs = ms
	}
	m.topics, m.regex = sortedNames(s.topics), ""
	m.clientID, m.clientHost = e.ClientID, e.ClientHost
	m.classic = &classicPart{sessionTimeoutMs: e.Req.SessionTimeoutMillis, protocols: cloneProtocols(e.Req.Protocols)}
}

// validClassic finds the classic member that a request is of (validateConsumerGroupMember).
func (s *consumerStep) validClassic(id string, instance *string, generation int32) (*consumerMember, protocol.ErrorCode) {
	m := s.c.members[id]
	if instance != nil {
		static, no := s.staticMember(*instance, id)
		if no != nil {
			return nil, no.code
		}
		m = static
	}
	switch {
	case m == nil || m.classic == nil:
		return nil, unknownMember
	case m.epoch != generation:
		return nil, protocol.IllegalGeneration
	}
	return m, protocol.None
}

// syncClassic answers a SyncGroup with what the member has.
func (s *consumerStep) syncClassic(e SyncGroup) {
	s.image = orNone(e.Topics)
	req := e.Req
	resp := req.ResponseKind().(*kmsg.SyncGroupResponse)
	s.replies = append(s.replies, Reply{e.To, resp})
	m, code := s.validClassic(req.MemberID, req.InstanceID, req.Generation)
	const protocolSince = 5
	switch {
	case len(s.c.members) == 0:
		code = unknownMember
	case req.Version >= protocolSince && (req.ProtocolType == nil || req.Protocol == nil):
		code = protocol.InconsistentGroupProtocol
	case code != protocol.None:
	case req.ProtocolType != nil && *req.ProtocolType != "consumer", req.Protocol != nil && *req.Protocol != m.classic.protocols[0].name:
		code = protocol.InconsistentGroupProtocol
	case s.c.assignmentEpoch > m.epoch && m.state != unrevokedPartitions:
		s.awaitJoin(m)
		code = protocol.RebalanceInProgress
	}
	if resp.ErrorCode = int16(code); code != protocol.None {
		return
	}
	t := s.c.timers.of(m.id)
	s.c.timers.syncs.cancel(&t.sync)
	s.keepAlive(m.id, millis(m.classic.sessionTimeoutMs))
	subscription, _ := readSubscription(m.classic.protocols[0].metadata)
	resp.ProtocolType, resp.Protocol = req.ProtocolType, req.Protocol
	resp.MemberAssignment = appendAssignment(subscription.version, m.assigned, s.image)
}

// heartbeatClassic answers a Heartbeat: REBALANCE_IN_PROGRESS when the member has to join
// again to get on.
func (s *consumerStep) heartbeatClassic(e Heartbeat) {
	resp := e.Req.ResponseKind().(*kmsg.HeartbeatResponse)
	m, code := s.validClassic(e.Req.MemberID, e.Req.InstanceID, e.Req.Generation)
	if code == protocol.None {
		s.keepAlive(m.id, millis(m.classic.sessionTimeoutMs))
		if m.epoch < s.c.assignmentEpoch || m.state == unrevokedPartitions ||
			m.state == unreleasedPartitions && !s.c.waitsForOthers(m) {
			code = protocol.RebalanceInProgress
			s.awaitJoin(m)
		}
	}
	resp.ErrorCode = int16(code)
	s.replies = append(s.replies, Reply{e.To, resp})
}

// awaitJoin gives a member its rebalance timeout to join again, if it has none running.
func (s *consumerStep) awaitJoin(m *consumerMember) {
	if t := s.c.timers.of(m.id); t.join.index < 0 {
		s.c.timers.joins.set(&t.join, s.now.Add(millis(m.rebalanceTimeoutMs)))
	}
}

// waitsForOthers tells that a partition of the member's target is still somebody's.
func (c *consumer) waitsForOthers(m *consumerMember) bool {
	for topic, partitions := range c.target[m.id] {
		for p := range partitions {
			if !m.assigned.has(topic, p) && c.currentEpoch(topic, p) != -1 {
				return true
			}
		}
	}
	return false
}

// leaveClassic answers a LeaveGroup, of members of either protocol.
func (s *consumerStep) leaveClassic(e LeaveGroup) {
	const batchSince = 3
	req := e.Req
	resp := req.ResponseKind().(*kmsg.LeaveGroupResponse)
	members := req.Members
	if req.Version < batchSince {
		one := kmsg.NewLeaveGroupRequestMember()
		one.MemberID = req.MemberID
		members = []kmsg.LeaveGroupRequestMember{one}
	}
	var leaving []*consumerMember
	for _, who := range members {
		answer := kmsg.NewLeaveGroupResponseMember()
		answer.MemberID, answer.InstanceID = who.MemberID, who.InstanceID
		m, code := s.leaving(who)
		answer.ErrorCode = int16(code)
		if m != nil && !slices.Contains(leaving, m) {
			leaving = append(leaving, m)
		}
		resp.Members = append(resp.Members, answer)
	}
	if req.Version < batchSince {
		resp.ErrorCode, resp.Members = resp.Members[0].ErrorCode, nil
	}
	s.fence(leaving...)
	s.replies = append([]Effect{Reply{e.To, resp}}, s.replies...)
}

func (s *consumerStep) leaving(who kmsg.LeaveGroupRequestMember) (*consumerMember, protocol.ErrorCode) {
	m := s.c.members[who.MemberID]
	if who.InstanceID != nil {
		m = s.replacedBy(who.InstanceID)
		if m != nil && who.MemberID != "" && who.MemberID != m.id {
			return nil, protocol.FencedInstanceId
		}
	}
	if m == nil {
		return nil, unknownMember
	}
	return m, protocol.None
}
