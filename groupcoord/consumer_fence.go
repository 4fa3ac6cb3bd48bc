package groupcoord

import (
	"maps"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// leave answers a heartbeat that says goodbye: for good, or, of a static member, for a
// while (GroupMetadataManager.consumerGroupLeave).
func (s *consumerStep) leave(req *kmsg.ConsumerGroupHeartbeatRequest) (*kmsg.ConsumerGroupHeartbeatResponse, *refusal) {
	m := s.c.members[req.MemberID]
	if req.InstanceID != nil {
		var no *refusal
		if m, no = s.staticMember(*req.InstanceID, req.MemberID); no != nil {
			return nil, no
		}
	} else if m == nil {
		return nil, s.unknown(req.MemberID)
	}
	resp := kmsg.NewPtrConsumerGroupHeartbeatResponse()
	resp.MemberID, resp.MemberEpoch = &m.id, req.MemberEpoch
	if req.InstanceID != nil && req.MemberEpoch == leaveStaticEpoch {
		away := *m
		away.epoch, away.revoking, away.assigned = leaveStaticEpoch, nil, m.assigned.withEpochs(0)
		s.write(s.g.currentRecord(&away))
		return resp, nil
	}
	s.fence(m)
	return resp, nil
}

// fence takes members out of the group, whether they asked for that or not. If all that
// are left speak the classic protocol, the group becomes a classic one
// (GroupMetadataManager.consumerGroupFenceMembers).
func (s *consumerStep) fence(gone ...*consumerMember) {
	if len(gone) == 0 {
		return
	}
	if s.goesClassic(0, gone...) {
		s.downgrade(gone, nil, nil, true)
		return
	}
	topics, regexes := maps.Clone(s.c.topics), maps.Clone(s.c.regexes)
	for _, m := range gone {
		s.write(s.g.memberTombstones(m.id)...)
		countTopics(topics, m, nil)
		if m.regex != "" {
			count(regexes, m.regex, -1)
		}
	}
	for _, regex := range sortedKeys(s.c.regexes) {
		if regexes[regex] > 0 {
			continue
		}
		s.write(newRecord(s.g.key(consumerGroupRegularExpression, regex), nil))
		for topic := range s.c.resolved[regex].topics {
			addSubscribers(topics, topic, 0, -1)
		}
	}
	epoch := s.c.epoch + 1
	s.write(s.g.groupEpochRecord(epoch, s.hash(topics)))
	if len(s.c.members) == len(gone) {
		s.write(s.g.assignmentEpochRecord(epoch, 0))
	}
	for _, m := range gone {
		s.c.timers.cancel(m.id)
	}
}

// forceRebalance begins a new group epoch, as if what members subscribe to had changed (for tests).
func (s *consumerStep) forceRebalance() {
	if len(s.c.members) > 0 {
		s.write(s.g.groupEpochRecord(s.c.epoch+1, s.c.hash))
	}
}

// unknown refuses a member id that nobody has.
func (s *consumerStep) unknown(id string) *refusal {
	return &refusal{unknownMember, "Member " + id + " is not a member of group " + s.g.id + "."}
}

// staticMember finds the member of an instance id, which must have the member id.
func (s *consumerStep) staticMember(instance, id string) (*consumerMember, *refusal) {
	m := s.c.members[s.c.static[instance]]
	switch {
	case m == nil:
		return nil, &refusal{unknownMember, "Instance id " + instance + " is unknown."}
	case m.id != id:
		return nil, &refusal{protocol.FencedInstanceId,
			"Static member " + id + " with instance id " + instance + " was fenced by member " + m.id + "."}
	}
	return m, nil
}
