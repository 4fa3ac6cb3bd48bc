package conformance

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

const staticSource = "KIP-345, GroupMetadataManager.classicGroupJoinNewStaticMember"

func staticRules() []Rule {
	return []Rule{
		must("groups.classic.static.join", "A static member needs no second join, and its member id begins with its instance id.", staticSource, func(c *Conversation) {
			for v := int16(5); v <= 9; v++ {
				g := c.Group("readers-" + string(rune('0'+v)))
				joinNow(c.Conn("a"), static(join(v, g, ""), "one"))
				described(c.Conn("a"), g)
			}
		}),
		must("groups.classic.static.replace-stable", "Who comes with a known instance id and the same metadata takes the member's place without a rebalance.", "KIP-345, KIP-814", func(c *Conversation) {
			for _, v := range []int16{5, 8, 9} {
				g, a, b := c.Group("readers-"+string(rune('0'+v))), c.Conn("a"), c.Conn("b")
				old := staticSingle(a, g, "one")
				now := joinNow(b, static(join(v, g, ""), "one")).MemberID
				described(a, g)
				instanceBeat(a, g, old, "one", 1)
				instanceBeat(b, g, now, "one", 1)
				req := sync(5, g, now, 1)
				req.InstanceID = kmsg.StringPtr("one")
				syncNow(b, req)
			}
		}),
		must("groups.classic.static.replace-follower", "A static follower is replaced without the others noticing.", "KIP-345", func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			one, two := staticPair(c, a, b, g)
			now := joinNow(c.Conn("c"), static(join(9, g, ""), "two")).MemberID
			instanceBeat(a, g, one, "one", 2)
			instanceBeat(b, g, two, "two", 2)
			instanceBeat(c.Conn("c"), g, now, "two", 2)
			described(a, g)
		}),
		must("groups.classic.static.replace-changed", "Who takes a place must know a protocol that the replaced member knew, or is INCONSISTENT_GROUP_PROTOCOL.", "KIP-345", func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			old := staticSingle(a, g, "one")
			req := static(join(9, g, ""), "one")
			req.Protocols = protocols("roundrobin")
			joinNow(b, req)
			described(b, g)
			instanceBeat(a, g, old, "one", 1)
		}),
		must("groups.classic.static.replace-changed-metadata", "Who takes a place with changed metadata but leaves the choice of protocol as it was makes no rebalance.", "KIP-345", func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			staticSingle(a, g, "one")
			req := static(join(9, g, ""), "one")
			req.Protocols[0].Metadata = []byte("changed")
			joinNow(b, req)
			described(b, g)
		}),
		must("groups.classic.static.replace-preparing", "Who takes a place while members are joining has the old one's join fenced.", "KIP-345", func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader := single(a, g)
			parked := b.Send(static(join(9, g, ""), "two"))
			c.AwaitGroup(g, "PreparingRebalance", 2)
			again := c.Conn("c").Send(static(join(9, g, ""), "two"))
			answer[*kmsg.JoinGroupResponse](parked)
			joinNow(a, join(9, g, leader))
			answer[*kmsg.JoinGroupResponse](again)
		}),
		must("groups.classic.static.replace-completing", "Who takes a place while the assignment is awaited fences the old member.", "KIP-345", func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			m := joinNow(a, static(join(9, g, ""), "one")).MemberID
			joinNow(c.Conn("b"), static(join(9, g, ""), "one"))
			req := sync(5, g, m, 1, m, "x")
			req.InstanceID = kmsg.StringPtr("one")
			syncNow(a, req)
			described(a, g)
		}),
		must("groups.classic.static.replace-fences-sync", "Who takes a place while the old member's sync is parked has that sync fenced.", "KIP-345", func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			_, two := preparedStaticPair(c, a, b, g)
			req := sync(5, g, two, 2)
			req.InstanceID = kmsg.StringPtr("two")
			waiting := b.Send(req)
			settled(c, g)
			again := c.Conn("c").Send(static(join(9, g, ""), "two"))
			answer[*kmsg.SyncGroupResponse](waiting)
			c.AwaitGroup(g, "PreparingRebalance", 2)
			joinNow(a, static(join(9, g, ""), "one"))
			answer[*kmsg.JoinGroupResponse](again)
		}),
		must("groups.classic.static.rejoin-fenced", "A join with a known instance id and another member id is FENCED_INSTANCE_ID; one with an instance id of nobody is UNKNOWN_MEMBER_ID.", "KIP-345", func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			m := staticSingle(a, g, "one")
			for _, v := range []int16{5, 9} {
				joinNow(a, static(join(v, g, "who"), "one"))
				joinNow(a, static(join(v, g, m), "two"))
				joinNow(a, static(join(v, g, "who"), "two"))
			}
			joinNow(a, static(join(9, g, m), "one"))
		}),
		must("groups.classic.static.leave-by-instance", "A batch lets static members go by their instance ids.", "KIP-345", func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			staticPair(c, a, b, g)
			req := leave(5, g, "", "", "")
			for i, instance := range []string{"two", "nobody", "one"} {
				req.Members[i].InstanceID = &instance
			}
			leaveNow(a, req)
			described(a, g)
		}),
		must("groups.classic.static.leave-wrong-member", "A leave with an instance id and another member id is FENCED_INSTANCE_ID for that member.", "KIP-345", func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			m := staticSingle(a, g, "one")
			for _, v := range []int16{3, 5} {
				req := leave(v, g, "who", "who")
				req.Members[0].InstanceID = kmsg.StringPtr("one")
				req.Members[1].InstanceID = kmsg.StringPtr("two")
				leaveNow(a, req)
			}
			req := leave(5, g, m)
			req.Members[0].InstanceID = kmsg.StringPtr("one")
			leaveNow(a, req)
			described(a, g)
		}),
		must("groups.classic.static.leave-by-member-id", "A static member may leave by its member id alone.", "KIP-345", func(c *Conversation) {
			a := c.Conn("a")
			for _, v := range []int16{0, 3, 5} {
				g := c.Group("readers-" + string(rune('0'+v)))
				leaveNow(a, leave(v, g, staticSingle(a, g, "one")))
				described(a, g)
			}
		}),
		must("groups.classic.static.instance-names", "Any name is an instance id for the broker, as clients check it themselves.", "GroupMetadataManager.classicGroupJoin", func(c *Conversation) {
			for i, name := range []string{"", ".", "..", "with space", "a/b", "a.b_c-d"} {
				c.Conn("a").Send(static(join(9, c.Group("readers-"+string(rune('1'+i))), ""), name)).Answer()
			}
		}),
		must("groups.classic.static.beside-dynamic", "Static and dynamic members live in one group.", "KIP-345", func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader := single(a, g)
			joining := b.Send(static(join(9, g, ""), "two"))
			c.AwaitGroup(g, "PreparingRebalance", 2)
			joinNow(a, join(9, g, leader))
			answer[*kmsg.JoinGroupResponse](joining)
			described(a, g)
		}),
		must("groups.classic.static.commit", "A static member's commit with another member id is FENCED_INSTANCE_ID.", "KIP-345", func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1)
			m := staticSingle(a, g, "one")
			for _, who := range [][2]string{{m, "one"}, {"who", "one"}, {m, "two"}, {"", "one"}} {
				req := commit(9, g, t, 0, 5)
				req.Generation, req.MemberID, req.InstanceID = 1, who[0], &who[1]
				commitNow(a, req)
			}
		}),
	}
}

// staticSingle makes a the only, static, member of a stable group of generation 1.
func staticSingle(a *Conn, group, instance string) string {
	m := joinNow(a, static(join(9, group, ""), instance)).MemberID
	req := sync(5, group, m, 1, m, "all")
	req.InstanceID = &instance
	syncNow(a, req)
	return m
}

// preparedStaticPair makes instances one (on a, the leader) and two (on b) members of
// generation 2, whose assignment is awaited.
func preparedStaticPair(c *Conversation, a, b *Conn, group string) (one, two string) {
	one = staticSingle(a, group, "one")
	joining := b.Send(static(join(9, group, ""), "two"))
	c.AwaitGroup(group, "PreparingRebalance", 2)
	joinNow(a, static(join(9, group, one), "one"))
	return one, answer[*kmsg.JoinGroupResponse](joining).MemberID
}

// staticPair is preparedStaticPair with the assignment given.
func staticPair(c *Conversation, a, b *Conn, group string) (one, two string) {
	one, two = preparedStaticPair(c, a, b, group)
	for _, s := range []struct {
		conn             *Conn
		member, instance string
		assigned         []string
	}{{a, one, "one", []string{one, "a's", two, "b's"}}, {b, two, "two", nil}} {
		req := sync(5, group, s.member, 2, s.assigned...)
		req.InstanceID = &s.instance
		syncNow(s.conn, req)
	}
	return one, two
}

func instanceBeat(a *Conn, group, member, instance string, generation int32) {
	req := heartbeat(4, group, member, generation)
	req.InstanceID = &instance
	ask[*kmsg.HeartbeatResponse](a, req)
}
