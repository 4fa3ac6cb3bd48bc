package conformance

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const largeSource = "CoordinatorRuntime.append, RecordTooLargeException"

// tooLarge is more than a batch of __consumer_offsets may have
// (message.max.bytes, 1048588 bytes).
const tooLarge = 1_100_000

// largeGroupRules: what a group has to write down in one batch must fit one.
func largeGroupRules() []Rule {
	return []Rule{
		must("groups.classic.sync.too-large", "An assignment that does not fit a batch is refused, and the group rebalances.", largeSource, func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			m := newMember(a, g)
			joinNow(a, join(9, g, m))
			syncNow(a, sync(5, g, m, 1, m, strings.Repeat("x", tooLarge)))
			c.AwaitGroup(g, "PreparingRebalance", 1)
			beat(a, g, m, 1)
			joinNow(a, join(9, g, m))
			syncNow(a, sync(5, g, m, 2, m, "all"))
		}),
		must("groups.classic.static.replace-too-large", "A static member that comes back with metadata too large for a batch is refused, and the earlier one stays.", largeSource, func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			m := joinNow(a, static(join(9, g, ""), "one")).MemberID
			s := sync(5, g, m, 1, m, "all")
			s.InstanceID = kmsg.StringPtr("one")
			syncNow(a, s)
			req := static(join(9, g, ""), "one")
			req.Protocols[0].Metadata = make([]byte, tooLarge)
			req.SessionTimeoutMillis = 50_000
			joinNow(b, req)
			instanceBeat(a, g, m, "one", 1)
			described(a, g)
			joinNow(b, static(join(9, g, ""), "one"))
		}),
		must("offsets.commit.too-large", "A commit that does not fit a batch is UNKNOWN_SERVER_ERROR for every partition, and nothing is committed.", largeSource, func(c *Conversation) {
			g, a, t := longGroup(c), c.Conn("a"), c.Topic("orders", 36)
			commitNow(a, manyOffsets(g, t, 0, 36))
			committedNow(a, committed(8, g, t, 0))
			commitNow(a, manyOffsets(g, t, 0, 32))
			committedNow(a, committed(8, g, t, 0, 31))
		}),
		must("groups.delete.too-large", "A group with more offsets than fit a batch of tombstones cannot be deleted.", largeSource, func(c *Conversation) {
			g, a, t := longGroup(c), c.Conn("a"), c.Topic("orders", 36)
			commitNow(a, manyOffsets(g, t, 0, 18))
			commitNow(a, manyOffsets(g, t, 18, 36))
			ask[*kmsg.DeleteGroupsResponse](a, deleteGroups(2, g))
			committedNow(a, committed(8, g, t, 0, 35))
			ask[*kmsg.OffsetDeleteResponse](a, deletedOffsets(g, t, 0, 36))
			committedNow(a, committed(8, g, t, 0, 35))
			ask[*kmsg.OffsetDeleteResponse](a, deletedOffsets(g, t, 0, 9))
			ask[*kmsg.DeleteGroupsResponse](a, deleteGroups(2, g))
		}),
	}
}

// longGroup is a group whose id is so long that some thirty offsets fill a batch.
func longGroup(c *Conversation) string {
	g := c.Name("readers") + strings.Repeat("-", 32_000)
	c.names.know(g, "readers-of-a-long-name")
	c.awaitCoordinator(g)
	return g
}

func deletedOffsets(group string, t Topic, from, to int32) *kmsg.OffsetDeleteRequest {
	req := offsetDelete(group, t.Name)
	for p := from; p < to; p++ {
		rp := kmsg.NewOffsetDeleteRequestTopicPartition()
		rp.Partition = p
		req.Topics[0].Partitions = append(req.Topics[0].Partitions, rp)
	}
	return req
}

// manyOffsets commits offset 1 of the partitions from one to another.
func manyOffsets(group string, t Topic, from, to int32) *kmsg.OffsetCommitRequest {
	req := commit(9, group, t, from, 1)
	one := req.Topics[0].Partitions[0]
	for p := from + 1; p < to; p++ {
		one.Partition = p
		req.Topics[0].Partitions = append(req.Topics[0].Partitions, one)
	}
	return req
}
