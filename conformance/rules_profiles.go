package conformance

import (
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// profileRules need broker settings that are not Kafka's defaults.
func profileRules() []Rule {
	needs := func(profile string, r Rule) Rule {
		r.Profile = profile
		return r
	}
	return []Rule{
		needs("small-groups", must("groups.classic.max-size.join", "A join beyond group.max.size is GROUP_MAX_SIZE_REACHED, and the members stay as they are.", "KIP-389", fullGroup)),
		needs("small-groups", must("groups.classic.max-size.leave", "A member that leaves makes room.", "KIP-389", func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			leader, follower := pair(c, a, b, g)
			leaveNow(b, leave(5, g, follower))
			third := newMember(b, g)
			joining := b.Send(join(9, g, third))
			c.AwaitGroup(g, "PreparingRebalance", 2)
			joinNow(a, join(9, g, leader))
			answer[*kmsg.JoinGroupResponse](joining)
		})),
		needs("auto-creation-off", must("metadata.auto-create-off", "Without automatic creation an unknown topic is unknown in every version, whatever the request allows.", "AutoTopicCreationManager", func(c *Conversation) {
			a := c.Conn("a")
			for v := range int16(14) {
				req := metadata(v, c.Name("nowhere"))
				req.AllowAutoTopicCreation = v != 5
				ask[*kmsg.MetadataResponse](a, req)
			}
		})),
		needs("auto-creation-off", must("produce.unknown-topic-without-auto-creation", "A batch for an unknown topic is UNKNOWN_TOPIC_OR_PARTITION and makes no topic.", "KafkaApis.handleProduceRequest", func(c *Conversation) {
			a, t := c.Conn("a"), Topic{Name: c.Name("nowhere")}
			put(a, t, 0, batchOf("v"))
			ask[*kmsg.MetadataResponse](a, metadata(9, t.Name))
		})),
		needs("deletion-off", must("topics.delete.disabled", "Where delete.topic.enable is false, no topic is deleted: TOPIC_DELETION_DISABLED, before v3 INVALID_REQUEST.", "ControllerApis.deleteTopics", func(c *Conversation) {
			a, t := c.Conn("a"), c.Topic("orders", 1)
			for v := int16(1); v <= 6; v++ {
				ask[*kmsg.DeleteTopicsResponse](a, deleteTopics(v, t.Name))
			}
			ask[*kmsg.DeleteTopicsResponse](a, deleteTopics(6, t.Name, c.Name("nowhere")))
			ask[*kmsg.MetadataResponse](a, metadata(9, t.Name))
		})),
		needs("three-partitions", must("topics.create.default-partitions", "A topic that is created with -1 partitions has num.partitions of them.", "KIP-464", func(c *Conversation) {
			req := createTopics(7, c.Name("orders"), -1, -1)
			c.Mine(req.Topics[0].Topic)
			ask[*kmsg.CreateTopicsResponse](c.Conn("a"), req)
		})),
		needs("small-metadata", must("offsets.commit.metadata-limit", "Metadata of a commit beyond offset.metadata.max.bytes is OFFSET_METADATA_TOO_LARGE; its length counts in characters, and others in the request are committed.", "OffsetMetadataManager.validateOffsetMetadata", longMetadata)),
		needs("short-sessions", must("groups.classic.join.session-limits", "Session timeouts from the shortest to the longest that is allowed are taken, others are INVALID_SESSION_TIMEOUT.", "GroupMetadataManager.classicGroupJoin", func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			for _, ms := range []int32{-1, 0, 999, 1_000, 120_000, 120_001} {
				req := join(9, g, "")
				req.SessionTimeoutMillis = ms
				joinNow(a, req)
			}
		})),
		{
			ID: "groups.timers.short-session", Says: "A session as short as the broker allows ends when it says.", Source: "KIP-62",
			Severity: Timing, Timed: true, Profile: "short-sessions", Run: func(c *Conversation) {
				g, a := c.Group("readers"), c.Conn("a")
				req := join(9, g, "")
				req.SessionTimeoutMillis = 1_000
				req.MemberID = joinNow(a, req).MemberID
				m := joinNow(a, req).MemberID
				syncNow(a, sync(5, g, m, 1, m, "all"))
				beat(a, g, m, 1)
				c.Wait(3 * time.Second)
				beat(a, g, m, 1)
				described(a, g)
			},
		},
	}
}

func fullGroup(c *Conversation) {
	g, a, b, d := c.Group("readers"), c.Conn("a"), c.Conn("b"), c.Conn("d")
	leader, follower := pair(c, a, b, g)
	for v := range int16(10) {
		req := join(v, g, "")
		joinNow(d, req)
	}
	joinNow(d, join(9, g, "unknown"))
	beat(a, g, leader, 2)
	beat(b, g, follower, 2)
	described(a, g)
}

func longMetadata(c *Conversation) {
	g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 5)
	req := commit(9, g, t, 0, 1)
	parts := &req.Topics[0].Partitions
	for i, m := range []string{"", "12345678", "123456789", "ääääääää", strings.Repeat("x", 5_000)} {
		if i > 0 {
			*parts = append(*parts, (*parts)[0])
		}
		(*parts)[i].Partition, (*parts)[i].Metadata = int32(i), &m
	}
	commitNow(a, req)
	fetch := kmsg.NewPtrOffsetFetchRequest()
	fetch.Version, fetch.Group = 7, g
	ask[*kmsg.OffsetFetchResponse](a, fetch)
}
