package groupcoord

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// A group of one kind becomes one of the other: the records of the one are taken back,
// those of the other written, in one batch. The machine that goes on with it, and has
// the timers by then, waits in Group.next until Apply sees the first of these records.

// consumerHeartbeat finds the consumer group that a heartbeat is for: it makes one where
// there is no group, and of a classic group when a member of the consumer protocol joins
// (GroupMetadataManager.getOrMaybeCreateConsumerGroup).
func (g *Group) consumerHeartbeat(now time.Time, e ConsumerGroupHeartbeat) []Effect {
	if _, ok := g.kind.(*consumer); ok {
		return g.kind.step(g, now, e)
	}
	if no := checkHeartbeat(e.Req, g.cfg.ConsumerAssignors); no != nil {
		return refuseHeartbeat(e, no)
	}
	leaves := e.Req.MemberEpoch == leaveEpoch || e.Req.MemberEpoch == leaveStaticEpoch
	old, isClassic := g.kind.(*classic)
	if e.Req.MemberEpoch != 0 || !isClassic {
		return refuseHeartbeat(e, g.notConsumer(leaves))
	}
	s := consumerStep{g: g, c: newConsumer(), now: now}
	if g.offsets.exists {
		s.write(g.metadataTombstone())
	}
	var answered []Effect
	if g.offsets.exists && !old.isEmpty() {
		var no *refusal
		if answered, no = s.upgrade(old, e.Topics); no != nil {
			return append(answered, refuseHeartbeat(e, no)...)
		}
	}
	s.heartbeat(e)
	if len(s.records) > 0 {
		g.next = s.c
	}
	return append(answered, s.effects()...)
}

// notConsumer says that the group is none, or none of this kind.
func (g *Group) notConsumer(leaves bool) *refusal {
	switch {
	case !g.offsets.exists && leaves:
		return &refusal{protocol.GroupIdNotFound, "Group " + g.id + " not found."}
	case !g.offsets.exists:
		return &refusal{protocol.GroupIdNotFound, "Consumer group " + g.id + " not found."}
	}
	return &refusal{protocol.GroupIdNotFound, "Group " + g.id + " is not a consumer group."}
}

func refuseHeartbeat(e ConsumerGroupHeartbeat, no *refusal) []Effect {
	resp := e.Req.ResponseKind().(*kmsg.ConsumerGroupHeartbeatResponse)
	resp.ErrorCode, resp.ErrorMessage = int16(no.code), &no.text
	return []Effect{Reply{e.To, resp}}
}

// upgrade makes the members of a classic group members of s.c: they have what they were
// assigned, in the generation as their epoch. What they have parked is answered
// REBALANCE_IN_PROGRESS (GroupMetadataManager.convertToConsumerGroup).
func (s *consumerStep) upgrade(old *classic, image TopicImage) (answered []Effect, no *refusal) {
	s.image = orNone(image)
	if no := s.mayUpgrade(old); no != nil {
		return nil, no
	}
	answering := step{g: s.g, c: old, now: s.now}
	for m := range old.all() {
		answering.replyJoin(m, joinError(m.id, protocol.RebalanceInProgress))
	}
	answering.answerSyncs(protocol.RebalanceInProgress)
	if old.protocol == nil {
		return answering.out, &refusal{protocol.UnknownServerError, protocol.UnknownServerError.Message()}
	}
	c := s.c
	c.epoch = old.generation
	c.setAssignmentEpoch(old.generation, 0)
	for one := range old.all() {
		m, no := s.upgraded(old, one)
		if no != nil {
			return answering.out, no
		}
		c.setTarget(m.id, m.assigned.withEpochs(0))
		c.setMember(m)
		s.keepAlive(m.id, millis(m.classic.sessionTimeoutMs))
	}
	c.hash = s.hash(c.topics)
	s.writeAll()
	return answering.out, nil
}

// mayUpgrade is validateOnlineUpgrade.
func (s *consumerStep) mayUpgrade(old *classic) *refusal {
	why := ""
	switch size := s.g.cfg.ConsumerMaxSize; {
	case !s.g.cfg.ConsumerUpgrade:
		why = "online upgrade is disabled"
	case !old.usesConsumerProtocol():
		why = "the group does not use the consumer embedded protocol"
	case size > 0 && len(old.members) > size:
		why = "the group size exceeds the consumer group maximum size"
	default:
		return nil
	}
	return s.cannotUpgrade(why + ".")
}

func (s *consumerStep) cannotUpgrade(why string) *refusal {
	return &refusal{protocol.GroupIdNotFound, "Cannot upgrade classic group " + s.g.id + " to consumer group because " + why}
}

// upgraded is a member of a classic group as one of a consumer group.
func (s *consumerStep) upgraded(old *classic, one *member) (*consumerMember, *refusal) {
	const malformed = "the embedded consumer protocol is malformed."
	m := newConsumerMember(one.id)
	m.assigned = partitionSet{}
	if len(one.assignment) > 0 {
		assigned, custom, ok := readAssignment(one.assignment)
		switch {
		case !ok:
			return nil, s.cannotUpgrade(malformed)
		case custom:
			return nil, s.cannotUpgrade("an unsupported custom assignor is in use. Please refer to the documentation or switch to a default assignor before re-attempting the upgrade.")
		}
		m.assigned = identified(assigned, s.image, old.generation)
	}
	subscription, ok := readSubscription(one.metadata(*old.protocol))
	if !ok {
		return nil, s.cannotUpgrade(malformed)
	}
	m.epoch, m.previousEpoch = old.generation, old.generation
	m.instance, m.rack, m.clientID, m.clientHost = one.instance, subscription.rack, one.clientID, one.clientHost
	m.rebalanceTimeoutMs, m.topics = one.rebalanceTimeoutMs, sortedNames(subscription.topics)
	m.classic = &classicPart{sessionTimeoutMs: one.sessionTimeoutMs, protocols: one.protocols}
	return m, nil
}

// writeAll writes the whole group (ConsumerGroup.createConsumerGroupRecords).
func (s *consumerStep) writeAll() {
	ids := sortedKeys(s.c.members)
	sortTimeline(ids)
	for _, id := range ids {
		s.write(s.g.consumerMemberRecord(s.c.members[id]))
	}
	s.write(s.g.groupEpochRecord(s.c.epoch, s.c.hash))
	for _, id := range ids {
		s.write(s.g.targetRecord(id, s.c.target[id]))
	}
	s.write(s.g.assignmentEpochRecord(s.c.assignmentEpoch, s.c.assignedMs))
	for _, id := range ids {
		s.write(s.g.currentRecord(s.c.members[id]))
	}
}

// goesClassic tells whether the group becomes a classic one when members of it go: all
// that are left speak the classic protocol, and the broker allows it. replaced is how many
// of them come back in that protocol.
func (s *consumerStep) goesClassic(replaced int, gone ...*consumerMember) bool {
	left, classics := len(s.c.members)-len(gone), s.c.classics
	for _, m := range gone {
		if m.classic != nil {
			classics--
		}
	}
	size := s.g.cfg.MaxSize
	return s.image != nil && classics == left && left+replaced > 0 && (replaced > 0 || left > 0) && s.g.cfg.ConsumerDowngrade &&
		(size == 0 || left+replaced <= size) && (replaced == 0 || gone[0].classic == nil)
}

// downgrade makes the group a classic one, of the members that are left and one that
// joins in the place of another; they have what was their target
// (GroupMetadataManager.convertToClassicGroup). With rebalance they join at once.
func (s *consumerStep) downgrade(gone []*consumerMember, joins, replaced *consumerMember, rebalance bool) {
	s.records = s.tombstonesReplacing(joins, replaced)
	c := &classic{protocolType: "consumer", generation: s.c.epoch, state: stable, since: s.now}
	old := step{g: s.g, c: c, now: s.now}
	for _, m := range s.left(gone, joins, replaced) {
		one := &member{
			id: m.id, instance: m.instance, clientID: m.clientID, clientHost: m.clientHost,
			rebalanceTimeoutMs: m.rebalanceTimeoutMs, sessionTimeoutMs: m.classic.sessionTimeoutMs,
			protocols: m.classic.protocols, session: newSession(m.id),
		}
		c.add(one)
		old.keepAlive(one)
	}
	chosen, _ := c.selectProtocol()
	c.protocol = &chosen
	c.noteSubscriptions()
	for one := range c.all() {
		target := s.c.target[one.id]
		if joins != nil && one.id == joins.id {
			target = s.c.target[replaced.id]
		}
		subscription, _ := readSubscription(one.metadata(chosen))
		one.assignment = appendAssignment(subscription.version, target, s.image)
	}
	v := c.metadataValue()
	s.write(s.g.metadataRecord(&v))
	if rebalance {
		old.prepareRebalance("the group goes back to the classic protocol")
	}
	s.g.next = c
	s.replies = append(s.replies, old.out...)
}

// tombstonesReplacing take the consumer group back: what has been written of the member
// that joins in the place of another, too.
func (s *consumerStep) tombstonesReplacing(joins, replaced *consumerMember) []Record {
	records := s.records
	if joins == nil {
		return s.c.tombstones(s.g, records)
	}
	as := *s.c
	as.members = make(map[string]*consumerMember, len(s.c.members))
	for id, m := range s.c.members {
		if id == replaced.id {
			id = joins.id
		}
		as.members[id] = m
	}
	return as.tombstones(s.g, records)
}

// left are the members that the classic group has: the one that joins is the last.
func (s *consumerStep) left(gone []*consumerMember, joins, replaced *consumerMember) (left []*consumerMember) {
	out := map[string]bool{}
	for _, m := range gone {
		out[m.id] = true
	}
	if replaced != nil {
		out[replaced.id] = true
	}
	ids := sortedKeys(s.c.members)
	sortTimeline(ids)
	for _, id := range ids {
		if !out[id] {
			left = append(left, s.c.members[id])
		}
	}
	if joins != nil {
		left = append(left, joins)
	}
	return left
}

// joinEmpty is a JoinGroup to a consumer group without members, which it makes a classic
// group, as if there were none.
func (c *consumer) joinEmpty(g *Group, now time.Time, e JoinGroup) []Effect {
	s := step{g: g, c: new(classic), now: now, isNew: true}
	s.joinGroup(e)
	for _, effect := range s.out {
		if _, ok := effect.(Append); ok {
			g.next = s.c
			return append([]Effect{Append{Records: c.tombstones(g, nil)}}, s.out...)
		}
	}
	return s.out
}
