package groupcoord

import "time"

// consumerTimers are the timers of the members, soft state. Each kind has a heap of its
// own; none is touched but by what moves it.
type consumerTimers struct {
	byMember   map[string]*memberTimers
	sessions   sessions // a member must be heard of
	rebalances sessions // a member must have given up what it has to
	joins      sessions // a classic member must join again
	syncs      sessions // a classic member must ask for its assignment
}

// memberTimers are those of one member; the rebalance timer is of an epoch.
type memberTimers struct {
	session, rebalance, join, sync session
	rebalanceEpoch                 int32
}

func (t *consumerTimers) of(id string) *memberTimers {
	m := t.byMember[id]
	if m == nil {
		m = &memberTimers{session: newSession(id), rebalance: newSession(id), join: newSession(id), sync: newSession(id)}
		t.byMember[id] = m
	}
	return m
}

// cancel forgets the timers of a member.
func (t *consumerTimers) cancel(id string) {
	m := t.byMember[id]
	if m == nil {
		return
	}
	delete(t.byMember, id)
	t.sessions.cancel(&m.session)
	t.rebalances.cancel(&m.rebalance)
	t.joins.cancel(&m.join)
	t.syncs.cancel(&m.sync)
}

func (t *consumerTimers) heaps() [4]*sessions {
	return [4]*sessions{&t.sessions, &t.rebalances, &t.joins, &t.syncs}
}

// deadline is for kind.
func (c *consumer) deadline() (first time.Time) {
	for _, heap := range c.timers.heaps() {
		first = earliest(first, heap.wake())
	}
	return first
}

// due is deadline, and never early.
func (c *consumer) due() (first time.Time) {
	for _, heap := range c.timers.heaps() {
		first = earliest(first, heap.next())
	}
	return first
}

// keepAlive gives a member a session timeout to be heard of again.
func (s *consumerStep) keepAlive(id string, timeout time.Duration) {
	t := &s.c.timers
	t.sessions.set(&t.of(id).session, s.now.Add(timeout))
}

// awaitRevocation gives a member its rebalance timeout to get on from an epoch.
func (s *consumerStep) awaitRevocation(m *consumerMember) {
	t := s.c.timers.of(m.id)
	t.rebalanceEpoch = m.epoch
	s.c.timers.rebalances.set(&t.rebalance, s.now.Add(millis(m.rebalanceTimeoutMs)))
}

// tick runs the first timer that is due. The records of each have to be applied before
// the next one can be judged, so the owner is asked to come again.
func (s *consumerStep) tick() {
	t := &s.c.timers
	if s.c.toFind != nil {
		s.again = !s.c.due().IsZero() && !s.c.due().After(s.now)
		s.resolve()
		return
	}
	for _, heap := range t.heaps() {
		due := heap.next()
		if due.IsZero() || due.After(s.now) {
			continue
		}
		x := (*heap)[0]
		heap.cancel(x)
		s.again = true
		m := s.c.members[x.id]
		if m == nil { // another has taken its place
			t.cancel(x.id)
			return
		}
		if heap == &t.rebalances && t.of(x.id).rebalanceEpoch != m.epoch {
			return
		}
		s.fence(m)
		return
	}
}

// loaded is for the end of a reload: every member has a session timeout to be heard of,
// and one that gives partitions up has its rebalance timeout.
func (s *consumerStep) loaded() {
	s.c.image, s.c.toFind = nil, nil
	s.c.timers = consumerTimers{byMember: map[string]*memberTimers{}}
	for _, m := range s.c.members {
		s.keepAlive(m.id, s.g.cfg.ConsumerSessionTimeout)
		if m.state == unrevokedPartitions {
			s.awaitRevocation(m)
		}
	}
}

// expireMember ends the session of a member (for tests).
func (s *consumerStep) expireMember(id string) {
	if m := s.c.members[id]; m != nil {
		s.fence(m)
	}
}
