package conformance

import (
	"math"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const commitSource = "OffsetMetadataManager.commitOffset"

func commitRules() []Rule {
	return []Rule{
		must("offsets.commit.simple", "Every version of OffsetCommit takes a simple consumer's offset, by topic id from v10 on.", commitSource, func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1)
			for v := int16(2); v <= 10; v++ {
				commitNow(a, commit(v, g, t, 0, int64(v)))
				committedNow(a, committed(9, g, t, 0))
			}
		}),
		must("offsets.commit.member", "Every version of OffsetCommit takes a member's offset.", commitSource, func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1)
			m := single(a, g)
			for v := int16(2); v <= 10; v++ {
				req := commit(v, g, t, 0, int64(v))
				req.MemberID, req.Generation = m, 1
				commitNow(a, req)
			}
			committedNow(a, committed(9, g, t, 0))
		}),
		must("offsets.commit.wrong-generation", "Another generation is ILLEGAL_GENERATION, in v10 as well.", commitSource, func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1)
			m := single(a, g)
			for _, v := range []int16{2, 7, 9, 10} {
				for _, generation := range []int32{0, 2, -1} {
					req := commit(v, g, t, 0, 1)
					req.MemberID, req.Generation = m, generation
					commitNow(a, req)
				}
			}
		}),
		must("offsets.commit.unknown-member", "A stranger's commit is UNKNOWN_MEMBER_ID; a simple consumer's to a group with members too.", commitSource, func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1)
			single(a, g)
			memberCommit(a, g, "who", 1, t, 1)
			memberCommit(a, g, "who", -1, t, 1)
			memberCommit(a, g, "", 1, t, 1)
			memberCommit(a, g, "", -1, t, 1)
		}),
		must("offsets.commit.no-group", "A member's commit to a group that does not exist is ILLEGAL_GENERATION up to v8, GROUP_ID_NOT_FOUND from v9 on.", commitSource, func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1)
			for _, v := range []int16{2, 8, 9, 10} {
				req := commit(v, g, t, 0, 1)
				req.MemberID, req.Generation = "who", 1
				commitNow(a, req)
			}
			described(a, g)
		}),
		must("offsets.commit.empty-group", "To a group that all have left, simple consumers may commit and old members may not.", commitSource, func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1)
			m := single(a, g)
			leaveNow(a, leave(5, g, m))
			memberCommit(a, g, m, 1, t, 1)
			memberCommit(a, g, "", -1, t, 2)
			committedNow(a, committed(9, g, t, 0))
		}),
		must("offsets.commit.completing", "While the assignment is awaited a commit is REBALANCE_IN_PROGRESS.", "ClassicGroup.validateOffsetCommit", func(c *Conversation) {
			g, a, b, t := c.Group("readers"), c.Conn("a"), c.Conn("b"), c.Topic("orders", 1)
			leader, follower := preparedPair(c, a, b, g)
			memberCommit(a, g, leader, 2, t, 1)
			memberCommit(b, g, follower, 1, t, 1)
			memberCommit(b, g, "who", 2, t, 1)
		}),
		must("offsets.commit.preparing", "While members are joining, members of the last generation may still commit.", "ClassicGroup.validateOffsetCommit", func(c *Conversation) {
			g, a, b, t := c.Group("readers"), c.Conn("a"), c.Conn("b"), c.Topic("orders", 1)
			leader := single(a, g)
			joining := b.Send(join(9, g, newMember(b, g)))
			c.AwaitGroup(g, "PreparingRebalance", 2)
			memberCommit(a, g, leader, 1, t, 7)
			memberCommit(a, g, leader, 2, t, 8)
			joinNow(a, join(9, g, leader))
			answer[*kmsg.JoinGroupResponse](joining)
			committedNow(a, committed(9, g, t, 0))
		}),
		must("offsets.commit.empty-group-id", "The empty group id is as good as any for simple consumers.", commitSource, func(c *Conversation) {
			a, t := c.Conn("a"), c.Topic("orders", 1)
			c.Group("warm")
			for _, v := range []int16{2, 8, 9, 10} {
				commitNow(a, commit(v, "", t, 0, 1))
			}
		}),
		must("offsets.commit.unknown-topic", "Unknown topics and partitions are UNKNOWN_TOPIC_OR_PARTITION, or UNKNOWN_TOPIC_ID, beside those that are known.", "KafkaApis.handleOffsetCommitRequest", func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1)
			nowhere := Topic{Name: c.Name("nowhere"), ID: [16]byte{5}}
			for _, v := range []int16{2, 8, 9, 10} {
				req := commit(v, g, t, 0, 3)
				for _, p := range []int32{1, -1} {
					req.Topics[0].Partitions = append(req.Topics[0].Partitions, commit(v, g, t, p, 4).Topics[0].Partitions[0])
				}
				req.Topics = append(req.Topics, commit(v, g, nowhere, 0, 5).Topics[0])
				commitNow(a, req)
			}
			committedNow(a, committed(9, g, t))
		}),
		must("offsets.commit.zero-id", "In v10 the zero topic id is UNKNOWN_TOPIC_ID.", "KIP-848", func(c *Conversation) {
			commitNow(c.Conn("a"), commit(10, c.Group("readers"), Topic{}, 0, 1))
		}),
		must("offsets.commit.nothing", "A commit of nothing is answered with nothing, and makes no group.", commitSource, func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			req := commit(9, g, Topic{}, 0, 0)
			req.Topics = nil
			commitNow(a, req)
			described(a, g)
		}),
		must("offsets.commit.metadata", "Metadata above offset.metadata.max.bytes is OFFSET_METADATA_TOO_LARGE for its partition alone.", commitSource, func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 3)
			for _, v := range []int16{2, 9} {
				req := commit(v, g, t, 0, 1)
				for p := int32(1); p < 3; p++ {
					req.Topics[0].Partitions = append(req.Topics[0].Partitions, commit(v, g, t, p, 1).Topics[0].Partitions[0])
				}
				for p, n := range []int{4096, 4097, 0} {
					req.Topics[0].Partitions[p].Metadata = kmsg.StringPtr(strings.Repeat("m", n))
				}
				commitNow(a, req)
			}
			for p := range int32(3) {
				r := ask[*kmsg.OffsetFetchResponse](c.setup, committed(7, g, t, p))
				got := r.Topics[0].Partitions[0]
				c.say("partition %d: offset %d, %d bytes of metadata", p, got.Offset, len(*got.Metadata))
			}
		}),
		must("offsets.commit.metadata-kinds", "Metadata comes back as it went, null as empty, umlauts counted in bytes.", commitSource, func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1)
			for _, metadata := range []*string{nil, kmsg.StringPtr(""), kmsg.StringPtr("a note"), kmsg.StringPtr("ä")} {
				req := commit(9, g, t, 0, 1)
				req.Topics[0].Partitions[0].Metadata = metadata
				commitNow(a, req)
				committedNow(a, committed(9, g, t, 0))
			}
			req := commit(9, g, t, 0, 1)
			req.Topics[0].Partitions[0].Metadata = kmsg.StringPtr(strings.Repeat("ä", 2049))
			commitNow(a, req)
		}),
		must("offsets.commit.any-offset", "Any number is an offset, negative ones too; it need not be in the log.", commitSource, func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1)
			for _, offset := range []int64{0, 4711, math.MaxInt64, -1, -2} {
				a.Send(commit(9, g, t, 0, offset)).Answer()
				committedNow(a, committed(9, g, t, 0))
			}
		}),
		must("offsets.commit.leader-epoch", "From v6 on the leader epoch is kept and given back.", "KIP-320", func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1)
			for _, v := range []int16{5, 6, 10} {
				for _, epoch := range []int32{0, 99, -1, -2} {
					req := commit(v, g, t, 0, 1)
					req.Topics[0].Partitions[0].LeaderEpoch = epoch
					commitNow(a, req)
					committedNow(a, committed(5, g, t, 0))
				}
			}
		}),
		must("offsets.commit.retention", "A retention time is taken in the versions that have it.", "KIP-211", func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1)
			for _, v := range []int16{2, 4} {
				req := commit(v, g, t, 0, 1)
				req.RetentionTimeMillis = 86_400_000
				commitNow(a, req)
			}
			committedNow(a, committed(9, g, t, 0))
		}),
		must("offsets.commit.twice-in-a-request", "Of a partition named twice the later offset stands.", commitSource, func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1)
			req := commit(9, g, t, 0, 5)
			req.Topics[0].Partitions = append(req.Topics[0].Partitions, commit(9, g, t, 0, 3).Topics[0].Partitions[0])
			commitNow(a, req)
			committedNow(a, committed(9, g, t, 0))
		}),
		must("offsets.commit.makes-a-group", "A simple consumer's commit makes an empty group without protocol.", commitSource, func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1)
			commitNow(a, commit(9, g, t, 0, 5))
			described(a, g)
			c.Note("and members may join it")
			single(a, g)
			committedNow(a, committed(9, g, t, 0))
		}),
		must("offsets.commit.deleted-topic", "The offsets of a deleted topic are deleted.", "GroupCoordinatorService.onPartitionsDeleted", func(c *Conversation) {
			g, a, t, u := c.Group("readers"), c.Conn("a"), c.Topic("orders", 1), c.Topic("bills", 1)
			commitNow(a, commit(9, g, t, 0, 5))
			commitNow(a, commit(9, g, u, 0, 6))
			ask[*kmsg.DeleteTopicsResponse](a, deleteTopics(5, t.Name))
			until(c, committed(7, g, t, 0), func(r *kmsg.OffsetFetchResponse) bool { return r.Topics[0].Partitions[0].Offset == -1 })
			committedNow(a, committed(9, g, t))
		}),
	}
}
