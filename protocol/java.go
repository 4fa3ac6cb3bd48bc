package protocol

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// What Java makes of strings shows on the wire where Kafka keeps names in hash tables,
// chooses a partition by a name, or reads what is not UTF-8.

// JavaHash is java.lang.String.hashCode.
func JavaHash(s string) (h int32) {
	for _, r := range s {
		if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
			h, r = 31*h+high, low
		}
		h = 31*h + r
	}
	return h
}

// JavaTableSize is how many buckets a java.util.HashMap has after n names were put in.
func JavaTableSize(n int) (buckets uint32) {
	buckets = 16
	for n > int(buckets)*3/4 {
		buckets *= 2
	}
	return buckets
}

// JavaBucket is where a java.util.HashMap of so many buckets, a power of two, has a name.
func JavaBucket(name string, buckets uint32) uint32 {
	h := uint32(JavaHash(name))
	return (h ^ h>>16) & (buckets - 1)
}

// JavaText is s as java.lang.String reads it from UTF-8: each piece of what is not
// UTF-8 is U+FFFD, where a piece is as much as could have begun a character, and half
// of a surrogate pair is one, too.
func JavaText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && size == 1 {
			size = malformedSize(s)
		}
		b.WriteRune(r)
		s = s[size:]
	}
	return b.String()
}

// malformedSize is how many of the first bytes of s, which are no character, Java
// takes for one piece.
func malformedSize(s string) int {
	low, high, more := byte(0x80), byte(0xbf), 0 // the second byte, and how many follow the first
	switch first := s[0]; {
	case first >= 0xc2 && first <= 0xdf:
		more = 1
	case first >= 0xe0 && first <= 0xef:
		more = 2
		if first == 0xe0 {
			low = 0xa0
		}
	case first >= 0xf0 && first <= 0xf4:
		more = 3
		if first == 0xf0 {
			low = 0x90
		}
		if first == 0xf4 {
			high = 0x8f
		}
	}
	size := 1
	for size <= more && size < len(s) && low <= s[size] && s[size] <= high {
		size++
		low, high = 0x80, 0xbf
	}
	return size
}
