package groupcoord

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Group is one consumer group: its committed offsets and its membership. It is
// not safe for concurrent use; its owner has a mutex around it.
type Group struct {
	id  string
	cfg Config
}

// New returns an empty group that nobody has joined and that has no offsets.
func New(id string, cfg Config) *Group { return &Group{id: id, cfg: cfg} }

// Step applies e at time now. It does not block, start goroutines, read a clock
// or keep e: what outlives the call is cloned.
func (g *Group) Step(now time.Time, e Event) []Effect { return nil }

// Deadline is when the owner must Step(now, Tick{}); the zero time means never.
func (g *Group) Deadline() time.Time { return time.Time{} }

// Apply is the only writer of hard state: called for each appended record, and
// again, in order, on reload.
func (g *Group) Apply(r Record) {}

// Vacant tells that the group has neither members nor offsets nor a record in
// __consumer_offsets: the owner may forget it, as if it had never been.
func (g *Group) Vacant() bool { return true }

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

// FetchOffsets answers one group of an OffsetFetch request: the topics asked for
// (names filled in), or all when req.Topics is nil.
func (g *Group) FetchOffsets(now time.Time, req kmsg.OffsetFetchRequestGroup) kmsg.OffsetFetchResponseGroup {
	return kmsg.NewOffsetFetchResponseGroup()
}
