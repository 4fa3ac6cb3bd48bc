package groupcoord

import (
	"encoding/binary"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// client is a simulated consumer: what it knows, and what it would do next.
type client struct {
	w        *world
	name     string
	instance *string // a static member's
	versions struct{ join, sync, heartbeat, commit, leave int16 }
	session  int32 // ms
	revision byte  // of its subscription
	strange  bool  // says it is no consumer at all

	id         string
	generation int32
	members    []string // whom it leads
	phase      phase
	owned      []byte
	waits      Token // for the answer to this
	inbox      []kmsg.Response
	last       Event // what it sent last, to be sent again
}

// phase is what a client has to do next.
type phase byte

const (
	mustJoin phase = iota
	mustSync
	hasAssignment // a member with an assignment
)

const simulatedPartitions = 6

// newClient makes the clients of a world different from each other: static members,
// old clients, short sessions.
func newClient(w *world, i int, variant byte) *client {
	c := &client{w: w, name: fmt.Sprintf("c%d", i), session: 6000 + int32(i)*3000}
	if (i+int(variant>>2))%3 == 0 {
		instance := fmt.Sprintf("i%d", i)
		c.instance = &instance
	}
	v := &c.versions
	switch (i + int(variant>>4)) % 4 {
	case 0:
		v.join, v.sync, v.heartbeat, v.commit, v.leave = 9, 5, 4, 10, 5
	case 1:
		v.join, v.sync, v.heartbeat, v.commit, v.leave = 5, 3, 3, 7, 3
	case 2:
		v.join, v.sync, v.heartbeat, v.commit, v.leave = 4, 2, 2, 6, 2
	default:
		v.join, v.sync, v.heartbeat, v.commit, v.leave = 0, 0, 0, 2, 0
	}
	if c.instance != nil && v.join < 5 {
		v.join, v.sync, v.heartbeat, v.commit, v.leave = 5, 3, 3, 7, 3
	}
	return c
}

// act does what the client would do next, unless it waits for an answer.
func (c *client) act() {
	if c.waits != 0 {
		return
	}
	switch c.phase {
	case mustJoin:
		c.join()
	case mustSync:
		c.sync()
	default:
		c.beat()
	}
}

func (c *client) join() {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Version, req.Group, req.MemberID, req.InstanceID = c.versions.join, "g", c.id, c.instance
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = c.session, 2*c.session
	req.ProtocolType = "consumer"
	if c.strange {
		req.ProtocolType = "connect"
	}
	topics := []string{"t"}
	if c.revision&1 != 0 {
		topics = append(topics, "u")
	}
	req.Protocols = []kmsg.JoinGroupRequestProtocol{{Name: "range", Metadata: subscription(topics...)}}
	if c.revision&2 != 0 {
		extra := kmsg.JoinGroupRequestProtocol{Name: "sticky", Metadata: []byte{c.revision}}
		req.Protocols = append([]kmsg.JoinGroupRequestProtocol{extra}, req.Protocols...)
	}
	c.say(req.MemberID, JoinGroup{Req: req, ClientID: c.name, ClientHost: "/127.0.0.1"})
}

func (c *client) sync() {
	req := kmsg.NewPtrSyncGroupRequest()
	req.Version, req.Group, req.MemberID, req.InstanceID, req.Generation = c.versions.sync, "g", c.id, c.instance, c.generation
	if len(c.members) > 0 {
		req.GroupAssignment = c.assign()
	}
	if req.Version >= 5 {
		req.ProtocolType, req.Protocol = &c.w.g.classic().protocolType, c.w.g.classic().protocol
	}
	c.say(req.MemberID, SyncGroup{Req: req})
}

// usurp makes a client that has to synchronize want everything for itself, whether it
// is the leader or not. Who is not is not listened to.
func (c *client) usurp() {
	if c.waits == 0 && c.phase == mustSync {
		c.members = []string{c.id}
		c.sync()
	}
}

// assign deals the partitions out to the members, one by one.
func (c *client) assign() []kmsg.SyncGroupRequestGroupAssignment {
	list := make([]kmsg.SyncGroupRequestGroupAssignment, len(c.members))
	for i, id := range c.members {
		list[i] = kmsg.SyncGroupRequestGroupAssignment{MemberID: id}
		for p := i; p < simulatedPartitions; p += len(c.members) {
			list[i].MemberAssignment = append(list[i].MemberAssignment, byte(p))
		}
	}
	return list
}

func (c *client) beat() {
	req := kmsg.NewPtrHeartbeatRequest()
	req.Version, req.Group, req.MemberID, req.InstanceID, req.Generation = c.versions.heartbeat, "g", c.id, c.instance, c.generation
	c.say(req.MemberID, Heartbeat{Req: req})
}

func (c *client) commit(n uint16) {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Version, req.Group, req.MemberID, req.InstanceID, req.Generation = c.versions.commit, "g", c.id, c.instance, c.generation
	if c.phase == mustJoin && c.id == "" {
		req.Generation = -1
	}
	if req.Version <= 4 && n%7 == 0 {
		req.RetentionTimeMillis = int64(n) * 100
	}
	for i := range 1 + n%3 {
		p := kmsg.NewOffsetCommitRequestTopicPartition()
		p.Partition, p.Offset = int32(n+i)%simulatedPartitions, int64(c.w.steps)
		if n%5 == 0 {
			text := "metadata of any length"[:n%22]
			p.Metadata = &text
		}
		topic := c.w.topics[int(n>>8)%len(c.w.topics)]
		req.Topics = append(req.Topics, kmsg.OffsetCommitRequestTopic{
			Topic: topic, Partitions: []kmsg.OffsetCommitRequestTopicPartition{p},
		})
	}
	c.say(req.MemberID, OffsetCommit{Req: req})
}

func (c *client) leave() {
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Version, req.Group, req.MemberID = c.versions.leave, "g", c.id
	if req.Version >= 3 {
		one := kmsg.NewLeaveGroupRequestMember()
		one.MemberID, one.InstanceID = c.id, c.instance
		req.Members = []kmsg.LeaveGroupRequestMember{one}
	}
	c.say(req.MemberID, LeaveGroup{Req: req})
	c.crash()
}

// crash makes the client a new process that knows nothing; its questions are nobody's.
func (c *client) crash() {
	for _, q := range c.w.asked {
		if q.from == c {
			q.from = nil
		}
	}
	c.id, c.generation, c.members, c.phase, c.owned, c.waits, c.inbox = "", 0, nil, mustJoin, nil, 0, nil
}

// say sends a request and remembers it.
func (c *client) say(member string, e Event) {
	c.last = e
	c.w.send(c, member, func(to Token) Event { return withToken(e, to) })
}

// again sends the last request once more, as a client does whose connection broke.
func (c *client) again() {
	if c.last != nil {
		c.w.send(c, memberOf(c.last), func(to Token) Event { return withToken(c.last, to) })
	}
}

// lie sends what no client should: a request in the name of another, or with a wrong
// generation, or instance id.
func (c *client) lie(n uint16) {
	honest := *c
	other := c.w.clients[int(n)%len(c.w.clients)]
	if n&0x100 != 0 {
		c.id = other.id
	}
	if n&0x200 != 0 {
		c.generation += int32(n>>12) - 8
	}
	if n&0x400 != 0 {
		c.instance = other.instance
	}
	if n&0x800 != 0 {
		c.id = "nobody"
	}
	c.members = nil
	switch n % 5 {
	case 0:
		c.join()
	case 1:
		c.sync()
	case 2:
		c.beat()
	case 3:
		c.commit(n)
	default:
		c.leave()
	}
	for _, q := range c.w.asked {
		if q.from == c && q != c.w.asked[honest.waits] {
			q.from = nil
		}
	}
	// The answer to a lie is not listened to.
	*c = honest
	if c.w.asked[c.waits] == nil && len(c.inbox) == 0 {
		c.waits = 0
	} else if q := c.w.asked[c.waits]; q != nil {
		q.from = c
		if q.forgone {
			c.waits = 0
		}
	}
}

// hear puts an answer into the inbox, if it is the one that is waited for.
func (c *client) hear(to Token, resp kmsg.Response) {
	if c.waits == to {
		c.inbox = append(c.inbox, resp)
	}
}

// giveUp ends the wait for an answer that will never come.
func (c *client) giveUp(to Token) {
	if c.waits == to {
		c.waits = 0
	}
}

// receive reads the answer that has come, if one has.
func (c *client) receive() {
	if len(c.inbox) == 0 {
		return
	}
	resp := c.inbox[0]
	c.inbox, c.waits = nil, 0
	switch resp := resp.(type) {
	case *kmsg.JoinGroupResponse:
		c.joined(resp)
	case *kmsg.SyncGroupResponse:
		if c.refused(resp.ErrorCode) {
			return
		}
		c.phase, c.owned = hasAssignment, resp.MemberAssignment
	case *kmsg.HeartbeatResponse:
		c.refused(resp.ErrorCode)
	}
}

func (c *client) joined(resp *kmsg.JoinGroupResponse) {
	switch protocol.ErrorCode(resp.ErrorCode) {
	case protocol.MemberIdRequired:
		c.id = resp.MemberID
		return
	case protocol.GroupMaxSizeReached, protocol.InconsistentGroupProtocol:
		c.id = ""
	}
	if c.refused(resp.ErrorCode) {
		return
	}
	c.id, c.generation, c.phase, c.members = resp.MemberID, resp.Generation, mustSync, nil
	if resp.LeaderID == resp.MemberID && !resp.SkipAssignment {
		for _, m := range resp.Members {
			c.members = append(c.members, m.MemberID)
		}
	}
}

// refused makes the client join again after an error, as Kafka's client does.
func (c *client) refused(code int16) bool {
	switch protocol.ErrorCode(code) {
	case protocol.None:
		return false
	case protocol.UnknownMemberId, protocol.FencedInstanceId:
		c.id = ""
	}
	c.phase, c.owned, c.generation = mustJoin, nil, 0
	return true
}

// withToken is the event as a question of its own.
func withToken(e Event, to Token) Event {
	switch e := e.(type) {
	case JoinGroup:
		e.To = to
		binary.BigEndian.PutUint64(e.Random[:], uint64(to))
		return e
	case SyncGroup:
		e.To = to
		return e
	case Heartbeat:
		e.To = to
		return e
	case LeaveGroup:
		e.To = to
		return e
	case OffsetCommit:
		e.To = to
		return e
	}
	panic("no question")
}

func memberOf(e Event) string {
	switch e := e.(type) {
	case JoinGroup:
		return e.Req.MemberID
	case SyncGroup:
		return e.Req.MemberID
	}
	return ""
}
