package groupcoord

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// kind is the membership of a group: the machine of one of Kafka's group types
// (Group.GroupType). Its type tells which; a group is never of two, and becomes
// another only through become. It keeps the contract of Group: step never writes hard
// state, apply writes nothing else.
type kind interface {
	// step applies an event of the membership. A request of another kind's protocol
	// is answered by refuse, unless Kafka lets both protocols meet.
	step(g *Group, now time.Time, e Event) []Effect
	// deadline is when a timer has something to do: early at times, never late. Zero means never.
	deadline() time.Time
	// apply takes in a record of this kind; a nil value is its tombstone.
	apply(g *Group, k *recordKey, value []byte)

	overview() Overview
	// describe fills in what DescribeGroups shows; it leaves a group Dead that is not
	// classic, and whose members DescribeGroups does not know.
	describe(d *kmsg.DescribeGroupsResponseGroup)
	isEmpty() bool
	// checkCommit tells whether the sender of an OffsetCommit, or TxnOffsetCommit, may commit.
	checkCommit(g *Group, now time.Time, e OffsetCommit) protocol.ErrorCode
	// checkFetch tells whether a member, if one is named, may read offsets.
	checkFetch(member *string, epoch int32) protocol.ErrorCode
	// checkOffsetDelete tells whether OffsetDelete is for such a group.
	checkOffsetDelete() protocol.ErrorCode
	// subscribedTo tells that a member consumes the topic, whose offsets then stay.
	subscribedTo(topic string) bool
	// tombstones adds the records that take an empty group back.
	tombstones(g *Group, records []Record) []Record
	// expiry says how the state of the membership lets offsets expire.
	expiry() expiryRule
}

// become makes the group one of another kind, without members.
func (g *Group) become(k kind) {
	g.kind = k
	g.offsets.due.known = false
}

// classic is the membership of a classic group, a simple group or a group that does
// not exist; of any other kind it is that of an empty group.
func (g *Group) classic() *classic {
	if c, ok := g.kind.(*classic); ok {
		return c
	}
	return new(classic)
}

// refuse answers a request of a protocol that the group does not speak.
func refuse(e Event) []Effect {
	var to Token
	var resp kmsg.Response
	switch e := e.(type) {
	case JoinGroup:
		r := joinError("", protocol.InconsistentGroupProtocol)
		to, resp = e.To, r
	case SyncGroup:
		r := e.Req.ResponseKind().(*kmsg.SyncGroupResponse)
		r.ErrorCode = int16(unknownMember)
		to, resp = e.To, r
	case Heartbeat:
		r := e.Req.ResponseKind().(*kmsg.HeartbeatResponse)
		r.ErrorCode = int16(unknownMember)
		to, resp = e.To, r
	case ConsumerGroupHeartbeat:
		r := e.Req.ResponseKind().(*kmsg.ConsumerGroupHeartbeatResponse)
		r.ErrorCode = int16(protocol.GroupIdNotFound)
		to, resp = e.To, r
	case LeaveGroup:
		r := e.Req.ResponseKind().(*kmsg.LeaveGroupResponse)
		r.ErrorCode = int16(unknownMember)
		to, resp = e.To, r
	default:
		return nil
	}
	return []Effect{Reply{To: to, Resp: resp}}
}
