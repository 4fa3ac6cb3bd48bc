package conformance

import (
	"encoding/binary"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const convertSource = "KIP-848, GroupMetadataManager.convertToConsumerGroup and convertToClassicGroup"

// consumerConvertRules are about groups that go from one protocol to the other.
func consumerConvertRules() []Rule {
	return []Rule{
		must("groups.consumer.convert.empty-classic", "A classic group without members becomes a consumer group when a member of that protocol joins, and keeps its offsets.", convertSource, func(c *Conversation) {
			g, t, a := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a")
			m := classicConsumer(a, g, t, 0, 1)
			memberCommit(a, g, m, 1, t, 5)
			leaveNow(a, leave(5, g, m))
			consumerNow(a, enter(g, "one", t))
			consumersDescribed(a, g)
			described(a, g)
			committedNow(a, committed(9, g, t, 0))
		}),
		must("groups.consumer.convert.simple", "A group that has but offsets becomes a consumer group too.", convertSource, func(c *Conversation) {
			g, t, a := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a")
			commitNow(a, commit(9, g, t, 0, 5))
			consumerNow(a, enter(g, "one", t))
			consumersDescribed(a, g)
			committedNow(a, committed(9, g, t, 0))
		}),
		must("groups.consumer.convert.empty-consumer", "A consumer group without members becomes a classic group when a member of that protocol joins, and keeps its offsets.", convertSource, func(c *Conversation) {
			g, t, a := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a")
			consumerNow(a, enter(g, "one", t))
			req := commit(9, g, t, 0, 5)
			req.MemberID, req.Generation = "one", 2
			commitNow(a, req)
			consumerNow(a, consumerBeat(g, "one", -1))
			classicConsumer(a, g, t, 0, 1)
			described(a, g)
			consumersDescribed(a, g)
			committedNow(a, committed(9, g, t, 0))
		}),
		must("groups.consumer.convert.upgrade", "A member of the consumer protocol that joins a classic group makes it a consumer group, in which the classic member goes on.", convertSource, func(c *Conversation) {
			g, t, a, b := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a"), c.Conn("b")
			m := classicConsumer(a, g, t, 0, 1)
			consumerNow(b, enter(g, "two", t))
			consumersDescribed(a, g)
			described(a, g)
			beat(a, g, m, 1)
			again := joinNow(a, classicJoin(9, g, m, t, 0, 1))
			syncConsumer(a, g, m, again.Generation)
			beat(a, g, m, again.Generation)
			again = joinNow(a, classicJoin(9, g, m, t, 0))
			syncConsumer(a, g, m, again.Generation)
			consumerNow(b, consumerBeat(g, "two", 2))
			beat(a, g, m, again.Generation)
			consumersDescribed(a, g)
		}),
		must("groups.consumer.convert.upgrade-whole", "When the last classic member has gone the group is a consumer group like any other.", convertSource, func(c *Conversation) {
			g, t, a, b := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a"), c.Conn("b")
			m := classicConsumer(a, g, t, 0, 1)
			consumerNow(b, enter(g, "two", t))
			leaveNow(a, leave(5, g, m))
			consumerNow(b, consumerBeat(g, "two", 2))
			consumersDescribed(a, g)
		}),
		must("groups.consumer.convert.upgrade-parked", "Joins and syncs that are parked when a group is upgraded are REBALANCE_IN_PROGRESS.", convertSource, func(c *Conversation) {
			g, t, a, b := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a"), c.Conn("b")
			classicConsumer(a, g, t, 0, 1)
			id := joinNow(b, classicJoin(9, g, "", t)).MemberID
			parked := b.Send(classicJoin(9, g, id, t))
			c.AwaitGroup(g, "PreparingRebalance", 2)
			consumerNow(c.Conn("c"), enter(g, "three", t))
			answer[*kmsg.JoinGroupResponse](parked)
		}),
		must("groups.consumer.convert.not-consumers", "A classic group of another protocol type, or with metadata that is no subscription, or an assignment that is none, is not upgraded.", convertSource, func(c *Conversation) {
			t, a, b := c.Topic("orders", 2), c.Conn("a"), c.Conn("b")
			g := c.Prompt("connectors")
			req := join(3, g, "")
			req.ProtocolType = "connect"
			m := joinNow(a, req).MemberID
			syncNow(a, sync(3, g, m, 1, m, "x"))
			consumerNow(b, enter(g, "two", t))
			g = c.Prompt("strangers")
			single(a, g)
			consumerNow(b, enter(g, "two", t))
			g = c.Prompt("custom")
			id := joinNow(a, classicJoin(9, g, "", t)).MemberID
			joinNow(a, classicJoin(9, g, id, t))
			syncNow(a, sync(5, g, id, 1, id, string(append(assignmentBytes(t, 0), 0, 0, 0, 1, 7)[:len(assignmentBytes(t, 0))-4])+"\x00\x00\x00\x01\x07"))
			consumerNow(b, enter(g, "two", t))
			described(a, g)
		}),
		must("groups.consumer.convert.first-join", "A classic group whose members await their assignment is upgraded too: they have nothing yet.", convertSource, func(c *Conversation) {
			g, t, a, b := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a"), c.Conn("b")
			id := joinNow(a, classicJoin(9, g, "", t)).MemberID
			joinNow(a, classicJoin(9, g, id, t))
			consumerNow(b, enter(g, "two"))
			consumersDescribed(b, g)
		}),
		must("groups.consumer.convert.downgrade", "When the last member of the consumer protocol leaves, the group is a classic one again, and its members rebalance.", convertSource, func(c *Conversation) {
			g, t, a, b := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a"), c.Conn("b")
			consumerNow(a, enter(g, "one", t))
			m := joinNow(b, classicJoin(9, g, "", t)).MemberID
			c.names.know(m, "classic member")
			joined := joinNow(b, classicJoin(9, g, m, t))
			syncConsumer(b, g, m, joined.Generation)
			consumersDescribed(a, g)
			consumerNow(a, consumerBeat(g, "one", -1))
			described(a, g)
			beat(b, g, m, joined.Generation)
			beat(b, g, m, 4)
			again := joinNow(b, classicJoin(9, g, m, t))
			syncNow(b, sync(5, g, m, again.Generation, m, string(assignmentBytes(t, 0, 1))))
			described(a, g)
		}),
		must("groups.consumer.convert.classic-joins", "A classic member joins a consumer group in its own way, and gets what is free.", convertSource, func(c *Conversation) {
			g, t, a, b := c.Prompt("readers"), c.Topic("orders", 4), c.Conn("a"), c.Conn("b")
			consumerNow(a, enter(g, "one", t))
			m := joinNow(b, classicJoin(9, g, "", t)).MemberID
			c.names.know(m, "classic member")
			joined := joinNow(b, classicJoin(9, g, m, t))
			beat(b, g, m, joined.Generation)
			syncConsumer(b, g, m, joined.Generation)
			beat(b, g, m, joined.Generation)
			consumerNow(a, consumerBeat(g, "one", 2))
			consumerNow(a, having(g, "one", 2, t, 0, 1))
			beat(b, g, m, joined.Generation)
			again := joinNow(b, classicJoin(9, g, m, t))
			syncConsumer(b, g, m, again.Generation)
			beat(b, g, m, again.Generation)
			consumersDescribed(a, g)
			leaveNow(b, leave(5, g, m, m, "who"))
			consumersDescribed(a, g)
		}),
		must("groups.consumer.convert.classic-errors", "Classic requests of a member of a consumer group are judged by its member epoch; members of the consumer protocol cannot use them.", convertSource, func(c *Conversation) {
			g, t, a, b := c.Prompt("readers"), c.Topic("orders", 4), c.Conn("a"), c.Conn("b")
			consumerNow(a, enter(g, "one", t))
			for v := int16(0); v <= 9; v++ {
				req := classicJoin(v, g, "", t)
				req.ProtocolType = "connect"
				joinNow(b, req)
			}
			bad := classicJoin(9, g, "who", t)
			bad.Protocols = nil
			joinNow(b, bad)
			bad = classicJoin(9, g, "who", t)
			bad.SessionTimeoutMillis = 1
			joinNow(b, bad)
			bad = join(9, g, "who")
			joinNow(b, bad)
			beat(b, g, "one", 2)
			beat(b, g, "who", 2)
			syncConsumer(b, g, "one", 2)
			syncConsumer(b, g, "who", 2)
			joined := joinNow(b, classicJoin(9, g, "who", t))
			for _, generation := range []int32{0, joined.Generation - 1, joined.Generation + 1} {
				beat(b, g, "who", generation)
				syncConsumer(b, g, "who", generation)
			}
			req := sync(5, g, "who", joined.Generation)
			req.ProtocolType = kmsg.StringPtr("connect")
			syncNow(b, req)
			req = sync(5, g, "who", joined.Generation)
			req.Protocol = kmsg.StringPtr("roundrobin")
			syncNow(b, req)
			req = sync(5, g, "who", joined.Generation)
			req.Protocol = nil
			syncNow(b, req)
			leaveNow(b, leave(5, g, "nobody", "one"))
			described(a, g)
		}),
		must("groups.consumer.convert.protocols", "A classic member must bring a protocol that all classic members have.", convertSource, func(c *Conversation) {
			g, t, a, b := c.Prompt("readers"), c.Topic("orders", 4), c.Conn("a"), c.Conn("b")
			consumerNow(a, enter(g, "one", t))
			joinNow(b, classicJoin(9, g, "classic-one", t))
			req := classicJoin(9, g, "classic-two", t)
			req.Protocols[0].Name = "roundrobin"
			joinNow(b, req)
			req.Protocols = append(req.Protocols, classicJoin(9, g, "", t).Protocols...)
			joinNow(b, req)
			consumersDescribed(a, g)
		}),
		must("groups.consumer.convert.static-downgrade", "A static member that comes back in the classic protocol takes its place; when it was the last of the other protocol, the group is classic again.", convertSource, func(c *Conversation) {
			g, t, a := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a")
			consumerNow(a, staticConsumer(enter(g, "one", t), "i"))
			id := joinNow(a, static(classicJoin(9, g, "", t), "i")).MemberID
			c.names.know(id, "classic member")
			described(a, g)
			req := sync(5, g, id, 2)
			req.InstanceID = kmsg.StringPtr("i")
			syncNow(a, req)
			instanceBeat(a, g, id, "i", 2)
			described(a, g)
		}),
		must("groups.consumer.convert.static-upgrade", "A static member that comes back in the consumer protocol takes its place without leaving first.", convertSource, func(c *Conversation) {
			g, t, a, b := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a"), c.Conn("b")
			id := joinNow(a, static(classicJoin(9, g, "", t), "i")).MemberID
			req := sync(5, g, id, 1, id, string(assignmentBytes(t, 0, 1)))
			req.InstanceID = kmsg.StringPtr("i")
			syncNow(a, req)
			consumerNow(b, staticConsumer(enter(g, "two", t), "i"))
			consumersDescribed(a, g)
		}),
		must("groups.consumer.convert.commits", "In a group of both kinds a classic member commits with its generation and a consumer with its epoch.", convertSource, func(c *Conversation) {
			g, t, a, b := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a"), c.Conn("b")
			consumerNow(a, enter(g, "one", t))
			joinNow(b, classicJoin(9, g, "classic", t))
			for _, generation := range []int32{1, 2, 3, 4} {
				memberCommit(b, g, "classic", generation, t, 5)
				memberCommit(a, g, "one", generation, t, 6)
			}
			old := commit(6, g, t, 0, 5)
			old.MemberID, old.Generation = "classic", 3
			commitNow(b, old)
			old.MemberID, old.Generation = "one", 2
			commitNow(b, old)
			for _, epoch := range []int32{2, 3} {
				fetchAs(a, g, t, "classic", epoch)
				fetchAs(a, g, t, "one", epoch)
			}
		}),
	}
}

// subscriptionBytes is a subscription (ConsumerProtocolSubscription v1) that owns partitions of t.
func subscriptionBytes(t Topic, owned ...int32) []byte {
	b := binary.BigEndian.AppendUint16(nil, 1)
	b = binary.BigEndian.AppendUint32(b, 1)
	b = append(binary.BigEndian.AppendUint16(b, uint16(len(t.Name))), t.Name...)
	b = append(b, 0xff, 0xff, 0xff, 0xff)
	if len(owned) == 0 {
		return append(b, 0, 0, 0, 0)
	}
	return appendOwned(b, t, owned)
}

func appendOwned(b []byte, t Topic, partitions []int32) []byte {
	b = binary.BigEndian.AppendUint32(b, 1)
	b = append(binary.BigEndian.AppendUint16(b, uint16(len(t.Name))), t.Name...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(partitions)))
	for _, p := range partitions {
		b = binary.BigEndian.AppendUint32(b, uint32(p))
	}
	return b
}

// assignmentBytes is an assignment (ConsumerProtocolAssignment v1) of partitions of t.
func assignmentBytes(t Topic, partitions ...int32) []byte {
	return append(appendOwned(binary.BigEndian.AppendUint16(nil, 1), t, partitions), 0xff, 0xff, 0xff, 0xff)
}

// classicJoin is the join of a classic consumer that subscribes to t and owns partitions of it.
func classicJoin(version int16, group, member string, t Topic, owned ...int32) *kmsg.JoinGroupRequest {
	req := join(version, group, member)
	req.Protocols[0].Metadata = subscriptionBytes(t, owned...)
	return req
}

// classicConsumer makes a the only member of a classic group that has partitions of t; it
// returns the member id.
func classicConsumer(a *Conn, group string, t Topic, partitions ...int32) string {
	a.c.aware(group, []string{t.Name})
	id := joinNow(a, classicJoin(9, group, "", t)).MemberID
	a.c.names.know(id, "classic member")
	generation := joinNow(a, classicJoin(9, group, id, t)).Generation
	syncNow(a, sync(5, group, id, generation, id, string(assignmentBytes(t, partitions...))))
	return id
}

// syncConsumer asks a consumer group for the assignment of a classic member.
func syncConsumer(a *Conn, group, member string, generation int32) *kmsg.SyncGroupResponse {
	return syncNow(a, sync(5, group, member, generation))
}

// fetchAs fetches a committed offset as a member.
func fetchAs(a *Conn, group string, t Topic, member string, epoch int32) *kmsg.OffsetFetchResponse {
	req := committed(9, group, t, 0)
	req.Groups[0].MemberID, req.Groups[0].MemberEpoch = &member, epoch
	return committedNow(a, req)
}
