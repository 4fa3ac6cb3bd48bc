package groupcoord

import "encoding/binary"

// fieldReader reads fields of Kafka's protocol from bytes that may be anything. A
// read past the end, or a length that cannot be true, sets bad; every later read
// gives zero, so that one look at the end is enough. Slices alias the input.
type fieldReader struct {
	buf []byte
	bad bool
}

func (r *fieldReader) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.buf) {
		r.bad = true
		return nil
	}
	b := r.buf[:n:n]
	r.buf = r.buf[n:]
	return b
}

func (r *fieldReader) int16() int16 {
	if b := r.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *fieldReader) int32() int32 {
	if b := r.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (r *fieldReader) int64() int64 {
	if b := r.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

// uvarint is a varint of at most five bytes, as lengths and tags are.
func (r *fieldReader) uvarint() int {
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		b := r.take(1)
		if b == nil {
			return 0
		}
		v |= uint64(b[0]&0x7f) << shift
		if b[0] < 0x80 {
			return int(v)
		}
	}
	r.bad = true
	return 0
}

// string is a string that may not be null.
func (r *fieldReader) string() []byte { return r.take(int(r.int16())) }

// nullableString is nil for null.
func (r *fieldReader) nullableString() []byte {
	n := int(r.int16())
	if n < 0 {
		return nil
	}
	return r.take(n)
}

// bytes is a byte field that may not be null.
func (r *fieldReader) bytes() []byte { return r.take(int(r.int32())) }

// nullableBytes is nil for null.
func (r *fieldReader) nullableBytes() []byte {
	n := int(r.int32())
	if n < 0 {
		return nil
	}
	return r.take(n)
}

// compact is a compact string or compact bytes that may not be null.
func (r *fieldReader) compact() []byte { return r.take(r.uvarint() - 1) }

// compactNullable is nil for null.
func (r *fieldReader) compactNullable() []byte {
	n := r.uvarint()
	if n == 0 {
		return nil
	}
	return r.take(n - 1)
}

// text is a string that may not be null, in the old or the compact encoding.
func (r *fieldReader) text(flexible bool) string {
	if flexible {
		return string(r.compact())
	}
	return string(r.string())
}

// nullableText is nil for null.
func (r *fieldReader) nullableText(flexible bool) *string {
	var b []byte
	if flexible {
		b = r.compactNullable()
	} else {
		b = r.nullableString()
	}
	if b == nil {
		return nil
	}
	s := string(b)
	return &s
}

// count is the number of elements of an array that may not be null. An element
// takes a byte at least.
func (r *fieldReader) count(flexible bool) int {
	var n int
	if flexible {
		n = r.uvarint() - 1
	} else {
		n = int(r.int32())
	}
	if n < 0 || n > len(r.buf) {
		r.bad = true
		return 0
	}
	return n
}

// skipTags passes over a section of tagged fields and returns the one asked for,
// nil without it. It ends with the bytes, whatever count they promise.
func (r *fieldReader) skipTags(want int) []byte {
	var found []byte
	for n := r.uvarint(); n > 0 && !r.bad; n-- {
		tag := r.uvarint()
		field := r.take(r.uvarint())
		if tag == want {
			found = field
		}
	}
	return found
}
