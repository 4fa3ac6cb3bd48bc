package protocol

import "errors"

// ErrRecord means that the bytes of a batch are not the records that it declares.
// It stands for Kafka's InvalidRecordException.
var ErrRecord = errors.New("protocol: invalid record in batch")

// ErrRecordSize means that the size in front of an uncompressed record is no varint.
// Kafka has no answer of its own for that: it fails with UNKNOWN_SERVER_ERROR.
var ErrRecordSize = errors.New("protocol: the size of a record is not a varint")

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

// read reads one record. Every length of a record of ordinary size is one byte or
// two, so the first byte of each varint is looked at here and not in a call.
func (r *RecordReader) read(v *RecordView) (int, error) {
	b, at := r.b, r.at
	size, at := varint(b, at)
	if at < 0 {
		if at == varintTooLong && !r.lenient {
			return 0, ErrRecordSize
		}
		return 0, ErrRecord
	}
	start := at
	if at >= len(b) || size < 0 || !r.lenient && int(size) > len(b)-at {
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
	if uint(at) < uint(len(b)) && b[at] < 0x80 {
		u := uint32(b[at])
		return int32(u>>1) ^ -int32(u&1), at + 1
	}
	return varintSlow(b, at)
}

func varintSlow(b []byte, at int) (int32, int) {
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
	if uint(at) < uint(len(b)) && b[at] < 0x80 {
		u := uint64(b[at])
		return int64(u>>1) ^ -int64(u&1), at + 1
	}
	return varlongSlow(b, at)
}

func varlongSlow(b []byte, at int) (int64, int) {
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
