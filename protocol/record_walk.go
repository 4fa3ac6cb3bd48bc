package protocol

import "encoding/binary"

// OrdinaryRecords is what Ordinary tells of the records that it found.
type OrdinaryRecords struct {
	Count    int32
	MinDelta int64 // the smallest timestamp delta, in milliseconds
	MaxDelta int64 // the largest
	MaxAt    int32 // offset delta of the first record with the largest
	Keyless  bool  // one of them has no key

	end int // where they end
}

// Skip steps over records that Ordinary has found.
func (r *RecordReader) Skip(o *OrdinaryRecords) {
	r.at = o.end
	r.left -= o.Count
}

// Ordinary looks at the records at the start of a batch that are as most records are: no
// headers, numbers of one byte or two, a key below 64 bytes, offsets that count up from 0.
// Every record of every batch is looked at before it is kept, and in one loop without a
// view of each that takes a third of the time.
func (r *RecordReader) Ordinary() (o OrdinaryRecords) {
	b, at, left := r.b, r.at, r.left
	for left > 0 && len(b)-at >= 8 {
		x := binary.LittleEndian.Uint64(b[at:]) // size, attributes, timestamp, offset, length of the key
		size, n := shortOf(x)
		start := at + n
		next := start + int(size>>1)
		x >>= 8*n + 8
		timestamp, m := shortOf(x)
		x >>= 8 * m
		offset, l := shortOf(x)
		keyLen := uint32(x>>(8*l)) & 0xff
		valueAt := start + 1 + m + l + 1 + lengthOf(keyLen)
		if size|timestamp|offset >= notShort || size&1 != 0 || offset != uint32(o.Count)<<1 || keyLen >= 0x80 ||
			next > len(b) || valueAt+2 > next {
			break
		}
		valueLen, end := short(b, valueAt)
		end += lengthOf(valueLen)
		if valueLen >= notShort || end+1 != next || b[end] != 0 || left == 1 && next != len(b) {
			break
		}
		o.note(int64(timestamp>>1)^-int64(timestamp&1), keyLen)
		at = next
		left--
	}
	o.end = at
	return o
}

// note counts one record.
func (o *OrdinaryRecords) note(delta int64, keyLen uint32) {
	if o.Count == 0 {
		o.MinDelta, o.MaxDelta = delta, delta
	} else if delta > o.MaxDelta {
		o.MaxDelta, o.MaxAt = delta, o.Count
	} else if delta < o.MinDelta {
		o.MinDelta = delta
	}
	if keyLen&1 != 0 {
		o.Keyless = true
	}
	o.Count++
}

// shortOf is short of the bytes of x, the lowest first.
func shortOf(x uint64) (uint32, int) {
	c := uint32(x) & 0xff
	if c < 0x80 {
		return c, 1
	}
	return c&0x7f | uint32(x>>8)&0xff<<7, 2
}

// lengthOf is how many bytes follow the length of a key or value, as it stands in a
// record: none where it is negative, which is null.
func lengthOf(zigzag uint32) int { return int(zigzag>>1) & (int(zigzag&1) - 1) }
