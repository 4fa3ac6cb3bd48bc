package conformance

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const renewedSource = "KIP-516"

// renewedRules are about what a client meets that held on to a log: its topic was deleted
// and made again, or its records were deleted.
func renewedRules() []Rule {
	return []Rule{
		must("logs.renewed.fetch-by-id", "A fetch by the id of the topic that was deleted is UNKNOWN_TOPIC_ID, one by name or by the new id reads the new log.", renewedSource, func(c *Conversation) {
			old := filled(c, 1, "a", "b", "c")
			t := renewed(c, old)
			for _, v := range []int16{4, 12} {
				get(c.Conn("a"), fetch(v, t, 0, 0))
				get(c.Conn("a"), fetch(v, t, 0, 3))
			}
			for _, v := range []int16{13, 18} {
				get(c.Conn("a"), fetch(v, old, 0, 3))
				get(c.Conn("a"), fetch(v, t, 0, 3))
				get(c.Conn("a"), fetch(v, t, 0, 0))
			}
		}),
		must("logs.renewed.produce-by-id", "A batch for the id of the topic that was deleted is UNKNOWN_TOPIC_ID, one by name is in the new log.", renewedSource, func(c *Conversation) {
			old := filled(c, 1, "a", "b")
			t := renewed(c, old)
			ask[*kmsg.ProduceResponse](c.Conn("a"), produce(13, -1, old, 0, batchOf("c")))
			ask[*kmsg.ProduceResponse](c.Conn("a"), produce(12, -1, t, 0, batchOf("d")))
			ask[*kmsg.ProduceResponse](c.Conn("a"), produce(13, -1, t, 0, batchOf("e")))
			logEnds(c, t)
		}),
		must("logs.renewed.offsets", "A new topic has an empty log: no times, no epochs beyond its first.", renewedSource, func(c *Conversation) {
			t := renewed(c, filled(c, 1, "a", "b"))
			logEnds(c, t)
			listed(c, listOffsets(7, t.Name, 0, baseTime))
			for _, epoch := range []int32{-1, 0, 1} {
				ask[*kmsg.OffsetForLeaderEpochResponse](c.Conn("a"), epochEnd(4, t.Name, 0, -1, epoch))
			}
		}),
		must("logs.renewed.idempotent", "A new topic does not know the producers of its namesake: any sequence is taken.", renewedSource, func(c *Conversation) {
			id := until(c, initProducer(4), warm[*kmsg.InitProducerIDResponse]).ProducerID
			t := c.Topic("orders", 1)
			put(c.Conn("a"), t, 0, idempotent(id, 0, 0, "a"))
			put(c.Conn("a"), t, 0, idempotent(id, 0, 1, "b"))
			t = renewed(c, t)
			put(c.Conn("a"), t, 0, idempotent(id, 0, 1, "b"))
			put(c.Conn("a"), t, 0, idempotent(id, 0, 3, "d"))
		}),
		must("logs.renewed.diverging", "A reader that fetched from the deleted topic's log is told where the new one ends.", "KIP-595", func(c *Conversation) {
			t := renewed(c, filled(c, 1, "a", "b", "c"))
			put(c.Conn("a"), t, 0, batchOf("d"))
			req := fetch(12, t, 0, 3)
			req.Topics[0].Partitions[0].LastFetchedEpoch = 0
			get(c.Conn("a"), req)
			get(c.Conn("a"), fetch(12, t, 0, 3))
		}),
		must("logs.renewed.configs", "A new topic has none of the configs of its namesake.", renewedSource, func(c *Conversation) {
			old := c.Topic("orders", 1, "max.message.bytes", "100")
			put(c.Conn("a"), old, 0, batchOf(strings.Repeat("x", 100)))
			t := renewed(c, old)
			put(c.Conn("a"), t, 0, batchOf(strings.Repeat("x", 100)))
		}),
		must("logs.delete-records.in-segments", "DeleteRecords into a segment leaves what lies above, whichever segment it is in.", "KIP-107", func(c *Conversation) {
			t := c.Topic("orders", 1, "segment.ms", "1000")
			for i := range int64(3) {
				ask[*kmsg.ProduceResponse](c.setup, produce(12, -1, t, 0, valuesAt(baseTime+i*5000, "x", "y", "z")))
			}
			for _, before := range []int64{1, 3, 4, 2, 6, 9} {
				ask[*kmsg.DeleteRecordsResponse](c.Conn("a"), deleteRecords(2, t.Name, 0, before))
				logEnds(c, t)
				get(c.Conn("a"), fetch(12, t, 0, before))
				get(c.Conn("a"), fetch(12, t, 0, before-1))
			}
		}),
		must("logs.delete-records.times", "Records below the log start offset are not found by time, the newest of all still is.", "UnifiedLog.fetchOffsetByTimestamp", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for _, at := range []int64{5000, 1000, 3000} {
				ask[*kmsg.ProduceResponse](c.setup, produce(12, -1, t, 0, valuesAt(baseTime+at, "v")))
			}
			for _, before := range []int64{1, 2, 3} {
				ask[*kmsg.DeleteRecordsResponse](c.Conn("a"), deleteRecords(2, t.Name, 0, before))
				for _, at := range []int64{baseTime, baseTime + 2000, baseTime + 5000, -2, -3} {
					listed(c, listOffsets(7, t.Name, 0, at))
				}
			}
		}),
		must("logs.delete-records.epoch", "The epoch of what was deleted ends where the log does.", "LeaderEpochFileCache.endOffsetFor", func(c *Conversation) {
			t := filled(c, 1, "a", "b", "c")
			for _, before := range []int64{2, -1} {
				ask[*kmsg.DeleteRecordsResponse](c.Conn("a"), deleteRecords(2, t.Name, 0, before))
				for _, epoch := range []int32{0, 1} {
					ask[*kmsg.OffsetForLeaderEpochResponse](c.Conn("a"), epochEnd(4, t.Name, 0, -1, epoch))
				}
			}
		}),
		must("logs.delete-records.size-of-log", "The size of a log is that of its segments: DeleteRecords does not change it.", "UnifiedLog.size", func(c *Conversation) {
			t := filled(c, 1, "a", "b", "c")
			logSize(c, t)
			ask[*kmsg.DeleteRecordsResponse](c.Conn("a"), deleteRecords(2, t.Name, 0, -1))
			logSize(c, t)
		}),
		must("logs.rolls.too-small", "A batch that is larger than a segment is RECORD_LIST_TOO_LARGE.", "UnifiedLog.append", func(c *Conversation) {
			t := c.Topic("orders", 1, "segment.bytes", "1048576", "max.message.bytes", "2000000")
			for _, size := range []int{1048576 - 72, 1048576 - 71, 1_900_000} {
				put(c.Conn("a"), t, 0, batchOf(strings.Repeat("x", size)))
			}
			logEnds(c, t)
		}),
	}
}

// renewed deletes a topic and makes one of the same name.
func renewed(c *Conversation, t Topic) Topic {
	ask[*kmsg.DeleteTopicsResponse](c.setup, deleteTopics(5, t.Name))
	until(c, metadata(12, t.Name), func(resp *kmsg.MetadataResponse) bool { return isCold(resp) })
	made := until(c, createTopics(7, t.Name, 1, 1), func(resp *kmsg.CreateTopicsResponse) bool { return resp.Topics[0].ErrorCode == 0 })
	again := Topic{Name: t.Name, ID: made.Topics[0].TopicID}
	c.ready(t.Name, 1)
	return again
}
