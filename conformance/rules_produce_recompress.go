package conformance

import (
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const recompressSource = "LogValidator.validateMessagesAndAssignOffsetsCompressed"

// codecNames are the values of compression.type that name a codec, by its number.
var codecNames = [...]string{"uncompressed", "gzip", "snappy", "lz4", "zstd"}

var allCodecs = [...]int16{codecNone, codecGzip, codecSnappy, codecLZ4, codecZstd}

// recompressRules are about topics whose compression.type is not "producer".
func recompressRules() []Rule {
	rules := []Rule{
		must("produce.recompress.levels", "The lowest and highest levels of each codec change nothing but bytes.", "LogConfig, KIP-390", recompressedLevels),
		must("produce.recompress.records", "Recompressed records come back as they went: keys, nulls, headers; attributes of records are cleared, a header's name that is no text becomes text.", "MemoryRecordsBuilder.appendDefaultRecord", recompressedRecords),
		must("produce.recompress.attributes", "A recompressed batch has the attributes that Kafka knows, and times count from its first record.", "MemoryRecordsBuilder.writeDefaultBatchHeader", recompressedAttributes),
		must("produce.recompress.offsets", "Records whose offsets do not count up get new ones where a batch is recompressed; where the codec is the topic's own and not none they are an error that the broker did not foresee.", recompressSource, recompressedOffsets),
		must("produce.recompress.timestamps", "Records without a time keep none; other negative times cannot be recompressed.", "MemoryRecordsBuilder.appendWithOffset", recompressedTimestamps),
		must("produce.recompress.log-append-time", "With LogAppendTime a recompressed batch bears the broker's time, and its records keep what they had beside it.", "LogValidator.buildRecordsAndAssignOffsets", func(c *Conversation) {
			for _, name := range codecNames[:2] {
				t := c.Topic("orders-"+name, 1, "compression.type", name, "message.timestamp.type", "LogAppendTime")
				for _, codec := range allCodecs {
					produced(c, produce(9, -1, t, 0, seal(newBatch(), codec, values("v", "w")...)))
				}
				get(c.Conn("a"), fetch(12, t, 0, 0))
			}
		}),
		must("produce.recompress.too-large-afterwards", "What counts is a batch's size before it is recompressed, and then its size afterwards.", "UnifiedLog.append", recompressedTooLarge),
		must("produce.recompress.segment-too-small", "A batch that is larger than a segment once it is recompressed is RECORD_LIST_TOO_LARGE.", "UnifiedLog.append", func(c *Conversation) {
			t := c.Topic("orders", 1, "compression.type", "uncompressed", "segment.bytes", "1048576", "max.message.bytes", "3000000")
			for _, n := range []int{1_000_000, 2_000_000, 4_000_000} {
				c.Conn("a").Send(produce(9, -1, t, 0, seal(newBatch(), codecGzip, values(strings.Repeat("x", n))...))).Answer()
			}
		}),
		must("produce.recompress.errors-of-records", "Records that are refused are named as where nothing is recompressed, and nothing is appended.", "LogValidator.validateRecord", recompressedErrors),
		must("produce.recompress.order-of-errors", "A record that is refused counts more than a batch that cannot be written, and that more than one that has become too large.", recompressSource, recompressedOrder),
		must("produce.recompress.counts", "Record count and sizes that do not fit are INVALID_RECORD, sizes in front of records too where the broker reads them whole.", "DefaultRecord.readFrom", recompressedCounts),
		must("produce.recompress.broken", "Bytes that their codec cannot read are an error that the broker did not foresee, and so are codecs that do not exist.", recompressSource, recompressedBroken),
		must("produce.recompress.idempotent", "A recompressed batch is a duplicate as any other, and out of sequence as any other.", "ProducerStateManager", recompressedIdempotent),
		must("produce.recompress.odd-producers", "A producer id without an epoch is kept where nothing is recompressed, and cannot be recompressed.", "MemoryRecordsBuilder.validateProducerState", recompressedProducers),
		must("produce.recompress.altered", "A change of compression.type counts for the next batch.", "LogConfig", recompressedAltered),
		must("produce.recompress.max-timestamp", "The record with the largest timestamp is found in recompressed batches.", "KIP-734", recompressedMaxTimestamp),
		must("produce.max-decompressed", "A record of a compressed batch above max.decompressed.message.bytes is INVALID_RECORD; those of other batches are not looked at.", "DefaultRecord.readFrom", maxDecompressed),
		must("produce.min-insync-replicas", "min.insync.replicas beyond the replicas that there are asks for those.", "Partition.effectiveMinIsr", func(c *Conversation) {
			t := c.Topic("orders", 1, "min.insync.replicas", "3")
			for _, acks := range []int16{-1, 1} {
				produced(c, produce(9, acks, t, 0, batchOf("v")))
			}
			get(c.Conn("a"), fetch(12, t, 0, 0))
		}),
	}
	for target, name := range codecNames {
		says := "Batches of every codec are kept as " + name + " where compression.type says so."
		rules = append(rules, must("produce.recompress.to-"+name, says, recompressSource, func(c *Conversation) {
			t := c.Topic("orders", 1, "compression.type", codecNames[target])
			for _, codec := range allCodecs {
				produced(c, produce(9, -1, t, 0, seal(newBatch(), codec, values("one", "two", strings.Repeat("three", 20_000))...)))
			}
			for offset := range int64(5) {
				req := fetch(12, t, 0, 3*offset)
				req.Topics[0].Partitions[0].PartitionMaxBytes = 1 // the batch, and no part of the next
				get(c.Conn("a"), req)
			}
		}))
	}
	return rules
}

func recompressedLevels(c *Conversation) {
	for _, level := range [][2]string{
		{"gzip", "-1"}, {"gzip", "1"}, {"gzip", "9"}, {"lz4", "1"}, {"lz4", "9"}, {"lz4", "17"},
		{"zstd", "-131072"}, {"zstd", "-1"}, {"zstd", "0"}, {"zstd", "3"}, {"zstd", "22"},
	} {
		c.Note("compression.%s.level=%s", level[0], level[1])
		t := c.Topic("orders-"+level[0]+level[1], 1, "compression.type", level[0], "compression."+level[0]+".level", level[1])
		produced(c, produce(9, -1, t, 0, batchOf("one", strings.Repeat("two", 100))))
		get(c.Conn("a"), fetch(12, t, 0, 0))
	}
}

func recompressedRecords(c *Conversation) {
	records := []kmsg.Record{
		{Key: []byte("k"), Value: nil, Headers: []kmsg.Header{{Key: "h", Value: []byte("1")}, {Key: "h", Value: nil}}},
		{Key: []byte{}, Value: []byte{}, Headers: []kmsg.Header{{Key: "", Value: []byte{}}}},
		{Attributes: 5, Value: []byte("attributes")},
		{Headers: []kmsg.Header{{Key: "\xffä\xe2\x82", Value: []byte("\xff")}}},
		{},
	}
	t, u := c.Topic("orders", 1, "compression.type", "lz4"), c.Topic("bills", 1, "compression.type", "uncompressed")
	produced(c, produce(9, -1, t, 0, seal(newBatch(), codecNone, records...)))
	produced(c, produce(9, -1, u, 0, seal(newBatch(), codecSnappy, records...)))
	get(c.Conn("a"), fetch(12, t, 0, 0))
	get(c.Conn("a"), fetch(12, u, 0, 0))
}

func recompressedAttributes(c *Conversation) {
	t := c.Topic("orders", 1, "compression.type", "gzip")
	records := values("a", "b", "c")
	for i, delta := range []int64{70, 50, 90} {
		records[i].TimestampDelta64 = delta
	}
	for _, bits := range []int16{0, 0x20, 0x10, 0x08, 0x40, 0x80, 0x7f80} {
		b := newBatch()
		b.Attributes = bits
		produced(c, produce(9, -1, t, 0, seal(b, codecNone, records...)))
		produced(c, produce(9, -1, t, 0, seal(b, codecZstd, records...)))
	}
	get(c.Conn("a"), fetch(12, t, 0, 0))
}

// sealOffsets is seal with offsets of the records that are as given.
func sealOffsets(codec int16, deltas ...int32) []byte {
	b := newBatch()
	var body []byte
	for i, r := range values("a", "b", "c") {
		r.OffsetDelta = deltas[i]
		r.Length = int32(len(r.AppendTo(nil)) - 1)
		body = r.AppendTo(body)
	}
	b.NumRecords, b.LastOffsetDelta, b.Attributes = 3, 2, codec
	b.MaxTimestamp = baseTime + 2
	b.Records = compress(codec, body)
	return reseal(b.AppendTo(nil))
}

func recompressedOffsets(c *Conversation) {
	for _, name := range []string{"producer", "gzip", "uncompressed"} {
		c.Note("compression.type=%s", name)
		t := c.Topic("orders-"+name, 1, "compression.type", name)
		for _, codec := range []int16{codecNone, codecGzip} {
			for _, deltas := range [][]int32{{0, 1, 2}, {2, 1, 0}, {0, 0, 0}, {0, 5, 9}, {-1, 0, 1}} {
				if name != "gzip" && codec == codecNone && deltas[2] != 2 {
					continue // it is kept as it is, with offsets that make no sense
				}
				produced(c, produce(9, -1, t, 0, sealOffsets(codec, deltas...)))
			}
		}
		get(c.Conn("a"), fetch(12, t, 0, 0))
	}
}

func recompressedTimestamps(c *Conversation) {
	for _, name := range []string{"zstd", "uncompressed"} {
		c.Note("compression.type=%s", name)
		t := c.Topic("orders-"+name, 1, "compression.type", name)
		for _, codec := range []int16{codecNone, codecGzip, codecZstd} {
			for _, times := range [][]int64{{-1, -1}, {-1, 5}, {5, -1}, {0, 0}, {-2, 5}, {5, -2}, {-100, -1}} {
				b, records := newBatch(), values("v", "w")
				b.FirstTimestamp = 0
				records[0].TimestampDelta64, records[1].TimestampDelta64 = times[0], times[1]
				c.Note("times %d and %d, codec %d", times[0], times[1], codec)
				produced(c, produce(9, -1, t, 0, seal(b, codec, records...)))
			}
		}
	}
}

func recompressedTooLarge(c *Conversation) {
	plain := strings.Repeat("x", 1000)
	t := c.Topic("orders", 1, "compression.type", "uncompressed", "max.message.bytes", strconv.Itoa(len(batchOf(plain))))
	for _, more := range []string{"", "x"} {
		produced(c, produce(9, -1, t, 0, seal(newBatch(), codecGzip, values(plain+more)...)))
	}
	u := c.Topic("bills", 1, "compression.type", "gzip", "max.message.bytes", "200")
	produced(c, produce(9, -1, u, 0, batchOf(plain))) // gzip would make it small enough
	produced(c, produce(9, -1, u, 0, batchOf("v")))
	v := c.Topic("notes", 1, "compression.type", "snappy", "max.message.bytes", strconv.Itoa(len(batchOf("v"))))
	produced(c, produce(9, -1, v, 0, batchOf("v"))) // and snappy makes it larger
}

func recompressedErrors(c *Conversation) {
	records := values("a", "b", "c")
	records[1].Key = []byte("k")
	future := newBatch()
	future.FirstTimestamp = 4_000_000_000_000
	appended := newBatch()
	appended.Attributes = 0x08
	for _, name := range []string{"gzip", "uncompressed"} {
		c.Note("compression.type=%s", name)
		t := c.Topic("orders-"+name, 1, "compression.type", name, "cleanup.policy", "compact")
		u := c.Topic("bills-"+name, 1, "compression.type", name)
		v := c.Topic("notes-"+name, 1, "compression.type", name, "message.timestamp.type", "LogAppendTime")
		for _, codec := range []int16{codecNone, codecGzip, codecZstd} {
			produced(c, produce(9, -1, t, 0, seal(newBatch(), codec, records...)))
			produced(c, produce(9, -1, u, 0, seal(future, codec, values("a", "b")...)))
			produced(c, produce(9, -1, v, 0, seal(appended, codec, records[:2]...)))
		}
	}
}

func recompressedOrder(c *Conversation) {
	large := strings.Repeat("x", 5000)
	t := c.Topic("orders", 1, "compression.type", "uncompressed", "cleanup.policy", "compact", "max.message.bytes", "1000")
	b := newBatch()
	b.FirstTimestamp = -50
	keyed := values(large)
	keyed[0].Key = []byte("k")
	c.Note("without a key, negative time, too large")
	produced(c, produce(9, -1, t, 0, seal(b, codecGzip, values(large)...)))
	c.Note("negative time, too large")
	produced(c, produce(9, -1, t, 0, seal(b, codecGzip, keyed...)))
	keyed = append(keyed, keyed[0])
	keyed[1].TimestampDelta64 = -baseTime - 5
	produced(c, produce(9, -1, t, 0, seal(newBatch(), codecGzip, keyed...)))
	c.Note("too large")
	produced(c, produce(9, -1, t, 0, seal(newBatch(), codecGzip, keyed[:1]...)))
}

func recompressedCounts(c *Conversation) {
	for _, name := range []string{"gzip", "uncompressed"} {
		c.Note("compression.type=%s", name)
		t := c.Topic("orders-"+name, 1, "compression.type", name)
		for _, codec := range []int16{codecNone, codecGzip, codecLZ4} {
			for _, n := range []int32{0, 1, 3, -1} {
				b := newBatch()
				var body []byte
				for _, r := range values("v", "w") {
					r.Length = int32(len(r.AppendTo(nil)) - 1)
					body = r.AppendTo(body)
				}
				b.NumRecords, b.LastOffsetDelta, b.Attributes, b.Records = n, n-1, codec, compress(codec, body)
				produced(c, produce(9, -1, t, 0, reseal(b.AppendTo(nil))))
			}
			for _, sizes := range []string{"\x00", "\x01", "\x0e", "\x12", "\xff\xff\xff\xff\xff\x01", "\xff\xff\xff\xff\x0f", "\xfe\xff\xff\xff\x0f", "\x80"} {
				b := newBatch() // one record of seven bytes, whose size is another number
				b.NumRecords, b.Attributes = 1, codec
				b.Records = compress(codec, []byte(sizes+"\x00\x00\x00\x01\x02v\x00"))
				produced(c, produce(9, -1, t, 0, reseal(b.AppendTo(nil))))
			}
		}
	}
}

func recompressedBroken(c *Conversation) {
	for _, name := range []string{"zstd", "uncompressed"} {
		c.Note("compression.type=%s", name)
		t := c.Topic("orders-"+name, 1, "compression.type", name)
		for _, codec := range []int16{codecGzip, codecSnappy, codecLZ4, codecZstd, 5, 6, 7} {
			b := newBatch()
			b.Attributes, b.NumRecords = codec, 1
			b.Records = []byte("this is not compressed")
			produced(c, produce(9, -1, t, 0, reseal(b.AppendTo(nil))))
		}
	}
}

func recompressedIdempotent(c *Conversation) {
	a := c.Conn("a")
	t, id := c.Topic("orders", 1, "compression.type", "lz4"), newProducer(a)
	for _, sequence := range []int32{0, 2, 0, 2, 5, 4} {
		put(a, t, 0, idempotent(id, 0, sequence, "v", "w"))
	}
	get(a, fetch(12, t, 0, 0))
}

func recompressedProducers(c *Conversation) {
	for _, name := range []string{"producer", "lz4"} {
		c.Note("compression.type=%s", name)
		t := c.Topic("orders-"+name, 1, "compression.type", name)
		for _, p := range []struct {
			id       int64
			epoch    int16
			sequence int32
		}{{-1, 3, -1}, {-1, -1, 7}, {-2, -1, -1}, {-2, 0, 0}, {4711, 0, -1}} {
			b := newBatch()
			b.ProducerID, b.ProducerEpoch, b.FirstSequence = p.id, p.epoch, p.sequence
			c.Note("producer id %d, epoch %d, sequence %d", p.id, p.epoch, p.sequence)
			put(c.Conn("a"), t, 0, seal(b, codecNone, values("v")...))
		}
	}
}

func recompressedAltered(c *Conversation) {
	t, a := c.Topic("orders", 1), c.Conn("a")
	put(a, t, 0, batchOf("a"))
	for _, name := range []string{"gzip", "uncompressed", "snappy", "producer"} {
		ask[*kmsg.IncrementalAlterConfigsResponse](a, setConfigs(t, "compression.type", name))
		awaitConfig(c, kmsg.ConfigResourceTypeTopic, t.Name, "compression.type", name)
		put(a, t, 0, seal(newBatch(), codecZstd, values(name)...))
	}
	get(a, fetch(12, t, 0, 0))
}

func recompressedMaxTimestamp(c *Conversation) {
	a := c.Conn("a")
	for _, name := range []string{"gzip", "uncompressed"} {
		t := c.Topic("orders-"+name, 1, "compression.type", name)
		for _, codec := range []int16{codecNone, codecSnappy} {
			records := values("a", "b", "c", "d")
			records[1].TimestampDelta64, records[2].TimestampDelta64, records[3].TimestampDelta64 = 40+int64(codec), 40+int64(codec), 7
			put(a, t, 0, seal(newBatch(), codec, records...))
			ask[*kmsg.ListOffsetsResponse](a, listOffsets(7, t.Name, 0, -3))
			ask[*kmsg.ListOffsetsResponse](a, listOffsets(7, t.Name, 0, baseTime+8))
		}
	}
}

func maxDecompressed(c *Conversation) {
	for _, name := range []string{"producer", "gzip", "uncompressed"} {
		c.Note("compression.type=%s", name)
		t := c.Topic("orders-"+name, 1, "compression.type", name, "max.decompressed.message.bytes", "100")
		for _, codec := range []int16{codecNone, codecGzip, codecZstd} {
			for _, n := range []int{92, 93, 94} { // with 93 the record is of 100 bytes, its size in front not counted
				produced(c, produce(9, -1, t, 0, seal(newBatch(), codec, values("v", strings.Repeat("x", n))...)))
			}
		}
	}
}
