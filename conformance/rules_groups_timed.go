package conformance

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// shortSession is group.min.session.timeout.ms of a fresh Kafka, in milliseconds.
const shortSession = 6_000

// beyondSession is longer than a short session, with room for a slow target.
const beyondSession = 9 * time.Second

func groupTimerRules() []Rule {
	timed := func(id, says, source string, run func(c *Conversation)) Rule {
		return Rule{ID: id, Says: says, Source: source, Severity: Timing, Timed: true, Run: run}
	}
	return []Rule{
		timed("groups.timers.commit-keeps-session", "A commit counts as a sign of life.", "GroupMetadataManager.commitOffset", func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1)
			m := shortLived(a, g)
			c.Wait(4 * time.Second)
			memberCommit(a, g, m, 1, t, 5)
			c.Wait(4 * time.Second)
			beat(a, g, m, 1)
		}),
		timed("groups.timers.refused-heartbeat-is-no-life", "A heartbeat with a wrong generation is no sign of life.", heartbeatSource, func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			m := shortLived(a, g)
			c.Wait(4 * time.Second)
			beat(a, g, m, 7)
			c.Wait(4 * time.Second)
			beat(a, g, m, 1)
		}),
		timed("groups.timers.parked-join-lives", "A member whose join is parked does not expire.", "ClassicGroupMember.hasSatisfiedHeartbeat", func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader := single(a, g)
			req := join(9, g, newMember(b, g))
			req.SessionTimeoutMillis = shortSession
			joining := b.Send(req)
			c.AwaitGroup(g, "PreparingRebalance", 2)
			c.Wait(beyondSession)
			joinNow(a, join(9, g, leader))
			answer[*kmsg.JoinGroupResponse](joining)
		}),
		timed("groups.timers.parked-sync-lives", "A member whose sync is parked does not expire.", "ClassicGroupMember.hasSatisfiedHeartbeat", func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader, follower := shortLivedFollower(c, a, b, g)
			waiting := b.Send(sync(5, g, follower, 2))
			settled(c, g)
			c.Wait(beyondSession)
			syncNow(a, sync(5, g, leader, 2, leader, "a's", follower, "b's"))
			answer[*kmsg.SyncGroupResponse](waiting)
			beat(b, g, follower, 2)
		}),
		timed("groups.timers.leader-dies-before-sync", "When the leader's session ends before it has assigned, waiting members are told to rejoin, and another leads.", heartbeatSource, func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			req := join(9, g, newMember(a, g))
			req.SessionTimeoutMillis = shortSession
			leader := joinNow(a, req).MemberID
			follower := newMember(b, g)
			joining := b.Send(join(9, g, follower))
			c.AwaitGroup(g, "PreparingRebalance", 2)
			req.MemberID = leader
			joinNow(a, req)
			answer[*kmsg.JoinGroupResponse](joining)
			syncNow(b, sync(5, g, follower, 2)) // answered when a's session is over
			joinNow(b, join(9, g, follower))
			beat(a, g, leader, 2)
		}),
		timed("groups.timers.follower-dies", "When a follower's session ends, the others are told to rejoin and go on without it.", heartbeatSource, func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader, follower := shortLivedFollower(c, a, b, g)
			syncNow(a, sync(5, g, leader, 2, leader, "a's", follower, "b's"))
			syncNow(b, sync(5, g, follower, 2))
			c.Wait(beyondSession)
			beat(a, g, leader, 2)
			joinNow(a, join(9, g, leader))
			described(a, g)
		}),
		timed("groups.timers.closed-connection", "A closed connection tells the group nothing: the member lives until its session ends.", "SocketServer", func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			m := shortLived(a, g)
			a.Close()
			described(b, g)
			c.Wait(beyondSession)
			described(b, g)
			beat(b, g, m, 1)
		}),
		timed("groups.timers.closed-parked-join", "A parked join whose connection is closed still makes its member one of the next generation.", "GroupMetadataManager.classicGroupJoin", func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader := single(a, g)
			b.Send(join(9, g, newMember(b, g)))
			c.AwaitGroup(g, "PreparingRebalance", 2)
			b.Close()
			settled(c, g)
			joinNow(a, join(9, g, leader))
			described(a, g)
		}),
		timed("groups.timers.static-session", "A static member that is silent expires as any other, and its instance id may be used anew.", "KIP-345", func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			req := static(join(9, g, ""), "one")
			req.SessionTimeoutMillis = shortSession
			old := joinNow(a, req).MemberID
			s := sync(5, g, old, 1, old, "all")
			s.InstanceID = kmsg.StringPtr("one")
			syncNow(a, s)
			c.Wait(beyondSession)
			instanceBeat(a, g, old, "one", 1)
			joinNow(b, static(join(9, g, ""), "one"))
		}),
		timed("groups.timers.static-rebalance-timeout", "A static member that does not rejoin within the rebalance timeout is kept as long as its session lasts.", "KIP-345, ClassicGroup.notYetRejoinedMembers", func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			request := func(instance string) *kmsg.JoinGroupRequest {
				req := static(join(9, g, ""), instance)
				req.RebalanceTimeoutMillis = 1_500
				return req
			}
			one := joinNow(a, request("one")).MemberID
			s := sync(5, g, one, 1, one, "all")
			s.InstanceID = kmsg.StringPtr("one")
			syncNow(a, s)
			joinNow(b, request("two")) // answered when a's time is over
			described(b, g)
			instanceBeat(a, g, one, "one", 1)
			instanceBeat(a, g, one, "one", 2)
		}),
	}
}

// shortLived makes a the only member of a stable group of generation 1, with a short session.
func shortLived(a *Conn, group string) string {
	req := join(9, group, newMember(a, group))
	req.SessionTimeoutMillis = shortSession
	m := joinNow(a, req).MemberID
	syncNow(a, sync(5, group, m, 1, m, "all"))
	return m
}

// shortLivedFollower makes a (the leader) and b, with a short session, members of
// generation 2, whose assignment is awaited.
func shortLivedFollower(c *Conversation, a, b *Conn, group string) (leader, follower string) {
	leader = single(a, group)
	req := join(9, group, newMember(b, group))
	req.SessionTimeoutMillis = shortSession
	joining := b.Send(req)
	c.AwaitGroup(group, "PreparingRebalance", 2)
	joinNow(a, join(9, group, leader))
	return leader, answer[*kmsg.JoinGroupResponse](joining).MemberID
}
