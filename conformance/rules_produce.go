package conformance

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func produceRules() []Rule {
	return []Rule{
		must("produce.every-version", "Every version of Produce from v3 on appends a batch, by topic id from v13 on.", "ProduceRequest", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for v := int16(3); v <= 13; v++ {
				produced(c, produce(v, -1, t, 0, batchOf("v")))
			}
			get(c.Conn("a"), fetch(12, t, 0, 9))
		}),
		must("produce.acks", "acks 1 and -1 are answered, 0 is not, and others are INVALID_REQUIRED_ACKS.", "ReplicaManager.appendRecords", producedAcks),
		must("produce.acks-zero-refused", "A refused produce with acks 0 ends the connection, since it has no answer that could say so.", "KafkaApis.handleProduceRequest", func(c *Conversation) {
			t := c.Topic("orders", 1)
			a := c.Conn("a")
			a.Send(produce(9, 0, t, 7, batchOf("v"))).Answer()
			ask[*kmsg.MetadataResponse](a, metadata(9))
		}),
		must("produce.codecs", "Every codec is kept as it came, and read back.", "LogValidator", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for _, codec := range []int16{codecNone, codecGzip, codecSnappy, codecLZ4, codecZstd} {
				produced(c, produce(9, -1, t, 0, seal(newBatch(), codec, values("one", "two")...)))
			}
			get(c.Conn("a"), fetch(12, t, 0, 0))
		}),
		must("produce.zstd-too-early", "zstd before v7 is UNSUPPORTED_COMPRESSION_TYPE.", "KIP-110, ProduceRequest.validateRecords", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for _, v := range []int16{3, 6, 7} {
				c.Conn("a").Send(produce(v, -1, t, 0, seal(newBatch(), codecZstd, values("v")...))).Answer()
			}
		}),
		must("produce.unknown-codec", "A codec that does not exist is refused.", "CompressionType.forId", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for _, codec := range []int16{5, 6, 7} {
				c.Conn("a").Send(produce(9, -1, t, 0, seal(newBatch(), codec, values("v")...))).Answer()
			}
		}),
		must("produce.broken-compression", "Bytes that their codec cannot read are an error that the broker did not foresee.", "LogValidator", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for _, codec := range []int16{codecGzip, codecSnappy, codecLZ4, codecZstd} {
				b := newBatch()
				b.Attributes, b.NumRecords = codec, 1
				b.Records = []byte("this is not compressed")
				c.Conn("a").Send(produce(9, -1, t, 0, reseal(b.AppendTo(nil)))).Answer()
			}
		}),
		must("produce.bad-crc", "A batch whose CRC is wrong is CORRUPT_MESSAGE, and nothing is appended.", "UnifiedLog.analyzeAndValidateRecords", func(c *Conversation) {
			t := c.Topic("orders", 1)
			b := batchOf("v")
			b[len(b)-2] ^= 1
			produced(c, produce(9, -1, t, 0, b))
			produced(c, produce(9, -1, t, 0, batchOf("v")))
		}),
		must("produce.bad-magic", "Batches of magic 0, 1 and 3 are refused.", "ProduceRequest.validateRecords", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for _, magic := range []byte{0, 1, 3, 0xff} {
				b := batchOf("v")
				b[atMagic] = magic
				c.Conn("a").Send(produce(9, -1, t, 0, b)).Answer()
			}
		}),
		must("produce.two-batches", "Two batches for a partition are INVALID_RECORD.", "ProduceRequest.validateRecords", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for _, v := range []int16{3, 9, 13} {
				c.Conn("a").Send(produce(v, -1, t, 0, append(batchOf("v"), batchOf("w")...))).Answer()
			}
		}),
		must("produce.no-batch", "No bytes, and less than a batch header are refused.", "ProduceRequest.validateRecords", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for _, v := range []int16{3, 7, 9, 13} {
				c.Conn("a").Send(produce(v, -1, t, 0, []byte{})).Answer()
			}
			for _, n := range []int{1, 12, 16, 17, 60, 61, 68} {
				c.Conn("a").Send(produce(9, -1, t, 0, batchOf("v")[:n])).Answer()
			}
		}),
		must("produce.no-records", "A batch without records is INVALID_RECORD.", "LogValidator", func(c *Conversation) {
			t := c.Topic("orders", 1)
			produced(c, produce(9, -1, t, 0, seal(newBatch(), codecNone)))
		}),
		must("produce.bytes-behind-the-batch", "Bytes behind the batch that are no whole batch are dropped.", "ProduceRequest.validateRecords", func(c *Conversation) {
			t := c.Topic("orders", 1)
			c.Conn("a").Send(produce(9, -1, t, 0, append(batchOf("v"), 1, 2, 3))).Answer()
		}),
		must("produce.counts", "Record count and last offset delta that do not fit the records are refused.", "LogValidator.validateBatch", producedCounts),
		must("produce.offset-deltas", "The offset deltas of an uncompressed batch are not looked at.", "LogValidator.validateRecord", producedOffsetDeltas),
		must("produce.attributes", "Control batches and transactional ones of plain producers are refused; the timestamp type is reset, unused bits are kept.", "LogValidator.validateBatch", producedAttributes),
		must("produce.too-large", "A batch above max.message.bytes is MESSAGE_TOO_LARGE.", "UnifiedLog.append", func(c *Conversation) {
			t := c.Topic("orders", 1, "max.message.bytes", "200")
			for _, n := range []int{100, 131, 132, 133, 1000} {
				produced(c, produce(9, -1, t, 0, batchOf(strings.Repeat("x", n))))
			}
		}),
		must("produce.exactly-max", "A batch of max.message.bytes is appended, and one byte more is too many.", "UnifiedLog.append", func(c *Conversation) {
			t := c.Topic("orders", 1, "max.message.bytes", strconv.Itoa(len(batchOf(strings.Repeat("x", 100)))))
			for n := 99; n <= 101; n++ {
				produced(c, produce(9, -1, t, 0, batchOf(strings.Repeat("x", n))))
			}
		}),
		must("produce.unknown-topic", "An unknown topic is UNKNOWN_TOPIC_OR_PARTITION, or UNKNOWN_TOPIC_ID by id.", "KafkaApis.handleProduceRequest", func(c *Conversation) {
			nowhere := Topic{Name: c.Name("nowhere"), ID: [16]byte{9, 9}}
			for _, v := range []int16{3, 9, 12, 13} {
				produced(c, produce(v, -1, nowhere, 0, batchOf("v")))
			}
			produced(c, produce(13, -1, Topic{}, 0, batchOf("v")))
		}),
		must("produce.unknown-partition", "A partition that does not exist is UNKNOWN_TOPIC_OR_PARTITION beside one that does.", "ReplicaManager", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for _, v := range []int16{3, 9, 12, 13} {
				req := produce(v, -1, t, 0, batchOf("v"))
				for _, p := range []int32{1, -1} {
					req.Topics[0].Partitions = append(req.Topics[0].Partitions, kmsg.ProduceRequestTopicPartition{Partition: p, Records: batchOf("w")})
				}
				produced(c, req)
			}
		}),
		must("produce.timestamps", "A timestamp too far in the future is INVALID_TIMESTAMP and the record is named; one in the past is kept.", "LogValidator.validateTimestamp", producedTimestamps),
		must("produce.log-append-time", "With LogAppendTime the broker's time stands in the answer and in the batch.", "LogValidator", func(c *Conversation) {
			t := c.Topic("orders", 1, "message.timestamp.type", "LogAppendTime")
			produced(c, produce(9, -1, t, 0, batchOf("v", "w")))
			produced(c, produce(9, -1, t, 0, seal(newBatch(), codecGzip, values("v")...)))
			get(c.Conn("a"), fetch(12, t, 0, 0))
		}),
		must("produce.compacted-needs-keys", "A record without a key is INVALID_RECORD in a compacted topic, and each is named.", "LogValidator.validateKey", func(c *Conversation) {
			t := c.Topic("orders", 1, "cleanup.policy", "compact")
			records := values("a", "b", "c")
			records[1].Key = []byte("k")
			for _, v := range []int16{7, 8, 9} {
				produced(c, produce(v, -1, t, 0, seal(newBatch(), codecNone, records...)))
			}
			produced(c, produce(9, -1, t, 0, seal(newBatch(), codecNone, records[1])))
		}),
		must("produce.headers-and-nulls", "Keys, headers, empty and null values come back as they went.", "DefaultRecord", func(c *Conversation) {
			t := c.Topic("orders", 1)
			records := []kmsg.Record{
				{Key: []byte("k"), Value: nil, Headers: []kmsg.Header{{Key: "h", Value: []byte("1")}, {Key: "h", Value: nil}}},
				{Key: []byte{}, Value: []byte{}, Headers: []kmsg.Header{{Key: "", Value: []byte{}}}},
				{},
			}
			produced(c, produce(9, -1, t, 0, seal(newBatch(), codecNone, records...)))
			get(c.Conn("a"), fetch(12, t, 0, 0))
		}),
		must("produce.several-topics", "A request writes to several partitions, each with an answer of its own.", "ProduceRequest", func(c *Conversation) {
			t, u := c.Topic("orders", 2), c.Topic("bills", 1)
			req := produce(12, -1, t, 0, batchOf("v"))
			req.Topics[0].Partitions = append(req.Topics[0].Partitions, kmsg.ProduceRequestTopicPartition{Partition: 1, Records: batchOf("w", "x")})
			req.Topics = append(req.Topics, produce(12, -1, u, 0, batchOf("y")).Topics...)
			produced(c, req)
		}),
		must("produce.compression-by-topic", "A topic whose compression.type is a codec has batches recompressed.", "LogValidator", func(c *Conversation) {
			t := c.Topic("orders", 1, "compression.type", "gzip")
			u := c.Topic("bills", 1, "compression.type", "uncompressed")
			produced(c, produce(9, -1, t, 0, batchOf("v")))
			produced(c, produce(9, -1, u, 0, seal(newBatch(), codecZstd, values("v")...)))
			get(c.Conn("a"), fetch(12, t, 0, 0))
			get(c.Conn("a"), fetch(12, u, 0, 0))
		}),
		must("produce.base-offset", "A batch must have base offset 0; its leader epoch is the broker's to set.", "LogValidator", func(c *Conversation) {
			t := c.Topic("orders", 1)
			b := newBatch()
			b.FirstOffset, b.PartitionLeaderEpoch = 4711, 17
			produced(c, produce(9, -1, t, 0, seal(b, codecNone, values("v")...)))
			b.FirstOffset = 0
			produced(c, produce(9, -1, t, 0, seal(b, codecNone, values("v")...)))
			get(c.Conn("a"), fetch(12, t, 0, 0))
		}),
		must("produce.internal-topic", "Clients may not write to an internal topic.", "Topic.isInternal, UnifiedLog", func(c *Conversation) {
			c.Group("warm")
			produced(c, produce(9, -1, Topic{Name: "__consumer_offsets"}, 0, batchOf("v")))
		}),
	}
}

func produced(c *Conversation, req *kmsg.ProduceRequest) { c.Conn("a").Send(req).Answer() }

func producedAcks(c *Conversation) {
	t, a := c.Topic("orders", 1), c.Conn("a")
	for _, acks := range []int16{-1, 1} {
		produced(c, produce(9, acks, t, 0, batchOf("v")))
	}
	a.Send(produce(9, 0, t, 0, batchOf("v"))).NoAnswer()
	produced(c, produce(9, -1, t, 0, batchOf("v")))
	for _, acks := range []int16{2, -2, 32767} {
		produced(c, produce(9, acks, t, 0, batchOf("v")))
	}
	produced(c, produce(9, -1, t, 0, batchOf("v")))
}

func producedCounts(c *Conversation) {
	t := c.Topic("orders", 1)
	for _, n := range []uint32{0, 1, 3, 0xffffffff} {
		c.Note("record count %d of 2", int32(n))
		b := batchOf("v", "w")
		binary.BigEndian.PutUint32(b[atNumRecords:], n)
		produced(c, produce(9, -1, t, 0, reseal(b)))
	}
	for _, n := range []uint32{0, 2, 0xffffffff} {
		c.Note("last offset delta %d of 2 records", int32(n))
		b := batchOf("v", "w")
		binary.BigEndian.PutUint32(b[23:], n)
		produced(c, produce(9, -1, t, 0, reseal(b)))
	}
}

func producedOffsetDeltas(c *Conversation) {
	t := c.Topic("orders", 1)
	for _, delta := range []byte{2, 4, 1} { // zigzag: 1, 2, -1
		b := batchOf("v")
		at := bytes.LastIndex(b, []byte{0, 1, 2, 'v'}) // offset delta, null key, length of the value
		b[at] = delta
		produced(c, produce(9, -1, t, 0, reseal(b)))
	}
}

func producedAttributes(c *Conversation) {
	t := c.Topic("orders", 1)
	for _, bits := range []int16{0x20, 0x10, 0x30, 0x08, 0x40, 0x80} {
		b := newBatch()
		b.Attributes = bits
		c.Conn("a").Send(produce(9, -1, t, 0, seal(b, codecNone, values("v")...))).Answer()
	}
	get(c.Conn("a"), fetch(12, t, 0, 0))
}

func producedTimestamps(c *Conversation) {
	t := c.Topic("orders", 1)
	at := func(ms int64) kmsg.RecordBatch {
		b := newBatch()
		b.FirstTimestamp = ms
		return b
	}
	const farAhead = 4_000_000_000_000 // in the year 2096
	for _, v := range []int16{3, 7, 8, 9} {
		produced(c, produce(v, -1, t, 0, seal(at(farAhead), codecNone, values("a", "b")...)))
	}
	for _, ms := range []int64{0, -1, 1} {
		produced(c, produce(9, -1, t, 0, seal(at(ms), codecNone, values("v")...)))
	}
	mixed := values("a", "b", "c")
	mixed[1].TimestampDelta64 = farAhead - baseTime
	produced(c, produce(9, -1, t, 0, seal(newBatch(), codecNone, mixed...)))
	get(c.Conn("a"), fetch(12, t, 0, 0))
}
