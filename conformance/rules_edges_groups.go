package conformance

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// groupEdgeRules are odd requests about groups that are still well formed.
func groupEdgeRules() []Rule {
	return []Rule{
		must("groups.classic.join.mixed-versions", "Members of old and new versions share a group.", "JoinGroupRequest", func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader := joinNow(a, join(0, g, "")).MemberID
			syncNow(a, sync(0, g, leader, 1, leader, "all"))
			joining := b.Send(join(9, g, newMember(b, g)))
			c.AwaitGroup(g, "PreparingRebalance", 2)
			ask[*kmsg.HeartbeatResponse](a, heartbeat(0, g, leader, 1))
			joinNow(a, join(1, g, leader))
			answer[*kmsg.JoinGroupResponse](joining)
		}),
		must("groups.classic.join.rebalance-timeouts", "A rebalance timeout of zero or less is taken.", classicSource, func(c *Conversation) {
			a := c.Conn("a")
			for i, ms := range []int32{0, -1} {
				g := c.Group("readers-" + string(rune('1'+i)))
				req := join(9, g, newMember(a, g))
				req.RebalanceTimeoutMillis = ms
				joinNow(a, req)
			}
		}),
		must("groups.classic.join.odd-protocols", "Protocol names and metadata may be empty.", classicSource, func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			req := join(9, g, newMember(a, g))
			req.Protocols = protocols("", "range")
			req.Protocols[0].Metadata = nil
			joinNow(a, req)
			described(a, g)
		}),
		must("groups.classic.join.changed-type", "The protocol type of a group that all have left may change.", "ClassicGroup", func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			leaveNow(a, leave(5, g, single(a, g)))
			req := join(9, g, newMember(a, g))
			req.ProtocolType = "connect"
			joinNow(a, req)
			described(a, g)
		}),
		must("groups.classic.join.protocol-changes-by-leaving", "When the member that narrowed the choice leaves, the choice is open again.", "ClassicGroup.selectProtocol", func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			request := func(member string, names ...string) *kmsg.JoinGroupRequest {
				req := join(9, g, member)
				req.Protocols = protocols(names...)
				return req
			}
			leader := newMember(a, g)
			joinNow(a, request(leader, "sticky", "range"))
			follower := newMember(b, g)
			joining := b.Send(request(follower, "range"))
			c.AwaitGroup(g, "PreparingRebalance", 2)
			joinNow(a, request(leader, "sticky", "range"))
			answer[*kmsg.JoinGroupResponse](joining)
			leaveNow(b, leave(5, g, follower))
			joinNow(a, request(leader, "sticky", "range"))
		}),
		must("groups.classic.join.long-ids", "Group ids may be long and odd.", classicSource, func(c *Conversation) {
			a := c.Conn("a")
			for _, odd := range []string{" with space", "/slash", "ümlaut", strings.Repeat("x", 300)} {
				g := c.Group("readers") + odd
				joinNow(a, join(9, g, ""))
				joinNow(a, join(0, g, ""))
			}
		}),
		must("groups.classic.sync.leader-assigns-nothing", "A leader that assigns nothing makes a stable group of empty assignments.", syncSource, func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader, follower := preparedPair(c, a, b, g)
			waiting := b.Send(sync(5, g, follower, 2))
			settled(c, g)
			syncNow(a, sync(5, g, leader, 2))
			answer[*kmsg.SyncGroupResponse](waiting)
			described(a, g)
		}),
		must("groups.classic.sync.twice-parked", "A follower that syncs again while its sync is parked has the later one answered.", syncSource, func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader, follower := preparedPair(c, a, b, g)
			first := b.Send(sync(5, g, follower, 2))
			settled(c, g)
			second := c.Conn("c").Send(sync(5, g, follower, 2))
			settled(c, g)
			syncNow(a, sync(5, g, leader, 2, leader, "a's", follower, "b's"))
			answer[*kmsg.SyncGroupResponse](second)
			first.NoAnswer()
		}),
		must("groups.classic.sync.assigned-twice", "Of two assignments for a member the later one counts.", syncSource, func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			m := newMember(a, g)
			joinNow(a, join(9, g, m))
			a.Send(sync(5, g, m, 1, m, "first", m, "second")).Answer()
		}),
		must("groups.classic.leave.no-member-id", "A leave without a member id is UNKNOWN_MEMBER_ID.", leaveSource, func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			single(a, g)
			for _, v := range []int16{0, 2, 3, 5} {
				leaveNow(a, leave(v, g, ""))
			}
		}),
		must("groups.classic.leave.dynamic-with-instance", "A leave with the member id of a dynamic member and an instance id of nobody is UNKNOWN_MEMBER_ID.", "KIP-345", func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			req := leave(5, g, single(a, g))
			req.Members[0].InstanceID = kmsg.StringPtr("one")
			leaveNow(a, req)
			described(a, g)
		}),
		must("groups.describe.twice", "A group asked for twice is described twice.", "KafkaApis.handleDescribeGroupsRequest", func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			single(a, g)
			described(a, g, g)
		}),
		must("groups.describe.other-type", "A group whose members are not consumers is described in full.", "ClassicGroup.describe", func(c *Conversation) {
			g, a := c.Group("workers"), c.Conn("a")
			m := newMember(a, g)
			req := join(9, g, m)
			req.ProtocolType = "connect"
			joinNow(a, req)
			s := sync(5, g, m, 1, m, "all")
			s.ProtocolType = kmsg.StringPtr("connect")
			syncNow(a, s)
			described(a, g)
			list := kmsg.NewPtrListGroupsRequest()
			list.Version = 5
			ask[*kmsg.ListGroupsResponse](a, list)
		}),
		must("groups.list.both-filters", "Filters of state and type hold together.", "KIP-518, KIP-848", func(c *Conversation) {
			a := c.Conn("a")
			single(a, c.Group("readers"))
			for _, f := range [][2]string{{"Stable", "classic"}, {"Empty", "classic"}, {"Stable", "consumer"}} {
				req := kmsg.NewPtrListGroupsRequest()
				req.Version, req.StatesFilter, req.TypesFilter = 5, []string{f[0]}, []string{f[1]}
				ask[*kmsg.ListGroupsResponse](a, req)
			}
		}),
		must("offsets.commit.pending-member", "A member that was only told its id may not commit with a generation, and may as a simple consumer.", commitSource, func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1)
			m := newMember(a, g)
			memberCommit(a, g, m, 0, t, 1)
			memberCommit(a, g, m, -1, t, 1)
			memberCommit(a, g, "", -1, t, 1)
			committedNow(a, committed(9, g, t, 0))
		}),
		must("offsets.commit.other-type", "A member of a group that is not of consumers commits as any other.", commitSource, func(c *Conversation) {
			g, a, t := c.Group("workers"), c.Conn("a"), c.Topic("orders", 1)
			m := newMember(a, g)
			req := join(9, g, m)
			req.ProtocolType = "connect"
			joinNow(a, req)
			s := sync(5, g, m, 1, m, "all")
			s.ProtocolType = kmsg.StringPtr("connect")
			syncNow(a, s)
			memberCommit(a, g, m, 1, t, 3)
			committedNow(a, committed(9, g, t, 0))
		}),
		must("offsets.commit.topic-without-partitions", "A topic without partitions is left out of the answer.", commitSource, func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1)
			for _, v := range []int16{8, 10} {
				req := commit(v, g, t, 0, 1)
				req.Topics[0].Partitions = nil
				commitNow(a, req)
			}
			described(a, g)
		}),
		must("offsets.commit.unknown-topics-merged", "Partitions of a topic named twice stay together in the answer once a topic is refused; a topic that does not exist is answered even without partitions.", "OffsetCommitResponse.Builder", func(c *Conversation) {
			t, a, g := c.Topic("orders", 1), c.Conn("a"), c.Group("readers")
			nowhere := Topic{Name: c.Name("nowhere"), ID: [16]byte{1}}
			for _, v := range []int16{9, 10} {
				for _, topics := range [][]Topic{{t, t}, {nowhere, nowhere}, {nowhere, t, t}, {t, nowhere, t}} {
					req := commit(v, g, topics[0], 0, 5)
					for _, more := range topics[1:] {
						req.Topics = append(req.Topics, commit(v, g, more, 0, 6).Topics...)
					}
					commitNow(a, req)
				}
				req := commit(v, g, nowhere, 0, 5)
				req.Topics[0].Partitions = nil
				req.Topics = append(req.Topics, commit(v, g, t, 0, 7).Topics...)
				commitNow(a, req)
				req = commit(v, g, nowhere, 0, 5)
				req.Topics[0].Partitions = nil
				commitNow(a, req)
			}
		}),
		must("offsets.commit.only-unknown", "A commit of nothing that exists makes no group.", commitSource, func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			commitNow(a, commit(9, g, Topic{Name: c.Name("nowhere")}, 0, 1))
			described(a, g)
		}),
		must("offsets.commit.internal-topic", "Offsets of internal topics may be committed.", commitSource, func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			t := Topic{Name: "__consumer_offsets"}
			commitNow(a, commit(9, g, t, 0, 1))
			committedNow(a, committed(9, g, t, 0))
		}),
		must("offsets.fetch.odd-lists", "Topics without partitions and partitions named twice are answered so.", committedSource, func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1)
			commitNow(a, commit(9, g, t, 0, 5))
			for _, v := range []int16{7, 9, 10} {
				committedNow(a, committed(v, g, t, 0, 0))
				req := committed(v, g, t, 0)
				if v < 8 {
					req.Topics[0].Partitions = nil
				} else {
					req.Groups[0].Topics[0].Partitions = nil
				}
				committedNow(a, req)
			}
		}),
		must("offsets.fetch.all-after-delete", "An offset of a deleted partition's topic is gone from the list of all.", committedSource, func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 2)
			commitNow(a, commit(9, g, t, 0, 5))
			commitNow(a, commit(9, g, t, 1, 6))
			ask[*kmsg.OffsetDeleteResponse](a, offsetDelete(g, t.Name, 1))
			for _, v := range []int16{2, 9, 10} {
				committedNow(a, committed(v, g, t))
			}
		}),
		must("offsets.delete.completing", "Offsets of topics that no member is subscribed to are deleted in every state.", "KIP-496", func(c *Conversation) {
			g, a, t, u := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1), c.Topic("bills", 1)
			commitNow(a, commit(9, g, t, 0, 5))
			commitNow(a, commit(9, g, u, 0, 6))
			metadata := kmsg.NewConsumerMemberMetadata()
			metadata.Version, metadata.Topics = 1, []string{t.Name}
			req := join(9, g, newMember(a, g))
			req.Protocols[0].Metadata = metadata.AppendTo(nil)
			joinNow(a, req)
			ask[*kmsg.OffsetDeleteResponse](a, offsetDelete(g, t.Name, 0))
			ask[*kmsg.OffsetDeleteResponse](a, offsetDelete(g, u.Name, 0))
		}),
		must("coordinator.several-types", "A batch of keys has one type; unknown ones fail each key.", "KIP-699", func(c *Conversation) {
			c.Conn("a").Send(findCoordinator(4, 9, c.Name("x"), c.Name("y"))).Answer()
		}),
	}
}
