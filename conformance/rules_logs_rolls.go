package conformance

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const rollSource = "LogSegment.shouldRoll"

// rollRules look at segments where a client sees them: a fetch ends with one.
func rollRules() []Rule {
	return []Rule{
		must("logs.rolls.time", "A segment is left when a batch is newer than its first one by more than segment.ms, not by as much.", rollSource, func(c *Conversation) {
			segmentsOf(c, c.Topic("orders", 1, "segment.ms", "1000"), baseTime, baseTime+1000, baseTime+1001, baseTime+2001, baseTime+2002)
		}),
		must("logs.rolls.time-back", "Older batches go to the segment that is there; its age counts from its first batch.", rollSource, func(c *Conversation) {
			segmentsOf(c, c.Topic("orders", 1, "segment.ms", "1000"), baseTime, baseTime-5000, baseTime+1000, baseTime-6000, baseTime+1001)
		}),
		must("logs.rolls.time-of-batch", "Of a batch its newest record counts.", rollSource, func(c *Conversation) {
			t, a := c.Topic("orders", 1, "segment.ms", "1000"), c.Conn("a")
			for range 2 {
				records := values("x", "y", "z")
				records[1].TimestampDelta64, records[2].TimestampDelta64 = 900, 0
				put(a, t, 0, seal(newBatch(), codecNone, records...))
			}
			b := newBatch()
			b.FirstTimestamp += 1900
			put(a, t, 0, seal(b, codecNone, values("w")...))
			b.FirstTimestamp++
			put(a, t, 0, seal(b, codecNone, values("v")...))
			segmentEnds(c, t)
		}),
		must("logs.rolls.size", "A batch that would make its segment larger than segment.bytes begins a new one.", rollSource, func(c *Conversation) {
			t, a := c.Topic("orders", 1, "segment.bytes", "1048576"), c.Conn("a")
			// The first two fill a segment to the byte.
			for _, size := range []int{500_000, 1048576 - 500_000 - 2*71, 10, 900_000, 200_000} {
				put(a, t, 0, batchOf(strings.Repeat("x", size)))
			}
			segmentEnds(c, t)
		}),
		must("logs.rolls.index", "A segment whose index is full is left: segment.index.bytes and index.interval.bytes count its batches.", rollSource, func(c *Conversation) {
			for _, limits := range [][]string{{"12", "0"}, {"23", "0"}, {"24", "0"}, {"36", "0"}, {"36", "100"}, {"48", "0"}, {"1000", "0"}} {
				c.Note("segment.index.bytes=%s index.interval.bytes=%s", limits[0], limits[1])
				t := c.Topic("orders-"+limits[0]+"-"+limits[1], 1, "segment.index.bytes", limits[0], "index.interval.bytes", limits[1])
				segmentsOf(c, t, baseTime, baseTime+1, baseTime+2, baseTime+3, baseTime+4, baseTime+5)
			}
		}),
		must("logs.rolls.index-of-old-records", "The time index has no entry for a batch that is not newer, so that it fills later than the offset index.", "TimeIndex.maybeAppend", func(c *Conversation) {
			for _, bytes := range []string{"24", "36", "48"} {
				c.Note("segment.index.bytes=%s", bytes)
				t := c.Topic("orders-"+bytes, 1, "segment.index.bytes", bytes, "index.interval.bytes", "0")
				segmentsOf(c, t, baseTime, baseTime, baseTime-1, baseTime, baseTime, baseTime, baseTime, baseTime)
			}
		}),
		must("logs.rolls.log-append-time", "With LogAppendTime the age of a segment counts from when it got its first batch.", rollSource, func(c *Conversation) {
			segmentsOf(c, c.Topic("orders", 1, "segment.ms", "3600000", "message.timestamp.type", "LogAppendTime"), baseTime, baseTime+7200_000, baseTime+14400_000)
		}),
		must("logs.rolls.no-time", "Batches without a time do not age a segment that has a time.", rollSource, func(c *Conversation) {
			segmentsOf(c, c.Topic("orders", 1, "segment.ms", "1000"), baseTime, -1, baseTime+1000, -1, baseTime+1001)
		}),
		must("logs.rolls.altered", "Altered limits count for the next batch.", "UnifiedLog.maybeRoll", func(c *Conversation) {
			t := c.Topic("orders", 1)
			segmentsOf(c, t, baseTime, baseTime+5000)
			ask[*kmsg.IncrementalAlterConfigsResponse](c.setup, setConfigs(t, "segment.ms", "1000"))
			awaitConfig(c, kmsg.ConfigResourceTypeTopic, t.Name, "segment.ms", "1000")
			segmentsOf(c, t, baseTime+5000, baseTime+5001)
		}),
		must("logs.rolls.delete-records", "DeleteRecords leaves segments as they are: what follows goes to the active one, though nothing of it is left.", "UnifiedLog.maybeIncrementLogStartOffset", func(c *Conversation) {
			t := c.Topic("orders", 1, "segment.ms", "1000")
			segmentsOf(c, t, baseTime, baseTime+2000)
			ask[*kmsg.DeleteRecordsResponse](c.Conn("a"), deleteRecords(2, t.Name, 0, -1))
			put(c.Conn("a"), t, 0, valuesAt(baseTime+3000, "v"))
			put(c.Conn("a"), t, 0, valuesAt(baseTime+3001, "v"))
			get(c.Conn("a"), fetch(12, t, 0, 2))
			get(c.Conn("a"), fetch(12, t, 0, 3))
			for _, at := range []int64{-1, -2, -3, baseTime, baseTime + 2000, baseTime + 2001} {
				listed(c, listOffsets(7, t.Name, 0, at))
			}
		}),
		must("logs.rolls.max-timestamp", "The newest record is looked for in all segments; of several the first is named.", "UnifiedLog.fetchOffsetByTimestamp", func(c *Conversation) {
			t := c.Topic("orders", 1, "segment.ms", "1000")
			segmentsOf(c, t, baseTime, baseTime+5000, baseTime+3000, baseTime+6001, baseTime+5000, baseTime+6001)
			listed(c, listOffsets(7, t.Name, 0, -3))
		}),
		must("logs.rolls.by-time", "A time is looked for in the first segment that is new enough, and only there.", "UnifiedLog.fetchOffsetByTimestamp", func(c *Conversation) {
			t := c.Topic("orders", 1, "segment.ms", "1000")
			segmentsOf(c, t, baseTime+900, baseTime, baseTime+2000, baseTime+1500, baseTime+4000)
			for _, at := range []int64{0, 1, 900, 901, 1500, 2000, 2001, 4000, 4001} {
				listed(c, listOffsets(7, t.Name, 0, baseTime+at))
			}
			ask[*kmsg.DeleteRecordsResponse](c.Conn("a"), deleteRecords(2, t.Name, 0, 1))
			for _, at := range []int64{0, 1, 900, 901, 2000} {
				listed(c, listOffsets(7, t.Name, 0, baseTime+at))
			}
		}),
		must("logs.rolls.fetch-across", "A fetch never goes beyond a segment, whatever room it has, and the next one begins with the next.", "LogSegment.read", func(c *Conversation) {
			t := c.Topic("orders", 2, "segment.ms", "1000")
			for p := range int32(2) {
				for _, at := range []int64{0, 1, 2000, 2001, 4000} {
					ask[*kmsg.ProduceResponse](c.setup, produce(12, -1, t, p, valuesAt(baseTime+at, "v")))
				}
			}
			for _, offset := range []int64{0, 1, 2, 3, 4, 5} {
				req := fetch(12, t, 0, offset)
				req.Topics[0].Partitions = append(req.Topics[0].Partitions, fetchPartition(1, offset))
				get(c.Conn("a"), req)
			}
		}),
	}
}

// segmentsOf appends a batch of one record for each time and shows where segments end.
func segmentsOf(c *Conversation, t Topic, times ...int64) {
	for _, at := range times {
		ask[*kmsg.ProduceResponse](c.setup, produce(12, -1, t, 0, valuesAt(at, "v")))
	}
	segmentEnds(c, t)
}

// segmentEnds reads a partition from its start to its end.
func segmentEnds(c *Conversation, t Topic) {
	start := ask[*kmsg.ListOffsetsResponse](c.setup, listOffsets(7, t.Name, 0, -2)).Topics[0].Partitions[0].Offset
	end := ask[*kmsg.ListOffsetsResponse](c.setup, listOffsets(7, t.Name, 0, -1)).Topics[0].Partitions[0].Offset
	for at := start; at < end; {
		req := fetch(12, t, 0, at)
		req.Topics[0].Partitions[0].PartitionMaxBytes = 50 << 20
		got := get(c.Conn("a"), req).Topics[0].Partitions[0].RecordBatches
		at = behind(got, at+1)
	}
}

// behind is the offset behind the batches in raw, at least least.
func behind(raw []byte, least int64) int64 {
	for len(raw) >= batchHeadSize {
		var b kmsg.RecordBatch
		size := 0
		if err := b.ReadFrom(raw); err == nil {
			least = max(least, b.FirstOffset+int64(b.LastOffsetDelta)+1)
			size = int(b.Length) + 12
		}
		if size <= 0 || size > len(raw) {
			break
		}
		raw = raw[size:]
	}
	return least
}

// valuesAt is one batch of records a millisecond apart, the first of the given time.
func valuesAt(ms int64, vs ...string) []byte {
	b := newBatch()
	b.FirstTimestamp = ms
	return seal(b, codecNone, values(vs...)...)
}

// setConfigs sets configs of a topic, given as names and values in turn.
func setConfigs(t Topic, configs ...string) *kmsg.IncrementalAlterConfigsRequest {
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	req.Version = 1
	rr := kmsg.NewIncrementalAlterConfigsRequestResource()
	rr.ResourceType, rr.ResourceName = kmsg.ConfigResourceTypeTopic, t.Name
	for i := 0; i < len(configs); i += 2 {
		rc := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		rc.Name, rc.Value = configs[i], &configs[i+1]
		rr.Configs = append(rr.Configs, rc)
	}
	req.Resources = append(req.Resources, rr)
	return req
}
