package protocol

import (
	"encoding/binary"
	"hash/crc32"
)

// Sizes of a record batch of magic 2, in bytes.
const (
	// BatchOverhead is the header of a batch, down to and with the count of records.
	BatchOverhead = 61
	// LogOverhead is the base offset and the length that every batch, of any magic, begins with.
	LogOverhead = 12
)

// The attribute bits of a batch, as in org.apache.kafka.common.record.DefaultRecordBatch.
const (
	AttrCodec         int16 = 0x07 // which Codec the records are compressed with
	AttrLogAppendTime int16 = 0x08 // every record's timestamp is the batch's max timestamp
	AttrTransactional int16 = 0x10
	AttrControl       int16 = 0x20 // the records are control records (transaction markers and the like)
	AttrDeleteHorizon int16 = 0x40 // the base timestamp is a delete horizon (KIP-534)
)

// What stands in a header where there is nothing to say.
const (
	NoProducerID    int64 = -1
	NoProducerEpoch int16 = -1
	NoSequence      int32 = -1
	NoTimestampMs   int64 = -1
)

// Where the fields of a batch stand.
const (
	posLength          = 8
	posLeaderEpoch     = 12
	posMagic           = 16
	posCRC             = 17
	posAttributes      = 21
	posLastOffsetDelta = 23
	posBaseTimestamp   = 27
	posMaxTimestamp    = 35
	posProducerID      = 43
	posProducerEpoch   = 51
	posBaseSequence    = 53
	posNumRecords      = 57
)

// castagnoli is the polynomial of CRC-32C; it never changes.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// BatchHeader is the fixed head of a record batch of magic 2, without its CRC's meaning.
type BatchHeader struct {
	BaseOffset           int64
	Length               int32 // bytes that follow this field
	PartitionLeaderEpoch int32
	Magic                int8
	CRC                  uint32
	Attributes           int16
	LastOffsetDelta      int32
	BaseTimestampMs      int64
	MaxTimestampMs       int64
	ProducerID           int64
	ProducerEpoch        int16
	BaseSequence         int32
	NumRecords           int32
}

// PlainBatch is the header of a batch that has no producer: what AppendBatch wants
// to be given when there is nothing more particular to say.
func PlainBatch() BatchHeader {
	return BatchHeader{
		Magic: 2, PartitionLeaderEpoch: -1,
		ProducerID: NoProducerID, ProducerEpoch: NoProducerEpoch, BaseSequence: NoSequence,
	}
}

// ParseBatchHeader reads the header at the start of b; ok is false when b is
// shorter than a header. Nothing is judged: neither magic, nor length, nor CRC.
func ParseBatchHeader(b []byte) (h BatchHeader, ok bool) {
	if len(b) < BatchOverhead {
		return h, false
	}
	b = b[:BatchOverhead]
	be := binary.BigEndian
	return BatchHeader{
		BaseOffset:           int64(be.Uint64(b)),
		Length:               int32(be.Uint32(b[posLength:])),
		PartitionLeaderEpoch: int32(be.Uint32(b[posLeaderEpoch:])),
		Magic:                int8(b[posMagic]),
		CRC:                  be.Uint32(b[posCRC:]),
		Attributes:           int16(be.Uint16(b[posAttributes:])),
		LastOffsetDelta:      int32(be.Uint32(b[posLastOffsetDelta:])),
		BaseTimestampMs:      int64(be.Uint64(b[posBaseTimestamp:])),
		MaxTimestampMs:       int64(be.Uint64(b[posMaxTimestamp:])),
		ProducerID:           int64(be.Uint64(b[posProducerID:])),
		ProducerEpoch:        int16(be.Uint16(b[posProducerEpoch:])),
		BaseSequence:         int32(be.Uint32(b[posBaseSequence:])),
		NumRecords:           int32(be.Uint32(b[posNumRecords:])),
	}, true
}

// Append appends the header as it stands, its CRC and length included.
func (h *BatchHeader) Append(dst []byte) []byte {
	be := binary.BigEndian
	dst = be.AppendUint64(dst, uint64(h.BaseOffset))
	dst = be.AppendUint32(dst, uint32(h.Length))
	dst = be.AppendUint32(dst, uint32(h.PartitionLeaderEpoch))
	dst = append(dst, byte(h.Magic))
	dst = be.AppendUint32(dst, h.CRC)
	dst = be.AppendUint16(dst, uint16(h.Attributes))
	dst = be.AppendUint32(dst, uint32(h.LastOffsetDelta))
	dst = be.AppendUint64(dst, uint64(h.BaseTimestampMs))
	dst = be.AppendUint64(dst, uint64(h.MaxTimestampMs))
	dst = be.AppendUint64(dst, uint64(h.ProducerID))
	dst = be.AppendUint16(dst, uint16(h.ProducerEpoch))
	dst = be.AppendUint32(dst, uint32(h.BaseSequence))
	return be.AppendUint32(dst, uint32(h.NumRecords))
}

// Size is the whole batch in bytes, header included.
func (h *BatchHeader) Size() int { return LogOverhead + int(h.Length) }

// LastOffset is the offset of the last record that the batch had when it was written.
func (h *BatchHeader) LastOffset() int64 { return h.BaseOffset + int64(h.LastOffsetDelta) }

// LastSequence is the sequence of the last record, which wraps to 0 after 2^31-1;
// NoSequence when the batch has none.
func (h *BatchHeader) LastSequence() int32 {
	if h.BaseSequence == NoSequence {
		return NoSequence
	}
	return AddSequence(h.BaseSequence, h.LastOffsetDelta)
}

// Codec is what the records are compressed with; it may be one that does not exist.
func (h *BatchHeader) Codec() Codec { return Codec(h.Attributes & AttrCodec) }

// LogAppendTime tells whether all records bear the time of the append (MaxTimestampMs).
func (h *BatchHeader) LogAppendTime() bool { return h.Attributes&AttrLogAppendTime != 0 }

// Transactional tells whether the batch belongs to a transaction.
func (h *BatchHeader) Transactional() bool { return h.Attributes&AttrTransactional != 0 }

// Control tells whether the records are control records, which consumers do not show.
func (h *BatchHeader) Control() bool { return h.Attributes&AttrControl != 0 }

// DeleteHorizonMs is the time from which on the tombstones and markers of the batch may be
// removed, which the first cleaning that meets them writes into it; ok is false before that (KIP-534).
func (h *BatchHeader) DeleteHorizonMs() (ms int64, ok bool) {
	return h.BaseTimestampMs, h.Attributes&AttrDeleteHorizon != 0
}

// HasProducer tells whether the batch is idempotent or transactional.
func (h *BatchHeader) HasProducer() bool { return h.ProducerID > NoProducerID }

// AddSequence adds n >= 0 to a sequence number, wrapping from 2^31-1 to 0.
func AddSequence(sequence, n int32) int32 {
	return int32((int64(sequence) + int64(n)) & 0x7fffffff)
}

// BatchCRC computes the CRC-32C of a whole batch. It covers everything from the
// attributes on, so that base offset and leader epoch can be patched without it.
// A batch too short to have attributes has the CRC of nothing.
func BatchCRC(batch []byte) uint32 {
	if len(batch) < posAttributes {
		return 0
	}
	return crc32.Checksum(batch[posAttributes:], castagnoli)
}

// SetBaseOffset patches the base offset of a batch in place.
func SetBaseOffset(batch []byte, offset int64) {
	binary.BigEndian.PutUint64(batch, uint64(offset))
}

// SetLeaderEpoch patches the partition leader epoch of a batch in place.
func SetLeaderEpoch(batch []byte, epoch int32) {
	binary.BigEndian.PutUint32(batch[posLeaderEpoch:], uint32(epoch))
}

// SetMaxTimestamp patches timestamp type and max timestamp of a batch in place and
// computes its CRC anew. It changes nothing when both already stand there, and else
// drops the attribute bits that Kafka does not know, as DefaultRecordBatch.setMaxTimestamp does.
func SetMaxTimestamp(batch []byte, maxTimestampMs int64, logAppendTime bool) {
	be := binary.BigEndian
	attrs := int16(be.Uint16(batch[posAttributes:]))
	if attrs&AttrLogAppendTime != 0 == logAppendTime && int64(be.Uint64(batch[posMaxTimestamp:])) == maxTimestampMs {
		return
	}
	attrs &= AttrCodec | AttrTransactional | AttrControl | AttrDeleteHorizon
	if logAppendTime {
		attrs |= AttrLogAppendTime
	}
	be.PutUint16(batch[posAttributes:], uint16(attrs))
	be.PutUint64(batch[posMaxTimestamp:], uint64(maxTimestampMs))
	be.PutUint32(batch[posCRC:], BatchCRC(batch))
}
