package conformance

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// oddGroupRules are well-formed requests that Kafka's coordinator stumbles over.
func oddGroupRules() []Rule {
	return []Rule{
		must("groups.classic.join.protocol-twice", "A protocol that a member names twice can never be chosen: a rejoin that would end the rebalance fails with UNKNOWN_SERVER_ERROR, and the group stays in it.", "ClassicGroup.selectProtocol", func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			m := single(a, g)
			joinNow(a, named(join(9, g, m), "range", "range"))
			described(a, g)
			beat(a, g, m, 1)
			beat(a, g, m, 2)
			joinNow(a, join(9, g, m)) // the count of "range" is not that of the members
			leaveNow(a, leave(5, g, m))
			described(a, g)
		}),
		must("groups.classic.join.protocol-twice-first", "Where the first member names its only protocol twice, no rebalance of the group ever ends.", "GroupMetadataManager.maybeCompleteJoinPhase", func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			first := newMember(a, g)
			joining := a.Send(named(join(9, g, first), "range", "range"))
			c.AwaitGroup(g, "PreparingRebalance", 1)
			c.pause(200 * time.Millisecond) // the initial delay of a target, if it has one
			joinNow(b, join(3, g, ""))
			leaveNow(b, leave(5, g, first))
			joining.Answer()
			described(b, g)
			second := newMember(b, g)
			joining = a.Send(join(9, g, second))
			c.AwaitGroup(g, "PreparingRebalance", 1)
			ask[*kmsg.DeleteGroupsResponse](b, deleteGroups(2, g))
			leaveNow(b, leave(5, g, second))
			joining.Answer()
			described(b, g)
		}),
		must("groups.classic.join.protocol-twice-beside-another", "Of a member that names one protocol twice another is chosen.", "ClassicGroup.selectProtocol", func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			m := single(a, g)
			joinNow(a, named(join(9, g, m), "range", "range", "sticky"))
			joinNow(b, join(3, g, ""))
			joining := b.Send(named(join(3, g, ""), "sticky"))
			c.AwaitGroup(g, "PreparingRebalance", 2)
			joinNow(a, named(join(9, g, m), "sticky"))
			joining.Answer()
		}),
		must("groups.classic.join.protocol-twice-waits", "Where a member that names its protocol twice leaves no choice to a rebalance, the join of the last one fails and the others wait on.", "ClassicGroup.selectProtocol", protocolTwiceWaits),
		must("groups.classic.join.protocol-twice-leave", "A leave that would end a rebalance without a choice fails as a whole.", "ClassicGroup.selectProtocol", func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader := single(a, g)
			follower := newMember(b, g)
			b.Send(named(join(9, g, follower), "range", "range"))
			c.AwaitGroup(g, "PreparingRebalance", 2)
			leaveNow(a, leave(5, g, leader))
			described(a, g)
			leaveNow(a, leave(5, g, follower))
			described(a, g)
		}),
		must("groups.classic.static.protocol-twice", "A static member that comes back with a protocol named twice takes its place, though it is told UNKNOWN_SERVER_ERROR.", "GroupMetadataManager.updateStaticMemberThenRebalanceOrCompleteJoin", func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			m := joinNow(a, static(join(9, g, ""), "one")).MemberID
			s := sync(5, g, m, 1, m, "all")
			s.InstanceID = kmsg.StringPtr("one")
			syncNow(a, s)
			joinNow(b, named(static(join(9, g, ""), "one"), "range", "range"))
			described(a, g)
			instanceBeat(a, g, m, "one", 1)
			joinNow(b, static(join(9, g, ""), "one"))
			described(a, g)
		}),
		must("groups.classic.static.pending-id", "An instance id may be the id that another member was given; that member cannot join with it.", "GroupMetadataManager.classicGroupJoinExistingMember", func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			pending := newMember(a, g)
			m := joinNow(a, static(join(9, g, ""), pending)).MemberID
			joinNow(a, static(join(9, g, pending), pending))
			joinNow(a, static(join(9, g, pending), "one"))
			described(a, g)
			joining := b.Send(join(9, g, pending))
			c.AwaitGroup(g, "PreparingRebalance", 2)
			joinNow(a, static(join(9, g, m), pending))
			joining.Answer()
			described(a, g)
		}),
	}
}

// named gives a join these protocols.
func named(req *kmsg.JoinGroupRequest, names ...string) *kmsg.JoinGroupRequest {
	req.Protocols = protocols(names...)
	return req
}

func protocolTwiceWaits(c *Conversation) {
	g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
	leader := newMember(a, g)
	joinNow(a, named(join(9, g, leader), "range", "sticky"))
	follower := newMember(b, g)
	b.Send(named(join(9, g, follower), "range", "range", "sticky"))
	c.AwaitGroup(g, "PreparingRebalance", 2)
	req := named(join(9, g, leader), "sticky", "sticky")
	joinNow(a, req)
	described(a, g)
	beat(a, g, follower, 2)
	leaveNow(a, leave(5, g, leader))
	described(a, g)
}
