package conformance

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

func logOffsetRules() []Rule {
	return []Rule{
		must("listoffsets.every-version", "Every version answers the end and the start of a log.", "ListOffsetsRequest", func(c *Conversation) {
			t := filled(c, 1, "a", "b", "c")
			for v := int16(1); v <= 11; v++ {
				for _, special := range []int64{-1, -2} {
					listed(c, listOffsets(v, t.Name, 0, special))
				}
			}
		}),
		must("listoffsets.special", "Special timestamps: latest, earliest, maximum, local earliest, tiered, and those that do not exist.", "KIP-734, KIP-405, KIP-1005, KIP-1023", func(c *Conversation) {
			t := filled(c, 1, "a", "b", "c")
			for _, v := range []int16{1, 7, 8, 9, 11} {
				for special := int64(-1); special >= -8; special-- {
					listed(c, listOffsets(v, t.Name, 0, special))
				}
			}
		}),
		must("listoffsets.special-empty", "Special timestamps of an empty partition.", "KIP-734", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for special := int64(-1); special >= -5; special-- {
				listed(c, listOffsets(9, t.Name, 0, special))
			}
			listed(c, listOffsets(9, t.Name, 0, 0))
		}),
		must("listoffsets.by-time", "A timestamp finds the first record that is not older, wherever it lies in a batch.", "KIP-79", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for i, vs := range [][]string{{"a", "b", "c"}, {"d"}, {"e", "f"}} {
				b := newBatch()
				b.FirstTimestamp = baseTime + int64(i)*100
				put(c.Conn("a"), t, 0, seal(b, codecNone, values(vs...)...))
			}
			for _, at := range []int64{0, baseTime - 1, baseTime, baseTime + 1, baseTime + 2, baseTime + 3, baseTime + 100, baseTime + 150, baseTime + 200, baseTime + 201, baseTime + 202, 4_000_000_000_000} {
				listed(c, listOffsets(7, t.Name, 0, at))
			}
		}),
		must("listoffsets.by-time-disordered", "Where timestamps go back, the first record that is not older is found, not the oldest.", "KIP-79", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for _, at := range []int64{300, 100, 200} {
				b := newBatch()
				b.FirstTimestamp = baseTime + at
				put(c.Conn("a"), t, 0, seal(b, codecNone, values("v")...))
			}
			for _, at := range []int64{50, 100, 150, 250, 300, 301} {
				listed(c, listOffsets(7, t.Name, 0, baseTime+at))
			}
			listed(c, listOffsets(7, t.Name, 0, -3))
		}),
		must("listoffsets.by-time-compressed", "A timestamp finds its record inside a compressed batch.", "KIP-79", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for _, codec := range []int16{codecGzip, codecSnappy, codecLZ4, codecZstd} {
				b := newBatch()
				b.FirstTimestamp = baseTime + int64(codec)*100
				put(c.Conn("a"), t, 0, seal(b, codec, values("a", "b", "c")...))
				listed(c, listOffsets(7, t.Name, 0, baseTime+int64(codec)*100+1))
			}
			listed(c, listOffsets(7, t.Name, 0, -3))
		}),
		must("listoffsets.max-timestamp-ties", "Of several records with the newest timestamp the first is named.", "KIP-734", func(c *Conversation) {
			t := c.Topic("orders", 1)
			records := values("a", "b", "c", "d")
			records[1].TimestampDelta64, records[2].TimestampDelta64, records[3].TimestampDelta64 = 9, 9, 1
			put(c.Conn("a"), t, 0, seal(newBatch(), codecNone, records...))
			put(c.Conn("a"), t, 0, seal(newBatch(), codecNone, records...))
			listed(c, listOffsets(7, t.Name, 0, -3))
		}),
		must("listoffsets.after-delete", "Deleted records are not found by time.", "KIP-107", func(c *Conversation) {
			t := filled(c, 1, "a", "b", "c")
			ask[*kmsg.DeleteRecordsResponse](c.Conn("a"), deleteRecords(2, t.Name, 0, 2))
			for _, at := range []int64{-1, -2, -3, baseTime, baseTime + 2} {
				listed(c, listOffsets(7, t.Name, 0, at))
			}
		}),
		must("listoffsets.unknown", "Unknown topics and partitions are UNKNOWN_TOPIC_OR_PARTITION.", "KafkaApis.handleListOffsetRequest", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for _, v := range []int16{1, 6, 11} {
				listed(c, listOffsets(v, c.Name("nowhere"), 0, -1))
				listed(c, listOffsets(v, t.Name, 1, -1))
				listed(c, listOffsets(v, t.Name, -1, -2))
			}
		}),
		must("listoffsets.leader-epoch", "A leader epoch from the future is UNKNOWN_LEADER_EPOCH.", "KIP-320", func(c *Conversation) {
			t := filled(c, 1, "a")
			for _, v := range []int16{4, 7} {
				for _, epoch := range []int32{-1, 0, 1} {
					req := listOffsets(v, t.Name, 0, -1)
					req.Topics[0].Partitions[0].CurrentLeaderEpoch = epoch
					listed(c, req)
				}
			}
		}),
		must("listoffsets.twice", "A partition asked for twice is INVALID_REQUEST.", "KafkaApis.handleListOffsetRequestV1AndAbove", func(c *Conversation) {
			t := filled(c, 2, "a")
			req := listOffsets(7, t.Name, 0, -1)
			for _, p := range []int32{0, 1} {
				rp := kmsg.NewListOffsetsRequestTopicPartition()
				rp.Partition, rp.Timestamp = p, -2
				req.Topics[0].Partitions = append(req.Topics[0].Partitions, rp)
			}
			listed(c, req)
		}),
		must("listoffsets.read-committed", "With read committed the end is the last stable offset.", "KIP-98", func(c *Conversation) {
			t := filled(c, 1, "a", "b")
			for _, at := range []int64{-1, -2, -3, baseTime} {
				req := listOffsets(7, t.Name, 0, at)
				req.IsolationLevel = 1
				listed(c, req)
			}
		}),
		must("epochs.every-version", "Every version answers where an epoch ends.", "KIP-320, OffsetsForLeaderEpochRequest", func(c *Conversation) {
			t := filled(c, 1, "a", "b")
			for v := int16(2); v <= 4; v++ {
				for _, epoch := range []int32{0, 1, -1} {
					ask[*kmsg.OffsetForLeaderEpochResponse](c.Conn("a"), epochEnd(v, t.Name, 0, -1, epoch))
				}
			}
		}),
		must("epochs.current-epoch", "The current leader epoch is checked first.", "KIP-320", func(c *Conversation) {
			t := filled(c, 1, "a")
			for _, current := range []int32{0, 1, -1} {
				ask[*kmsg.OffsetForLeaderEpochResponse](c.Conn("a"), epochEnd(4, t.Name, 0, current, 0))
			}
		}),
		must("epochs.empty", "An empty log has no end of any epoch.", "LeaderEpochFileCache.endOffsetFor", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for _, epoch := range []int32{0, 1} {
				ask[*kmsg.OffsetForLeaderEpochResponse](c.Conn("a"), epochEnd(4, t.Name, 0, -1, epoch))
			}
		}),
		must("epochs.unknown", "Unknown topics and partitions are UNKNOWN_TOPIC_OR_PARTITION.", "ReplicaManager.lastOffsetForLeaderEpoch", func(c *Conversation) {
			t := c.Topic("orders", 1)
			ask[*kmsg.OffsetForLeaderEpochResponse](c.Conn("a"), epochEnd(4, c.Name("nowhere"), 0, -1, 0))
			ask[*kmsg.OffsetForLeaderEpochResponse](c.Conn("a"), epochEnd(4, t.Name, 5, -1, 0))
			ask[*kmsg.OffsetForLeaderEpochResponse](c.Conn("a"), epochEnd(4, t.Name, -1, -1, 0))
		}),
		must("deleterecords.every-version", "Every version moves the log start.", "KIP-107", func(c *Conversation) {
			t := filled(c, 1, "a", "b", "c", "d")
			for v := range int16(3) {
				ask[*kmsg.DeleteRecordsResponse](c.Conn("a"), deleteRecords(v, t.Name, 0, int64(v)+1))
				listed(c, listOffsets(7, t.Name, 0, -2))
			}
		}),
		must("deleterecords.all", "Minus one deletes everything.", "KIP-107", func(c *Conversation) {
			t := filled(c, 1, "a", "b")
			ask[*kmsg.DeleteRecordsResponse](c.Conn("a"), deleteRecords(2, t.Name, 0, -1))
			get(c.Conn("a"), fetch(12, t, 0, 2))
			put(c.Conn("a"), t, 0, batchOf("c"))
			get(c.Conn("a"), fetch(12, t, 0, 2))
		}),
		must("deleterecords.back", "The log start does not move back, and asking for it is no error.", "UnifiedLog.maybeIncrementLogStartOffset", func(c *Conversation) {
			t := filled(c, 1, "a", "b", "c")
			for _, before := range []int64{2, 1, 0} {
				ask[*kmsg.DeleteRecordsResponse](c.Conn("a"), deleteRecords(2, t.Name, 0, before))
			}
		}),
		must("deleterecords.out-of-range", "Beyond the high watermark, and below minus one, is OFFSET_OUT_OF_RANGE.", "Partition.deleteRecordsOnLeader", func(c *Conversation) {
			t := filled(c, 1, "a", "b")
			for _, before := range []int64{3, 1 << 40, -2} {
				ask[*kmsg.DeleteRecordsResponse](c.Conn("a"), deleteRecords(2, t.Name, 0, before))
			}
		}),
		must("deleterecords.unknown", "Unknown topics and partitions are UNKNOWN_TOPIC_OR_PARTITION.", "ReplicaManager.deleteRecords", func(c *Conversation) {
			t := filled(c, 1, "a")
			ask[*kmsg.DeleteRecordsResponse](c.Conn("a"), deleteRecords(2, c.Name("nowhere"), 0, 0))
			ask[*kmsg.DeleteRecordsResponse](c.Conn("a"), deleteRecords(2, t.Name, 5, 0))
			ask[*kmsg.DeleteRecordsResponse](c.Conn("a"), deleteRecords(2, t.Name, -1, 0))
		}),
		must("deleterecords.compacted", "Records of a compacted topic cannot be deleted.", "Partition.deleteRecordsOnLeader", func(c *Conversation) {
			t := c.Topic("orders", 1, "cleanup.policy", "compact")
			ask[*kmsg.DeleteRecordsResponse](c.Conn("a"), deleteRecords(2, t.Name, 0, 0))
		}),
		must("deleterecords.internal", "Records of an internal topic cannot be deleted.", "ReplicaManager.deleteRecords", func(c *Conversation) {
			c.Group("warm")
			ask[*kmsg.DeleteRecordsResponse](c.Conn("a"), deleteRecords(2, "__consumer_offsets", 0, 0))
		}),
	}
}

func listed(c *Conversation, req *kmsg.ListOffsetsRequest) { c.Conn("a").Send(req).Answer() }
