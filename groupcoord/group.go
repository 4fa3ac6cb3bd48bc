package groupcoord

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Group is one consumer group: its committed offsets and its membership. It is
// not safe for concurrent use; its owner has a mutex around it.
type Group struct {
	id      string
	cfg     Config
	classic classic                  // membership, soft state
	offsets offsets                  // committed offsets, hard state
	stored  *kmsg.GroupMetadataValue // last group metadata record, hard state; nil without one
}

// New returns an empty group that nobody has joined and that has no offsets.
func New(id string, cfg Config) *Group { return &Group{id: id, cfg: cfg} }

// step is one call of Step: an event on its way through the membership.
type step struct {
	g     *Group
	c     *classic
	now   time.Time
	isNew bool // the group did not exist before this event
	stuck bool // a rebalance was to end and there is no protocol to choose
	out   []Effect
}

// store writes the membership as it is now to __consumer_offsets.
func (s *step) store() {
	v := s.c.metadataValue()
	s.out = append(s.out, Append{Records: []Record{s.g.metadataRecord(&v)}})
}

// Step applies e at time now. It does not block, start goroutines, read a clock
// or keep e: what outlives the call is cloned.
func (g *Group) Step(now time.Time, e Event) []Effect {
	s := step{g: g, c: &g.classic, now: now}
	switch e := e.(type) {
	case JoinGroup:
		s.isNew = g.Vacant()
		s.joinGroup(e)
	case SyncGroup:
		s.syncGroup(e)
	case Heartbeat:
		s.heartbeat(e)
	case LeaveGroup:
		s.leaveGroup(e)
	case OffsetCommit:
		return g.commitOffsets(now, e)
	case OffsetDelete:
		return g.deleteOffsets(now, e)
	case DeleteGroup:
		return g.deleteGroup(now, e)
	case TopicsDeleted:
		return g.topicsDeleted(now, e)
	case Configure:
		g.cfg = e.Config
	case Loaded:
		s.loaded()
	case Tick:
		s.tick()
		return append(s.out, g.expireOffsets(now)...)
	case ExpireMember:
		s.expireMember(e.MemberID)
	case ForceRebalance:
		s.forceRebalance(e.Reason)
	}
	return s.out
}

// Deadline is when the owner must Step(now, Tick{}); the zero time means never. It
// may be earlier than there is something to do: after heartbeats, until the Tick
// that finds nothing.
func (g *Group) Deadline() time.Time {
	c := &g.classic
	return earliest(earliest(earliest(c.join.at, c.syncAt), c.sessions.wake()), g.offsetsDeadline())
}
