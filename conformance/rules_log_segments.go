package conformance

import "github.com/twmb/franz-go/pkg/kmsg"

const segmentSource = "org.apache.kafka.storage.internals.log.LogSegment.shouldRoll"

// segmentRules are on what a client sees of segments: a fetch ends with one.
func segmentRules() []Rule {
	return []Rule{
		must("logs.segments.time", "A new segment begins with the batch whose time is more than segment.ms after that of the segment's first, and a fetch ends with the segment.", segmentSource, func(c *Conversation) {
			t := c.Topic("orders", 1, "segment.ms", "10000", "retention.ms", "-1")
			for _, after := range []int64{0, 10_000, 10_001, 5, 20_001, 20_002, 20_000 + 10_002} {
				put(c.Conn("a"), t, 0, batchAt(after, "x"))
			}
			for _, offset := range []int64{0, 1, 2, 3, 4, 6} {
				get(c.Conn("a"), fetch(12, t, 0, offset))
			}
		}),
		must("logs.segments.first-batch", "It is the largest time of a segment's first batch that counts, and the largest of the batch that comes.", segmentSource, func(c *Conversation) {
			t := c.Topic("orders", 1, "segment.ms", "10000", "retention.ms", "-1")
			first := newBatch()
			records := values("a", "b")
			records[1].TimestampDelta64 = 9000
			put(c.Conn("a"), t, 0, seal(first, codecNone, records...))
			put(c.Conn("a"), t, 0, batchAt(19_000, "c"))
			records[1].TimestampDelta64 = 19_001
			put(c.Conn("a"), t, 0, seal(first, codecNone, records...))
			get(c.Conn("a"), fetch(12, t, 0, 0))
			get(c.Conn("a"), fetch(12, t, 0, 3))
		}),
		must("logs.segments.deleted-records", "Segments below the log start offset are gone, and the others are as they were.", segmentSource, func(c *Conversation) {
			t := c.Topic("orders", 1, "segment.ms", "10000", "retention.ms", "-1")
			for _, after := range []int64{0, 1, 10_001, 10_002, 30_000} {
				put(c.Conn("a"), t, 0, batchAt(after, "x"))
			}
			ask[*kmsg.DeleteRecordsResponse](c.Conn("a"), deleteRecords(2, t.Name, 0, 3))
			get(c.Conn("a"), fetch(12, t, 0, 3))
			get(c.Conn("a"), fetch(12, t, 0, 4))
			ask[*kmsg.DeleteRecordsResponse](c.Conn("a"), deleteRecords(2, t.Name, 0, 5))
			put(c.Conn("a"), t, 0, batchAt(30_001, "y"))
			put(c.Conn("a"), t, 0, batchAt(40_002, "z"))
			get(c.Conn("a"), fetch(12, t, 0, 5))
			get(c.Conn("a"), fetch(12, t, 0, 6))
		}),
	}
}

// batchAt is one batch whose record is as many milliseconds after the time that records
// of rules have.
func batchAt(afterMs int64, value string) []byte {
	b := newBatch()
	b.FirstTimestamp += afterMs
	return seal(b, codecNone, values(value)...)
}
