package groupcoord

import (
	"time"

	"klamm/protocol"
)

// prepareOrComplete begins a rebalance, or, when one is under way, ends its join
// phase if that was the last member that was missing.
func (s *step) prepareOrComplete(reason string) {
	if s.c.state != preparingRebalance {
		s.prepareRebalance(reason)
		return
	}
	s.maybeCompleteJoin()
}

// prepareRebalance begins the join phase. The first one of a group that was empty
// lasts group.initial.rebalance.delay.ms, or longer while members arrive; any other
// until all members have joined, or the longest rebalance timeout has passed.
func (s *step) prepareRebalance(reason string) {
	c := s.c
	if c.state == completingRebalance {
		s.propagate(protocol.RebalanceInProgress)
	}
	clear(c.pendingSync)
	c.syncAt = time.Time{}
	initial := c.isEmpty()
	c.reason = reason
	c.transition(s.now, preparingRebalance)
	if initial {
		delay := s.g.cfg.InitialRebalanceDelay
		c.join = joinTimer{
			at: s.now.Add(delay), initial: true,
			delay: delay, remaining: max(c.rebalanceTimeout()-delay, 0),
		}
		return
	}
	if c.hasAllJoined() {
		s.completeJoin()
		return
	}
	c.join = joinTimer{at: s.now.Add(c.rebalanceTimeout())}
}

// maybeCompleteJoin ends the join phase when all have joined, unless it is the
// first of a group: that one takes its time.
func (s *step) maybeCompleteJoin() {
	c := s.c
	if c.state == preparingRebalance && c.previous != empty && c.hasAllJoined() {
		s.completeJoin()
	}
}

// joinPhaseEnds is the end of the time for joining. The delay of a first join phase
// begins again if somebody joined meanwhile.
func (s *step) joinPhaseEnds() {
	j := &s.c.join
	if !j.initial || !s.c.newMember || j.remaining == 0 {
		s.completeJoin()
		return
	}
	s.c.newMember = false
	delay := min(s.g.cfg.InitialRebalanceDelay, j.remaining)
	*j = joinTimer{
		at: s.now.Add(delay), initial: true,
		delay: delay, remaining: max(j.remaining-j.delay, 0),
	}
}

// completeJoin ends the join phase: dynamic members that did not join are out,
// static ones stay, and a new generation begins with all that are left, or the
// group is empty. It mirrors GroupMetadataManager.completeClassicGroupJoin.
func (s *step) completeJoin() {
	c := s.c
	c.join = joinTimer{}
	for m := range c.all() {
		if !m.join.waiting && m.instance == nil {
			c.remove(m.id)
		}
	}
	if !c.electLeader() && len(c.members) > 0 {
		// Only static members are left and none of them joined: wait on.
		c.join = joinTimer{at: s.now.Add(max(c.rebalanceTimeout(), crowdedRetry))}
		return
	}
	c.generation++
	if len(c.members) == 0 {
		c.protocol = nil
		c.noteSubscriptions()
		c.transition(s.now, empty)
		s.store()
		return
	}
	selected, ok := c.selectProtocol()
	if !ok {
		s.stuck = true // a member gave a protocol twice: Kafka's group is stuck here, too
		return
	}
	c.protocol = &selected
	c.noteSubscriptions()
	c.transition(s.now, completingRebalance)
	if c.pendingSync == nil {
		c.pendingSync = make(map[string]struct{}, len(c.members))
	}
	for m := range c.all() {
		s.replyJoin(m, s.joined(m))
		s.keepAlive(m)
		m.isNew = false
		c.pendingSync[m.id] = struct{}{}
	}
	c.syncAt = s.now.Add(c.rebalanceTimeout())
}

// electLeader sees to it that the leader is a member that has joined. False means
// that nobody has.
func (c *classic) electLeader() bool {
	leader := c.members[c.leader]
	if leader != nil && leader.join.waiting {
		return true
	}
	for m := range c.all() {
		if m.join.waiting {
			c.leader = m.id
			return true
		}
	}
	return false
}

// pendingSyncEnds removes the members that got a generation, but did not send a
// SyncGroup within the rebalance timeout, static ones too.
func (s *step) pendingSyncEnds() {
	c := s.c
	c.syncAt = time.Time{}
	if len(c.pendingSync) == 0 {
		return
	}
	for m := range c.all() {
		if _, missing := c.pendingSync[m.id]; missing {
			c.remove(m.id)
		}
	}
	s.prepareRebalance("members did not synchronize within the rebalance timeout")
}
