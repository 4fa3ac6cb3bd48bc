package conformance

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// consumerGroupRules are about consumer groups as a whole: their offsets, what is told of
// them, their topics, regular expressions and records.
func consumerGroupRules() []Rule {
	return []Rule{
		must("groups.consumer.commit.epochs", "A member commits with its epoch, or with a former one what it has had since then.", "KIP-1251, ConsumerGroup.validateOffsetCommit", func(c *Conversation) {
			g, t, a, b := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a"), c.Conn("b")
			pairUp(g, t, a, b)
			for _, member := range []string{"one", "two", "who", ""} {
				for _, epoch := range []int32{-1, 0, 1, 2, 3, 4} {
					memberCommit(a, g, member, epoch, t, 7)
				}
			}
		}),
		must("groups.consumer.commit.versions", "A member of the consumer protocol needs OffsetCommit v9 or later.", "ConsumerGroup.validateOffsetCommit", func(c *Conversation) {
			g, t, a := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a")
			consumerNow(a, enter(g, "one", t))
			for v := int16(2); v <= 10; v++ {
				req := commit(v, g, t, 0, int64(v))
				req.MemberID, req.Generation = "one", 2
				commitNow(a, req)
				req.Generation = 1
				commitNow(a, req)
			}
		}),
		must("groups.consumer.commit.revoking", "A member may commit what it is giving up.", "KIP-1251", func(c *Conversation) {
			g, t, a, b := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a"), c.Conn("b")
			consumerNow(a, enter(g, "one", t))
			consumerNow(b, enter(g, "two", t))
			consumerNow(a, consumerBeat(g, "one", 2))
			for p := range int32(2) {
				req := commit(9, g, t, p, 7)
				req.MemberID, req.Generation = "one", 2
				commitNow(a, req)
			}
			consumerNow(a, having(g, "one", 2, t, 0))
			for p := range int32(2) {
				req := commit(9, g, t, p, 8)
				req.MemberID, req.Generation = "one", 2
				commitNow(a, req)
			}
			both := commit(9, g, t, 0, 9)
			rp := kmsg.NewOffsetCommitRequestTopicPartition()
			rp.Partition, rp.Offset = 1, 9
			both.Topics[0].Partitions = append(both.Topics[0].Partitions, rp)
			both.MemberID, both.Generation = "one", 2
			commitNow(a, both)
		}),
		must("groups.consumer.commit.outsiders", "Who is no member commits to a consumer group only while it is empty.", "ConsumerGroup.validateOffsetCommit", func(c *Conversation) {
			g, t, a := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a")
			consumerNow(a, enter(g, "one", t))
			commitNow(a, commit(9, g, t, 0, 5))
			consumerNow(a, consumerBeat(g, "one", -1))
			commitNow(a, commit(9, g, t, 0, 5))
			commitNow(a, commit(8, g, t, 0, 5))
			memberCommit(a, g, "one", 2, t, 6)
			committedNow(a, committed(9, g, t, 0))
		}),
		must("groups.consumer.fetch.epochs", "Who names a member when it fetches offsets must name its epoch.", "ConsumerGroup.validateOffsetFetch", func(c *Conversation) {
			g, t, a := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a")
			consumerNow(a, enter(g, "one", t))
			memberCommit(a, g, "one", 2, t, 7)
			for _, epoch := range []int32{-1, 1, 2, 3} {
				fetchAs(a, g, t, "one", epoch)
				fetchAs(a, g, t, "who", epoch)
			}
			for _, epoch := range []int32{-1, 2} {
				req := committed(9, g, t)
				req.Groups[0].MemberEpoch = epoch
				committedNow(a, req)
			}
			committedNow(a, committed(8, g, t, 0))
		}),
		must("groups.consumer.delete", "A consumer group with members is not deleted, one without is, with its offsets.", "ConsumerGroup.validateDeleteGroup", func(c *Conversation) {
			g, t, a := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a")
			consumerNow(a, enter(g, "one", t))
			memberCommit(a, g, "one", 2, t, 7)
			ask[*kmsg.DeleteGroupsResponse](a, deleteGroups(2, g))
			consumerNow(a, consumerBeat(g, "one", -1))
			ask[*kmsg.DeleteGroupsResponse](a, deleteGroups(2, g))
			ask[*kmsg.DeleteGroupsResponse](a, deleteGroups(2, g))
			consumersDescribed(a, g)
			committedNow(a, committed(9, g, t, 0))
			consumerNow(a, enter(g, "one", t))
		}),
		must("groups.consumer.offset-delete", "Offsets of topics that members subscribe to stay, others can be deleted.", "KIP-496", func(c *Conversation) {
			g, t, u, a := c.Prompt("readers"), c.Topic("orders", 1), c.Topic("payments", 1), c.Conn("a")
			consumerNow(a, enter(g, "one", t))
			memberCommit(a, g, "one", 2, t, 7)
			memberCommit(a, g, "one", 2, u, 7)
			ask[*kmsg.OffsetDeleteResponse](a, offsetDelete(g, t.Name, 0))
			ask[*kmsg.OffsetDeleteResponse](a, offsetDelete(g, u.Name, 0))
			committedNow(a, committed(9, g, t))
		}),
		must("groups.consumer.list", "ListGroups tells the kind and the state of consumer groups, and filters by them in any case.", "KIP-848", func(c *Conversation) {
			g, h, t, a := c.Prompt("readers"), c.Prompt("writers"), c.Topic("orders", 2), c.Conn("a")
			consumerNow(a, enter(g, "one", t))
			single(a, h)
			for v := int16(0); v <= 5; v++ {
				req := kmsg.NewPtrListGroupsRequest()
				req.Version = v
				ask[*kmsg.ListGroupsResponse](a, req)
			}
			for _, filter := range [][2]string{{"Stable", ""}, {"stable", "CONSUMER"}, {"", "consumer"}, {"", "classic"}, {"Reconciling", ""}, {"Empty", "consumer"}, {"", "Share"}} {
				req := kmsg.NewPtrListGroupsRequest()
				req.Version = 5
				if filter[0] != "" {
					req.StatesFilter = []string{filter[0]}
				}
				if filter[1] != "" {
					req.TypesFilter = []string{filter[1]}
				}
				ask[*kmsg.ListGroupsResponse](a, req)
			}
		}),
		must("groups.consumer.describe.versions", "ConsumerGroupDescribe tells the kind of members since v1; a group that is none has an error and a text.", "KIP-848", func(c *Conversation) {
			g, h, t, a := c.Prompt("readers"), c.Prompt("writers"), c.Topic("orders", 2), c.Conn("a")
			consumerNow(a, enter(g, "one", t))
			single(a, h)
			for v := range int16(2) {
				req := describeConsumers(v, g, h, c.Name("nobody"), "")
				req.IncludeAuthorizedOperations = v == 1
				ask[*kmsg.ConsumerGroupDescribeResponse](a, req)
			}
		}),
		must("groups.consumer.describe.as-classic", "To DescribeGroups a consumer group is Dead, since v6 with an error and a text.", "KIP-1043", func(c *Conversation) {
			g, t, a := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a")
			consumerNow(a, enter(g, "one", t))
			for v := int16(0); v <= 6; v++ {
				ask[*kmsg.DescribeGroupsResponse](a, describe(v, g))
			}
		}),
		must("groups.consumer.describe.states", "A group is Empty, Assigning, Reconciling or Stable.", "KIP-848", func(c *Conversation) {
			g, t, a, b := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a"), c.Conn("b")
			consumerNow(a, enter(g, "one", t))
			consumersDescribed(a, g)
			consumerNow(b, enter(g, "two", t))
			consumersDescribed(a, g)
			consumerNow(a, having(g, "one", 2, t))
			consumerNow(b, consumerBeat(g, "two", 3))
			consumersDescribed(a, g)
			consumerNow(b, consumerBeat(g, "two", -1))
			consumersDescribed(a, g)
			consumerNow(a, consumerBeat(g, "one", -1))
			consumersDescribed(a, g)
		}),
		must("groups.consumer.topics.made", "A topic that is made after it was subscribed to is assigned at the next heartbeat.", "KIP-848", func(c *Conversation) {
			g, t, a := c.Prompt("readers"), c.Topic("orders", 1), c.Conn("a")
			req := enter(g, "one", t)
			req.SubscribedTopicNames = append(req.SubscribedTopicNames, c.Name("later"))
			consumerNow(a, req)
			u := c.Topic("later", 2)
			c.aware(g, []string{u.Name})
			consumerNow(a, consumerBeat(g, "one", 2))
			consumersDescribed(a, g)
		}),
		must("groups.consumer.topics.unrelated", "A topic that nobody subscribes to changes nothing.", "KIP-848", func(c *Conversation) {
			g, t, a := c.Prompt("readers"), c.Topic("orders", 1), c.Conn("a")
			consumerNow(a, enter(g, "one", t))
			c.aware(g, []string{c.Topic("payments", 1).Name})
			consumerNow(a, consumerBeat(g, "one", 2))
			consumersDescribed(a, g)
		}),
		must("groups.consumer.regex.invalid", "A regular expression that is none is INVALID_REGULAR_EXPRESSION, with RE2's text.", "KIP-848, RE2/J", func(c *Conversation) {
			g, a := c.Prompt("readers"), c.Conn("a")
			for _, regex := range []string{"(", ")", "[", "a**", "*", "a{2,1}", "a{1001}", `\`, `\8`, `(?=a)`, `(?<n>a)(?<n>b)`, `(?P<n>a`, `[b-a]`, `\pX`, `(?i`, "+a", `a\Q`, "x{2}{3}", "[[:foo:]]", "(?z)a"} {
				req := enter(g, "one")
				req.SubscribedTopicNames, req.SubscribedTopicRegex = nil, &regex
				consumerNow(a, req)
			}
		}),
		must("groups.consumer.regex.matches", "A regular expression means the topics whose whole names match.", "KIP-848", func(c *Conversation) {
			g, t, u, a := c.Prompt("readers"), c.Topic("orders", 2), c.Topic("orders-old", 1), c.Conn("a")
			c.aware(g, []string{t.Name, u.Name})
			matched(c, a, g, "one", "orders-[a-z0-9]{0}"+c.tag+"$", 1)
			consumersDescribed(a, g)
			matched(c, a, g, "one", "orders-.*"+c.tag, 2)
			consumersDescribed(a, g)
			matched(c, a, g, "one", "rders.*"+c.tag, 0)
		}),
		must("groups.consumer.stored", "Members, group epoch, target and current assignment are written, and taken back when the member leaves.", "GroupCoordinatorRecordHelpers", func(c *Conversation) {
			g, t, a, b := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a"), c.Conn("b")
			s := c.stored(g)
			req := enter(g, "one", t)
			req.RackID, req.InstanceID, req.ServerAssignor = kmsg.StringPtr("rack"), kmsg.StringPtr("i"), kmsg.StringPtr("range")
			consumerNow(a, req)
			s.show(5)
			consumerNow(b, enter(g, "two", t))
			s.show(6)
			consumerNow(a, staticConsumer(consumerBeat(g, "one", 2), "i"))
			consumerNow(a, having(g, "one", 2, t, 0))
			s.show(2)
			consumerNow(a, staticConsumer(consumerBeat(g, "one", -2), "i"))
			s.show(1)
			consumerNow(a, staticConsumer(enter(g, "three", t), "i"))
			s.show(7)
			consumerNow(b, consumerBeat(g, "two", -1))
			s.show(4)
			consumerNow(a, staticConsumer(consumerBeat(g, "three", -1), "i"))
			s.show(5)
			ask[*kmsg.DeleteGroupsResponse](a, deleteGroups(2, g))
			s.show(3)
		}),
		must("groups.consumer.stored.convert", "An upgrade writes the classic group's tombstone and the whole consumer group; a downgrade the other way round.", "GroupCoordinatorRecordHelpers", func(c *Conversation) {
			g, t, a, b := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a"), c.Conn("b")
			classicConsumer(a, g, t, 0, 1)
			s := c.stored(g)
			consumerNow(b, enter(g, "two", t))
			s.show(5)
			h := c.Prompt("writers")
			consumerNow(b, enter(h, "two", t))
			joinNow(a, classicJoin(9, h, "classic", t))
			s = c.stored(h)
			consumerNow(b, consumerBeat(h, "two", -1))
			s.show(10)
		}),
	}
}

// matched subscribes a member to a regular expression, and has it heartbeat until it has
// been looked at and it has so many topics; nothing of that is in the transcript.
func matched(c *Conversation, a *Conn, g, member, regex string, topics int) {
	c.names.know(regex, strings.ReplaceAll(regex, c.tag, "TAG"))
	req := enter(g, member)
	req.SubscribedTopicNames, req.SubscribedTopicRegex = nil, &regex
	ask[*kmsg.ConsumerGroupHeartbeatResponse](c.setup, req)
	req = enter(g, member)
	req.SubscribedTopicNames = nil
	req.SubscribedTopicRegex = &regex
	until(c, req, func(resp *kmsg.ConsumerGroupHeartbeatResponse) bool {
		return resp.Assignment != nil && len(resp.Assignment.Topics) == topics
	})
	c.say("%s stands for %d topics", c.names.text(regex), topics)
}
