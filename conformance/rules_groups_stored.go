package conformance

import "github.com/twmb/franz-go/pkg/kmsg"

const storedSource = "GroupCoordinatorRecordHelpers"

// storedRules are about what __consumer_offsets holds: tools read it, and a coordinator
// is loaded from it.
func storedRules() []Rule {
	return []Rule{
		must("groups.stored.members", "A generation is written once its assignment is there: protocol, leader, members with their timeouts, metadata and assignments.", storedSource, func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			s := c.stored(g)
			leader := newMember(a, g)
			s.show(1)
			joinNow(a, join(9, g, leader))
			syncNow(a, sync(5, g, leader, 1, leader, "all"))
			s.show(1)
			req := join(9, g, newMember(b, g))
			req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = 7_000, 8_000
			joining := b.Send(req)
			c.AwaitGroup(g, "PreparingRebalance", 2)
			joinNow(a, join(9, g, leader))
			follower := answer[*kmsg.JoinGroupResponse](joining).MemberID
			syncNow(a, sync(5, g, leader, 2, leader, "a's", follower, "b's"))
			s.show(1)
			leaveNow(b, leave(5, g, follower))
			joinNow(a, join(9, g, leader))
			leaveNow(a, leave(5, g, leader))
			s.show(1)
			ask[*kmsg.DeleteGroupsResponse](a, deleteGroups(2, g))
			s.show(1)
		}),
		must("groups.stored.static", "A static member that is replaced is written at once under its new id.", storedSource, func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			s := c.stored(g)
			req := static(join(9, g, ""), "one")
			old := joinNow(a, req).MemberID
			synced := sync(5, g, old, 1, old, "all")
			synced.InstanceID = req.InstanceID
			syncNow(a, synced)
			s.show(2)
			joinNow(b, req)
			s.show(1)
		}),
		must("groups.stored.first-join-fails", "A group that a failing join makes is written, one that an unknown member names is not made.", storedSource, func(c *Conversation) {
			g, h, a := c.Group("readers"), c.Group("writers"), c.Conn("a")
			s, u := c.stored(g), c.stored(h)
			req := join(9, g, "")
			req.Protocols = nil
			a.Send(req).Answer()
			s.show(1)
			joinNow(a, join(9, h, "who"))
			described(a, g, h)
			newMember(a, h)
			joinNow(a, join(9, h, "who"))
			commitNow(a, commit(9, h, c.Topic("orders", 1), 0, 5))
			u.show(2)
		}),
		must("offsets.stored.commit", "A commit is written with its offset, epoch, metadata and topic id, and a deleted offset as a tombstone.", storedSource, func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 2)
			s := c.stored(g)
			for _, v := range []int16{2, 5, 6, 9, 10} {
				req := commit(v, g, t, 0, int64(v))
				p := &req.Topics[0].Partitions[0]
				p.LeaderEpoch, p.Metadata = 3, kmsg.StringPtr("m")
				commitNow(a, req)
				s.show(1)
			}
			commitNow(a, commit(9, g, t, 1, 1))
			s.show(1)
			ask[*kmsg.OffsetDeleteResponse](a, offsetDelete(g, t.Name, 1))
			s.show(1)
			ask[*kmsg.DeleteGroupsResponse](a, deleteGroups(2, g))
			s.show(2)
		}),
		must("offsets.stored.refused", "Nothing is written of what is refused.", storedSource, func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1)
			m := single(a, g)
			s := c.stored(g)
			memberCommit(a, g, m, 7, t, 5)
			memberCommit(a, g, "who", 1, t, 5)
			req := commit(9, g, t, 0, 5)
			req.MemberID, req.Generation = m, 1
			req.Topics[0].Partitions[0].Metadata = kmsg.StringPtr(string(make([]byte, 5_000)))
			commitNow(a, req)
			beat(a, g, m, 7)
			syncNow(a, sync(5, g, m, 7, m, "other"))
			memberCommit(a, g, m, 1, t, 6)
			s.show(1)
		}),
	}
}
