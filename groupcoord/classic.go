package groupcoord

import (
	"bytes"
	"iter"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// state is a state of a classic group, as in Kafka's ClassicGroupState. The zero
// value is Empty. Kafka's Dead has no value here: a dead group is one that its
// owner no longer has.
type state uint8

const (
	empty state = iota
	preparingRebalance
	completingRebalance
	stable
)

func (s state) String() string {
	return [...]string{"Empty", "PreparingRebalance", "CompletingRebalance", "Stable"}[s]
}

// classic is the membership of a classic group, as in Kafka's ClassicGroup. The
// zero value is a group that nobody has ever joined.
//
// Members are kept in the order in which they joined; where Kafka takes any
// member of a hash map, such as the next leader, this takes the first.
type classic struct {
	state    state
	previous state     // the one before state
	since    time.Time // when state began; zero until the first join of a new group

	protocolType string  // such as "consumer"; empty before anybody joined
	protocol     *string // chosen by votes; nil while the group is Empty
	generation   int32
	leader       string // member id; empty without one
	reason       string // why the last rebalance began

	members      map[string]*member
	first, last  *member
	static       map[string]*member  // by group instance id
	pending      map[string]*session // ids given out by MEMBER_ID_REQUIRED and not yet used
	awaitingJoin int                 // members with a parked JoinGroup
	supported    map[string]int      // protocol name to how many members have it
	pendingSync  map[string]struct{} // members of this generation without a SyncGroup so far

	// What the members of the last generation subscribe to, and whether that could
	// be read from their metadata.
	subscribed      map[string]struct{}
	knowsSubscribed bool

	stored *kmsg.GroupMetadataValue // last group metadata record, hard state; nil without one

	join      joinTimer
	newMember bool      // somebody joined during the delay of a first join phase
	syncAt    time.Time // when members without a SyncGroup are removed; zero means never
	sessions  sessions
}

// joinTimer ends the join phase at a time; zero means never. The first join phase
// of a group is extended while members arrive (KIP-134): then delay is the delay
// that ends at that time, remaining what may be added.
type joinTimer struct {
	at               time.Time
	initial          bool
	delay, remaining time.Duration
}

// member is a member of a classic group, as in Kafka's ClassicGroupMember.
type member struct {
	id                   string
	instance             *string // group instance id of a static member
	clientID, clientHost string
	rebalanceTimeoutMs   int32
	sessionTimeoutMs     int32
	protocols            []assignor
	assignment           []byte
	join, sync           parked
	isNew                bool // has not got its first generation yet
	session              session
	prev, next           *member
}

// assignor is one protocol that a member supports, with its metadata for it.
type assignor struct {
	name     string
	metadata []byte
}

// parked is a request that waits for its answer. One that has failed may be answered
// and still be waiting: Kafka does not take it back.
type parked struct {
	waiting  bool
	answered bool
	to       Token
	version  int16
}

func (m *member) sessionTimeout() time.Duration { return millis(m.sessionTimeoutMs) }

func millis(ms int32) time.Duration { return time.Duration(ms) * time.Millisecond }

// metadata is what the member said of a protocol; of a name that was given twice
// the first counts.
func (m *member) metadata(protocol string) []byte {
	for _, p := range m.protocols {
		if p.name == protocol {
			return p.metadata
		}
	}
	return nil
}

// matches tells that a request brings the protocols that the member has: the same
// names in the same order with the same metadata.
func (m *member) matches(protocols []kmsg.JoinGroupRequestProtocol) bool {
	return slices.EqualFunc(m.protocols, protocols, func(have assignor, got kmsg.JoinGroupRequestProtocol) bool {
		return have.name == got.Name && bytes.Equal(have.metadata, got.Metadata)
	})
}

// all are the members in the order in which they joined. The one that was yielded
// last may be removed meanwhile.
func (c *classic) all() iter.Seq[*member] {
	return func(yield func(*member) bool) {
		for m := c.first; m != nil; {
			next := m.next
			if !yield(m) {
				return
			}
			m = next
		}
	}
}

// isEmpty tells that the group is in state Empty. It may still have pending members.
func (c *classic) isEmpty() bool { return c.state == empty }

// usesConsumerProtocol tells that the members are consumers, not Connect workers
// or something else.
func (c *classic) usesConsumerProtocol() bool { return c.protocolType == "consumer" }

func (c *classic) transition(now time.Time, to state) {
	c.previous, c.state, c.since = c.state, to, now
}

// add makes m the last member. The first member brings the protocol type, and
// leads until somebody else is elected.
func (c *classic) add(m *member) {
	if c.members == nil {
		c.members = make(map[string]*member)
	}
	if c.leader == "" {
		c.leader = m.id
	}
	c.members[m.id] = m
	m.prev, m.next = c.last, nil
	if c.last != nil {
		c.last.next = m
	} else {
		c.first = m
	}
	c.last = m
	if m.instance != nil {
		c.setStatic(m)
	}
	c.countProtocols(m, 1)
	if m.join.waiting {
		c.awaitingJoin++
	}
	c.removePending(m.id)
}

// removePending takes back an id that was given out.
func (c *classic) removePending(id string) {
	if s := c.pending[id]; s != nil {
		delete(c.pending, id)
		c.sessions.cancel(s)
	}
}

func (c *classic) setStatic(m *member) {
	if c.static == nil {
		c.static = make(map[string]*member)
	}
	c.static[*m.instance] = m
}

// remove forgets a member or a pending member with all its timers. Unknown ids are
// ignored. What the member has parked is not answered here.
func (c *classic) remove(id string) {
	if m := c.members[id]; m != nil {
		delete(c.members, id)
		c.unlink(m)
		c.countProtocols(m, -1)
		if m.join.waiting {
			c.awaitingJoin--
		}
		if m.instance != nil {
			delete(c.static, *m.instance)
		}
		c.sessions.cancel(&m.session)
	}
	c.removePending(id)
	if c.leader == id {
		c.leader = ""
		if c.first != nil {
			c.leader = c.first.id
		}
	}
	delete(c.pendingSync, id)
}

func (c *classic) unlink(m *member) {
	if m.prev != nil {
		m.prev.next = m.next
	} else {
		c.first = m.next
	}
	if m.next != nil {
		m.next.prev = m.prev
	} else {
		c.last = m.prev
	}
}

// replace gives the static member old a new id. It keeps its place, its assignment
// and its lead.
func (c *classic) replace(old *member, id string) *member {
	c.sessions.cancel(&old.session)
	m := &member{
		id: id, instance: old.instance, clientID: old.clientID, clientHost: old.clientHost,
		rebalanceTimeoutMs: old.rebalanceTimeoutMs, sessionTimeoutMs: old.sessionTimeoutMs,
		protocols: old.protocols, assignment: old.assignment, session: newSession(id),
		prev: old.prev, next: old.next,
	}
	if m.prev != nil {
		m.prev.next = m
	} else {
		c.first = m
	}
	if m.next != nil {
		m.next.prev = m
	} else {
		c.last = m
	}
	delete(c.members, old.id)
	c.members[id] = m
	c.static[*m.instance] = m
	if c.leader == old.id {
		c.leader = id
	}
	return m
}

// update takes over what a JoinGroup says of a member, which then waits for the
// answer. A JoinGroup that it had parked before is overtaken.
func (c *classic) update(m *member, req *kmsg.JoinGroupRequest, to Token) {
	c.countProtocols(m, -1)
	if !m.matches(req.Protocols) {
		m.protocols = cloneProtocols(req.Protocols)
	}
	c.countProtocols(m, 1)
	m.rebalanceTimeoutMs, m.sessionTimeoutMs = rebalanceTimeoutMs(req), req.SessionTimeoutMillis
	if !m.join.waiting {
		c.awaitingJoin++
	}
	m.join = parked{waiting: true, to: to, version: req.Version}
}

// hasAllJoined tells that every member has a JoinGroup parked and that no id is
// given out that has not been used.
func (c *classic) hasAllJoined() bool {
	return len(c.members) == c.awaitingJoin && len(c.pending) == 0
}

// rebalanceTimeout is the longest of the members'.
func (c *classic) rebalanceTimeout() time.Duration {
	longest := int32(0)
	for m := range c.all() {
		longest = max(longest, m.rebalanceTimeoutMs)
	}
	return millis(longest)
}

// rebalanceTimeoutMs is the rebalance timeout of a request; version 0 has none
// and means its session timeout.
func rebalanceTimeoutMs(req *kmsg.JoinGroupRequest) int32 {
	if req.Version == 0 {
		return req.SessionTimeoutMillis
	}
	return req.RebalanceTimeoutMillis
}

func cloneProtocols(protocols []kmsg.JoinGroupRequestProtocol) []assignor {
	clone := make([]assignor, len(protocols))
	for i, p := range protocols {
		clone[i] = assignor{p.Name, bytes.Clone(p.Metadata)}
	}
	return clone
}
