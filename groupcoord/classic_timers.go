package groupcoord

import (
	"container/heap"
	"time"
)

// newMemberTimeout is how long a new member may wait for its first generation
// before it counts as gone, whatever its session timeout: its client cannot
// heartbeat before it knows its id (KAFKA-7610).
const newMemberTimeout = 5 * time.Minute

// crowdedRetry is how soon an overdue join phase, in which nobody joined, is looked
// at again when no member has a rebalance timeout. Kafka retries without a pause.
const crowdedRetry = 100 * time.Millisecond

// session is when a member, or a pending member, has to be heard of again.
//
// A heartbeat only moves due. The place in the heap follows at, which is never
// later than due, and catches up when it comes to the top: a heartbeat costs no
// walk through the heap, however many members there are.
type session struct {
	id      string // of the member
	due, at time.Time
	index   int // in the heap; -1 outside
}

func newSession(id string) session { return session{id: id, index: -1} }

// sessions is a heap of the sessions that can end, by at.
type sessions []*session

func (s sessions) Len() int           { return len(s) }
func (s sessions) Less(i, j int) bool { return s[i].at.Before(s[j].at) }
func (s sessions) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].index, s[j].index = i, j
}

// Push is for container/heap.
func (s *sessions) Push(x any) {
	x.(*session).index = len(*s)
	*s = append(*s, x.(*session))
}

// Pop is for container/heap.
func (s *sessions) Pop() any {
	last := (*s)[len(*s)-1]
	(*s)[len(*s)-1] = nil
	*s = (*s)[:len(*s)-1]
	last.index = -1
	return last
}

// set makes the session end at due, whatever it was before.
func (s *sessions) set(x *session, due time.Time) {
	x.due = due
	switch {
	case x.index < 0:
		x.at = due
		heap.Push(s, x)
	case due.Before(x.at):
		x.at = due
		heap.Fix(s, x.index)
	}
}

// cancel makes the session one that does not end.
func (s *sessions) cancel(x *session) {
	if x.index >= 0 {
		heap.Remove(s, x.index)
	}
}

// wake is when to look at the sessions: never later than next, but perhaps earlier,
// since a heartbeat leaves the heap as it is. Zero means never.
func (s sessions) wake() time.Time {
	if len(s) == 0 {
		return time.Time{}
	}
	return s[0].at
}

// next is when the first session ends; zero means never.
func (s *sessions) next() time.Time {
	for len(*s) > 0 {
		first := (*s)[0]
		if first.at.Equal(first.due) {
			return first.due
		}
		first.at = first.due
		heap.Fix(s, 0)
	}
	return time.Time{}
}

// keepAlive gives a member another session timeout to be heard of again.
func (s *step) keepAlive(m *member) {
	s.c.sessions.set(&m.session, s.now.Add(m.sessionTimeout()))
}

// deadline is for kind: a session counts as it stands in the heap.
func (c *classic) deadline() time.Time {
	return earliest(earliest(c.join.at, c.syncAt), c.sessions.wake())
}

// due is the first of the membership's timers; zero means never.
func (c *classic) due() time.Time {
	return earliest(earliest(c.join.at, c.syncAt), c.sessions.next())
}

// earliest is the earlier of two times of which a zero one means never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// tick runs the timers whose time has come, in the order of their times.
func (s *step) tick() {
	c := s.c
	for {
		due := c.due()
		switch {
		case due.IsZero() || due.After(s.now):
			return
		case due.Equal(c.join.at):
			s.joinPhaseEnds()
		case due.Equal(c.syncAt):
			s.pendingSyncEnds()
		default:
			s.sessionEnds(c.sessions[0])
		}
	}
}

// sessionEnds removes a member, or a pending member, that was not heard of in time.
// A member that waits for an answer is not expected to be heard of: its session
// goes on when it gets the answer. A new one may wait only newMemberTimeout.
func (s *step) sessionEnds(x *session) {
	c := s.c
	c.sessions.cancel(x)
	if m := c.members[x.id]; m != nil {
		if m.isNew || !m.join.waiting && !m.sync.waiting {
			s.removeMember(m, "member "+m.id+" was not heard of within its session timeout")
		}
		return
	}
	s.removePending(x.id)
}

// expireMember removes a member or a pending member as if its session had ended,
// even if it waits for an answer.
func (s *step) expireMember(id string) {
	if m := s.c.members[id]; m != nil {
		s.replySync(m, unknownMember)
		s.removeMember(m, "the session of member "+id+" was ended")
		return
	}
	if _, pending := s.c.pending[id]; pending {
		s.removePending(id)
	}
}

// removeMember removes a member that did not ask for it, and sees what follows.
func (s *step) removeMember(m *member, reason string) {
	s.replyJoin(m, joinError("", unknownMember))
	s.c.remove(m.id)
	switch s.c.state {
	case stable, completingRebalance:
		s.prepareOrComplete(reason)
	case preparingRebalance:
		if s.c.hasAllJoined() {
			s.completeJoin()
		}
	}
}

// removePending removes an id that nobody joined with in time.
func (s *step) removePending(id string) {
	s.c.remove(id)
	if s.c.state == preparingRebalance && s.c.hasAllJoined() {
		s.completeJoin()
	}
}
