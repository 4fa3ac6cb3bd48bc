package conformance

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const cleanableSource = "org.apache.kafka.storage.internals.log.LogCleanerManager"

// compactionTimeRules are about when a log is cleaned, and what is left by time.
func compactionTimeRules() []Rule {
	return []Rule{
		compaction("tombstones", "A tombstone stays after the cleaning; its batch gets delete.retention.ms from then as a delete horizon, by which its times count.", "KIP-534", func(c *Conversation) {
			t := compacted(c)
			lay(c, t, step(0), "a=1", "b=1")
			lay(c, t, step(1), "a", "c=1")
			lay(c, t, step(2), "z=1")
			clean(c, t)
			segmentEnds(c, t)
		}),
		compaction("tombstones-codecs", "The same in a compressed batch.", "KIP-534", func(c *Conversation) {
			t := compacted(c)
			for codec := int16(codecGzip); codec <= codecZstd; codec++ {
				layBatch(c, t, pairsAt(step(0), codec, "a=1", "k"+string(rune('0'+codec))))
			}
			lay(c, t, step(1), "z=1")
			clean(c, t)
			segmentEnds(c, t)
		}),
		compaction("tombstones-expire", "A tombstone goes with the first cleaning behind its horizon.", "Cleaner.shouldRetainRecord", func(c *Conversation) {
			t := compacted(c, "delete.retention.ms", "0")
			lay(c, t, step(0), "a", "b=1")
			lay(c, t, step(1), "z=1")
			clean(c, t)
			segmentEnds(c, t)
			lay(c, t, step(2), "y=1")
			clean(c, t)
			segmentEnds(c, t)
		}),
		compaction("tombstones-replaced", "A tombstone whose key comes again goes at once.", "Cleaner.shouldRetainRecord", func(c *Conversation) {
			t := compacted(c)
			lay(c, t, step(0), "a", "b", "c=1")
			lay(c, t, step(1), "a=1", "b")
			lay(c, t, step(2), "z=1")
			clean(c, t)
			segmentEnds(c, t)
		}),
		compaction("horizon-stays", "A horizon stays as it was set, whatever delete.retention.ms is later.", "MemoryRecords.filterTo", func(c *Conversation) {
			t := compacted(c)
			lay(c, t, step(0), "a", "b", "c=1")
			lay(c, t, step(1), "z=1")
			clean(c, t)
			alterNow(c, t, "delete.retention.ms", "0")
			lay(c, t, step(2), "c=2")
			lay(c, t, step(3), "d")
			lay(c, t, step(4), "y=1")
			clean(c, t)
			segmentEnds(c, t)
		}),
		compaction("ratio", "A log is cleaned when more than min.cleanable.dirty.ratio of it is dirty.", cleanableSource, func(c *Conversation) {
			t := compacted(c)
			for i, text := range []string{"a=1", "b=1", "c=1"} {
				lay(c, t, step(int64(i)), text)
			}
			cleanBy(c, t, "0.5") // two segments are clean now
			lay(c, t, step(3), "a=2")
			lay(c, t, step(4), "b=2")
			cleanBy(c, t, "0.5") // two are dirty: half of them
			segmentEnds(c, t)
			cleanBy(c, t, "0.49")
			segmentEnds(c, t)
		}),
		compaction("ratio-whole", "With a ratio of 1 nothing is ever dirty enough.", cleanableSource, func(c *Conversation) {
			t := compacted(c)
			for i, text := range []string{"a=1", "a=2", "a=3"} {
				lay(c, t, step(int64(i)), text)
			}
			lookForDirty(c)
			segmentEnds(c, t)
			cleanBy(c, t, "0.99")
			segmentEnds(c, t)
		}),
		compaction("max-lag", "A segment that has been dirty for max.compaction.lag.ms is cleaned, however little that is; one that is younger waits.", "KIP-354", func(c *Conversation) {
			t := compacted(c)
			now := time.Now().UnixMilli()
			lay(c, t, now-7200_000, "a=1", "b=1")
			lay(c, t, now-7190_000, "a=2")
			lay(c, t, now, "z=1")
			for _, lag := range []string{"10800000", "3600000"} {
				alterNow(c, t, "max.compaction.lag.ms", lag)
				lookForDirty(c)
				segmentEnds(c, t)
			}
		}),
		compaction("max-lag-active", "The active segment waits, however old it is.", "KIP-354", func(c *Conversation) {
			t := compacted(c, "max.compaction.lag.ms", "3600000")
			lay(c, t, time.Now().UnixMilli()-7200_000, "a=1", "b=1", "a=2")
			lookForDirty(c)
			segmentEnds(c, t)
		}),
		must("logs.compaction.max-lag-rolls", "In a compacted topic a segment is left after max.compaction.lag.ms, if that is less than segment.ms.", "LogConfig.maxSegmentMs", func(c *Conversation) {
			now := time.Now().UnixMilli()
			for _, policy := range []string{"compact", "delete"} {
				t := c.Topic("orders-"+policy, 1, "cleanup.policy", policy, "max.compaction.lag.ms", "1000", "segment.ms", "5000", "min.cleanable.dirty.ratio", "1", "min.compaction.lag.ms", "0")
				for _, at := range []int64{0, 1000, 1001, 2001, 2002} {
					lay(c, t, now+at, string(rune('a'+at%10))+"=1")
				}
				segmentEnds(c, t)
			}
		}),
		compaction("min-lag", "What is younger than min.compaction.lag.ms stays, and so does all behind it.", cleanableSource, func(c *Conversation) {
			t := compacted(c, "min.compaction.lag.ms", "3600000")
			now := time.Now().UnixMilli()
			lay(c, t, now-7200_000, "a=1", "b=1")
			lay(c, t, now-7100_000, "a=2")
			lay(c, t, now-60_000, "b=2")
			lay(c, t, now-7000_000, "b=3")
			lay(c, t, now, "z=1")
			clean(c, t)
			segmentEnds(c, t)
		}),
		compaction("by-time", "A time is looked for in what is left.", "UnifiedLog.fetchOffsetByTimestamp", func(c *Conversation) {
			t := compacted(c)
			lay(c, t, step(0), "a=1", "b=1", "c=1")
			lay(c, t, step(1), "a=2")
			lay(c, t, step(2), "c=2", "d=1")
			lay(c, t, step(3), "z=1")
			clean(c, t)
			for _, at := range []int64{step(0), step(0) + 1, step(0) + 2, step(1), step(1) + 1, step(2), step(2) + 1, step(3), step(3) + 1} {
				listed(c, listOffsets(7, t.Name, 0, at))
			}
		}),
		compaction("max-timestamp", "The newest record is the newest of those that are left.", "UnifiedLog.fetchOffsetByTimestamp", func(c *Conversation) {
			t := compacted(c, "segment.ms", "3600000")
			lay(c, t, step(3), "a=1", "b=1")
			lay(c, t, step(2), "b=2", "c=1")
			lay(c, t, step(1), "a=2")
			alterNow(c, t, "segment.ms", "1")
			lay(c, t, step(4), "z=1")
			listed(c, listOffsets(7, t.Name, 0, -3))
			alterNow(c, t, "segment.ms", "3600000")
			clean(c, t)
			lay(c, t, step(1), "y=1")
			segmentEnds(c, t)
			listed(c, listOffsets(7, t.Name, 0, -3))
		}),
		compaction("and-deletion", "With compact and delete a log is compacted, and what has expired is deleted.", "LogCleaner.CleanerThread", func(c *Conversation) {
			t := compacted(c, "cleanup.policy", "compact,delete", "retention.ms", "7200000")
			now := time.Now().UnixMilli()
			lay(c, t, now-10_000_000, "a=1", "b=1")
			lay(c, t, now-60_000, "a=2", "c=1")
			lay(c, t, now-50_000, "c=2")
			lay(c, t, now, "z=1")
			awaitStart(c, t, 2)
			clean(c, t)
			segmentEnds(c, t)
			logEnds(c, t)
		}),
		compaction("deleted-records", "With compact and delete records can be deleted; what is above is compacted.", "LogCleanerManager.cleanableOffsets", func(c *Conversation) {
			t := compacted(c, "cleanup.policy", "compact,delete")
			lay(c, t, step(0), "a=1")
			lay(c, t, step(1), "a=2", "b=1", "c=1", "c=2")
			lay(c, t, step(2), "a=3")
			lay(c, t, step(3), "z=1")
			ask[*kmsg.DeleteRecordsResponse](c.Conn("a"), deleteRecords(2, t.Name, 0, 2))
			clean(c, t)
			logEnds(c, t)
			segmentEnds(c, t)
		}),
	}
}
