package groupcoord

import "time"

// Group is one group id: the committed offsets and the membership of that id. It is
// not safe for concurrent use; its owner has a mutex around it.
type Group struct {
	id      string
	cfg     Config
	kind    kind    // membership; *classic while there is no group
	next    kind    // what the group becomes when the records of the last step are applied; nil: nothing else
	offsets offsets // committed offsets, hard state
}

// New returns an empty group that nobody has joined and that has no offsets.
func New(id string, cfg Config) *Group { return &Group{id: id, cfg: cfg, kind: new(classic)} }

// step is an event on its way through the membership of a classic group.
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
	g.next = nil
	switch e := e.(type) {
	case OffsetCommit:
		return g.commitOffsets(now, e)
	case OffsetDelete:
		return g.deleteOffsets(now, e)
	case DeleteGroup:
		return g.deleteGroup(now, e)
	case TopicsDeleted:
		out := g.topicsDeleted(now, e)
		return append(out, g.kind.step(g, now, e)...)
	case ConsumerGroupHeartbeat:
		return g.consumerHeartbeat(now, e)
	case ShareGroupHeartbeat:
		return g.shareEvent(now, e, e.Req.MemberEpoch == 0)
	case AlterShareOffsets:
		return g.shareEvent(now, e, true)
	case DeleteShareOffsets:
		return g.shareEvent(now, e, false)
	case Configure:
		g.cfg = e.Config
		return nil
	case Tick:
		out := g.kind.step(g, now, e)
		return append(out, g.expireOffsets(now)...)
	}
	return g.kind.step(g, now, e)
}

// step is for kind.
func (c *classic) step(g *Group, now time.Time, e Event) []Effect {
	s := step{g: g, c: c, now: now}
	switch e := e.(type) {
	case JoinGroup:
		s.isNew = !g.offsets.exists
		s.joinGroup(e)
	case SyncGroup:
		s.syncGroup(e)
	case Heartbeat:
		s.heartbeat(e)
	case LeaveGroup:
		s.leaveGroup(e)
	case Loaded:
		s.loaded()
	case Tick:
		s.tick()
	case ExpireMember:
		s.expireMember(e.MemberID)
	case ForceRebalance:
		s.forceRebalance(e.Reason)
	default:
		return refuse(e)
	}
	return s.out
}

// Deadline is when the owner must Step(now, Tick{}); the zero time means never. It
// may be earlier than there is something to do: after heartbeats, until the Tick
// that finds nothing.
func (g *Group) Deadline() time.Time {
	return earliest(g.kind.deadline(), g.offsetsDeadline())
}
