package conformance

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const heartbeatSource = "GroupMetadataManager.classicGroupHeartbeat"

func heartbeatRules() []Rule {
	return []Rule{
		must("groups.classic.heartbeat.every-version", "Every version of Heartbeat is answered in a stable group.", heartbeatSource, func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			m := single(a, g)
			for v := range int16(5) {
				ask[*kmsg.HeartbeatResponse](a, heartbeat(v, g, m, 1))
			}
		}),
		must("groups.classic.heartbeat.wrong-generation", "Another generation is ILLEGAL_GENERATION.", heartbeatSource, func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			m := single(a, g)
			for _, generation := range []int32{0, 2, -1} {
				beat(a, g, m, generation)
			}
		}),
		must("groups.classic.heartbeat.unknown", "Unknown members and groups are UNKNOWN_MEMBER_ID, the empty group id INVALID_GROUP_ID.", heartbeatSource, func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			beat(a, g, "who", 1)
			single(a, g)
			beat(a, g, "who", 1)
			beat(a, g, "", 1)
			beat(a, g, "who", 7)
			beat(a, "", "who", 1)
		}),
		must("groups.classic.heartbeat.completing", "While the assignment is awaited, a heartbeat is accepted.", heartbeatSource, func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader, follower := preparedPair(c, a, b, g)
			beat(a, g, leader, 2)
			beat(b, g, follower, 2)
			beat(b, g, follower, 1)
		}),
		must("groups.classic.heartbeat.preparing", "While members are joining, a heartbeat is REBALANCE_IN_PROGRESS.", heartbeatSource, func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader := single(a, g)
			follower := newMember(b, g)
			joining := b.Send(join(9, g, follower))
			c.AwaitGroup(g, "PreparingRebalance", 2)
			beat(a, g, leader, 1)
			beat(a, g, leader, 2)
			beat(a, g, follower, 1)
			beat(a, g, "who", 1)
			joinNow(a, join(9, g, leader))
			answer[*kmsg.JoinGroupResponse](joining)
		}),
		must("groups.classic.heartbeat.pending-member", "A member that was only told its id has no heartbeat.", "KIP-394", func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			beat(a, g, newMember(a, g), 0)
			single(a, g)
			beat(a, g, newMember(a, g), 1)
		}),
		must("groups.classic.heartbeat.empty-group", "In a group that all have left, a heartbeat is UNKNOWN_MEMBER_ID.", heartbeatSource, func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			m := single(a, g)
			leaveNow(a, leave(5, g, m))
			beat(a, g, m, 1)
			beat(a, g, m, 2)
		}),
		must("groups.classic.heartbeat.instance", "A static member's heartbeat with another member id is FENCED_INSTANCE_ID, an instance of nobody UNKNOWN_MEMBER_ID.", "KIP-345", func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			m := joinNow(a, static(join(9, g, ""), "one")).MemberID
			syncNow(a, sync(5, g, m, 1, m, "x"))
			for _, who := range [][2]string{{m, "one"}, {"who", "one"}, {m, "two"}, {"who", "two"}} {
				req := heartbeat(4, g, who[0], 1)
				req.InstanceID = &who[1]
				ask[*kmsg.HeartbeatResponse](a, req)
			}
		}),
		{
			ID: "groups.classic.heartbeat.session-expires", Says: "A member that is silent for its session timeout is removed.", Source: heartbeatSource, Severity: Timing, Timed: true,
			Run: func(c *Conversation) {
				g, a := c.Group("readers"), c.Conn("a")
				m := newMember(a, g)
				req := join(9, g, m)
				req.SessionTimeoutMillis = 6_000
				joinNow(a, req)
				syncNow(a, sync(5, g, m, 1, m, "x"))
				c.Wait(4 * time.Second)
				beat(a, g, m, 1)
				c.Wait(4 * time.Second)
				beat(a, g, m, 1)
				c.Wait(8 * time.Second)
				beat(a, g, m, 1)
				described(a, g)
			},
		},
		{
			ID: "groups.classic.heartbeat.rebalance-timeout", Says: "Who does not rejoin within the rebalance timeout is removed, and the others go on.", Source: "GroupMetadataManager.completeClassicGroupJoin",
			Severity: Timing, Timed: true, Run: rebalanceTimeout,
		},
		{
			ID: "groups.classic.join.pending-expires", Says: "A member id that is not used within the session timeout is forgotten.", Source: "KIP-394", Severity: Timing, Timed: true,
			Run: func(c *Conversation) {
				g, a := c.Group("readers"), c.Conn("a")
				req := join(9, g, "")
				req.SessionTimeoutMillis = 6_000
				m := joinNow(a, req).MemberID
				c.Wait(8 * time.Second)
				joinNow(a, join(9, g, m))
			},
		},
		{
			ID: "groups.classic.sync.missing-sync", Says: "A member that joined and does not sync within the rebalance timeout is removed.", Source: "KIP-597, GroupMetadataManager.expirePendingSync",
			Severity: Timing, Timed: true, Run: missingSync,
		},
	}
}

func rebalanceTimeout(c *Conversation) {
	g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
	request := func(member string) *kmsg.JoinGroupRequest {
		req := join(9, g, member)
		req.RebalanceTimeoutMillis = 1_500
		return req
	}
	leader := joinNow(a, request("")).MemberID
	joinNow(a, request(leader))
	syncNow(a, sync(5, g, leader, 1, leader, "all"))
	follower := joinNow(b, request("")).MemberID
	joinNow(b, request(follower)) // answered when a's time is over
	beat(a, g, leader, 1)
	described(a, g)
}

func missingSync(c *Conversation) {
	g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
	request := func(member string) *kmsg.JoinGroupRequest {
		req := join(9, g, member)
		req.RebalanceTimeoutMillis = 1_500
		return req
	}
	leader := joinNow(a, request("")).MemberID
	joinNow(a, request(leader))
	follower := joinNow(b, request("")).MemberID
	joining := b.Send(request(follower))
	c.AwaitGroup(g, "PreparingRebalance", 2)
	joinNow(a, request(leader))
	answer[*kmsg.JoinGroupResponse](joining)
	syncNow(a, sync(5, g, leader, 2, leader, "a's", follower, "b's"))
	c.Wait(2500 * time.Millisecond)
	beat(b, g, follower, 2)
	beat(a, g, leader, 2)
}
