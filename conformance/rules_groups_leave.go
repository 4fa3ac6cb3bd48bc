package conformance

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

const leaveSource = "GroupMetadataManager.classicGroupLeave"

func leaveRules() []Rule {
	return []Rule{
		must("groups.classic.leave.every-version", "Every version of LeaveGroup lets a member go and leaves the group empty.", "LeaveGroupRequest", func(c *Conversation) {
			a := c.Conn("a")
			for v := range int16(6) {
				g := c.Group("readers-" + string(rune('0'+v)))
				m := single(a, g)
				leaveNow(a, leave(v, g, m))
				described(a, g)
			}
		}),
		must("groups.classic.leave.unknown", "Unknown members are UNKNOWN_MEMBER_ID, for the request up to v2, for each member from v3 on.", leaveSource, func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			for v := range int16(6) {
				leaveNow(a, leave(v, g, "who"))
			}
			single(a, g)
			for v := range int16(6) {
				leaveNow(a, leave(v, g, "who"))
			}
			leaveNow(a, leave(5, "", "who"))
		}),
		must("groups.classic.leave.batch", "From v3 on a batch lets several members go, each with an error of its own.", "KIP-345", func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader, follower := pair(c, a, b, g)
			leaveNow(a, leave(5, g, follower, "who", leader, leader))
			described(a, g)
		}),
		must("groups.classic.leave.nobody", "An empty batch is answered with an empty list.", "KIP-345", func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			single(a, g)
			for _, v := range []int16{3, 5} {
				leaveNow(a, leave(v, g))
			}
		}),
		must("groups.classic.leave.follower", "When a follower leaves, the others are told to rejoin.", leaveSource, func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader, follower := pair(c, a, b, g)
			leaveNow(b, leave(5, g, follower))
			beat(b, g, follower, 2)
			beat(a, g, leader, 2)
			joinNow(a, join(9, g, leader))
			syncNow(a, sync(5, g, leader, 3, leader, "all"))
		}),
		must("groups.classic.leave.pending-member", "A member that was only told its id can leave, and is forgotten.", "KIP-394", func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			m := newMember(a, g)
			described(a, g)
			leaveNow(a, leave(5, g, m))
			joinNow(a, join(9, g, m))
			leaveNow(a, leave(5, g, m))
		}),
		must("groups.classic.leave.while-joining", "The last one missing completes the rebalance by leaving.", leaveSource, func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader := single(a, g)
			joining := b.Send(join(9, g, newMember(b, g)))
			c.AwaitGroup(g, "PreparingRebalance", 2)
			leaveNow(a, leave(5, g, leader))
			answer[*kmsg.JoinGroupResponse](joining)
		}),
		must("groups.classic.leave.parked-join", "A member that leaves while its join is parked has that join answered.", leaveSource, func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader := single(a, g)
			follower := newMember(b, g)
			joining := b.Send(join(9, g, follower))
			c.AwaitGroup(g, "PreparingRebalance", 2)
			leaveNow(c.Conn("c"), leave(5, g, follower))
			answer[*kmsg.JoinGroupResponse](joining)
			joinNow(a, join(9, g, leader))
		}),
		must("groups.classic.leave.parked-sync", "A member may leave while its sync is parked; the others are told to rejoin.", leaveSource, func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader, follower := preparedPair(c, a, b, g)
			waiting := b.Send(sync(5, g, follower, 2))
			c.AwaitGroup(g, "CompletingRebalance", 2)
			settled(c, g)
			leaveNow(c.Conn("c"), leave(5, g, follower))
			beat(a, g, leader, 2)
			described(a, g)
			waiting.NoAnswer()
		}),
		must("groups.classic.leave.reason", "A reason to leave is taken.", "KIP-800", func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			req := leave(5, g, single(a, g))
			req.Members[0].Reason = kmsg.StringPtr("enough")
			leaveNow(a, req)
		}),
		must("groups.classic.leave.then-rejoin", "A member that left is unknown when it joins again by its id.", leaveSource, func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			m := single(a, g)
			leaveNow(a, leave(5, g, m))
			joinNow(a, join(9, g, m))
			joinNow(a, join(9, g, newMember(a, g)))
		}),
	}
}
