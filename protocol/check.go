package protocol

import (
	"encoding/binary"
	"unicode/utf8"
)

// fixedSize is the size in bytes of each type that has one, otherwise 0.
var fixedSize = [16]uint8{
	TypeBool: 1, TypeInt8: 1, TypeInt16: 2, TypeUint16: 2, TypeInt32: 4, TypeUint32: 4,
	TypeInt64: 8, TypeFloat64: 8, TypeUUID: 16,
}

// CheckRequest walks the body of a request of a known API and version without
// allocating, and refuses what Kafka 4.4 refuses to read: arrays above 1,000,000
// elements or longer than the bytes that are left, more than 10,000 tags, null
// where the schema has none, strings above 32767 bytes, whatever runs past the end.
// kmsg may decode the body safely only after it has passed. As in Kafka, bytes after
// the body, strings that are not UTF-8, and tags in any order or twice pass.
//
// What it returns is to be decoded: body, or, where strings of it are not UTF-8, a
// copy in which JavaText stands for them.
//
// Kafka limits each array and each tag section, but not how many of them a request
// has: one frame of 100 MiB can make its reader allocate gigabytes. Here a request
// has at most 2,000,000 elements that are not of a fixed size, and 100,000 unknown
// tags, together. No client comes near.
//
// An error is a *ReadError and means that the connection has to be ended.
//
// Kafka reads a few odd encodings that kmsg refuses: null by any negative length,
// surplus bits in a varint, a wrong size of a tagged field that it knows. Those are
// rewritten in the body, in place, to the plain form of the same meaning.
func CheckRequest(key, version int16, body []byte) ([]byte, error) {
	s, ok := RequestSchema(key)
	if !ok {
		return nil, &ReadError{Key: key, Version: version, Reason: ReasonUnknownKey, Value: int64(key)}
	}
	if !s.Versions.Has(version) {
		return nil, &ReadError{Key: key, Version: version, Reason: ReasonVersion, Value: int64(version)}
	}
	c := checker{reader: reader{buf: body}, version: version, flexible: s.FlexibleIn(version)}
	if c.structure(&s.Body) {
		return c.edited(), nil
	}
	e := &ReadError{Key: key, Version: version, Offset: c.pos, Reason: c.reason, Value: c.value}
	if c.field != nil {
		e.Field = c.field.Name
	}
	return nil, e
}

// checker walks one body. Its methods return false at the first failure, which the
// reader keeps; field is then the innermost field that failed.
type checker struct {
	reader
	version  int16
	flexible bool
	field    *Field
	elements int // of all arrays so far
	unknown  int // tags so far, of all sections
	edits    []edit
	grown    int // bytes by which the edits lengthen the body
}

// structure walks the fields of a struct and the tag section behind them.
func (c *checker) structure(s *Struct) bool {
	pos := c.pos
	for i := range s.Fields {
		f := &s.Fields[i]
		if !f.Versions.Has(c.version) {
			continue
		}
		// Most fields are of a fixed size: worth a short way.
		if size := int(fixedSize[f.Type&15]); size > 0 && !f.Array && size <= len(c.buf)-pos {
			pos += size
			continue
		}
		c.pos = pos
		if !c.walk(f) {
			if c.field == nil {
				c.field = f
			}
			return false
		}
		pos = c.pos
	}
	if !c.flexible {
		c.pos = pos
		return true
	}
	if pos < len(c.buf) && c.buf[pos] == 0 {
		c.pos = pos + 1 // no tags, as nearly always
		return true
	}
	c.pos = pos
	return c.tags(s)
}

// walk steps over the value of a field.
func (c *checker) walk(f *Field) bool {
	nullable := f.Nullable.Has(c.version)
	if !f.Array {
		return c.single(f, nullable)
	}
	n := c.length(false, nullable)
	if n > maxElements || n > c.left() {
		c.fail(ReasonArrayTooLong, int64(n))
	}
	if c.failed() {
		return false
	}
	if size := int(fixedSize[f.Type&15]); size > 0 && n > 0 {
		return c.skip(n * size)
	}
	if c.elements += max(n, 0); c.elements > maxRequestElements {
		c.fail(ReasonRequestTooLarge, int64(c.elements))
		return false
	}
	for range n {
		if !c.single(f, false) {
			return false
		}
	}
	return true
}

// single steps over one value of the field's type: the field, or an element of it.
func (c *checker) single(f *Field, nullable bool) bool {
	switch f.Type {
	case TypeString:
		start := c.pos
		n := c.length(true, nullable)
		if n > maxString {
			c.fail(ReasonStringTooLong, int64(n))
		}
		if !c.skip(max(n, 0)) {
			return false
		}
		return n <= 0 || utf8.Valid(c.buf[c.pos-n:c.pos]) || c.repair(start, n)
	case TypeBytes, TypeRecords:
		return c.skip(max(c.length(false, nullable), 0))
	case TypeStruct:
		if nullable && c.absent() {
			return !c.failed()
		}
		return !c.failed() && c.structure(f.Struct)
	default:
		return c.skip(int(fixedSize[f.Type&15]))
	}
}

func (c *checker) skip(n int) bool {
	if c.failed() || n > c.left() {
		c.fail(ReasonTruncated, int64(n))
		return false
	}
	c.pos += n
	return true
}

// length reads the length of a string (short), of bytes or of an array: -1 for null,
// which fails where the value may not be null.
func (c *checker) length(short, nullable bool) int {
	start := c.pos
	var n int32
	switch {
	case c.flexible:
		n = c.uvarint() - 1 // wraps around as Kafka's does
	case short:
		n = int32(c.int16())
	default:
		n = c.int32()
	}
	if n >= 0 {
		return int(n)
	}
	if !nullable && !c.failed() {
		c.fail(ReasonNull, 0)
	}
	if n < -1 {
		c.rewriteNull(start)
	}
	return -1
}

// rewriteNull gives a null that began at start the one length that kmsg takes for it.
func (c *checker) rewriteNull(start int) {
	length := c.buf[start:c.pos]
	if c.flexible {
		putUvarint(length, 0)
		return
	}
	for i := range length {
		length[i] = 0xff
	}
}

// absent reads the byte in front of a struct that may be null.
func (c *checker) absent() bool {
	b := c.take(1)
	if b == nil {
		return true
	}
	if int8(b[0]) < 0 {
		b[0] = 0xff // any negative number is null
		return true
	}
	return false
}

// tags walks a tag section, in which tagged fields of the schema may occur.
func (c *checker) tags(s *Struct) bool {
	for n := c.tagCount(); n > 0 && !c.failed(); n-- {
		tag := c.uvarint()
		start := c.pos
		size := c.uvarint()
		if f := s.tagged(tag); f != nil {
			c.knownTag(f, start, int(size))
		} else if c.unknown++; c.unknown > maxRequestTags {
			c.fail(ReasonRequestTooLarge, int64(c.unknown))
		} else {
			c.unknownTag(size)
		}
	}
	if c.failed() && c.field == nil {
		c.field = &tagSection
	}
	return !c.failed()
}

// tagSection is the field that an error names when a tag section cannot be read.
var tagSection = Field{Name: "tags"}

func (s *Struct) tagged(tag int32) *Field {
	for i := range s.Tagged {
		if int32(s.Tagged[i].Tag) == tag {
			return &s.Tagged[i]
		}
	}
	return nil
}

// knownTag walks a tagged field whose declared size was read at start. Kafka goes by
// the value and ignores that size, whatever it is; kmsg goes by the size.
func (c *checker) knownTag(f *Field, start, size int) {
	if c.failed() {
		return
	}
	if !f.Versions.Has(c.version) {
		c.fail(ReasonTagVersion, int64(f.Tag))
		c.field = f
		return
	}
	from, edits, grown := c.pos, len(c.edits), c.grown
	if !c.walk(f) {
		if c.field == nil {
			c.field = f
		}
		return
	}
	if grown = c.grown - grown; grown != 0 {
		c.insertEdit(edits, edit{start, from, binary.AppendUvarint(nil, uint64(c.pos-from+grown))})
		return
	}
	if c.pos-from != size && !putUvarint(c.buf[start:from], c.pos-from) {
		c.fail(ReasonTagSize, int64(size))
		c.field = f
	}
}

// putUvarint writes v over a varint and keeps its length, if need be with empty
// leading groups. It returns false when v needs more bytes.
func putUvarint(over []byte, v int) bool {
	for i := range over {
		over[i] = byte(v&0x7f) | 0x80
		v >>= 7
	}
	over[len(over)-1] &= 0x7f
	return v == 0
}
