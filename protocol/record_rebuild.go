package protocol

import (
	"errors"
	"slices"
	"unicode/utf8"
)

// ErrNegativeTimestamp means that a record bears a time before 1970. Such a record is kept as
// it came, but Kafka's own writer has none (MemoryRecordsBuilder.appendWithOffset).
var ErrNegativeTimestamp = errors.New("protocol: a record with a negative timestamp cannot be written")

// Rebuild writes the records of a batch anew with the codec as: offsets count up from 0, times
// count from the first record's on, and record attributes and unknown batch attributes are gone, as
// org.apache.kafka.common.record.MemoryRecordsBuilder leaves them. records must be valid.
// Base offset and producer come from h, which is the header of the batch as it came. With
// appendTimeMs not negative the batch bears it (LogAppendTime). maxPlain bounds what is written
// before it is compressed, in bytes. The batch is valid until the next call; newest is the first
// record with the largest timestamp, counted from 0. The error is ErrNegativeTimestamp or ErrTooLarge.
func (c *Compressor) Rebuild(h BatchHeader, as Compression, appendTimeMs int64, maxPlain int, records RecordReader) (batch []byte, newest int32, err error) {
	keep := func(b []byte) []byte {
		if cap(b) > keepScratch {
			return nil
		}
		return b[:0]
	}
	plain := slices.Grow(keep(c.plain), min(len(records.b), maxPlain))
	to := h
	to.Attributes = h.Attributes&AttrTransactional | int16(as.Codec)
	to.MaxTimestampMs = NoTimestampMs
	plain, newest, err = appendRebuilt(plain, &to, &h, maxPlain, &records)
	c.plain = keep(plain)
	if err != nil {
		return nil, 0, err
	}
	to.LastOffsetDelta = to.NumRecords - 1
	if appendTimeMs >= 0 {
		to.Attributes |= AttrLogAppendTime
		to.MaxTimestampMs, newest = appendTimeMs, 0
	}
	batch, err = c.AppendAs(to.Append(keep(c.batch)), as, plain)
	if c.batch = keep(batch); err != nil {
		return nil, 0, err
	}
	SealBatch(batch)
	return batch, newest, nil
}

// appendRebuilt appends the records of a batch with header from, and fills in what to says of
// them. A batch that has become too large is walked to its end, for the other error counts more.
func appendRebuilt(dst []byte, to, from *BatchHeader, maxPlain int, records *RecordReader) (plain []byte, newest int32, err error) {
	var v RecordView
	to.NumRecords = 0
	for records.Next(&v) {
		timestampMs := from.BaseTimestampMs + v.TimestampDelta
		if from.LogAppendTime() {
			timestampMs = from.MaxTimestampMs
		}
		if timestampMs < NoTimestampMs {
			return dst, 0, ErrNegativeTimestamp
		}
		if to.NumRecords == 0 {
			to.BaseTimestampMs = timestampMs
		}
		if timestampMs > to.MaxTimestampMs {
			to.MaxTimestampMs, newest = timestampMs, to.NumRecords
		}
		v.OffsetDelta, v.TimestampDelta = to.NumRecords, timestampMs-to.BaseTimestampMs
		size := rebuiltSize(&v)
		if err == nil && size+sizeVarint(int64(size)) > maxPlain-len(dst) {
			err = ErrTooLarge
		}
		if err == nil {
			dst = appendRebuiltRecord(dst, &v, size)
		}
		to.NumRecords++
	}
	return dst, newest, err
}

// rebuiltSize is the size of a record without the size in front. Headers are looked at one by
// one here and below: a batch can have more of them than there is memory for in a list.
func rebuiltSize(v *RecordView) int {
	size := 1 + sizeVarint(v.TimestampDelta) + sizeVarint(int64(v.OffsetDelta)) +
		sizeVarbytes(v.Key) + sizeVarbytes(v.Value) + sizeVarint(int64(v.NumHeaders))
	for at := 0; at < len(v.RawHeaders); {
		var key, value []byte
		key, value, at = nextHeader(v.RawHeaders, at)
		size += sizeVarbytes(key) + sizeVarbytes(value)
	}
	return size
}

func appendRebuiltRecord(dst []byte, v *RecordView, size int) []byte {
	dst = AppendVarint(dst, int64(size))
	dst = append(dst, 0)
	dst = AppendVarint(dst, v.TimestampDelta)
	dst = AppendVarint(dst, int64(v.OffsetDelta))
	dst = appendVarbytes(dst, v.Key)
	dst = appendVarbytes(dst, v.Value)
	dst = AppendVarint(dst, int64(v.NumHeaders))
	for at := 0; at < len(v.RawHeaders); {
		var key, value []byte
		key, value, at = nextHeader(v.RawHeaders, at)
		dst = appendVarbytes(appendVarbytes(dst, key), value)
	}
	return dst
}

// nextHeader reads one header of those that a RecordView has, whose name Java makes text of.
func nextHeader(headers []byte, at int) (key, value []byte, next int) {
	key, at = varbytes(headers, at)
	if !utf8.Valid(key) {
		key = []byte(JavaText(string(key)))
	}
	value, next = varbytes(headers, at)
	return key, value, next
}
