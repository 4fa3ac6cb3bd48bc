package protocol

import "errors"

// ErrRecord means that the bytes of a batch are not the records that it declares.
// It stands for Kafka's InvalidRecordException.
var ErrRecord = errors.New("protocol: invalid record in batch")

// ErrRecordSize means that the size in front of an uncompressed record is no varint.
// Kafka has no answer of its own for that: it fails with UNKNOWN_SERVER_ERROR.
var ErrRecordSize = errors.New("protocol: the size of a record is not a varint")

// LargestRecord is the largest record that Kafka reads, in bytes: an array of Java has no more
// (the default of max.decompressed.message.bytes).
const LargestRecord = 1<<31 - 9

// RecordView is one record as it stands in a batch. Its slices alias the batch.
type RecordView struct {
	Attributes     int8
	TimestampDelta int64 // to the batch's base timestamp, in milliseconds
	OffsetDelta    int32 // to the batch's base offset
	Key, Value     []byte
	NumHeaders     int32
	RawHeaders     []byte // NumHeaders headers, as Headers reads them
}

// RecordHeader is one header of a record. A nil Value is null.
type RecordHeader struct {
	Key   string
	Value []byte
}

// RecordReader walks the records of one batch without allocating. Next returns
// false at the end or at the first record that is not one; Err then tells which.
type RecordReader struct {
	b       []byte // the whole payload
	at      int
	left    int32
	lenient bool
	err     error
}

// ReadRecords reads the records of a batch from its decompressed payload, of which
// there must be exactly numRecords. It judges them as Kafka judges an uncompressed
// batch (org.apache.kafka.common.record.DefaultRecord.readFrom).
func ReadRecords(payload []byte, numRecords int32) RecordReader {
	return RecordReader{b: payload, left: max(numRecords, 0)}
}

// SkimRecords is ReadRecords as Kafka's broker looks at a compressed batch: the size
// in front of a record, if not negative, is not compared with the record
// (DefaultRecord.readPartiallyFrom).
func SkimRecords(payload []byte, numRecords int32) RecordReader {
	return RecordReader{b: payload, left: max(numRecords, 0), lenient: true}
}

// Err is ErrRecord or ErrRecordSize when Next ended before the end, or else nil.
func (r *RecordReader) Err() error { return r.err }

// NextSize is the size that stands in front of the next record, in bytes; 0 where there is none.
func (r *RecordReader) NextSize() int {
	if r.left == 0 || r.err != nil {
		return 0
	}
	size, at := varint(r.b, r.at)
	if at < 0 {
		return 0
	}
	return int(size)
}

// Next reads the next record into v.
func (r *RecordReader) Next(v *RecordView) bool {
	if r.left == 0 || r.err != nil {
		return false
	}
	at, err := r.read(v)
	r.at = at
	r.left--
	if err == nil && r.left == 0 && at != len(r.b) {
		err = ErrRecord // more bytes than records
	}
	r.err = err
	return err == nil
}

// read reads one record. The numbers of an ordinary record are of one byte or two,
// and it has no headers: such a record is read here, without a call, and anything
// else by readSlow, which also is the one to find fault. Records are looked at in
// every batch that is produced, and this takes a third of the time.
func (r *RecordReader) read(v *RecordView) (int, error) {
	b, at := r.b, r.at
	if len(b)-at < 9 { // five numbers and the attributes
		return r.readSlow(v)
	}
	size, at := short(b, at)
	start := at
	attributes := int8(b[at])
	timestamp, at := short(b, at+1)
	offset, at := short(b, at)
	keyLen, at := short(b, at)
	n := int(keyLen >> 1)
	if (size|timestamp|offset|keyLen) >= notShort || n&-int(^keyLen&1) > len(b)-at-2 {
		return r.readSlow(v)
	}
	v.Key = nil
	if keyLen&1 == 0 {
		v.Key = b[at : at+n : at+n]
		at += n
	}
	valueLen, at := short(b, at)
	n = int(valueLen >> 1)
	if valueLen >= notShort || n&-int(^valueLen&1) > len(b)-at-1 {
		return r.readSlow(v)
	}
	v.Value = nil
	if valueLen&1 == 0 {
		v.Value = b[at : at+n : at+n]
		at += n
	}
	if at >= len(b) || b[at] != 0 || size&1 != 0 {
		return r.readSlow(v)
	}
	end := at + 1
	if !r.lenient {
		// The same number, but known earlier: the processor need not wait for the
		// lengths of this record before it turns to the next one.
		if end = start + int(size>>1); end != at+1 {
			return r.readSlow(v)
		}
	}
	v.Attributes = attributes
	v.TimestampDelta = int64(timestamp>>1) ^ -int64(timestamp&1)
	v.OffsetDelta = int32(offset>>1) ^ -int32(offset&1)
	v.NumHeaders, v.RawHeaders = 0, nil
	return end, nil
}

// notShort is what short returns at least when the number has more than two bytes.
const notShort = 1 << 14

// short reads an unsigned number of one byte or two, of which there must be two.
func short(b []byte, at int) (uint32, int) {
	c := uint32(b[at])
	if c < 0x80 {
		return c, at + 1
	}
	return c&0x7f | uint32(b[at+1])<<7, at + 2
}

func (r *RecordReader) readSlow(v *RecordView) (int, error) {
	b, at := r.b, r.at
	size, at := varint(b, at)
	if at < 0 {
		if at == varintTooLong && !r.lenient {
			return 0, ErrRecordSize
		}
		return 0, ErrRecord
	}
	start := at
	if at >= len(b) || size < 0 || size > LargestRecord || !r.lenient && int(size) > len(b)-at {
		return 0, ErrRecord
	}
	v.Attributes = int8(b[at])
	if v.TimestampDelta, at = varlong(b, at+1); at < 0 {
		return 0, ErrRecord
	}
	if v.OffsetDelta, at = varint(b, at); at < 0 {
		return 0, ErrRecord
	}
	if v.Key, at = varbytes(b, at); at < 0 {
		return 0, ErrRecord
	}
	if v.Value, at = varbytes(b, at); at < 0 {
		return 0, ErrRecord
	}
	if v.NumHeaders, at = varint(b, at); at < 0 || v.NumHeaders < 0 {
		return 0, ErrRecord
	}
	v.RawHeaders = nil
	if v.NumHeaders > 0 {
		end := skipHeaders(b, at, v.NumHeaders)
		if end < 0 {
			return 0, ErrRecord
		}
		v.RawHeaders, at = b[at:end:end], end
	}
	if !r.lenient && at-start != int(size) {
		return 0, ErrRecord
	}
	return at, nil
}

// skipHeaders returns where n headers end, or -1.
func skipHeaders(b []byte, at int, n int32) int {
	if int(n) > len(b)-at {
		return -1
	}
	for ; n > 0; n-- {
		keyLen, next := varint(b, at)
		if next < 0 || keyLen < 0 || int(keyLen) > len(b)-next {
			return -1
		}
		if _, at = varbytes(b, next+int(keyLen)); at < 0 {
			return -1
		}
	}
	return at
}

// AppendHeaders appends the record's headers to dst. Values alias the batch.
func (v *RecordView) AppendHeaders(dst []RecordHeader) []RecordHeader {
	b, at := v.RawHeaders, 0
	for range v.NumHeaders {
		var key, value []byte
		if key, at = varbytes(b, at); at < 0 {
			return dst
		}
		if value, at = varbytes(b, at); at < 0 {
			return dst
		}
		dst = append(dst, RecordHeader{Key: string(key), Value: value})
	}
	return dst
}

// What varint and varlong return instead of a position.
const (
	varintCut     = -1 // the bytes end before the number does
	varintTooLong = -2 // more bytes than a number of its width can have
)

// varint reads a zig-zag number of at most five bytes and returns where it ends.
func varint(b []byte, at int) (int32, int) {
	var u uint32
	for i := range 5 {
		if at+i >= len(b) {
			return 0, varintCut
		}
		c := b[at+i]
		u |= uint32(c&0x7f) << (7 * i)
		if c < 0x80 {
			return int32(u>>1) ^ -int32(u&1), at + i + 1
		}
	}
	return 0, varintTooLong
}

// varlong reads a zig-zag number of at most ten bytes and returns where it ends.
func varlong(b []byte, at int) (int64, int) {
	var u uint64
	for i := range 10 {
		if at+i >= len(b) {
			return 0, varintCut
		}
		c := b[at+i]
		u |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			return int64(u>>1) ^ -int64(u&1), at + i + 1
		}
	}
	return 0, varintTooLong
}

// varbytes reads bytes with a varint length in front; any negative length is null.
func varbytes(b []byte, at int) ([]byte, int) {
	n, at := varint(b, at)
	if at < 0 || n < 0 {
		return nil, at
	}
	if int(n) > len(b)-at {
		return nil, varintCut
	}
	end := at + int(n)
	return b[at:end:end], end
}
