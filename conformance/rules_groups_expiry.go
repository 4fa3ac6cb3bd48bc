package conformance

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// expiryRules are about offsets that nobody commits any more. Their profile keeps
// offsets for a minute, and looks each second.
func expiryRules() []Rule {
	expiry := func(id, says string, run func(c *Conversation)) Rule {
		return Rule{
			ID: id, Says: says, Source: "KIP-211, OffsetMetadataManager.cleanupExpiredOffsets",
			Severity: Timing, Timed: true, Profile: "short-retention", Run: run,
		}
	}
	return []Rule{
		expiry("offsets.expiry.simple", "Offsets of a simple group expire each by its own commit, and with the last the group.", func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 2)
			s := c.stored(g)
			commitNow(a, commit(9, g, t, 0, 5))
			c.Wait(30 * time.Second)
			commitNow(a, commit(9, g, t, 1, 6))
			c.Wait(25 * time.Second)
			committedNow(a, committed(9, g, t))
			c.Wait(15 * time.Second)
			committedNow(a, committed(9, g, t))
			c.Wait(25 * time.Second)
			committedNow(a, committed(9, g, t))
			described(a, g)
			s.show(5)
		}),
		expiry("offsets.expiry.left", "Offsets of a group that was left expire a retention after that, however old they are.", func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1)
			m := joinedAtOnce(a, g, "m", "consumer")
			memberCommit(a, g, m, 1, t, 5)
			c.Wait(30 * time.Second)
			leaveNow(a, leave(5, g, m))
			c.Wait(45 * time.Second)
			committedNow(a, committed(9, g, t))
			described(a, g)
			c.Wait(20 * time.Second)
			committedNow(a, committed(9, g, t))
			described(a, g)
		}),
		expiry("offsets.expiry.subscribed", "While members are there, offsets of topics that they are subscribed to stay, and others expire.", func(c *Conversation) {
			g, a, t, u := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1), c.Topic("bills", 1)
			m := joinedAtOnce(a, g, string(consumes(t.Name)), "consumer")
			memberCommit(a, g, m, 1, t, 5)
			memberCommit(a, g, m, 1, u, 6)
			c.Wait(70 * time.Second)
			committedNow(a, committed(9, g, t))
			described(a, g)
		}),
		expiry("offsets.expiry.not-consumers", "Offsets of members that are not consumers stay.", func(c *Conversation) {
			g, a, t := c.Group("workers"), c.Conn("a"), c.Topic("orders", 1)
			m := joinedAtOnce(a, g, "m", "connect")
			memberCommit(a, g, m, 1, t, 5)
			c.Wait(70 * time.Second)
			committedNow(a, committed(9, g, t))
		}),
		expiry("offsets.expiry.preparing", "While a group rebalances nothing expires.", func(c *Conversation) {
			g, a, b, t, u := c.Group("readers"), c.Conn("a"), c.Conn("b"), c.Topic("orders", 1), c.Topic("bills", 1)
			m := joinedAtOnce(a, g, string(consumes(t.Name)), "consumer")
			memberCommit(a, g, m, 1, u, 6)
			joining := b.Send(join(9, g, newMember(b, g)))
			c.AwaitGroup(g, "PreparingRebalance", 2)
			c.Wait(70 * time.Second)
			committedNow(a, committed(9, g, u))
			joinNow(a, join(9, g, m))
			answer[*kmsg.JoinGroupResponse](joining)
		}),
		expiry("offsets.expiry.by-commit", "Up to v4 a commit may say how long it lasts, less or more than the broker's time.", func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 3)
			for i, ms := range []int64{4_000, 90_000, -1} {
				req := commit(4, g, t, int32(i), 5)
				req.RetentionTimeMillis = ms
				commitNow(a, req)
			}
			c.Wait(8 * time.Second)
			committedNow(a, committed(9, g, t))
			c.Wait(60 * time.Second)
			committedNow(a, committed(9, g, t))
		}),
		expiry("groups.expiry.without-offsets", "A group without members and offsets is gone at the next look.", func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			m := joinedAtOnce(a, g, "m", "consumer")
			leaveNow(a, leave(5, g, m))
			c.Wait(4 * time.Second)
			described(a, g)
		}),
	}
}

// joinedAtOnce makes a the only member of a stable group. It joins without coming back
// with a member id: until then the group has no members, and may be gone.
func joinedAtOnce(a *Conn, group, metadata, protocolType string) string {
	req := join(3, group, "")
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = 120_000, 120_000
	req.ProtocolType, req.Protocols[0].Metadata = protocolType, []byte(metadata)
	m := joinNow(a, req).MemberID
	syncNow(a, sync(3, group, m, 1, m, "all"))
	return m
}

// consumes is the metadata of a consumer of these topics (ConsumerProtocolSubscription v0).
func consumes(topics ...string) []byte {
	m := kmsg.NewConsumerMemberMetadata()
	m.Topics = topics
	return m.AppendTo(nil)
}
