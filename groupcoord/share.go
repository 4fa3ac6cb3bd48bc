package groupcoord

import (
	"maps"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// share is the membership of a share group (KIP-932), as in Kafka's ShareGroup: several
// members may have the same partition, so nothing is revoked before it is given. All of
// this is hard state, but for the timers and the image.
type share struct {
	epoch           int32
	hash            uint64 // of the topics that members subscribe to
	assignmentEpoch int32
	assignedMs      int64 // when the target was computed; 0: the next one need not wait
	members         map[string]*shareMember
	target          map[string]partitionSet // by member id
	topics          map[string]subscribers  // by topic name

	// What the share coordinator knows, or is about to know or forget.
	initializing, initialized map[protocol.UUID]sharedTopic
	deleting                  map[protocol.UUID]string // topic names

	image    TopicImage // that the hash was computed from; nil: not known
	sessions sessions
	bySess   map[string]*session
}

// sharedTopic is a topic with those of its partitions whose state is kept.
type sharedTopic struct {
	name       string
	partitions map[int32]bool
}

// shareMember is a member of a share group (ShareGroupMember). It is replaced as a whole
// and never changed.
type shareMember struct {
	id                   string
	epoch, previousEpoch int32
	rack                 *string
	clientID, clientHost string
	topics               []string // sorted, each once
	assigned             partitionSet
}

func newShare() *share {
	return &share{
		epoch: 1, assignmentEpoch: 1,
		members: map[string]*shareMember{}, target: map[string]partitionSet{}, topics: map[string]subscribers{},
		initializing: map[protocol.UUID]sharedTopic{}, initialized: map[protocol.UUID]sharedTopic{},
		deleting: map[protocol.UUID]string{}, bySess: map[string]*session{},
	}
}

// shareStep is an event on its way through the membership of a share group. What it
// writes is gathered: all of it is one batch, and if something is wrong, nothing is.
type shareStep struct {
	g       *Group
	c       *share
	now     time.Time
	image   TopicImage
	records []Record
	out     []Effect
	again   bool
}

func (s *shareStep) write(r ...Record) { s.records = append(s.records, r...) }

// effects are the records, then the answers, then what is left to do.
func (s *shareStep) effects() (out []Effect) {
	if len(s.records) > 0 {
		s.g.offsets.create(s.now.UnixMilli())
		out = append(out, Append{Records: s.records})
	}
	out = append(out, s.out...)
	if s.again {
		out = append(out, Again{})
	}
	return out
}

// step is for kind.
func (c *share) step(g *Group, now time.Time, e Event) []Effect {
	s := shareStep{g: g, c: c, now: now, image: c.image}
	switch e := e.(type) {
	case ShareGroupHeartbeat:
		s.heartbeat(e)
	case ShareStateInitialized:
		s.stateInitialized(e)
	case ShareStateDeleted:
		s.stateDeleted(e)
	case AlterShareOffsets:
		s.alterOffsets(e)
	case DeleteShareOffsets:
		s.deleteOffsets(e)
	case TopicsDeleted:
		s.topicsDeleted(e)
	case Loaded:
		s.loaded()
	case Tick:
		s.tick()
	case ExpireMember:
		if m := c.members[e.MemberID]; m != nil {
			s.fence(m)
		}
	case ForceRebalance:
		if len(c.members) > 0 {
			s.write(g.shareEpochRecord(c.epoch+1, c.hash))
		}
	default:
		return refuse(e)
	}
	return s.effects()
}

// shareEvent finds the share group that an event is for: one is made where there is no
// group and the event may begin one (GroupMetadataManager.getOrMaybeCreateShareGroup).
func (g *Group) shareEvent(now time.Time, e Event, begins bool) []Effect {
	if _, ok := g.kind.(*share); ok {
		return g.kind.step(g, now, e)
	}
	if !begins || g.offsets.exists {
		return g.notShare(e)
	}
	c := newShare()
	out := c.step(g, now, e)
	for _, effect := range out {
		if _, writes := effect.(Append); writes {
			g.become(c)
		}
	}
	return out
}

// notShare says that the group is none, or none of this kind.
func (g *Group) notShare(e Event) []Effect {
	text := "Group " + g.id + " is not a share group."
	switch e := e.(type) {
	case ShareGroupHeartbeat:
		if !g.offsets.exists {
			text = "Share group " + g.id + " not found."
			if e.Req.MemberEpoch == leaveEpoch {
				text = "Group " + g.id + " not found."
			}
		}
		return []Effect{Reply{e.To, refusedShare(&refusal{protocol.GroupIdNotFound, text})}}
	case AlterShareOffsets:
		r := kmsg.NewPtrAlterShareGroupOffsetsResponse()
		r.ErrorCode, r.ErrorMessage = int16(protocol.GroupIdNotFound), &text
		return []Effect{Reply{e.To, r}}
	case DeleteShareOffsets:
		if !g.offsets.exists {
			text = "Group " + g.id + " not found."
		}
		r := kmsg.NewPtrDeleteShareGroupOffsetsResponse()
		r.ErrorCode, r.ErrorMessage = int16(protocol.GroupIdNotFound), &text
		return []Effect{Reply{e.To, r}}
	}
	return nil
}

// overview is for kind.
func (c *share) overview() Overview {
	return Overview{State: c.stateName(), ProtocolType: "share", Type: "share"}
}

func (c *share) stateName() string {
	if len(c.members) == 0 {
		return "Empty"
	}
	return "Stable"
}

// describe is for kind: DescribeGroups knows classic groups only.
func (c *share) describe(*kmsg.DescribeGroupsResponseGroup) {}

func (c *share) isEmpty() bool { return len(c.members) == 0 }

// checkCommit is for kind: a share group commits no offsets (ShareGroup.validateOffsetCommit).
func (c *share) checkCommit(*Group, time.Time, OffsetCommit) protocol.ErrorCode {
	return protocol.GroupIdNotFound
}

// checkFetch is for kind: it has none, which is no error.
func (c *share) checkFetch(*string, int32) protocol.ErrorCode { return protocol.None }

// checkOffsetDelete is for kind.
func (c *share) checkOffsetDelete() protocol.ErrorCode { return protocol.GroupIdNotFound }

// subscribedTo is for kind; there are no offsets that it could keep.
func (c *share) subscribedTo(string) bool { return false }

// expiry is for kind: a share group stays until it is deleted (ShareGroup.shouldExpire).
func (c *share) expiry() expiryRule { return expiryRule{} }

// deadline is for kind.
func (c *share) deadline() time.Time { return c.sessions.wake() }

// tombstones is for kind (ShareGroup.createGroupTombstoneRecords).
func (c *share) tombstones(g *Group, records []Record) []Record {
	for _, kind := range [...]uint16{shareGroupTargetAssignmentMetadata, shareGroupStatePartitionMetadata, shareGroupMetadata} {
		records = append(records, newRecord(g.key(kind), nil))
	}
	return records
}

// keepAlive gives a member its session timeout to be heard of again.
func (s *shareStep) keepAlive(id string) {
	x := s.c.bySess[id]
	if x == nil {
		made := newSession(id)
		x = &made
		s.c.bySess[id] = x
	}
	s.c.sessions.set(x, s.now.Add(s.g.cfg.ShareSessionTimeout))
}

func (c *share) endSession(id string) {
	if x := c.bySess[id]; x != nil {
		c.sessions.cancel(x)
		delete(c.bySess, id)
	}
}

// tick ends the first session that is over. Its records have to be applied before the
// next one can be judged, so the owner is asked to come again.
func (s *shareStep) tick() {
	due := s.c.sessions.next()
	if due.IsZero() || due.After(s.now) {
		return
	}
	x := s.c.sessions[0]
	s.c.endSession(x.id)
	if m := s.c.members[x.id]; m != nil {
		s.fence(m)
	}
	s.again = true
}

// loaded is for the end of a reload: every member has a session timeout to be heard of.
func (s *shareStep) loaded() {
	s.c.image, s.c.sessions, s.c.bySess = nil, nil, map[string]*session{}
	for _, id := range sortedKeys(s.c.members) {
		s.keepAlive(id)
	}
}

// fence takes a member out of the group, whether it asked for that or not
// (GroupMetadataManager.shareGroupFenceMember).
func (s *shareStep) fence(m *shareMember) {
	for _, kind := range [...]uint16{shareGroupCurrentMemberAssignment, shareGroupTargetAssignmentMember, shareGroupMemberMetadata} {
		s.write(newRecord(s.g.key(kind, m.id), nil))
	}
	topics := maps.Clone(s.c.topics)
	countShareTopics(topics, m, nil)
	epoch := s.c.epoch + 1
	s.write(s.g.shareEpochRecord(epoch, s.hash(topics)))
	if len(s.c.members) == 1 {
		s.write(s.g.shareAssignmentEpochRecord(epoch, 0))
	}
	s.c.endSession(m.id)
}

// countShareTopics counts who subscribes: m in the place of old; each may be nil.
func countShareTopics(topics map[string]subscribers, old, m *shareMember) {
	if old != nil {
		for _, t := range old.topics {
			addSubscribers(topics, t, -1, 0)
		}
	}
	if m != nil {
		for _, t := range m.topics {
			addSubscribers(topics, t, 1, 0)
		}
	}
}

func (c *share) setMember(m *shareMember) {
	countShareTopics(c.topics, c.members[m.id], m)
	c.members[m.id] = m
}

func (c *share) removeMember(id string) {
	countShareTopics(c.topics, c.members[id], nil)
	delete(c.members, id)
	c.endSession(id)
}
