package conformance

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const retentionSource = "UnifiedLog.deleteOldSegments"

// retentionRules let the target look for what has expired, which Kafka does every five
// minutes unless log.retention.check.interval.ms is short.
func retentionRules() []Rule {
	look := func(id, says string, run func(c *Conversation)) Rule {
		return Rule{ID: id, Says: says, Source: retentionSource, Timed: true, Profile: "short-log-retention", Run: run}
	}
	return []Rule{
		look("logs.retention.time", "Segments whose newest record is older than retention.ms are deleted, up to the first that is not.", func(c *Conversation) {
			now := time.Now().UnixMilli()
			t := retained(c, "3600000", now, "segment.ms", "1000")
			logEnds(c, t)
		}),
		look("logs.retention.time-in-segment", "A record that has expired stays as long as a newer one of its segment.", func(c *Conversation) {
			t := c.Topic("orders", 1, "retention.ms", "3600000", "segment.ms", "9223372036854775807")
			put(c.Conn("a"), t, 0, valuesAt(time.Now().UnixMilli(), "new"))
			put(c.Conn("a"), t, 0, valuesAt(baseTime, "old"))
			lookForExpired(c)
			logEnds(c, t)
			get(c.Conn("a"), fetch(12, t, 0, 0))
		}),
		look("logs.retention.time-blocked", "A segment behind one that has not expired stays, however old it is.", func(c *Conversation) {
			t := c.Topic("orders", 1, "retention.ms", "3600000", "segment.index.bytes", "24", "index.interval.bytes", "0")
			now := time.Now().UnixMilli()
			put(c.Conn("a"), t, 0, valuesAt(now, "new"))
			put(c.Conn("a"), t, 0, valuesAt(now, "new"))
			put(c.Conn("a"), t, 0, valuesAt(baseTime, "old"))
			lookForExpired(c)
			logEnds(c, t)
		}),
		look("logs.retention.active", "When all records of the active segment have expired it is deleted too; offsets go on where they were.", func(c *Conversation) {
			t := c.Topic("orders", 1, "retention.ms", "3600000")
			put(c.Conn("a"), t, 0, valuesAt(baseTime, "a", "b", "c"))
			awaitStart(c, t, 3)
			logEnds(c, t)
			put(c.Conn("a"), t, 0, valuesAt(time.Now().UnixMilli(), "d"))
			lookForExpired(c)
			logEnds(c, t)
			get(c.Conn("a"), fetch(12, t, 0, 3))
		}),
		look("logs.retention.fetch-below", "A fetch below the log start offset is OFFSET_OUT_OF_RANGE, one at it is not.", func(c *Conversation) {
			t := c.Topic("orders", 1, "retention.ms", "3600000")
			put(c.Conn("a"), t, 0, valuesAt(baseTime, "a", "b"))
			awaitStart(c, t, 2)
			for _, offset := range []int64{0, 1, 2, 3} {
				get(c.Conn("a"), fetch(12, t, 0, offset))
			}
		}),
		look("logs.retention.forever", "With retention.ms=-1 nothing expires.", func(c *Conversation) {
			t := c.Topic("orders", 1, "segment.ms", "1000")
			put(c.Conn("a"), t, 0, valuesAt(baseTime, "a"))
			put(c.Conn("a"), t, 0, valuesAt(baseTime+5000, "b"))
			lookForExpired(c)
			logEnds(c, t)
		}),
		look("logs.retention.no-time", "A segment of records without a time expires by when it was last written to.", func(c *Conversation) {
			t := c.Topic("orders", 1, "retention.ms", "3600000")
			u := c.Topic("bills", 1, "retention.ms", "1")
			for _, one := range []Topic{t, u} {
				put(c.Conn("a"), one, 0, valuesAt(-1, "a"))
			}
			awaitStart(c, u, 1)
			lookForExpired(c)
			logEnds(c, t)
			logEnds(c, u)
		}),
		look("logs.retention.size", "The oldest segments are deleted as long as retention.bytes are left without them.", func(c *Conversation) {
			t := sized(c, "150")
			lookForExpired(c)
			logEnds(c, t)
		}),
		look("logs.retention.size-exact", "As many bytes as retention.bytes may stay; one less lets another segment go.", func(c *Conversation) {
			for _, bytes := range []string{"138", "139", "137", "276", "277"} {
				c.Note("retention.bytes=%s", bytes)
				t := sized(c, bytes)
				lookForExpired(c)
				logEnds(c, t)
			}
		}),
		look("logs.retention.size-zero", "With retention.bytes=0 nothing stays, the active segment neither.", func(c *Conversation) {
			t := sized(c, "0")
			awaitStart(c, t, 4)
			logEnds(c, t)
		}),
		look("logs.retention.size-in-active", "The active segment stays, however large, unless nothing need stay.", func(c *Conversation) {
			t := c.Topic("orders", 1, "retention.bytes", "1")
			for range 3 {
				put(c.Conn("a"), t, 0, valuesAt(baseTime, "v"))
			}
			lookForExpired(c)
			logEnds(c, t)
		}),
		look("logs.retention.delete-records", "Segments that DeleteRecords has emptied are deleted, and with them the memory of their times.", func(c *Conversation) {
			t := c.Topic("orders", 1, "segment.ms", "1000")
			for _, at := range []int64{9000, 0, 20000, 15000} {
				put(c.Conn("a"), t, 0, valuesAt(baseTime+at, "v"))
			}
			ask[*kmsg.DeleteRecordsResponse](c.Conn("a"), deleteRecords(2, t.Name, 0, 3))
			lookForExpired(c)
			logEnds(c, t)
			for _, at := range []int64{0, 9000, 9001, 15000, 20000} {
				listed(c, listOffsets(7, t.Name, 0, baseTime+at))
			}
		}),
		look("logs.retention.compacted", "Without delete in cleanup.policy nothing expires.", func(c *Conversation) {
			t := c.Topic("orders", 1, "retention.ms", "1", "retention.bytes", "0", "cleanup.policy", "compact")
			put(c.Conn("a"), t, 0, keyedAt(baseTime, "k", "v"))
			lookForExpired(c)
			logEnds(c, t)
		}),
		look("logs.retention.altered", "An altered retention.ms counts for what is there.", func(c *Conversation) {
			t := c.Topic("orders", 1)
			put(c.Conn("a"), t, 0, valuesAt(baseTime, "a"))
			lookForExpired(c)
			logEnds(c, t)
			ask[*kmsg.IncrementalAlterConfigsResponse](c.setup, setConfigs(t, "retention.ms", "3600000"))
			awaitStart(c, t, 1)
			logEnds(c, t)
		}),
		look("logs.retention.log-append-time", "With LogAppendTime records expire by when they were appended.", func(c *Conversation) {
			t := c.Topic("orders", 1, "retention.ms", "3600000", "message.timestamp.type", "LogAppendTime")
			put(c.Conn("a"), t, 0, valuesAt(baseTime, "a"))
			lookForExpired(c)
			logEnds(c, t)
		}),
		look("logs.retention.size-of-log", "The size of a log is that of its segments, until they are deleted.", func(c *Conversation) {
			t := c.Topic("orders", 1, "segment.ms", "1000")
			for _, at := range []int64{0, 2000, 4000} {
				put(c.Conn("a"), t, 0, valuesAt(baseTime+at, "v"))
			}
			logSize(c, t)
			lookForExpired(c)
			ask[*kmsg.DeleteRecordsResponse](c.Conn("a"), deleteRecords(2, t.Name, 0, 3))
			lookForExpired(c)
			logSize(c, t)
		}),
		look("logs.retention.epoch", "Below the log start offset an epoch has no end of its own.", func(c *Conversation) {
			t := c.Topic("orders", 1, "retention.ms", "3600000")
			put(c.Conn("a"), t, 0, valuesAt(baseTime, "a", "b"))
			awaitStart(c, t, 2)
			for _, epoch := range []int32{-1, 0, 1} {
				ask[*kmsg.OffsetForLeaderEpochResponse](c.Conn("a"), epochEnd(4, t.Name, 0, -1, epoch))
			}
			req := fetch(12, t, 0, 1)
			req.Topics[0].Partitions[0].LastFetchedEpoch = 0
			get(c.Conn("a"), req)
			req.Topics[0].Partitions[0].FetchOffset = 2
			get(c.Conn("a"), req)
		}),
		look("logs.retention.idempotent", "A producer goes on with its sequence though all it wrote has expired, and what it repeats is still known.", func(c *Conversation) {
			t, a := c.Topic("orders", 1, "retention.ms", "3600000"), c.Conn("a")
			id := until(c, initProducer(4), warm[*kmsg.InitProducerIDResponse]).ProducerID
			old := func(sequence int32) []byte {
				b := newBatch()
				b.ProducerID, b.ProducerEpoch, b.FirstSequence = id, 0, sequence
				return seal(b, codecNone, values("v")...)
			}
			for i := range int32(2) {
				ask[*kmsg.ProduceResponse](c.setup, produce(12, -1, t, 0, old(i)))
			}
			awaitStart(c, t, 2)
			put(a, t, 0, old(1))
			put(a, t, 0, old(3))
			put(a, t, 0, old(2))
		}),
	}
}

// retained appends old, older and new records in segments of their own and lets them expire.
func retained(c *Conversation, ms string, now int64, configs ...string) Topic {
	t := c.Topic("orders", 1, append([]string{"retention.ms", ms}, configs...)...)
	for _, at := range []int64{baseTime, baseTime + 5000, baseTime + 10000, now} {
		ask[*kmsg.ProduceResponse](c.setup, produce(12, -1, t, 0, valuesAt(at, "v")))
	}
	awaitStart(c, t, 3)
	return t
}

// sized is a topic with four segments of one batch of 69 bytes each.
func sized(c *Conversation, bytes string) Topic {
	t := c.Topic("orders-"+bytes, 1, "retention.bytes", bytes, "segment.ms", "1000")
	for i := range int64(4) {
		ask[*kmsg.ProduceResponse](c.setup, produce(12, -1, t, 0, valuesAt(baseTime+i*5000, "v")))
	}
	return t
}

// keyedAt is one batch of one record with a key.
func keyedAt(ms int64, key, value string) []byte {
	b := newBatch()
	b.FirstTimestamp = ms
	r := values(value)
	r[0].Key = []byte(key)
	return seal(b, codecNone, r...)
}

// logEnds shows where a log begins and ends.
func logEnds(c *Conversation, t Topic) {
	for _, special := range []int64{-2, -1, -3} {
		listed(c, listOffsets(7, t.Name, 0, special))
	}
}

// logSize shows how many bytes are in a log.
func logSize(c *Conversation, t Topic) {
	req := kmsg.NewPtrDescribeLogDirsRequest()
	req.Version = 4
	req.Topics = []kmsg.DescribeLogDirsRequestTopic{{Topic: t.Name, Partitions: []int32{0}}}
	size := int64(-1)
	for _, d := range ask[*kmsg.DescribeLogDirsResponse](c.setup, req).Dirs {
		for _, dt := range d.Topics {
			size = dt.Partitions[0].Size
		}
	}
	c.say("%d bytes in %s", size, c.names.text(t.Name))
}

// looks is how often awaitStart asks: longer than a fresh Kafka waits before its first look.
const looks = 2000

// awaitStart waits, outside the transcript, until a log begins at an offset.
func awaitStart(c *Conversation, t Topic, offset int64) {
	_, ok := tried(c, looks, listOffsets(7, t.Name, 0, -2), func(resp *kmsg.ListOffsetsResponse) bool {
		return resp.Topics[0].Partitions[0].Offset >= offset
	})
	if !ok {
		c.say("%s does not begin at %d", c.names.text(t.Name), offset)
	}
}

// lookForExpired waits, outside the transcript, until the target has looked at every log:
// twice it has deleted what came after the look before.
func lookForExpired(c *Conversation) {
	if c.expires.Name == "" {
		c.expires = c.Topic("expires", 1, "retention.ms", "3600000")
	}
	t := c.expires
	for range 2 {
		resp := ask[*kmsg.ProduceResponse](c.setup, produce(12, -1, t, 0, valuesAt(baseTime, "v")))
		awaitStart(c, t, resp.Topics[0].Partitions[0].BaseOffset+1)
	}
}
