package conformance

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// codecNames are the names of the codecs in compression.type, but for none.
var codecNames = []string{"", "gzip", "snappy", "lz4", "zstd"}

// recompressionRules say what a broker does to batches when a topic has a codec of its own.
func recompressionRules() []Rule {
	const source = "LogValidator.validateMessagesAndAssignOffsetsCompressed"
	rules := []Rule{
		must("logs.recompression.uncompressed", "A topic with compression.type=uncompressed stores every batch without a codec.", source, func(c *Conversation) {
			recompressed(c, c.Topic("orders", 1, "compression.type", "uncompressed"))
		}),
		must("logs.recompression.producer", "A topic with compression.type=producer stores batches in the codec that they came in.", "BrokerCompressionType", func(c *Conversation) {
			recompressed(c, c.Topic("orders", 1, "compression.type", "producer"))
		}),
		must("logs.recompression.level", "Whatever the level that a topic compresses with, its records are the same.", "KIP-390", func(c *Conversation) {
			for _, level := range [][2]string{{"gzip", "1"}, {"gzip", "9"}, {"gzip", "-1"}, {"lz4", "1"}, {"lz4", "9"}, {"lz4", "17"}, {"zstd", "-7"}, {"zstd", "1"}, {"zstd", "22"}} {
				t := c.Topic("orders-"+level[0]+"-"+level[1], 1, "compression.type", level[0], "compression."+level[0]+".level", level[1])
				produced(c, produce(9, -1, t, 0, batchOf("v", strings.Repeat("long ", 1000), "w")))
				get(c.Conn("a"), fetch(12, t, 0, 0))
			}
		}),
		must("logs.recompression.changed", "A compression.type that is changed holds for the batches that come.", source, func(c *Conversation) {
			t := c.Topic("orders", 1)
			produced(c, produce(9, -1, t, 0, batchOf("v")))
			altered(c, t, 1, "compression.type", kmsg.IncrementalAlterConfigOpSet, "zstd", "zstd")
			produced(c, produce(9, -1, t, 0, batchOf("w")))
			altered(c, t, 1, "compression.type", kmsg.IncrementalAlterConfigOpDelete, "", "producer")
			produced(c, produce(9, -1, t, 0, batchOf("x")))
			get(c.Conn("a"), fetch(12, t, 0, 0))
		}),
		must("logs.recompression.base-timestamp", "A batch that is compressed anew has the time of its first record as its base.", "MemoryRecordsBuilder", func(c *Conversation) {
			recompressedAs(c, "gzip", codecNone, times(5, 7, 6))
			recompressedAs(c, "uncompressed", codecZstd, times(9, 2, 4))
			recompressedAs(c, "uncompressed", codecZstd, times(0, 0))
			recompressedAs(c, "lz4", codecLZ4, times(5, 7, 6)) // which is kept
		}),
		must("logs.recompression.records", "Keys, values and headers are kept, null or empty; the attributes of a record are not.", source, func(c *Conversation) {
			r := kmsg.Record{Attributes: 7, Key: []byte("k"), Value: nil}
			r.Headers = []kmsg.Header{{Key: "a", Value: []byte("1")}, {Key: "", Value: nil}, {Key: "a", Value: []byte{}}}
			empty := kmsg.Record{Key: []byte{}, Value: []byte{}}
			recompressedAs(c, "gzip", codecNone, []kmsg.Record{r, empty})
			recompressedAs(c, "uncompressed", codecSnappy, []kmsg.Record{r, empty})
		}),
		must("logs.recompression.log-append-time", "Where the time is the log's, the records keep their own below it.", source, func(c *Conversation) {
			for _, name := range []string{"gzip", "uncompressed"} {
				t := c.Topic("orders-"+name, 1, "compression.type", name, "message.timestamp.type", "LogAppendTime")
				produced(c, produce(9, -1, t, 0, seal(newBatch(), codecZstd, times(5, 7, 6)...)))
				get(c.Conn("a"), fetch(12, t, 0, 0))
				ask[*kmsg.ListOffsetsResponse](c.Conn("a"), listOffsets(7, t.Name, 0, -3))
			}
		}),
		must("logs.recompression.max-timestamp", "The offset of the largest timestamp is found in a batch that was compressed anew.", "UnifiedLog.fetchOffsetByTimestamp", func(c *Conversation) {
			t := c.Topic("orders", 1, "compression.type", "gzip")
			produced(c, produce(9, -1, t, 0, seal(newBatch(), codecNone, times(5, 9, 6)...)))
			produced(c, produce(9, -1, t, 0, seal(newBatch(), codecZstd, times(1, 9, 2)...)))
			for _, at := range []int64{-3, baseTime, baseTime + 6, baseTime + 9, baseTime + 10} {
				ask[*kmsg.ListOffsetsResponse](c.Conn("a"), listOffsets(7, t.Name, 0, at))
			}
		}),
	}
	for codec := codecGzip; codec <= codecZstd; codec++ {
		name := codecNames[codec]
		rules = append(rules, must("logs.recompression."+name, "A topic with compression.type="+name+" stores every batch in "+name+".", source, func(c *Conversation) {
			recompressed(c, c.Topic("orders", 1, "compression.type", name))
		}))
	}
	return append(rules, recompressionEdgeRules()...)
}

func recompressionEdgeRules() []Rule {
	const source = "LogValidator, UnifiedLog.append"
	return []Rule{
		must("logs.recompression.too-large", "max.message.bytes counts before a batch is compressed anew, and after it.", source, func(c *Conversation) {
			long := strings.Repeat("long ", 1000)
			grows := c.Topic("grows", 1, "compression.type", "uncompressed", "max.message.bytes", "1000")
			produced(c, produce(9, -1, grows, 0, seal(newBatch(), codecGzip, values(long)...)))
			produced(c, produce(9, -1, grows, 0, seal(newBatch(), codecGzip, values("short")...)))
			shrinks := c.Topic("shrinks", 1, "compression.type", "gzip", "max.message.bytes", "1000")
			produced(c, produce(9, -1, shrinks, 0, batchOf(long)))
			produced(c, produce(9, -1, shrinks, 0, seal(newBatch(), codecZstd, values(long)...)))
			get(c.Conn("a"), fetch(12, grows, 0, 0))
			get(c.Conn("a"), fetch(12, shrinks, 0, 0))
		}),
		must("logs.recompression.offsets", "The offsets that the records of a batch say are replaced when it is compressed anew.", source, func(c *Conversation) {
			for _, to := range []string{"gzip", "uncompressed"} {
				t := c.Topic("orders-"+to, 1, "compression.type", to)
				for _, deltas := range [][]int32{{0, 0, 0}, {2, 1, 0}, {5, 6, 7}} {
					produced(c, produce(9, -1, t, 0, oddOffsets(codecZstd, deltas...)))
				}
				get(c.Conn("a"), fetch(12, t, 0, 0))
			}
		}),
		must("logs.recompression.stamped", "Records of a batch that says to have a time of the log keep that time when it is compressed anew.", source, func(c *Conversation) {
			for _, to := range []string{"producer", "gzip", "uncompressed"} {
				for _, kind := range []string{"CreateTime", "LogAppendTime"} {
					t := c.Topic("orders-"+to+"-"+kind, 1, "compression.type", to, "message.timestamp.type", kind)
					for codec := int16(codecNone); codec <= codecGzip; codec++ {
						b := newBatch()
						b.Attributes |= 8
						produced(c, produce(9, -1, t, 0, seal(b, codec, times(3, 5, 4)...)))
					}
					get(c.Conn("a"), fetch(12, t, 0, 0))
				}
			}
		}),
		must("logs.recompression.record-errors", "Records that are refused are named as in any other batch.", source, func(c *Conversation) {
			for _, to := range []string{"gzip", "uncompressed"} {
				keyed := c.Topic("keyed-"+to, 1, "compression.type", to, "cleanup.policy", "compact")
				b := values("v", "w", "x")
				b[1].Key = []byte("k")
				produced(c, produce(9, -1, keyed, 0, seal(newBatch(), codecLZ4, b...)))
				timely := c.Topic("timely-"+to, 1, "compression.type", to, "message.timestamp.before.max.ms", "1000")
				produced(c, produce(9, -1, timely, 0, batchOf("v")))
				stamped := newBatch()
				stamped.Attributes |= 8
				produced(c, produce(9, -1, timely, 0, seal(stamped, codecZstd, values("v", "w")...)))
			}
		}),
		must("logs.recompression.idempotent", "A batch that was compressed anew is known again when it comes twice.", "ProducerStateManager", func(c *Conversation) {
			t := c.Topic("orders", 1, "compression.type", "snappy")
			a := c.Conn("a")
			pid := newProducer(a)
			for _, sequence := range []int32{0, 2, 2, 0, 7} {
				produced(c, produce(9, -1, t, 0, idempotent(pid, 0, sequence, "v", "w")))
			}
			get(a, fetch(12, t, 0, 0))
		}),
		must("logs.decompressed.record", "max.decompressed.message.bytes bounds each record of a compressed batch, without the number in front that tells its size.", "KAFKA-19826, DefaultRecord.readFrom", func(c *Conversation) {
			for _, to := range []string{"producer", "gzip", "uncompressed"} {
				t := c.Topic("orders-"+to, 1, "compression.type", to, "max.decompressed.message.bytes", "16")
				for codec := int16(codecNone); codec <= codecGzip; codec++ {
					produced(c, produce(9, -1, t, 0, seal(newBatch(), codec, values("v", strings.Repeat("x", 10))...)))
					produced(c, produce(9, -1, t, 0, seal(newBatch(), codec, values("v", strings.Repeat("x", 11))...)))
				}
				stamped := newBatch()
				stamped.Attributes |= 8
				produced(c, produce(9, -1, t, 0, seal(stamped, codecGzip, values("v", strings.Repeat("x", 11))...)))
				get(c.Conn("a"), fetch(12, t, 0, 0))
			}
		}),
		must("logs.decompressed.lookup", "Offsets by time are not found in compressed records that are larger than max.decompressed.message.bytes allows by now.", "UnifiedLog.fetchOffsetByTimestamp", func(c *Conversation) {
			t := c.Topic("orders", 1)
			produced(c, produce(9, -1, t, 0, seal(newBatch(), codecGzip, values("v", strings.Repeat("x", 100), "w")...)))
			altered(c, t, 1, "max.decompressed.message.bytes", kmsg.IncrementalAlterConfigOpSet, "50", "50")
			for _, at := range []int64{-1, -2, -3, baseTime, baseTime + 1, baseTime + 2, baseTime + 3} {
				ask[*kmsg.ListOffsetsResponse](c.Conn("a"), listOffsets(7, t.Name, 0, at))
			}
			get(c.Conn("a"), fetch(12, t, 0, 0))
		}),
		must("logs.recompression.malformed", "What cannot be read is refused, whatever codec it is to have.", source, malformedRecompression),
	}
}

// recompressed writes a batch of each codec to a topic and reads it back.
func recompressed(c *Conversation, t Topic) {
	for codec := int16(codecNone); codec <= codecZstd; codec++ {
		produced(c, produce(9, -1, t, 0, seal(newBatch(), codec, values("v", "w", "x")...)))
	}
	get(c.Conn("a"), fetch(12, t, 0, 0))
}

// recompressedAs writes records in one codec to a topic of another.
func recompressedAs(c *Conversation, to string, from int16, records []kmsg.Record) {
	t := c.Topic(fmt.Sprintf("orders-%s-%d-%d", to, from, records[0].TimestampDelta64), 1, "compression.type", to)
	produced(c, produce(9, -1, t, 0, seal(newBatch(), from, records...)))
	get(c.Conn("a"), fetch(12, t, 0, 0))
}

// times are records so many milliseconds after the base of their batch.
func times(deltas ...int64) []kmsg.Record {
	rs := make([]kmsg.Record, len(deltas))
	for i, d := range deltas {
		rs[i] = kmsg.Record{Value: []byte("v")}
		rs[i].TimestampDelta64 = d
	}
	return rs
}

// packed is a batch with a payload made by hand, of so many records.
func packed(codec int16, n int32, payload []byte) []byte {
	raw := seal(newBatch(), codec, values(make([]string, n)...)...)
	return reseal(append(raw[:batchHeadSize:batchHeadSize], compress(codec, payload)...))
}

// plainRecord is a record with an offset delta and the value "v"; more is how much larger
// it says to be than it is.
func plainRecord(offsetDelta int32, more int64) []byte {
	body := binary.AppendVarint([]byte{0, 0}, int64(offsetDelta))
	body = append(body, 1, 2, 'v', 0) // no key, a value of one byte, no headers
	return append(binary.AppendVarint(nil, int64(len(body))+more), body...)
}

func oddOffsets(codec int16, deltas ...int32) []byte {
	var payload []byte
	for _, d := range deltas {
		payload = append(payload, plainRecord(d, 0)...)
	}
	return packed(codec, int32(len(deltas)), payload)
}

func malformedRecompression(c *Conversation) {
	good := plainRecord(0, 0)
	for _, to := range []string{"gzip", "uncompressed"} {
		t := c.Topic("orders-"+to, 1, "compression.type", to)
		for _, from := range []int16{codecNone, codecZstd} {
			for _, payload := range [][]byte{
				good,                        // fewer records than declared
				bytes.Repeat(good, 3),       // more
				plainTwo(plainRecord(1, 1)), // a record that says to be larger than it is
				plainTwo(plainRecord(1, -1)),
				plainTwo(nil, 0xff), // a size that ends in the middle
				plainTwo(nil, 1),    // a negative size
				plainTwo(nil, 0),    // an empty record
			} {
				produced(c, produce(9, -1, t, 0, packed(from, 2, payload)))
			}
		}
		raw := seal(newBatch(), codecZstd, values("v")...)
		produced(c, produce(9, -1, t, 0, reseal(append(raw[:batchHeadSize:batchHeadSize], "no zstd"...))))
		get(c.Conn("a"), fetch(12, t, 0, 0))
	}
}

// plainTwo is a good record and something behind it.
func plainTwo(second []byte, more ...byte) []byte {
	return append(append(plainRecord(0, 0), second...), more...)
}
