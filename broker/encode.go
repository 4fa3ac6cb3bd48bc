package broker

import "encoding/binary"

// The primitives of the two answers that are encoded by hand, Produce and Fetch.

// appendArrayLen appends the length of an array that is not null.
func appendArrayLen(b []byte, n int, flexible bool) []byte {
	if flexible {
		return binary.AppendUvarint(b, uint64(n)+1)
	}
	return binary.BigEndian.AppendUint32(b, uint32(n))
}

func appendString[T string | []byte](b []byte, s T, flexible bool) []byte {
	if flexible {
		b = binary.AppendUvarint(b, uint64(len(s))+1)
	} else {
		b = binary.BigEndian.AppendUint16(b, uint16(len(s)))
	}
	return append(b, s...)
}

// appendNullableString appends s; the empty string stands for null.
func appendNullableString(b []byte, s string, flexible bool) []byte {
	switch {
	case s != "":
		return appendString(b, s, flexible)
	case flexible:
		return append(b, 0)
	default:
		return append(b, 0xff, 0xff)
	}
}

// appendNoTags appends an empty tag section where the version has one.
func appendNoTags(b []byte, flexible bool) []byte {
	if flexible {
		b = append(b, 0)
	}
	return b
}
