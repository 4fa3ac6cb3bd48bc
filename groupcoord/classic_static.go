package groupcoord

import (
	"klamm/protocol"
)

// replaceStatic lets a static member that came back without its member id take the
// place of the earlier one (KIP-345). What that one has parked is fenced. While the
// group is Stable and would choose the same protocol, there is no rebalance: the
// newcomer is stored in the other's place and goes on with its assignment; if it
// cannot be stored, the earlier one is back.
func (s *step) replaceStatic(e JoinGroup, old *member, id string) {
	c, req := s.c, e.Req
	leaderBefore := c.leader
	s.replyJoin(old, joinError(old.id, protocol.FencedInstanceId))
	s.replySync(old, protocol.FencedInstanceId)
	m := c.replace(old, id)
	s.keepAlive(m)
	c.update(m, req, e.To)
	switch c.state {
	case completingRebalance:
		s.prepareRebalance(withClientReason("static member "+*m.instance+" joins with other metadata", req.Reason))
	case preparingRebalance:
		s.maybeCompleteJoin()
	case stable:
		next, ok := c.selectProtocol()
		if !ok {
			s.stuck = true
			return
		}
		if c.protocol == nil || next != *c.protocol {
			s.prepareRebalance(withClientReason("static member "+*m.instance+" changes the protocol", req.Reason))
			return
		}
		v := c.metadataValue()
		records := []Record{s.g.metadataRecord(&v)}
		if s.g.batchTooLarge(records) {
			s.takeBack(m, old, leaderBefore)
			return
		}
		s.out = append(s.out, Append{Records: records})
		s.replyReplaced(m, leaderBefore)
	}
}

// takeBack gives a member its place again that m has taken, and tells m so.
func (s *step) takeBack(m, old *member, leaderBefore string) {
	c := s.c
	resp := s.current(m)
	resp.MemberID, resp.LeaderID, resp.ErrorCode = "", leaderBefore, int16(protocol.UnknownServerError)
	s.replyJoin(m, resp)
	c.countProtocols(m, -1)
	m.protocols, m.rebalanceTimeoutMs, m.sessionTimeoutMs = old.protocols, old.rebalanceTimeoutMs, old.sessionTimeoutMs
	c.countProtocols(m, 1)
	s.keepAlive(c.replace(m, old.id))
}

// replyReplaced answers a static member that took a place without a rebalance. If
// it is the leader, it must not compute an assignment: from version 9 on it is told
// so (KIP-814), before that it is not told that it leads.
func (s *step) replyReplaced(m *member, leaderBefore string) {
	resp := s.current(m)
	if m.join.version >= 9 {
		resp = s.joined(m)
		resp.SkipAssignment = m.id == s.c.leader
	} else {
		resp.LeaderID = leaderBefore
	}
	s.replyJoin(m, resp)
}
