package conformance

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

const classicSource = "GroupMetadataManager.classicGroupJoin"

func joinRules() []Rule {
	return []Rule{
		must("groups.classic.join.member-id-required", "From v4 on a dynamic member that joins without a member id is told one and refused once.", "KIP-394", func(c *Conversation) {
			for v := int16(4); v <= 9; v++ {
				g := c.Group("readers-" + string(rune('0'+v)))
				m := joinNow(c.Conn("a"), join(v, g, "")).MemberID
				joinNow(c.Conn("a"), join(v, g, m))
			}
		}),
		must("groups.classic.join.before-v4", "Up to v3 a member without a member id joins at once.", "KIP-394", func(c *Conversation) {
			for v := range int16(4) {
				joinNow(c.Conn("a"), join(v, c.Group("readers-"+string(rune('0'+v))), ""))
			}
		}),
		must("groups.classic.join.unknown-member", "A member id that the group does not know is UNKNOWN_MEMBER_ID, in a group that exists or not.", classicSource, func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			for _, v := range []int16{0, 3, 5, 9} {
				joinNow(a, join(v, g, "who"))
			}
			single(a, g)
			for _, v := range []int16{0, 3, 5, 9} {
				joinNow(a, join(v, g, "who"))
			}
		}),
		must("groups.classic.join.empty-group-id", "The empty group id is INVALID_GROUP_ID.", classicSource, func(c *Conversation) {
			for _, v := range []int16{0, 3, 4, 5, 7, 9} {
				joinNow(c.Conn("a"), join(v, "", ""))
			}
		}),
		must("groups.classic.join.session-timeout", "A session timeout outside the broker's limits is INVALID_SESSION_TIMEOUT, within them it is not.", classicSource, func(c *Conversation) {
			g := c.Group("readers")
			for _, ms := range []int32{0, -1, 5_999, 6_000, 1_800_000, 1_800_001, 1 << 30} {
				for _, v := range []int16{0, 9} {
					req := join(v, g+string(rune('a'+v)), "")
					if v == 0 && (ms == 6_000 || ms == 1_800_000) {
						continue
					}
					req.SessionTimeoutMillis = ms
					joinNow(c.Conn("a"), req)
				}
			}
		}),
		must("groups.classic.join.no-protocols", "No protocols, or an empty protocol type, are INCONSISTENT_GROUP_PROTOCOL.", "ClassicGroup.supportsProtocols", func(c *Conversation) {
			g := c.Group("readers")
			for _, v := range []int16{0, 3, 4, 9} {
				req := join(v, g, "")
				req.Protocols = nil
				c.Conn("a").Send(req).Answer()
				req = join(v, g, "")
				req.ProtocolType = ""
				c.Conn("a").Send(req).Answer()
			}
		}),
		must("groups.classic.join.inconsistent-protocol", "A member with another protocol type, or with no protocol that all others know, is INCONSISTENT_GROUP_PROTOCOL.", "ClassicGroup.supportsProtocols", inconsistentProtocols),
		must("groups.classic.join.vote", "The group takes the protocol that all know and most prefer.", "ClassicGroup.selectProtocol", voteForProtocol),
		must("groups.classic.join.leader-sees-members", "The leader alone is told the members and their metadata.", classicSource, func(c *Conversation) {
			pair(c, c.Conn("a"), c.Conn("b"), c.Group("readers"))
		}),
		must("groups.classic.join.any-protocol-type", "A group need not be of consumers.", classicSource, func(c *Conversation) {
			g, a := c.Group("workers"), c.Conn("a")
			m := newMember(a, g)
			req := join(9, g, m)
			req.ProtocolType, req.Protocols = "connect", protocols("sessioned", "compatible")
			joinNow(a, req)
			described(a, g)
		}),
		must("groups.classic.join.pending-elsewhere", "A member id that one connection was told may join from another.", "KIP-394", func(c *Conversation) {
			g := c.Group("readers")
			m := newMember(c.Conn("a"), g)
			joinNow(c.Conn("b"), join(9, g, m))
			described(c.Conn("b"), g)
		}),
		must("groups.classic.join.pending-other-group", "A member id of one group is unknown to another.", "KIP-394", func(c *Conversation) {
			g, h, a := c.Group("readers"), c.Group("writers"), c.Conn("a")
			joinNow(a, join(9, h, newMember(a, g)))
		}),
		must("groups.classic.join.rejoin-stable-leader", "The leader's rejoin makes the group rebalance, even with the same metadata.", classicSource, func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader, follower := pair(c, a, b, g)
			again := a.Send(join(9, g, leader))
			c.AwaitGroup(g, "PreparingRebalance", 2)
			beat(b, g, follower, 2)
			joining := b.Send(join(9, g, follower))
			answer[*kmsg.JoinGroupResponse](again)
			answer[*kmsg.JoinGroupResponse](joining)
		}),
		must("groups.classic.join.rejoin-stable-follower", "A follower that rejoins with the same metadata is given the running generation at once.", classicSource, func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader, follower := pair(c, a, b, g)
			joinNow(b, join(9, g, follower))
			beat(a, g, leader, 2)
			described(a, g)
		}),
		must("groups.classic.join.rejoin-changed-follower", "A follower that rejoins with changed metadata makes the group rebalance.", classicSource, func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader, follower := pair(c, a, b, g)
			req := join(9, g, follower)
			req.Protocols[0].Metadata = []byte("changed")
			joining := b.Send(req)
			c.AwaitGroup(g, "PreparingRebalance", 2)
			beat(a, g, leader, 2)
			joinNow(a, join(9, g, leader))
			answer[*kmsg.JoinGroupResponse](joining)
		}),
		must("groups.classic.join.rejoin-completing", "While the leader's assignment is awaited, a member that joins again with the same metadata is told the same generation.", classicSource, func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader, follower := preparedPair(c, a, b, g)
			joinNow(b, join(9, g, follower))
			joinNow(a, join(9, g, leader))
			described(a, g)
		}),
		must("groups.classic.join.rejoin-completing-changed", "While the leader's assignment is awaited, changed metadata starts another rebalance.", classicSource, func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader, follower := preparedPair(c, a, b, g)
			req := join(9, g, follower)
			req.Protocols[0].Metadata = []byte("changed")
			joining := b.Send(req)
			c.AwaitGroup(g, "PreparingRebalance", 2)
			syncNow(a, sync(5, g, leader, 2, leader, "x"))
			joinNow(a, join(9, g, leader))
			answer[*kmsg.JoinGroupResponse](joining)
		}),
		must("groups.classic.join.new-member-ends-sync", "A new member's join ends waiting syncs with REBALANCE_IN_PROGRESS.", "GroupMetadataManager.prepareRebalance", func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader, follower := preparedPair(c, a, b, g)
			waiting := b.Send(sync(5, g, follower, 2))
			c.AwaitGroup(g, "CompletingRebalance", 2)
			m := newMember(c.Conn("c"), g)
			third := c.Conn("c").Send(join(9, g, m))
			c.AwaitGroup(g, "PreparingRebalance", 3)
			answer[*kmsg.SyncGroupResponse](waiting)
			first := a.Send(join(9, g, leader))
			second := b.Send(join(9, g, follower))
			answer[*kmsg.JoinGroupResponse](first)
			answer[*kmsg.JoinGroupResponse](second)
			answer[*kmsg.JoinGroupResponse](third)
		}),
		must("groups.classic.join.twice-parked", "Of two parked joins of one member the later one is answered.", "GroupMetadataManager.updateMemberThenRebalanceOrCompleteJoin", joinTwiceParked),
		must("groups.classic.join.leader-leaves", "When the leader has left, another member leads the next generation.", "ClassicGroup.maybeElectNewJoinedLeader", func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader, follower := pair(c, a, b, g)
			leaveNow(a, leave(5, g, leader))
			beat(b, g, follower, 2)
			joinNow(b, join(9, g, follower))
			syncNow(b, sync(5, g, follower, 3, follower, "all"))
		}),
		must("groups.classic.join.reason", "A reason to join is taken and shown to nobody.", "KIP-800", func(c *Conversation) {
			a := c.Conn("a")
			for _, v := range []int16{8, 9} {
				g := c.Group("readers-" + string(rune('0'+v)))
				req := join(v, g, newMember(a, g))
				req.Reason = kmsg.StringPtr("because")
				joinNow(a, req)
				described(a, g)
			}
		}),
	}
}

// preparedPair makes a (the leader) and b members of generation 2, whose assignment
// is awaited.
func preparedPair(c *Conversation, a, b *Conn, group string) (leader, follower string) {
	leader = newMember(a, group)
	joinNow(a, join(9, group, leader))
	follower = newMember(b, group)
	joining := b.Send(join(9, group, follower))
	c.AwaitGroup(group, "PreparingRebalance", 2)
	joinNow(a, join(9, group, leader))
	answer[*kmsg.JoinGroupResponse](joining)
	return leader, follower
}

func inconsistentProtocols(c *Conversation) {
	g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
	single(a, g)
	for _, v := range []int16{3, 9} {
		req := join(v, g, "")
		req.ProtocolType = "connect"
		joinNow(b, req)
		req = join(v, g, "")
		req.Protocols = protocols("roundrobin")
		joinNow(b, req)
		req = join(v, g, "who")
		req.Protocols = protocols("roundrobin")
		joinNow(b, req)
	}
}

func voteForProtocol(c *Conversation) {
	g := c.Group("readers")
	prefers := map[string][]string{
		"a": {"range", "sticky", "roundrobin"},
		"b": {"sticky", "range"},
		"c": {"sticky", "roundrobin", "range"},
	}
	request := func(name, member string) *kmsg.JoinGroupRequest {
		req := join(9, g, member)
		req.Protocols = protocols(prefers[name]...)
		return req
	}
	a := c.Conn("a")
	leader := newMember(a, g)
	joinNow(a, request("a", leader))
	var parked []*Pending
	for i, name := range []string{"b", "c"} {
		conn := c.Conn(name)
		req := request(name, "")
		member := joinNow(conn, req).MemberID
		parked = append(parked, conn.Send(request(name, member)))
		c.AwaitGroup(g, "PreparingRebalance", i+2)
	}
	joinNow(a, request("a", leader))
	for _, p := range parked {
		answer[*kmsg.JoinGroupResponse](p)
	}
}

// settled makes sure that what was sent before on other connections was seen: a
// broker handles what reached it before it answers these.
func settled(c *Conversation, group string) {
	for range 20 {
		ask[*kmsg.DescribeGroupsResponse](c.setup, describe(5, group))
	}
}

func joinTwiceParked(c *Conversation) {
	g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
	leader := single(a, g)
	follower := newMember(b, g)
	first := b.Send(join(9, g, follower))
	c.AwaitGroup(g, "PreparingRebalance", 2)
	second := c.Conn("c").Send(join(9, g, follower))
	settled(c, g)
	joinNow(a, join(9, g, leader))
	answer[*kmsg.JoinGroupResponse](second)
	first.NoAnswer()
}
