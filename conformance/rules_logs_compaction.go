package conformance

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const cleanerSource = "org.apache.kafka.storage.internals.log.Cleaner"

// compactionRules are about what is left of a log that is cleaned.
func compactionRules() []Rule {
	return []Rule{
		compaction("keys", "Of each key the last record is kept, in the segments below the active one.", cleanerSource, func(c *Conversation) {
			t := compacted(c)
			lay(c, t, step(0), "a=1", "b=1", "c=1")
			lay(c, t, step(1), "a=2", "d=1")
			lay(c, t, step(2), "b=2")
			lay(c, t, step(3), "e=1")
			clean(c, t)
			segmentEnds(c, t)
		}),
		compaction("active", "Records of the active segment stay, and what they say of a key does not count yet.", cleanerSource, func(c *Conversation) {
			t := compacted(c)
			lay(c, t, step(0), "a=1", "b=1")
			lay(c, t, step(1), "a=2")
			lay(c, t, step(1), "a=3", "b=2")
			clean(c, t)
			segmentEnds(c, t)
		}),
		compaction("again", "A later cleaning compares what is dirty with what is clean, and not what is clean with itself.", cleanerSource, func(c *Conversation) {
			t := compacted(c)
			for i, text := range []string{"a=1", "b=1", "a=2", "c=1"} {
				lay(c, t, step(int64(i)), text)
			}
			clean(c, t)
			lay(c, t, step(4), "b=2")
			lay(c, t, step(5), "c=2")
			lay(c, t, step(6), "d=1")
			clean(c, t)
			segmentEnds(c, t)
		}),
		compaction("gaps", "A fetch at an offset that is gone begins with the next batch that there is, in another segment if need be.", "LocalLog.read", func(c *Conversation) {
			t := compacted(c)
			for i, text := range []string{"a=1", "b=1", "a=2", "b=2", "c=1"} {
				lay(c, t, step(int64(i)), text)
			}
			clean(c, t)
			for offset := range int64(6) {
				get(c.Conn("a"), fetch(12, t, 0, offset))
			}
		}),
		compaction("batch-offsets", "A batch that has lost records keeps its base and last offset; a fetch in the middle of it gets all of it.", "MemoryRecords.filterTo", func(c *Conversation) {
			t := compacted(c)
			lay(c, t, step(0), "a=1", "b=1", "c=1", "d=1", "e=1")
			lay(c, t, step(1), "a=2", "c=2", "e=2")
			lay(c, t, step(2), "z=1")
			clean(c, t)
			for _, offset := range []int64{0, 2, 4, 5} {
				get(c.Conn("a"), fetch(12, t, 0, offset))
			}
		}),
		compaction("start", "The log start offset stays, whatever is cleaned away behind it, and so does the end.", "UnifiedLog.replaceSegments", func(c *Conversation) {
			t := compacted(c)
			for i, text := range []string{"a=1", "a=2", "a=3", "a=4"} {
				lay(c, t, step(int64(i)), text)
			}
			clean(c, t)
			logEnds(c, t)
			get(c.Conn("a"), fetch(12, t, 0, 0))
		}),
		compaction("codecs", "A compressed batch that loses records is compressed with its codec again.", "MemoryRecords.buildRetainedRecordsInto", func(c *Conversation) {
			t := compacted(c)
			for codec := int16(codecNone); codec <= codecZstd; codec++ {
				layBatch(c, t, pairsAt(step(0), codec, "a=1", "b=1", "k"+string(rune('0'+codec))+"=1"))
			}
			lay(c, t, step(1), "z=1")
			clean(c, t)
			segmentEnds(c, t)
		}),
		compaction("codecs-whole", "A compressed batch of which all records stay is not touched.", "MemoryRecords.filterTo", func(c *Conversation) {
			t := compacted(c)
			layBatch(c, t, pairsAt(step(0), codecGzip, "a=1", "b=1"))
			layBatch(c, t, pairsAt(step(0), codecLZ4, "c=1", "d=1"))
			lay(c, t, step(1), "z=1")
			clean(c, t)
			segmentEnds(c, t)
		}),
		compaction("times-of-batch", "A batch that has lost records has the times of those that are left.", "MemoryRecordsBuilder", func(c *Conversation) {
			t := compacted(c)
			b := newBatch()
			records := pairs("a=1", "b=1", "c=1", "d=1")
			for i, delta := range []int64{700, 100, 300, 900} {
				records[i].TimestampDelta64 = delta
			}
			layBatch(c, t, seal(b, codecNone, records...))
			lay(c, t, step(0), "a=2", "d=2")
			lay(c, t, step(1), "z=1")
			clean(c, t)
			segmentEnds(c, t)
		}),
		compaction("log-append-time", "With LogAppendTime a batch keeps the time of its append.", "MemoryRecordsBuilder", func(c *Conversation) {
			t := compacted(c, "message.timestamp.type", "LogAppendTime", "segment.ms", "1")
			lay(c, t, step(0), "a=1", "b=1", "c")
			c.pause(10 * time.Millisecond)
			lay(c, t, step(0), "a=2")
			c.pause(10 * time.Millisecond)
			lay(c, t, step(0), "z=1")
			clean(c, t)
			segmentEnds(c, t)
		}),
		compaction("headers", "Records keep their headers.", "MemoryRecordsBuilder", func(c *Conversation) {
			t := compacted(c)
			records := pairs("a=1", "b=1", "c=")
			for i := range records {
				records[i].Headers = []kmsg.Header{{Key: "h", Value: []byte("v")}, {Key: "", Value: nil}, {Key: "h", Value: []byte{}}}
			}
			layBatch(c, t, seal(newBatch(), codecNone, records...))
			lay(c, t, step(0), "a=2")
			lay(c, t, step(1), "z=1")
			clean(c, t)
			segmentEnds(c, t)
		}),
		compaction("empty-keys", "An empty key is a key, and an empty value is none of a tombstone.", cleanerSource, func(c *Conversation) {
			t := compacted(c, "delete.retention.ms", "0")
			lay(c, t, step(0), "=1", "a=", "b=1")
			lay(c, t, step(1), "=", "b=2")
			lay(c, t, step(2), "z=1")
			clean(c, t)
			lay(c, t, step(3), "y=1")
			clean(c, t)
			segmentEnds(c, t)
		}),
		compaction("keyless", "Records without a key, which came before the topic was compacted, go, and so do batches that have no other.", "Cleaner.shouldRetainRecord", func(c *Conversation) {
			t := c.Topic("orders", 1, "segment.ms", "1000", "min.cleanable.dirty.ratio", "0")
			layBatch(c, t, valuesAt(step(0), "v", "w"))
			layBatch(c, t, pairsAt(step(1), codecNone, "a=1"))
			layBatch(c, t, valuesAt(step(2), "x", "y"))
			layBatch(c, t, valuesAt(step(3), "z"))
			alterNow(c, t, "cleanup.policy", "compact")
			lookForDirty(c)
			segmentEnds(c, t)
		}),
		compaction("last-batch", "Where nothing is left at the end of what was cleaned, a fetch goes on with what follows.", "Cleaner.cleanInto", func(c *Conversation) {
			t := c.Topic("orders", 1, "segment.ms", "1000", "min.cleanable.dirty.ratio", "0")
			layBatch(c, t, pairsAt(step(0), codecNone, "a=1"))
			layBatch(c, t, valuesAt(step(1), "x", "y"))
			layBatch(c, t, pairsAt(step(2), codecNone, "b=1"))
			alterNow(c, t, "cleanup.policy", "compact")
			lookForDirty(c)
			segmentEnds(c, t)
			lay(c, t, step(3), "c=1")
			lookForDirty(c)
			segmentEnds(c, t)
		}),
		compaction("policy-off", "When compact is taken from cleanup.policy nothing more is compacted.", "LogCleanerManager.grabFilthiestCompactedLog", func(c *Conversation) {
			t := compacted(c, "min.cleanable.dirty.ratio", "0.0")
			alterNow(c, t, "cleanup.policy", "delete")
			for i, text := range []string{"a=1", "a=2", "a=3"} {
				lay(c, t, step(int64(i)), text)
			}
			lookForDirty(c)
			segmentEnds(c, t)
			alterNow(c, t, "cleanup.policy", "compact")
			lookForDirty(c)
			segmentEnds(c, t)
		}),
		compaction("unreadable", "A log with a compressed batch in which a record has not the size that stands before it is never cleaned.", "LogCleanerManager.markPartitionUncleanable", func(c *Conversation) {
			t := compacted(c)
			layBatch(c, t, misfit("a=1"))
			for i, text := range []string{"a=2", "a=3", "b=1"} {
				lay(c, t, step(int64(i+1)), text)
			}
			clean(c, t)
			segmentEnds(c, t)
		}),
		compaction("merged", "Segments that have become small are made one: a fetch reads on over what was an end.", "Cleaner.groupSegmentsBySize", func(c *Conversation) {
			t := compacted(c)
			for i := range int64(6) {
				lay(c, t, step(i), string(rune('a'+i%4))+"=1")
			}
			segmentEnds(c, t)
			clean(c, t)
			segmentEnds(c, t)
		}),
		compaction("merged-size", "As many segments become one as segment.bytes allows, by what they were before.", "Cleaner.groupSegmentsBySize", func(c *Conversation) {
			t := compacted(c, "segment.bytes", "1048576")
			for i, size := range []int{400_000, 400_000, 400_000, 10, 700_000, 10} {
				b := newBatch()
				b.FirstTimestamp = step(int64(i))
				r := pairs("k=")
				r[0].Value = make([]byte, size)
				layBatch(c, t, seal(b, codecNone, r...))
				lay(c, t, step(int64(i)), string(rune('a'+i))+"=1")
			}
			clean(c, t)
			segmentEnds(c, t)
		}),
		compaction("size-of-log", "The size of a log is that of what is left.", "UnifiedLog.size", func(c *Conversation) {
			t := compacted(c)
			for i := range int64(6) {
				lay(c, t, step(i), "a=1", "b=1")
			}
			logSize(c, t)
			clean(c, t)
			logSize(c, t)
		}),
		compaction("epoch", "The end of an epoch does not depend on what is left, and no reader diverges for it.", "LeaderEpochFileCache.endOffsetFor", func(c *Conversation) {
			t := compacted(c)
			for i := range int64(4) {
				lay(c, t, step(i), "a=1")
			}
			clean(c, t)
			for _, epoch := range []int32{-1, 0, 1} {
				ask[*kmsg.OffsetForLeaderEpochResponse](c.Conn("a"), epochEnd(4, t.Name, 0, -1, epoch))
			}
			for _, offset := range []int64{1, 3, 5} {
				req := fetch(12, t, 0, offset)
				req.Topics[0].Partitions[0].LastFetchedEpoch = 0
				get(c.Conn("a"), req)
			}
		}),
		compaction("limits", "What is left is cut by the limits of a fetch as ever: the first batch comes whole.", "LogSegment.read", func(c *Conversation) {
			t := compacted(c)
			for i, text := range []string{"a=1", "b=1", "a=2", "c=1", "z=1"} {
				lay(c, t, step(int64(i)), text)
			}
			clean(c, t)
			for _, limit := range []int32{1, 69, 70, 100, 139, 140} {
				req := fetch(12, t, 0, 0)
				req.MaxBytes = limit
				get(c.Conn("a"), req)
			}
		}),
	}
}

// misfit is a compressed batch of one record that claims to be larger than it is, which no
// broker looks at when the batch is produced.
func misfit(pair string) []byte {
	r := pairs(pair)[0]
	r.Length = int32(len(r.AppendTo(nil)))
	b := newBatch()
	b.Attributes, b.NumRecords, b.MaxTimestamp = codecGzip, 1, b.FirstTimestamp
	b.Records = compress(codecGzip, r.AppendTo(nil))
	return reseal(b.AppendTo(nil))
}
