package conformance

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

const committedSource = "OffsetMetadataManager.fetchOffsets"

func committedRules() []Rule {
	return []Rule{
		must("offsets.fetch.every-version", "Every version of OffsetFetch gives the committed offset, by topic id in v10.", "OffsetFetchRequest", func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 2)
			commitNow(a, commit(9, g, t, 0, 5))
			for v := int16(1); v <= 10; v++ {
				committedNow(a, committed(v, g, t, 0, 1))
			}
		}),
		must("offsets.fetch.all", "From v2 on null asks for all offsets of the group.", "KIP-88", func(c *Conversation) {
			g, a, t, u := c.Group("readers"), c.Conn("a"), c.Topic("orders", 2), c.Topic("bills", 1)
			commitNow(a, commit(9, g, t, 0, 5))
			commitNow(a, commit(9, g, t, 1, 6))
			commitNow(a, commit(9, g, u, 0, 7))
			for v := int16(2); v <= 10; v++ {
				committedNow(a, committed(v, g, t))
			}
		}),
		must("offsets.fetch.none-asked", "An empty list asks for nothing.", "KIP-88", func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1)
			commitNow(a, commit(9, g, t, 0, 5))
			for v := int16(1); v <= 10; v++ {
				req := committed(v, g, t)
				req.Topics = []kmsg.OffsetFetchRequestTopic{}
				for i := range req.Groups {
					req.Groups[i].Topics = []kmsg.OffsetFetchRequestGroupTopic{}
				}
				committedNow(a, req)
			}
		}),
		must("offsets.fetch.nothing-committed", "What was never committed is offset minus one without error, in a group that exists or not.", committedSource, func(c *Conversation) {
			g, h, a, t := c.Group("readers"), c.Group("nobody"), c.Conn("a"), c.Topic("orders", 1)
			single(a, g)
			for _, v := range []int16{1, 2, 7, 8, 9, 10} {
				committedNow(a, committed(v, g, t, 0))
				committedNow(a, committed(v, h, t, 0))
				if v > 1 {
					committedNow(a, committed(v, h, t))
				}
			}
		}),
		must("offsets.fetch.unknown-topic", "A topic that does not exist has no offset, and in v10 no id.", committedSource, func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1)
			commitNow(a, commit(9, g, t, 0, 5))
			nowhere := Topic{Name: c.Name("nowhere"), ID: [16]byte{5}}
			for _, v := range []int16{1, 7, 8, 9, 10} {
				committedNow(a, committed(v, g, nowhere, 0))
				committedNow(a, committed(v, g, t, 0, 7, -1))
			}
			committedNow(a, committed(10, g, Topic{}, 0))
		}),
		must("offsets.fetch.several-groups", "From v8 on several groups are asked at once.", "KIP-709", func(c *Conversation) {
			g, h, a, t := c.Group("readers"), c.Group("writers"), c.Conn("a"), c.Topic("orders", 1)
			commitNow(a, commit(9, g, t, 0, 5))
			commitNow(a, commit(9, h, t, 0, 6))
			for _, v := range []int16{8, 9, 10} {
				req := committed(v, g, t, 0)
				req.Groups = append(req.Groups, committed(v, h, t).Groups[0], committed(v, c.Name("nobody"), t, 0).Groups[0])
				committedNow(a, req)
			}
			req := committed(9, g, t)
			req.Groups = nil
			committedNow(a, req)
		}),
		must("offsets.fetch.same-group-twice", "A group asked for twice is answered twice.", "KIP-709", func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 2)
			commitNow(a, commit(9, g, t, 0, 5))
			req := committed(9, g, t, 0)
			req.Groups = append(req.Groups, committed(9, g, t, 1).Groups[0])
			committedNow(a, req)
		}),
		must("offsets.fetch.empty-group-id", "The empty group id is as good as any.", committedSource, func(c *Conversation) {
			a, t := c.Conn("a"), c.Topic("orders", 1)
			c.Group("warm")
			for _, v := range []int16{1, 7, 8, 9, 10} {
				committedNow(a, committed(v, "", t, 0))
			}
		}),
		must("offsets.fetch.member-epoch", "Member id and epoch are not looked at in a classic group.", "KIP-848", func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1)
			m := single(a, g)
			memberCommit(a, g, m, 1, t, 5)
			for _, who := range []struct {
				member *string
				epoch  int32
			}{{&m, 1}, {&m, 2}, {&m, -1}, {kmsg.StringPtr("who"), 1}, {kmsg.StringPtr(""), -1}, {nil, 1}} {
				req := committed(9, g, t, 0)
				req.Groups[0].MemberID, req.Groups[0].MemberEpoch = who.member, who.epoch
				committedNow(a, req)
			}
		}),
		must("offsets.fetch.require-stable", "Without open transactions require stable changes nothing.", "KIP-447", func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1)
			commitNow(a, commit(9, g, t, 0, 5))
			for v := int16(7); v <= 10; v++ {
				req := committed(v, g, t, 0)
				req.RequireStable = true
				committedNow(a, req)
			}
		}),
		must("offsets.fetch.resume", "A committed offset outlives its members.", committedSource, func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1)
			m := single(a, g)
			memberCommit(a, g, m, 1, t, 5)
			leaveNow(a, leave(5, g, m))
			single(c.Conn("b"), g)
			committedNow(c.Conn("b"), committed(9, g, t, 0))
		}),
		must("offsets.delete.simple", "Offsets of a group without members are deleted, partition by partition.", "KIP-496", func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 3)
			for p := range int32(3) {
				commitNow(a, commit(9, g, t, p, 5))
			}
			ask[*kmsg.OffsetDeleteResponse](a, offsetDelete(g, t.Name, 0, 2))
			committedNow(a, committed(9, g, t))
			c.Note("again, and what was never committed")
			ask[*kmsg.OffsetDeleteResponse](a, offsetDelete(g, t.Name, 0, 7))
			c.Note("the last one")
			ask[*kmsg.OffsetDeleteResponse](a, offsetDelete(g, t.Name, 1))
			described(a, g)
		}),
		must("offsets.delete.unknown", "Unknown groups are GROUP_ID_NOT_FOUND, unknown topics UNKNOWN_TOPIC_OR_PARTITION.", "KIP-496", func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1)
			ask[*kmsg.OffsetDeleteResponse](a, offsetDelete(g, t.Name, 0))
			commitNow(a, commit(9, g, t, 0, 5))
			ask[*kmsg.OffsetDeleteResponse](a, offsetDelete(g, c.Name("nowhere"), 0))
			req := offsetDelete(g, t.Name)
			ask[*kmsg.OffsetDeleteResponse](a, req)
			req.Topics = nil
			ask[*kmsg.OffsetDeleteResponse](a, req)
		}),
		must("offsets.delete.subscribed", "Offsets of topics that members are subscribed to are GROUP_SUBSCRIBED_TO_TOPIC, others are deleted.", "KIP-496", func(c *Conversation) {
			g, a, t, u := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1), c.Topic("bills", 1)
			m := subscribed(a, g, t.Name)
			memberCommit(a, g, m, 1, t, 5)
			memberCommit(a, g, m, 1, u, 6)
			ask[*kmsg.OffsetDeleteResponse](a, offsetDelete(g, t.Name, 0))
			ask[*kmsg.OffsetDeleteResponse](a, offsetDelete(g, u.Name, 0))
			committedNow(a, committed(9, g, t))
		}),
		must("offsets.delete.not-consumers", "A group of members that are not consumers is NON_EMPTY_GROUP; a consumer whose metadata cannot be read counts as subscribed to all topics.", "ClassicGroup.validateOffsetDelete", func(c *Conversation) {
			a, t := c.Conn("a"), c.Topic("orders", 1)
			for _, kind := range []string{"connect", "consumer"} {
				g := c.Group("of-" + kind)
				m := newMember(a, g)
				req := join(9, g, m)
				req.ProtocolType = kind
				joinNow(a, req)
				s := sync(5, g, m, 1, m, "x")
				s.ProtocolType = &kind
				syncNow(a, s)
				memberCommit(a, g, m, 1, t, 5)
				ask[*kmsg.OffsetDeleteResponse](a, offsetDelete(g, t.Name, 0))
			}
		}),
	}
}

// subscribed makes a the only member of a stable group, with real consumer metadata.
func subscribed(a *Conn, group, topic string) string {
	metadata := kmsg.NewConsumerMemberMetadata()
	metadata.Version, metadata.Topics = 1, []string{topic}
	member := newMember(a, group)
	req := join(9, group, member)
	req.Protocols[0].Metadata = metadata.AppendTo(nil)
	joinNow(a, req)
	syncNow(a, sync(5, group, member, 1, member, ""))
	return member
}
