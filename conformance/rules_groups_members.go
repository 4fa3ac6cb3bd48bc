package conformance

import (
	"regexp"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// memberUUID is the end of a member id: a dash and a random UUID.
var memberUUID = regexp.MustCompile(`^(.*)-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// memberRules are about what members keep and what makes them rejoin.
func memberRules() []Rule {
	return []Rule{
		must("groups.classic.join.member-id-form", "A member id is the client id, or the instance id, a dash and a random UUID.", "ClassicGroup.generateMemberId", func(c *Conversation) {
			a := c.Conn("a")
			for _, req := range []*kmsg.JoinGroupRequest{join(3, c.Group("old"), ""), join(9, c.Group("new"), ""), static(join(9, c.Group("static"), ""), "one")} {
				id := joinNow(a, req).MemberID
				if m := memberUUID.FindStringSubmatch(id); m != nil {
					c.say("%s and a UUID", m[1])
				} else {
					c.say("another form")
				}
			}
		}),
		must("groups.classic.join.rejoin-renamed", "A follower that rejoins with another protocol of the same metadata, or fewer or more of them, makes the group rebalance.", "ClassicGroupMember.matches", func(c *Conversation) {
			a, b := c.Conn("a"), c.Conn("b")
			for i, names := range [][]string{{"range", "other"}, {"range"}, {"other", "range", "sticky"}, {"range", "sticky"}, {"sticky", "range"}} {
				g := c.Group("readers-" + string(rune('0'+i)))
				leader, follower := pairOf(c, a, b, g, "range", "sticky")
				req := join(9, g, follower)
				req.Protocols = protocols(names...)
				joining := b.Send(req)
				if i == 3 {
					settled(c, g)
				} else {
					c.AwaitGroup(g, "PreparingRebalance", 2)
				}
				beat(a, g, leader, 2)
				if i != 3 {
					req = join(9, g, leader)
					req.Protocols = protocols("range", "sticky")
					joinNow(a, req)
				}
				answer[*kmsg.JoinGroupResponse](joining)
				described(a, g)
			}
		}),
		must("groups.classic.join.waits-for-pending", "A join phase waits for a member id that was given out, until it joins or leaves.", "ClassicGroup.hasAllMembersJoined", func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader := single(a, g)
			pending := newMember(b, g)
			beat(a, g, leader, 1)
			again := a.Send(join(9, g, leader))
			c.AwaitGroup(g, "PreparingRebalance", 1)
			settled(c, g)
			described(b, g)
			leaveNow(b, leave(5, g, pending))
			answer[*kmsg.JoinGroupResponse](again)
		}),
		must("offsets.commit.half-a-member", "Who commits to a group with members gives generation, member id and instance id that fit; half of it does not.", "ClassicGroup.validateOffsetCommit", func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1)
			m := joinNow(a, static(join(9, g, ""), "one")).MemberID
			s := sync(5, g, m, 1, m, "all")
			s.InstanceID = kmsg.StringPtr("one")
			syncNow(a, s)
			for _, v := range []int16{7, 9} {
				for _, generation := range []int32{-2, -1, 0, 1} {
					for _, member := range []string{"", m, "who"} {
						for _, instance := range []*string{nil, kmsg.StringPtr("one"), kmsg.StringPtr("two")} {
							req := commit(v, g, t, 0, 5)
							req.Generation, req.MemberID, req.InstanceID = generation, member, instance
							commitNow(a, req)
						}
					}
				}
			}
		}),
		{
			ID: "groups.timers.session-changes", Says: "A member that rejoins with another session timeout lives by the new one.", Source: "GroupMetadataManager.updateMemberThenRebalanceOrCompleteJoin",
			Severity: Timing, Timed: true, Run: func(c *Conversation) {
				g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
				m := single(a, g)
				req := join(9, g, m)
				req.SessionTimeoutMillis = shortSession
				joinNow(a, req)
				syncNow(a, sync(5, g, m, 2, m, "all"))
				c.Wait(beyondSession)
				described(b, g)
				beat(a, g, m, 2)
			},
		},
		{
			ID: "groups.timers.rebalance-timeout-changes", Says: "A member that rejoins with another rebalance timeout is waited for by the new one.", Source: "GroupMetadataManager.updateMemberThenRebalanceOrCompleteJoin",
			Severity: Timing, Timed: true, Run: func(c *Conversation) {
				g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
				m := single(a, g)
				req := join(9, g, m)
				req.RebalanceTimeoutMillis = 1_500
				joinNow(a, req)
				syncNow(a, sync(5, g, m, 2, m, "all"))
				other := join(9, g, newMember(b, g))
				other.RebalanceTimeoutMillis = 1_000
				joinNow(b, other) // answered when a's time is over
				described(b, g)
				beat(a, g, m, 2)
			},
		},
		{
			ID: "groups.timers.leaving-ends-timers", Says: "What a member leaves behind is no timer: a group that goes on is not disturbed when the session would have ended.", Source: "GroupMetadataManager.removeMemberAndUpdateClassicGroup",
			Severity: Timing, Timed: true, Run: func(c *Conversation) {
				g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
				leader, follower := shortLivedFollower(c, a, b, g)
				syncNow(a, sync(5, g, leader, 2, leader, "a's", follower, "b's"))
				leaveNow(b, leave(5, g, follower))
				joinNow(a, join(9, g, leader))
				syncNow(a, sync(5, g, leader, 3, leader, "all"))
				c.Wait(beyondSession)
				beat(a, g, leader, 3)
			},
		},
		{
			ID: "groups.timers.heartbeats-keep", Says: "Heartbeats keep a member for longer than its session timeout, and silence after them ends it.", Source: "GroupMetadataManager.classicGroupHeartbeat",
			Severity: Timing, Timed: true, Run: func(c *Conversation) {
				g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
				m := shortLived(a, g)
				for range 3 {
					c.Wait(4 * time.Second)
					beat(a, g, m, 1)
				}
				c.Wait(beyondSession)
				described(b, g)
			},
		},
	}
}

// pairOf is a pair whose members know these protocols.
func pairOf(c *Conversation, a, b *Conn, group string, names ...string) (leader, follower string) {
	request := func(member string) *kmsg.JoinGroupRequest {
		req := join(9, group, member)
		req.Protocols = protocols(names...)
		return req
	}
	leader = joinNow(a, request("")).MemberID
	joinNow(a, request(leader))
	syncNow(a, sync(5, group, leader, 1, leader, "all"))
	follower = joinNow(b, request("")).MemberID
	joining := b.Send(request(follower))
	c.AwaitGroup(group, "PreparingRebalance", 2)
	joinNow(a, request(leader))
	answer[*kmsg.JoinGroupResponse](joining)
	syncNow(a, sync(5, group, leader, 2, leader, "a's", follower, "b's"))
	syncNow(b, sync(5, group, follower, 2))
	return leader, follower
}
