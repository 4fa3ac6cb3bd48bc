package protocol

import (
	"encoding/binary"
	"fmt"
)

// Record is one record with its own copy of nothing: Key, Value and the headers'
// values may alias the batch that they were decoded from. A nil Key or Value is
// null; Offset is not looked at when a batch is built, whose records are consecutive.
type Record struct {
	Offset      int64
	TimestampMs int64
	Key, Value  []byte
	Headers     []RecordHeader
}

// AppendBatch appends one batch of the given records, which must not be empty, and
// computes its length, count, timestamps and CRC. From h come base offset, leader
// epoch, producer and attributes, the codec among them; start from PlainBatch. With
// AttrLogAppendTime MaxTimestampMs counts too. c may be nil where nothing is compressed.
// The error is that of an unknown codec, or of an offset range that does not fit.
func AppendBatch(dst []byte, h BatchHeader, c *Compressor, records []Record) ([]byte, error) {
	if len(records) == 0 {
		return dst, fmt.Errorf("protocol: a batch needs at least one record")
	}
	start := len(dst)
	h.Magic = 2
	h.NumRecords = int32(len(records))
	h.LastOffsetDelta = h.NumRecords - 1
	h.BaseTimestampMs = records[0].TimestampMs
	if !h.LogAppendTime() {
		h.MaxTimestampMs = records[0].TimestampMs
		for i := range records {
			h.MaxTimestampMs = max(h.MaxTimestampMs, records[i].TimestampMs)
		}
	}
	dst = h.Append(dst)
	if codec := h.Codec(); codec == CodecNone {
		dst = appendRecords(dst, h.BaseTimestampMs, records)
	} else {
		if c == nil {
			c = new(Compressor)
		}
		c.plain = appendRecords(c.plain[:0], h.BaseTimestampMs, records)
		var err error
		if dst, err = c.Append(dst, codec, c.plain); err != nil {
			return dst[:start], err
		}
	}
	SealBatch(dst[start:])
	return dst, nil
}

// SealBatch patches length and CRC of a batch that has been put together by hand.
func SealBatch(batch []byte) {
	binary.BigEndian.PutUint32(batch[posLength:], uint32(len(batch)-LogOverhead))
	binary.BigEndian.PutUint32(batch[posCRC:], BatchCRC(batch))
}

func appendRecords(dst []byte, baseTimestampMs int64, records []Record) []byte {
	for i := range records {
		dst = AppendRecord(dst, int32(i), records[i].TimestampMs-baseTimestampMs, &records[i])
	}
	return dst
}

// AppendRecord appends one record with its size in front. It is the brick of
// AppendBatch, open for batches that no client should send.
func AppendRecord(dst []byte, offsetDelta int32, timestampDelta int64, r *Record) []byte {
	size := 1 + sizeVarint(timestampDelta) + sizeVarint(int64(offsetDelta)) +
		sizeVarbytes(r.Key) + sizeVarbytes(r.Value) + sizeVarint(int64(len(r.Headers)))
	for i := range r.Headers {
		h := &r.Headers[i]
		size += sizeVarint(int64(len(h.Key))) + len(h.Key) + sizeVarbytes(h.Value)
	}
	dst = AppendVarint(dst, int64(size))
	dst = append(dst, 0)
	dst = AppendVarint(dst, timestampDelta)
	dst = AppendVarint(dst, int64(offsetDelta))
	dst = appendVarbytes(dst, r.Key)
	dst = appendVarbytes(dst, r.Value)
	dst = AppendVarint(dst, int64(len(r.Headers)))
	for i := range r.Headers {
		h := &r.Headers[i]
		dst = AppendVarint(dst, int64(len(h.Key)))
		dst = append(dst, h.Key...)
		dst = appendVarbytes(dst, h.Value)
	}
	return dst
}

// AppendRecordView appends a record that was read from a batch, with the deltas that stand in v.
func AppendRecordView(dst []byte, v *RecordView) []byte {
	size := 1 + sizeVarint(v.TimestampDelta) + sizeVarint(int64(v.OffsetDelta)) +
		sizeVarbytes(v.Key) + sizeVarbytes(v.Value) + sizeVarint(int64(v.NumHeaders)) + len(v.RawHeaders)
	dst = AppendVarint(dst, int64(size))
	dst = append(dst, 0)
	dst = AppendVarint(dst, v.TimestampDelta)
	dst = AppendVarint(dst, int64(v.OffsetDelta))
	dst = appendVarbytes(dst, v.Key)
	dst = appendVarbytes(dst, v.Value)
	dst = AppendVarint(dst, int64(v.NumHeaders))
	return append(dst, v.RawHeaders...)
}

// AppendVarint appends a zig-zag varint, as records have them for lengths and deltas.
func AppendVarint(dst []byte, n int64) []byte { return binary.AppendVarint(dst, n) }

func appendVarbytes(dst, b []byte) []byte {
	if b == nil {
		return append(dst, 1) // -1
	}
	dst = AppendVarint(dst, int64(len(b)))
	return append(dst, b...)
}

func sizeVarint(n int64) int {
	size := 1
	for u := uint64(n)<<1 ^ uint64(n>>63); u >= 0x80; u >>= 7 {
		size++
	}
	return size
}

func sizeVarbytes(b []byte) int {
	if b == nil {
		return 1
	}
	return sizeVarint(int64(len(b))) + len(b)
}

// DecodeBatch appends the records of the batch at the start of b, with their offsets
// and timestamps, to dst, and returns the bytes that follow the batch. The records of
// an uncompressed batch alias b; those of a compressed one do not alias d. The CRC is
// not checked. d may be nil. The error tells what is wrong with the batch.
func DecodeBatch(dst []Record, b []byte, d *Decompressor) (records []Record, rest []byte, err error) {
	h, ok := ParseBatchHeader(b)
	if !ok || h.Magic != 2 || h.Length < BatchOverhead-LogOverhead || h.Size() > len(b) {
		return dst, b, fmt.Errorf("protocol: no whole record batch of magic 2 in %d bytes", len(b))
	}
	payload, rest := b[BatchOverhead:h.Size()], b[h.Size():]
	if codec := h.Codec(); codec != CodecNone {
		if d == nil {
			d = new(Decompressor)
		}
		if payload, err = d.Decompress(codec, payload); err != nil {
			return dst, b, err
		}
		payload = append([]byte(nil), payload...)
	}
	reader := ReadRecords(payload, h.NumRecords)
	var v RecordView
	for reader.Next(&v) {
		r := Record{Offset: h.BaseOffset + int64(v.OffsetDelta), TimestampMs: h.BaseTimestampMs + v.TimestampDelta, Key: v.Key, Value: v.Value}
		if h.LogAppendTime() {
			r.TimestampMs = h.MaxTimestampMs
		}
		if v.NumHeaders > 0 {
			r.Headers = v.AppendHeaders(nil)
		}
		dst = append(dst, r)
	}
	return dst, rest, reader.Err()
}
