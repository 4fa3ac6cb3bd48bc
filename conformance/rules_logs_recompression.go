package conformance

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// recompressionRules say what becomes of odd batches when a topic has a codec of its own, or
// a limit for its records.
func recompressionRules() []Rule {
	const source = "LogValidator.validateMessagesAndAssignOffsetsCompressed"
	return []Rule{
		must("logs.recompression.producer", "A topic with compression.type=producer stores batches in the codec that they came in.", "BrokerCompressionType", func(c *Conversation) {
			recompressed(c, c.Topic("orders", 1, "compression.type", "producer"))
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
		must("logs.recompression.malformed", "What cannot be read is refused, whatever codec it is to have.", source, malformedRecompression),
		must("logs.decompressed.lookup", "Offsets by time are not found in compressed records that are larger than max.decompressed.message.bytes allows by now.", "UnifiedLog.fetchOffsetByTimestamp", func(c *Conversation) {
			t := c.Topic("orders", 1)
			produced(c, produce(9, -1, t, 0, seal(newBatch(), codecGzip, values("v", strings.Repeat("x", 100), "w")...)))
			altered(c, t, 1, "max.decompressed.message.bytes", kmsg.IncrementalAlterConfigOpSet, "50", "50")
			for _, at := range []int64{-1, -2, -3, baseTime, baseTime + 1, baseTime + 2, baseTime + 3} {
				ask[*kmsg.ListOffsetsResponse](c.Conn("a"), listOffsets(7, t.Name, 0, at))
			}
			get(c.Conn("a"), fetch(12, t, 0, 0))
		}),
	}
}

// recompressed writes a batch of each codec to a topic and reads it back.
func recompressed(c *Conversation, t Topic) {
	for codec := int16(codecNone); codec <= codecZstd; codec++ {
		produced(c, produce(9, -1, t, 0, seal(newBatch(), codec, values("v", "w", "x")...)))
	}
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
