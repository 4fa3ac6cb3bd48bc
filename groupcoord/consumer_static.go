package groupcoord

import "klamm/protocol"

// joinStatic is the join of a static member: a new one, or one that takes the place of
// an earlier one, which must have left for a while. It goes on with what that one was to
// have (GroupMetadataManager.getOrMaybeSubscribeStaticConsumerGroupMember).
func (s *consumerStep) joinStatic(id, instance string) (*consumerMember, *refusal) {
	old := s.c.members[s.c.static[instance]]
	if old == nil {
		if m := s.c.members[id]; m != nil {
			return m, nil
		}
		return newConsumerMember(id), nil
	}
	if old.epoch != leaveStaticEpoch && old.classic == nil {
		return nil, &refusal{protocol.UnreleasedInstanceId, "Static member " + id + " with instance id " + instance +
			" cannot join the group because the instance id is owned by " + old.id + " member."}
	}
	return s.replaceMember(old, id), nil
}

// replaceMember writes a member of another id in the place of old.
func (s *consumerStep) replaceMember(old *consumerMember, id string) *consumerMember {
	m := *old
	m.id, m.epoch, m.previousEpoch = id, 0, 0
	s.write(s.g.memberTombstones(old.id)...)
	s.write(s.g.consumerMemberRecord(&m), s.g.targetRecord(id, s.c.target[old.id]), s.g.currentRecord(&m))
	return &m
}
