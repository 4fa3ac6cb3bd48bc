package protocol

import (
	"encoding/binary"
	"fmt"
)

// The limits that Kafka 4.4.0 sets to what it reads.
const (
	maxString   = 32_767    // bytes
	maxElements = 1_000_000 // of one array
	maxTags     = 10_000    // of one tag section
)

// Our own limits to a request as a whole, which Kafka has not.
const (
	maxRequestElements = 2_000_000 // of all arrays whose elements are not of a fixed size
	maxRequestTags     = 100_000   // unknown ones, of all tag sections
)

// Reason is why a request cannot be read.
type Reason uint8

// The reasons. Each one but the last two makes Kafka 4.4.0 end the connection.
const (
	ReasonTruncated       Reason = iota + 1 // fewer bytes are left than the field needs
	ReasonUnknownKey                        // the listener takes no such API
	ReasonVersion                           // the API has no such version
	ReasonNull                              // null, where the field may not be
	ReasonStringTooLong                     // above 32767 bytes
	ReasonArrayTooLong                      // more elements than bytes are left, or above 1,000,000
	ReasonTooManyTags                       // more tagged fields than bytes are left, or above 10,000
	ReasonVarint                            // a varint of more than five bytes
	ReasonNegativeLength                    // the size of a tagged field, as a signed number
	ReasonTagVersion                        // a known tagged field, in a version that does not have it
	ReasonTagSize                           // a known tagged field, much longer than its declared size: Kafka reads it
	ReasonRequestTooLarge                   // more elements or unknown tags in all than any client sends: Kafka reads it
)

// ReadError says why and where a request's header or body cannot be read. It means
// that the connection has to be ended.
type ReadError struct {
	Key, Version int16
	Field        string // Kafka's name of the field, "tags" in a tag section; empty in the header
	Offset       int    // of the failing byte: in the frame for a header, otherwise in the body
	Reason       Reason
	Value        int64 // the offending key, length, count or tag
}

// Error is one line for the log.
func (e *ReadError) Error() string {
	where := "header"
	if e.Field != "" {
		where = "field " + e.Field
	}
	name := "request"
	if s, ok := RequestSchema(e.Key); ok {
		name = s.Name
	}
	return fmt.Sprintf("%s (API key %d) version %d: %s at byte %d: %s", name, e.Key, e.Version, where, e.Offset, e.text())
}

func (e *ReadError) text() string {
	switch e.Reason {
	case ReasonRequestTooLarge:
		return fmt.Sprintf("%d elements or tags in all, more than the %d or %d that are accepted", e.Value, maxRequestElements, maxRequestTags)
	case ReasonTruncated:
		return fmt.Sprintf("%d bytes are needed, more than are left", e.Value)
	case ReasonUnknownKey:
		return "unknown API key"
	case ReasonVersion:
		return "unsupported version"
	case ReasonNull:
		return "null, but the field is not nullable"
	case ReasonStringTooLong:
		return fmt.Sprintf("string of %d bytes, more than %d", e.Value, maxString)
	case ReasonArrayTooLong:
		return fmt.Sprintf("array of %d elements, more than %d or than bytes are left", e.Value, maxElements)
	case ReasonTooManyTags:
		return fmt.Sprintf("%d tagged fields, more than %d or than bytes are left", e.Value, maxTags)
	case ReasonVarint:
		return "varint of more than five bytes"
	case ReasonNegativeLength:
		return fmt.Sprintf("negative length %d", e.Value)
	case ReasonTagVersion:
		return fmt.Sprintf("tag %d is not allowed in this version", e.Value)
	case ReasonTagSize:
		return fmt.Sprintf("tagged field is longer than its declared size %d", e.Value)
	}
	return "cannot be read"
}

// reader walks a header or a body. The first failure stays and stops the walk.
type reader struct {
	buf    []byte
	pos    int
	reason Reason // 0 while all is well
	value  int64
}

func (r *reader) failed() bool { return r.reason != 0 }

func (r *reader) fail(why Reason, value int64) {
	if r.reason == 0 {
		r.reason, r.value = why, value
	}
}

func (r *reader) headerError(h RequestHeader) error {
	return &ReadError{Key: h.Key, Version: h.Version, Offset: r.pos, Reason: r.reason, Value: r.value}
}

func (r *reader) left() int { return len(r.buf) - r.pos }

// take returns the next n bytes, nil if they are not there; n is not negative.
func (r *reader) take(n int) []byte {
	if r.failed() || n > r.left() {
		r.fail(ReasonTruncated, int64(n))
		return nil
	}
	r.pos += n
	return r.buf[r.pos-n : r.pos]
}

func (r *reader) int16() int16 {
	if b := r.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *reader) int32() int32 {
	if b := r.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

// uvarint reads Kafka's unsigned varint, which ends up in a signed number. Of a fifth
// byte Kafka uses four bits and drops three; they are cleared in the buffer, because
// kmsg refuses them.
func (r *reader) uvarint() int32 {
	if r.failed() {
		return 0
	}
	if rest := r.buf[r.pos:]; len(rest) > 1 { // nearly all take one or two bytes
		if rest[0] < 0x80 {
			r.pos++
			return int32(rest[0])
		}
		if rest[1] < 0x80 {
			r.pos += 2
			return int32(rest[1])<<7 | int32(rest[0]&0x7f)
		}
	}
	var v uint32
	for shift := 0; shift <= 28; shift += 7 {
		b := r.take(1)
		if b == nil {
			return 0
		}
		if shift == 28 && b[0] < 0x80 {
			b[0] &= 0x0f
		}
		v |= uint32(b[0]&0x7f) << shift
		if b[0] < 0x80 {
			return int32(v)
		}
	}
	r.fail(ReasonVarint, int64(v))
	return 0
}

// tagCount reads the head of a tag section.
func (r *reader) tagCount() int {
	n := int(r.uvarint())
	switch {
	case n < 0:
		r.fail(ReasonNegativeLength, int64(n))
	case n > maxTags || n > r.left():
		r.fail(ReasonTooManyTags, int64(n))
	}
	if r.failed() {
		return 0
	}
	return n
}

// unknownTags walks a tag section of which no tag is known. Kafka minds neither the
// order of tags nor one that comes twice.
func (r *reader) unknownTags() {
	for n := r.tagCount(); n > 0 && !r.failed(); n-- {
		r.uvarint()
		r.unknownTag(r.uvarint())
	}
}

// unknownTag steps over the value of a tagged field of the given size.
func (r *reader) unknownTag(size int32) {
	if size < 0 {
		r.fail(ReasonNegativeLength, int64(size))
		return
	}
	r.take(int(size))
}
