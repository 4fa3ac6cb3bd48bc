package conformance

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const sharePartitionSource = "KIP-932, SharePartition"

// workedOn is a topic of one partition with a batch for each argument, in which values are
// parted by blanks, and a share group that reads it.
func workedOn(c *Conversation, batches ...string) (Topic, string) {
	return configured(c, nil, batches...)
}

// configured is workedOn with configs of the group, names and values in turn.
func configured(c *Conversation, configs []string, batches ...string) (Topic, string) {
	t := c.Topic("orders", 1)
	g := c.Sharing("workers", []Topic{t}, configs...)
	c.warm(g, t, 0)
	for _, b := range batches {
		ask[*kmsg.ProduceResponse](c.setup, produce(12, -1, t, 0, batchOf(strings.Fields(b)...)))
	}
	return t, g
}

func shareFetchRules() []Rule {
	return []Rule{
		must("share.fetch.acquire", "Records are acquired by the member that reads them, with a delivery count of 1, and by nobody else.", sharePartitionSource, func(c *Conversation) {
			t, g := workedOn(c, "a b c")
			for _, v := range []int16{1, 2} {
				acquire(c.Conn("a"), brief(shareOpen(v, g, "a", t, 0)))
			}
			acquire(c.Conn("b"), brief(shareOpen(2, g, "b", t, 0)))
		}),
		must("share.fetch.empty", "A session is told at its beginning of partitions without records, and later not.", "KIP-932, ShareSessionContext", func(c *Conversation) {
			t, g := workedOn(c)
			acquire(c.Conn("a"), brief(shareOpen(2, g, "a", t, 0)))
			acquire(c.Conn("a"), brief(shareNext(2, g, "a", 1)))
			acquire(c.Conn("a"), brief(shareNext(2, g, "a", 2)))
		}),
		must("share.fetch.waits", "A share fetch waits until a record comes.", "KIP-932, DelayedShareFetch", func(c *Conversation) {
			t, g := workedOn(c)
			acquire(c.Conn("a"), brief(shareOpen(2, g, "a", t, 0)))
			waiting := c.Conn("a").Send(shareNext(2, g, "a", 1))
			put(c.Conn("b"), t, 0, batchOf("a"))
			answer[*kmsg.ShareFetchResponse](waiting)
		}),
		must("share.fetch.batches", "Batches of the log are acquired as one range up to the batch size.", sharePartitionSource, func(c *Conversation) {
			t, g := workedOn(c, "a b", "c d", "e f", "g")
			req := shareOpen(2, g, "a", t, 0)
			req.BatchSize = 3
			acquire(c.Conn("a"), req)
		}),
		must("share.fetch.batch-size-1", "With a batch size of 1 each batch of the log is a range.", sharePartitionSource, func(c *Conversation) {
			t, g := workedOn(c, "a b", "c", "e f g", "h")
			req := shareOpen(2, g, "a", t, 0)
			req.BatchSize = 1
			acquire(c.Conn("a"), req)
		}),
		must("share.fetch.max-records", "As many batches are acquired as it takes for the maximum of records.", sharePartitionSource, func(c *Conversation) {
			t, g := workedOn(c, "a b c", "d e", "f")
			req := shareOpen(2, g, "a", t, 0)
			req.MaxRecords = 4
			acquire(c.Conn("a"), req)
			req = shareNext(2, g, "a", 1)
			req.MaxRecords = 1
			acquire(c.Conn("a"), req)
		}),
		must("share.fetch.max-records-0", "With a maximum of 0 records nothing is acquired, at once.", sharePartitionSource, func(c *Conversation) {
			t, g := workedOn(c, "a b c")
			req := shareOpen(2, g, "a", t, 0)
			req.MaxRecords = 0
			acquire(c.Conn("a"), req)
			req = shareNext(2, g, "a", 1)
			req.MaxBytes = 0
			acquire(c.Conn("a"), req)
			acquire(c.Conn("a"), shareNext(2, g, "a", 2))
		}),
		must("share.fetch.record-limit", "In the record limit mode no more than the maximum is acquired, even of one batch.", "KIP-1206", func(c *Conversation) {
			t, g := workedOn(c, "a b c d e", "f g")
			for i, n := range []int32{2, 2, 500} {
				req := shareNext(2, g, "a", int32(i))
				if i == 0 {
					req = shareOpen(2, g, "a", t, 0)
				}
				req.MaxRecords, req.ShareAcquireMode = n, 1
				acquire(c.Conn("a"), req)
			}
		}),
		must("share.fetch.record-limit-again", "In the record limit mode records that were given back are acquired up to the maximum.", "KIP-1206", func(c *Conversation) {
			t, g := workedOn(c, "a b c d e")
			acquire(c.Conn("a"), shareOpen(2, g, "a", t, 0))
			acked(c.Conn("a"), shareAck(2, g, "a", 1, t, 0, 0, 4, ackRelease))
			req := shareNext(2, g, "a", 2)
			req.MaxRecords, req.ShareAcquireMode = 2, 1
			acquire(c.Conn("a"), req)
			acquire(c.Conn("a"), shareNext(2, g, "a", 3))
		}),
		must("share.fetch.unknown-mode", "An acquire mode that there is not is UNKNOWN_SERVER_ERROR.", "ShareAcquireMode.forId", func(c *Conversation) {
			t, g := workedOn(c, "a")
			req := shareOpen(2, g, "a", t, 0)
			req.ShareAcquireMode = 2
			acquire(c.Conn("a"), req)
			acquire(c.Conn("a"), shareNext(2, g, "a", 1))
		}),
		must("share.fetch.latest", "By default a share group begins with what comes after its first fetch.", "KIP-932, ShareGroupAutoOffsetResetStrategy", func(c *Conversation) {
			t := c.Topic("orders", 1)
			put(c.Conn("b"), t, 0, batchOf("a", "b"))
			g := c.Sharing("workers", []Topic{t}, "share.auto.offset.reset", "latest")
			c.warm(g, t, 0)
			acquire(c.Conn("a"), brief(shareOpen(2, g, "a", t, 0)))
			put(c.Conn("b"), t, 0, batchOf("c"))
			acquire(c.Conn("a"), shareNext(2, g, "a", 1))
		}),
		must("share.fetch.by-duration", "A share group can begin with the records that are no older than a duration.", "KIP-932, ShareGroupAutoOffsetResetStrategy", func(c *Conversation) {
			t := c.Topic("orders", 1)
			put(c.Conn("b"), t, 0, batchOf("old"))
			put(c.Conn("b"), t, 0, idempotent(-1, -1, -1, "new"))
			g := c.Sharing("workers", []Topic{t}, "share.auto.offset.reset", "by_duration:PT1H")
			c.acquires(shareOpen(2, g, "a", t, 0))
		}),
		must("share.fetch.records-deleted", "What is deleted from the log before it was acquired is not delivered.", sharePartitionSource, func(c *Conversation) {
			t, g := workedOn(c, "a b", "c d", "e")
			ask[*kmsg.DeleteRecordsResponse](c.setup, deleteRecords(2, t.Name, 0, 3))
			acquire(c.Conn("a"), shareOpen(2, g, "a", t, 0))
		}),
		must("share.fetch.records-deleted-later", "What is deleted from the log while it is available is not delivered again.", sharePartitionSource, func(c *Conversation) {
			t, g := workedOn(c, "a b", "c d", "e")
			acquire(c.Conn("a"), shareOpen(2, g, "a", t, 0))
			acked(c.Conn("a"), shareAck(2, g, "a", 1, t, 0, 0, 4, ackRelease))
			ask[*kmsg.DeleteRecordsResponse](c.setup, deleteRecords(2, t.Name, 0, 3))
			acquire(c.Conn("a"), brief(shareNext(2, g, "a", 2)))
			acquire(c.Conn("a"), brief(shareNext(2, g, "a", 3)))
		}),
		must("share.fetch.max-locks", "No more records are in flight than share.partition.max.record.locks, but for the rest of a batch.", sharePartitionSource, func(c *Conversation) {
			forty := strings.Repeat("x ", 40)
			t, g := configured(c, []string{"share.partition.max.record.locks", "100"}, forty, forty, forty, forty)
			for i := range int32(2) {
				req := brief(shareNext(2, g, "a", i))
				if i == 0 {
					req = brief(shareOpen(2, g, "a", t, 0))
				}
				req.BatchSize = 1
				for _, rt := range acquire(c.setup, req).Topics {
					for _, p := range rt.Partitions {
						c.say("acquired %v", p.AcquiredRecords)
					}
				}
			}
			acked(c.Conn("a"), shareAck(2, g, "a", 2, t, 0, 0, 39, ackRelease))
			acquire(c.setup, brief(shareNext(2, g, "a", 3)))
			acked(c.Conn("a"), shareAck(2, g, "a", 4, t, 0, 0, 39, ackAccept))
		}),
		must("share.fetch.committed", "With share.isolation.level=read_committed records of aborted transactions are not delivered, nor those of open ones.", sharePartitionSource, func(c *Conversation) {
			t := c.Topic("orders", 1)
			ask[*kmsg.ProduceResponse](c.setup, produce(12, -1, t, 0, batchOf("a", "b")))
			p := c.Payer(c.Conn("p"), "payer")
			p.put(t, 0, 0, "aborted")
			p.end(5, false)
			ask[*kmsg.ProduceResponse](c.setup, produce(12, -1, t, 0, batchOf("c")))
			for _, level := range []string{"read_committed", "read_uncommitted"} {
				g := c.Sharing("workers of "+level, []Topic{t}, "share.isolation.level", level)
				c.acquires(shareOpen(2, g, "a", t, 0))
			}
		}),
		must("share.fetch.uninitialized", "A partition that the group has no state of cannot be read.", "ShareCoordinatorShard.maybeGetReadStateError", func(c *Conversation) {
			t := c.Topic("orders", 1)
			acquire(c.Conn("a"), brief(shareOpen(2, c.Group("workers"), "a", t, 0)))
		}),
		must("share.fetch.unknown", "Topics and partitions that there are not are told of.", "KafkaApis.handleShareFetchRequest", func(c *Conversation) {
			t, g := workedOn(c, "a")
			acquire(c.Conn("a"), brief(shareOpen(2, g, "a", Topic{ID: [16]byte{7}}, 0)))
			acquire(c.Conn("a"), brief(shareNext(2, g, "a", 1)))
			acquire(c.Conn("a"), brief(shareOpen(2, g, "a", t, 3)))
			acquire(c.Conn("a"), brief(shareNext(2, g, "a", 1)))
		}),
		must("share.fetch.two-partitions", "Of two partitions the maximum of records holds together.", sharePartitionSource, func(c *Conversation) {
			t := c.Topic("orders", 2)
			g := c.Sharing("workers", []Topic{t})
			c.warm(g, t, 0, 1)
			for p := range int32(2) {
				ask[*kmsg.ProduceResponse](c.setup, produce(12, -1, t, p, batchOf("a", "b")))
			}
			req := shareOpen(2, g, "a", t, 0, 1)
			req.MinBytes = 100
			acquire(c.Conn("a"), req)
		}),
	}
}

func shareSessionRules() []Rule {
	const source = "KIP-932, SharePartitionManager.newContext"
	return []Rule{
		must("share.session.no-session", "A share fetch or acknowledgement without a session is SHARE_SESSION_NOT_FOUND.", source, func(c *Conversation) {
			t, g := workedOn(c, "a")
			for _, epoch := range []int32{1, 7, -1, -2} {
				acquire(c.Conn("a"), shareNext(2, g, "a", epoch))
				acked(c.Conn("a"), shareAck(2, g, "a", epoch, t, 0, 0, 0, ackAccept))
			}
		}),
		must("share.session.wrong-epoch", "An epoch that is not the next is INVALID_SHARE_SESSION_EPOCH, and the session lives on.", source, func(c *Conversation) {
			t, g := workedOn(c, "a")
			acquire(c.Conn("a"), shareOpen(2, g, "a", t, 0))
			acquire(c.Conn("a"), brief(shareNext(2, g, "a", 2)))
			acked(c.Conn("a"), shareAck(2, g, "a", 5, t, 0, 0, 0, ackAccept))
			acked(c.Conn("a"), shareAck(2, g, "a", 1, t, 0, 0, 0, ackAccept))
			acked(c.Conn("a"), shareAck(2, g, "a", 1, t, 0, 0, 0, ackAccept))
			acquire(c.Conn("a"), brief(shareNext(2, g, "a", 2)))
		}),
		must("share.session.acknowledge-0", "An acknowledgement cannot begin a session.", source, func(c *Conversation) {
			t, g := workedOn(c, "a")
			acked(c.Conn("a"), shareAck(2, g, "a", 0, t, 0, 0, 0, ackAccept))
			acquire(c.Conn("a"), withAck(shareNext(2, g, "a", 0), t, 0, 0, 0, ackAccept))
		}),
		must("share.session.ids", "Group id and member id have to be there, and a member id is no longer than a UUID.", "KafkaApis.isMemberIdValid", func(c *Conversation) {
			t, g := workedOn(c, "a")
			for _, id := range []string{"", strings.Repeat("m", 37), strings.Repeat("m", 36)} {
				acquire(c.Conn("a"), shareOpen(2, g, id, t, 0))
				acked(c.Conn("a"), shareAck(2, g, id, 1, t, 0, 0, 0, ackAccept))
			}
			req := shareOpen(2, g, "a", t, 0)
			req.GroupID = nil
			acquire(c.Conn("a"), req)
			req = shareOpen(2, g, "a", t, 0)
			req.MemberID = nil
			acquire(c.Conn("a"), req)
		}),
		must("share.session.again", "Epoch 0 begins a session anew; what was acquired stays acquired.", source, func(c *Conversation) {
			t, g := workedOn(c, "a b")
			acquire(c.Conn("a"), shareOpen(2, g, "a", t, 0))
			acquire(c.Conn("a"), brief(shareOpen(2, g, "a", t, 0)))
			acked(c.Conn("a"), shareAck(2, g, "a", 1, t, 0, 0, 1, ackAccept))
		}),
		must("share.session.add", "Partitions are added to a session, and are told of once.", source, func(c *Conversation) {
			t := c.Topic("orders", 2)
			g := c.Sharing("workers", []Topic{t})
			c.warm(g, t, 0, 1)
			acquire(c.Conn("a"), brief(shareOpen(2, g, "a", t, 0)))
			req := brief(shareOpen(2, g, "a", t, 1))
			req.ShareSessionEpoch = 1
			acquire(c.Conn("a"), req)
			acquire(c.Conn("a"), brief(shareNext(2, g, "a", 2)))
		}),
		must("share.session.forget", "A forgotten partition is read no more; what was acquired of it can be acknowledged.", source, func(c *Conversation) {
			t, g := workedOn(c, "a", "b")
			req := shareOpen(2, g, "a", t, 0)
			req.MaxRecords = 1
			acquire(c.Conn("a"), req)
			req = brief(shareNext(2, g, "a", 1))
			req.ForgottenTopicsData = []kmsg.ShareFetchRequestForgottenTopicsData{{TopicID: t.ID, Partitions: []int32{0, 5}}}
			acquire(c.Conn("a"), req)
			acked(c.Conn("a"), shareAck(2, g, "a", 2, t, 0, 0, 0, ackAccept))
			acquire(c.Conn("a"), brief(shareNext(2, g, "a", 3)))
		}),
		must("share.session.close", "The final epoch ends the session and gives back what the member has acquired.", source, func(c *Conversation) {
			t, g := workedOn(c, "a b")
			acquire(c.Conn("a"), shareOpen(2, g, "a", t, 0))
			acquire(c.Conn("a"), shareNext(2, g, "a", -1))
			acquire(c.Conn("a"), shareNext(2, g, "a", 1))
			acquire(c.Conn("b"), shareOpen(2, g, "b", t, 0))
		}),
		must("share.session.close-acknowledged", "The final epoch of an acknowledgement does the same, after what it says.", source, func(c *Conversation) {
			t, g := workedOn(c, "a b c")
			acquire(c.Conn("a"), shareOpen(2, g, "a", t, 0))
			acked(c.Conn("a"), shareAck(2, g, "a", -1, t, 0, 0, 0, ackAccept))
			acked(c.Conn("a"), shareAck(2, g, "a", 1, t, 0, 0, 0, ackAccept))
			acquire(c.Conn("b"), shareOpen(2, g, "b", t, 0))
		}),
		must("share.session.disconnect", "When its connection ends, so does a session, and what the member has acquired is given back.", "ShareSessionCache", func(c *Conversation) {
			t, g := workedOn(c, "a b")
			acquire(c.Conn("b"), shareOpen(2, g, "b", t))
			acquire(c.Conn("a"), shareOpen(2, g, "a", t, 0))
			c.Conn("a").Close()
			req := shareOpen(2, g, "b", t, 0)
			acquire(c.Conn("b"), req)
			acquire(c.Conn("b"), shareNext(2, g, "a", 1))
		}),
		must("share.session.twice-in-one-request", "A partition that is named twice at the beginning of a session is UNKNOWN_SERVER_ERROR.", source, func(c *Conversation) {
			t, g := workedOn(c, "a b")
			acquire(c.Conn("a"), shareOpen(2, g, "a", t, 0, 0))
			acquire(c.Conn("a"), brief(shareNext(2, g, "a", 1)))
		}),
	}
}
