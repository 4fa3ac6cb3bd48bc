package groupcoord

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// leaveGroup answers a LeaveGroup: of one member up to version 2, of any number of
// members from version 3 on. It mirrors GroupMetadataManager.classicGroupLeave.
func (s *step) leaveGroup(e LeaveGroup) {
	req := e.Req
	resp := kmsg.NewPtrLeaveGroupResponse()
	resp.Version = req.Version
	switch {
	case s.g.id == "":
		resp.ErrorCode = int16(protocol.InvalidGroupId)
	case req.Version <= 2:
		one := kmsg.NewLeaveGroupRequestMember()
		one.MemberID = req.MemberID
		resp.ErrorCode = s.leave([]kmsg.LeaveGroupRequestMember{one})[0].ErrorCode
	default:
		resp.Members = s.leave(req.Members)
	}
	if s.stuck {
		resp.ErrorCode, resp.Members = int16(protocol.UnknownServerError), nil
	}
	s.out = append(s.out, Reply{e.To, resp})
}

// leave removes each of the members that it can, then sees what follows from that.
func (s *step) leave(members []kmsg.LeaveGroupRequestMember) []kmsg.LeaveGroupResponseMember {
	answers := make([]kmsg.LeaveGroupResponseMember, 0, len(members))
	var left []string
	for _, who := range members {
		id, code := s.leaveOne(who)
		if code == protocol.None {
			left = append(left, withClientReason("member "+id+" left", who.Reason))
		}
		answer := kmsg.NewLeaveGroupResponseMember()
		answer.MemberID, answer.InstanceID, answer.ErrorCode = who.MemberID, who.InstanceID, int16(code)
		answers = append(answers, answer)
	}
	if left == nil {
		return answers
	}
	switch s.c.state {
	case stable, completingRebalance:
		s.prepareRebalance(strings.Join(left, ", "))
	case preparingRebalance:
		s.maybeCompleteJoin()
	}
	return answers
}

// leaveOne removes a member that is named by its id, or by its instance id alone.
// A SyncGroup that it has parked is never answered, as in Kafka.
func (s *step) leaveOne(who kmsg.LeaveGroupRequestMember) (string, protocol.ErrorCode) {
	c := s.c
	var m *member
	switch _, pending := c.pending[who.MemberID]; {
	case who.MemberID == "":
		if who.InstanceID != nil {
			m = c.static[*who.InstanceID]
		}
		if m == nil {
			return "", unknownMember
		}
	case pending:
		c.remove(who.MemberID)
		return who.MemberID, protocol.None
	default:
		var code protocol.ErrorCode
		if m, code = c.validate(who.MemberID, who.InstanceID); code != protocol.None {
			return "", code
		}
	}
	s.replyJoin(m, joinError("", unknownMember))
	c.remove(m.id)
	return m.id, protocol.None
}
