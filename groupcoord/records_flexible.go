package groupcoord

import (
	"encoding/binary"

	"klamm/protocol"
)

// The records of the modern groups are of flexible versions: lengths are varints, and
// what came later is tagged.

func appendUvarint(b []byte, n int) []byte { return binary.AppendUvarint(b, uint64(n)) }

func appendCompact(b []byte, s string) []byte {
	return append(appendUvarint(b, len(s)+1), s...)
}

func appendCompactBytes(b, s []byte) []byte {
	return append(appendUvarint(b, len(s)+1), s...)
}

// appendNullable appends a compact string that may be null.
func appendNullable(b []byte, s *string) []byte {
	if s == nil {
		return append(b, 0)
	}
	return appendCompact(b, *s)
}

func appendCompactTexts(b []byte, texts []string) []byte {
	b = appendUvarint(b, len(texts)+1)
	for _, s := range texts {
		b = appendCompact(b, s)
	}
	return b
}

// appendTag appends a section of tagged fields with one field, tag 0.
func appendTag(b, field []byte) []byte {
	b = append(b, 1, 0)
	return append(appendUvarint(b, len(field)), field...)
}

// appendTag64 is appendTag for a number that is left out when it is 0.
func appendTag64(b []byte, n uint64) []byte {
	if n == 0 {
		return append(b, 0)
	}
	return appendTag(b, binary.BigEndian.AppendUint64(nil, n))
}

func appendInt32s(b []byte, numbers []int32) []byte {
	b = appendUvarint(b, len(numbers)+1)
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint32(b, uint32(n))
	}
	return b
}

func (r *fieldReader) int8() int8 {
	if b := r.take(1); b != nil {
		return int8(b[0])
	}
	return 0
}

func (r *fieldReader) uuid() (u protocol.UUID) {
	copy(u[:], r.take(len(u)))
	return u
}

// texts is a compact array of strings that may not be null.
func (r *fieldReader) texts() []string {
	var texts []string
	for n := r.count(true); n > 0 && !r.bad; n-- {
		texts = append(texts, r.text(true))
	}
	return texts
}

// int32s is a compact array of numbers; nil for null.
func (r *fieldReader) int32s() []int32 {
	n := r.uvarint() - 1
	if n < 0 {
		return nil
	}
	if n > len(r.buf)/4 {
		r.bad = true
		return nil
	}
	numbers := make([]int32, n)
	for i := range numbers {
		numbers[i] = r.int32()
	}
	return numbers
}

// tag64 is a number of the tag 0, which ends the record; 0 without it.
func (r *fieldReader) tag64() uint64 {
	if b := r.skipTags(0); len(b) == 8 {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}
