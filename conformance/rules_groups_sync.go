package conformance

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

const syncSource = "GroupMetadataManager.classicGroupSync"

func syncRules() []Rule {
	return []Rule{
		must("groups.classic.sync.every-version", "Every version of SyncGroup gives the leader its assignment.", "SyncGroupRequest", func(c *Conversation) {
			a := c.Conn("a")
			for v := range int16(6) {
				g := c.Group("readers-" + string(rune('0'+v)))
				m := newMember(a, g)
				joinNow(a, join(9, g, m))
				syncNow(a, sync(v, g, m, 1, m, "all"))
			}
		}),
		must("groups.classic.sync.follower-waits", "A follower that syncs before the leader is answered when the leader has.", syncSource, func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader, follower := preparedPair(c, a, b, g)
			waiting := b.Send(sync(5, g, follower, 2))
			syncNow(a, sync(5, g, leader, 2, leader, "a's", follower, "b's"))
			answer[*kmsg.SyncGroupResponse](waiting)
		}),
		must("groups.classic.sync.again", "In a stable group every member may sync again for the same assignment.", syncSource, func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader, follower := pair(c, a, b, g)
			syncNow(b, sync(5, g, follower, 2))
			syncNow(a, sync(5, g, leader, 2))
			c.Note("what is assigned in a stable group is ignored")
			syncNow(a, sync(5, g, leader, 2, leader, "other"))
			syncNow(a, sync(5, g, leader, 2))
		}),
		must("groups.classic.sync.not-assigned", "A member that the leader forgot has an empty assignment, strangers are ignored.", syncSource, func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader, follower := preparedPair(c, a, b, g)
			syncNow(a, sync(5, g, leader, 2, "stranger", "s", leader, "a's"))
			syncNow(b, sync(5, g, follower, 2))
			described(a, g)
		}),
		must("groups.classic.sync.assignment-of-follower-ignored", "Only the leader's assignment counts.", syncSource, func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader, follower := preparedPair(c, a, b, g)
			waiting := b.Send(sync(5, g, follower, 2, leader, "from b", follower, "from b"))
			c.AwaitGroup(g, "CompletingRebalance", 2)
			syncNow(a, sync(5, g, leader, 2, leader, "a's", follower, "b's"))
			answer[*kmsg.SyncGroupResponse](waiting)
		}),
		must("groups.classic.sync.wrong-generation", "Another generation is ILLEGAL_GENERATION.", syncSource, func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			m := newMember(a, g)
			joinNow(a, join(9, g, m))
			for _, generation := range []int32{0, 2, -1} {
				syncNow(a, sync(5, g, m, generation, m, "x"))
			}
			syncNow(a, sync(5, g, m, 1, m, "x"))
			syncNow(a, sync(5, g, m, 2))
		}),
		must("groups.classic.sync.unknown", "Unknown members and groups are UNKNOWN_MEMBER_ID.", syncSource, func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			for _, v := range []int16{0, 5} {
				syncNow(a, sync(v, g, "who", 1))
			}
			single(a, g)
			for _, v := range []int16{0, 5} {
				syncNow(a, sync(v, g, "who", 1))
				syncNow(a, sync(v, g, "", 1))
			}
			syncNow(a, sync(5, "", "who", 1))
		}),
		must("groups.classic.sync.pending-member", "A member that was only told its id is not a member yet.", "KIP-394", func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			syncNow(a, sync(5, g, newMember(a, g), 0))
		}),
		must("groups.classic.sync.protocol-check", "From v5 on protocol type and name must be the group's; null ones are refused.", "KIP-559", func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			m := single(a, g)
			consumer, rng, other := kmsg.StringPtr("consumer"), kmsg.StringPtr("range"), kmsg.StringPtr("other")
			for _, p := range [][2]*string{{consumer, other}, {other, rng}, {nil, rng}, {consumer, nil}, {nil, nil}, {consumer, rng}} {
				req := sync(5, g, m, 1)
				req.ProtocolType, req.Protocol = p[0], p[1]
				syncNow(a, req)
			}
		}),
		must("groups.classic.sync.preparing", "While members are joining, a sync is REBALANCE_IN_PROGRESS.", syncSource, func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader := single(a, g)
			joining := b.Send(join(9, g, newMember(b, g)))
			c.AwaitGroup(g, "PreparingRebalance", 2)
			for _, v := range []int16{0, 5} {
				syncNow(a, sync(v, g, leader, 1))
			}
			joinNow(a, join(9, g, leader))
			answer[*kmsg.JoinGroupResponse](joining)
		}),
		must("groups.classic.sync.instance", "A static member's sync with another member id is FENCED_INSTANCE_ID, an instance of nobody UNKNOWN_MEMBER_ID.", "KIP-345", func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			m := joinNow(a, static(join(9, g, ""), "one")).MemberID
			for _, who := range [][2]string{{m, "one"}, {"who", "one"}, {m, "two"}, {"who", "two"}} {
				req := sync(5, g, who[0], 1, m, "x")
				req.InstanceID = &who[1]
				syncNow(a, req)
			}
			syncNow(a, sync(5, g, m, 1))
		}),
	}
}
