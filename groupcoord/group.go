package groupcoord

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
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

// Step applies e at time now. It does not block, start goroutines, read a clock
// or keep e: what outlives the call is cloned.
func (g *Group) Step(now time.Time, e Event) []Effect {
	switch e := e.(type) {
	case JoinGroup:
	case SyncGroup:
	case Heartbeat:
	case LeaveGroup:
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
	case Tick:
		return g.expireOffsets(now)
	case ExpireMember:
	case ForceRebalance:
	}
	return nil
}

// Deadline is when the owner must Step(now, Tick{}); the zero time means never.
func (g *Group) Deadline() time.Time { return g.offsetsDeadline() }

// Overview is one group as ListGroups shows it.
type Overview struct {
	State        string // Kafka's name, such as "PreparingRebalance"
	ProtocolType string // such as "consumer"; empty for a simple group
	Type         string // "classic" or another of Kafka's group types
}

// Overview tells state, protocol type and type of the group.
func (g *Group) Overview() Overview { return Overview{} }

// Describe is the group as DescribeGroups shows it, authorized operations left out.
func (g *Group) Describe() kmsg.DescribeGroupsResponseGroup {
	return kmsg.NewDescribeGroupsResponseGroup()
}

// classic is the membership of a classic group.
type classic struct{}

// isEmpty tells that nobody is a member and nobody is about to become one.
func (c *classic) isEmpty() bool { return true }

// checkCommit tells whether the sender of an offset commit may commit: its
// member id, generation and instance id. A commit of a member counts as a
// heartbeat where Kafka counts it, hence now.
func (g *Group) checkCommit(now time.Time, req *kmsg.OffsetCommitRequest) protocol.ErrorCode {
	return protocol.None
}

// subscribedTo tells whether a member consumes the topic, so that its offsets
// must not be deleted.
func (g *Group) subscribedTo(topic string) bool { return false }
