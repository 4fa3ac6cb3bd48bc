package groupcoord

import (
	"encoding/hex"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

const unknownMember = protocol.UnknownMemberId

// joinGroup answers a JoinGroup, or parks it until the join phase ends. It mirrors
// GroupCoordinatorService.joinGroup and GroupMetadataManager.classicGroupJoin.
func (s *step) joinGroup(e JoinGroup) {
	c, req := s.c, e.Req
	code := protocol.None
	switch {
	case s.g.id == "":
		code = protocol.InvalidGroupId
	case !s.g.cfg.allowsSession(req.SessionTimeoutMillis):
		code = protocol.InvalidSessionTimeout
	case req.MemberID != "" && s.isNew:
		code = unknownMember
	}
	if code != protocol.None {
		s.replyTo(e, joinError(req.MemberID, code))
		return
	}
	if s.isNew {
		// Kafka writes down a new group at once, even if its first JoinGroup fails.
		c.since = s.now
		s.store()
	}
	if !s.hasRoomFor(req.MemberID) {
		c.remove(req.MemberID)
		s.replyTo(e, joinError("", protocol.GroupMaxSizeReached))
		return
	}
	if !c.supports(req.ProtocolType, req.Protocols) {
		s.replyTo(e, joinError(req.MemberID, protocol.InconsistentGroupProtocol))
		return
	}
	if req.MemberID == "" {
		s.joinUnknown(e)
	} else {
		s.joinKnown(e)
	}
	if s.stuck {
		s.failJoin(e)
	}
}

// failJoin answers the JoinGroup that was to end a rebalance and could not. What it
// has changed until then stays, as in Kafka, where it is an exception on the way: the
// member counts as one that has joined.
func (s *step) failJoin(e JoinGroup) {
	for m := range s.c.all() {
		if m.join.waiting && m.join.to == e.To {
			m.join.answered = true
		}
	}
	s.replyTo(e, joinError("", protocol.UnknownServerError))
}

// allowsSession tells that a session timeout is within the broker's limits.
func (cfg *Config) allowsSession(ms int32) bool {
	d := millis(ms)
	return d >= cfg.MinSessionTimeout && (cfg.MaxSessionTimeout == 0 || d <= cfg.MaxSessionTimeout)
}

// hasRoomFor applies group.max.size. During a join phase it counts who has joined
// so far, otherwise the members; ids given out but not used do not count.
func (s *step) hasRoomFor(id string) bool {
	c, size := s.c, s.g.cfg.MaxSize
	if size == 0 || c.isEmpty() {
		return true
	}
	m := c.members[id]
	if c.state == preparingRebalance {
		return m != nil && m.join.waiting || c.awaitingJoin < size
	}
	return m != nil || len(c.members) < size
}

// joinUnknown is a JoinGroup without a member id: a new dynamic member, which from
// version 4 on must come back with the id that it gets (KIP-394), a new static
// member, or one that takes the place of an earlier one (KIP-345).
func (s *step) joinUnknown(e JoinGroup) {
	req := e.Req
	id := memberID(e)
	if req.InstanceID != nil {
		if old := s.c.static[*req.InstanceID]; old != nil {
			s.replaceStatic(e, old, id)
			return
		}
		s.addMember(e, id)
		return
	}
	if req.Version < 4 {
		s.addMember(e, id)
		return
	}
	if s.c.pending == nil {
		s.c.pending = make(map[string]*session)
	}
	pending := newSession(id)
	s.c.pending[id] = &pending
	s.c.sessions.set(&pending, s.now.Add(millis(req.SessionTimeoutMillis)))
	s.replyTo(e, joinError(id, protocol.MemberIdRequired))
}

// memberID makes the id of a new member: client id or group instance id, a dash
// and a random UUID of version 4.
func memberID(e JoinGroup) string {
	name := e.ClientID
	if e.Req.InstanceID != nil {
		name = *e.Req.InstanceID
	}
	u := e.Random
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	id := make([]byte, 0, len(name)+37)
	id = append(id, name...)
	for _, b := range [][]byte{u[0:4], u[4:6], u[6:8], u[8:10], u[10:16]} {
		id = append(id, '-')
		id = hex.AppendEncode(id, b)
	}
	return string(id)
}

// joinKnown is a JoinGroup with a member id.
func (s *step) joinKnown(e JoinGroup) {
	c, req := s.c, e.Req
	if _, pending := c.pending[req.MemberID]; pending {
		if req.InstanceID != nil {
			// Only dynamic members are given an id to come back with.
			s.replyTo(e, joinError("", protocol.UnknownServerError))
			return
		}
		s.addMember(e, req.MemberID)
		return
	}
	m, code := c.validate(req.MemberID, req.InstanceID)
	if code != protocol.None {
		s.replyTo(e, joinError(req.MemberID, code))
		return
	}
	switch c.state {
	case preparingRebalance:
		s.rejoin(e, m, "member "+m.id+" joins again")
	case completingRebalance:
		if m.matches(req.Protocols) {
			// The answer to an earlier JoinGroup was lost.
			s.replyTo(e, s.joined(m))
			return
		}
		s.rejoin(e, m, "member "+m.id+" joins with other metadata")
	case stable:
		switch {
		case c.leader == m.id:
			s.rejoin(e, m, "leader "+m.id+" joins again")
		case !m.matches(req.Protocols):
			s.rejoin(e, m, "member "+m.id+" joins with other metadata")
		default:
			s.replyTo(e, s.current(m))
		}
	}
}

// validate finds a member by its id and, for a static member, its instance id. It
// mirrors ClassicGroup.validateMember.
func (c *classic) validate(id string, instance *string) (*member, protocol.ErrorCode) {
	if instance != nil {
		static := c.static[*instance]
		switch {
		case static == nil:
			return nil, unknownMember
		case static.id != id:
			return nil, protocol.FencedInstanceId
		}
	}
	m := c.members[id]
	if m == nil {
		return nil, unknownMember
	}
	return m, protocol.None
}

// rejoin parks the JoinGroup of a member that the group has.
func (s *step) rejoin(e JoinGroup, m *member, reason string) {
	s.c.update(m, e.Req, e.To)
	s.prepareOrComplete(withClientReason(reason, e.Req.Reason))
}

// addMember parks the JoinGroup of a new member.
func (s *step) addMember(e JoinGroup, id string) {
	c, req := s.c, e.Req
	m := &member{
		id: id, instance: req.InstanceID, clientID: e.ClientID, clientHost: e.ClientHost,
		rebalanceTimeoutMs: rebalanceTimeoutMs(req), sessionTimeoutMs: req.SessionTimeoutMillis,
		protocols: cloneProtocols(req.Protocols), isNew: true, session: newSession(id),
		join: parked{waiting: true, to: e.To, version: req.Version},
	}
	if c.state == preparingRebalance && c.previous == empty {
		c.newMember = true
	}
	if len(c.members) == 0 {
		c.protocolType = req.ProtocolType
	}
	c.add(m)
	c.sessions.set(&m.session, s.now.Add(newMemberTimeout))
	s.prepareOrComplete(withClientReason("member "+id+" is new", req.Reason))
}

// withClientReason adds the reason that a client gave (KIP-800).
func withClientReason(reason string, client *string) string {
	const longest = 255 // what Kafka's own client sends at most
	if client == nil || *client == "" {
		return reason
	}
	text := *client
	if len(text) > longest {
		text = text[:longest]
	}
	return reason + "; client reason: " + text
}

// joinError is the answer to a JoinGroup that failed.
func joinError(id string, code protocol.ErrorCode) *kmsg.JoinGroupResponse {
	resp := kmsg.NewPtrJoinGroupResponse()
	resp.MemberID, resp.ErrorCode = id, int16(code)
	return resp
}

// current is the answer that names generation, protocol and leader, without the
// list of members.
func (s *step) current(m *member) *kmsg.JoinGroupResponse {
	c := s.c
	resp := kmsg.NewPtrJoinGroupResponse()
	resp.MemberID, resp.Generation, resp.LeaderID = m.id, c.generation, c.leader
	resp.ProtocolType, resp.Protocol = notEmpty(&c.protocolType), notEmpty(c.protocol)
	return resp
}

// joined is the answer that ends the join phase for a member: to the leader it
// lists the members.
func (s *step) joined(m *member) *kmsg.JoinGroupResponse {
	resp := s.current(m)
	if m.id == s.c.leader {
		resp.Members = s.c.listMembers()
	}
	return resp
}

// notEmpty is what Kafka makes of an empty protocol type or name in a JoinGroup
// response: null.
func notEmpty(p *string) *string {
	if p == nil || *p == "" {
		return nil
	}
	v := *p
	return &v
}

// listMembers is what the leader learns of the members.
func (c *classic) listMembers() []kmsg.JoinGroupResponseMember {
	list := make([]kmsg.JoinGroupResponseMember, 0, len(c.members))
	for m := range c.all() {
		one := kmsg.NewJoinGroupResponseMember()
		one.MemberID, one.InstanceID, one.ProtocolMetadata = m.id, m.instance, m.metadata(*c.protocol)
		list = append(list, one)
	}
	return list
}

// replyTo answers a JoinGroup at once.
func (s *step) replyTo(e JoinGroup, resp *kmsg.JoinGroupResponse) {
	resp.Version = e.Req.Version
	s.out = append(s.out, Reply{e.To, resp})
}

// replyJoin answers the JoinGroup that a member has parked, if it has.
func (s *step) replyJoin(m *member, resp *kmsg.JoinGroupResponse) {
	if !m.join.waiting {
		return
	}
	if !m.join.answered {
		resp.Version = m.join.version
		s.out = append(s.out, Reply{m.join.to, resp})
	}
	m.join = parked{}
	s.c.awaitingJoin--
}
