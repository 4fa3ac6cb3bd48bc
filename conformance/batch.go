package conformance

import (
	"encoding/binary"
	"hash/crc32"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// The codecs of record batches, by their attribute bits.
const (
	codecNone = iota
	codecGzip
	codecSnappy
	codecLZ4
	codecZstd
)

// baseTime is the timestamp of the first record of a batch, in milliseconds of Unix
// time: long ago, so that it is never taken for now, and before the year 2000, in which
// a bubble's clock starts. Topics of a conversation keep their records for ever, so
// that no retention ends them.
const baseTime = 900_000_000_000

// Where the fields of a batch of magic 2 lie.
const (
	atLength      = 8
	atMagic       = 16
	atCRC         = 17
	atAttributes  = 21
	atMaxTime     = 35
	atNumRecords  = 57
	batchHeadSize = 61
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// newBatch is a batch header as a producer without an id writes it.
func newBatch() kmsg.RecordBatch {
	return kmsg.RecordBatch{
		PartitionLeaderEpoch: -1,
		Magic:                2,
		FirstTimestamp:       baseTime,
		ProducerID:           -1,
		ProducerEpoch:        -1,
		FirstSequence:        -1,
	}
}

// values are records with these values, a millisecond apart.
func values(vs ...string) []kmsg.Record {
	rs := make([]kmsg.Record, len(vs))
	for i, v := range vs {
		rs[i] = kmsg.Record{Value: []byte(v)}
		rs[i].TimestampDelta64 = int64(i)
	}
	return rs
}

// batchOf is one uncompressed batch with these values.
func batchOf(vs ...string) []byte { return seal(newBatch(), codecNone, values(vs...)...) }

// idempotent is one batch of a producer with an id. Its records are of now: a broker
// forgets, from time to time, producers whose last record is older than a day.
func idempotent(id int64, epoch int16, sequence int32, vs ...string) []byte {
	b := newBatch()
	b.FirstTimestamp = time.Now().UnixMilli()
	b.ProducerID, b.ProducerEpoch, b.FirstSequence = id, epoch, sequence
	return seal(b, codecNone, values(vs...)...)
}

// seal encodes a batch: offsets of the records, counts, times, length and CRC are
// computed; what else stands in b is kept.
func seal(b kmsg.RecordBatch, codec int16, records ...kmsg.Record) []byte {
	var body []byte
	b.MaxTimestamp = b.FirstTimestamp
	for i, r := range records {
		r.OffsetDelta = int32(i)
		b.MaxTimestamp = max(b.MaxTimestamp, b.FirstTimestamp+r.TimestampDelta64)
		r.Length = 0
		r.Length = int32(len(r.AppendTo(nil)) - 1) // less the one byte of length zero
		body = r.AppendTo(body)
	}
	b.NumRecords = int32(len(records))
	b.LastOffsetDelta = b.NumRecords - 1
	b.Attributes |= codec
	b.Records = compress(codec, body)
	return reseal(b.AppendTo(nil))
}

// reseal sets length and CRC of the single batch in raw, after it was changed.
func reseal(raw []byte) []byte {
	binary.BigEndian.PutUint32(raw[atLength:], uint32(len(raw)-atLength-4))
	binary.BigEndian.PutUint32(raw[atCRC:], crc32.Checksum(raw[atAttributes:], castagnoli))
	return raw
}
