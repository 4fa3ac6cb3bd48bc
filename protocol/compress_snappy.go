package protocol

import (
	"encoding/binary"
	"slices"

	"github.com/klauspost/compress/snappy"
)

// The framing of snappy-java (xerial), which is what Kafka writes: a header of 16
// bytes (a magic of eight, version 1, lowest compatible version 1, neither of which
// is looked at) and then blocks with their length in front.
const (
	xerialMagic  = "\x82SNAPPY\x00"
	xerialHeader = len(xerialMagic) + 8
	xerialBlock  = 32 << 10 // plain bytes of a block, the default of SnappyOutputStream
)

// unsnappy appends the plain bytes of src, which is framed or one bare block, as
// org.xerial.snappy.SnappyInputStream takes both.
func unsnappy(dst, src []byte, limit int) ([]byte, error) {
	if len(src) < len(xerialMagic) || string(src[:len(xerialMagic)]) != xerialMagic {
		return unsnappyBlock(dst, src, limit)
	}
	if len(src) < xerialHeader {
		return dst, errCompressed
	}
	src = src[xerialHeader:]
	for len(src) >= 4 { // fewer bytes at the end are ignored
		if len(src) >= xerialHeader && string(src[:len(xerialMagic)]) == xerialMagic {
			src = src[xerialHeader:] // two streams, one behind the other
			continue
		}
		n := int(int32(binary.BigEndian.Uint32(src)))
		if src = src[4:]; n < 0 || n > len(src) {
			return dst, errCompressed
		}
		var err error
		if dst, err = unsnappyBlock(dst, src[:n], limit); err != nil {
			return dst, err
		}
		src = src[n:]
	}
	return dst, nil
}

func unsnappyBlock(dst, block []byte, limit int) ([]byte, error) {
	n, err := snappy.DecodedLen(block)
	switch {
	case err != nil:
		return dst, errCompressed
	case n > limit-len(dst):
		return dst, ErrTooLarge
	case n/64 > len(block): // no element of the format makes more than 64 bytes of two
		return dst, errCompressed
	}
	dst = slices.Grow(dst, n)
	out, err := snappy.Decode(dst[len(dst):len(dst)+n], block)
	if err != nil {
		return dst, errCompressed
	}
	return dst[:len(dst)+len(out)], nil
}

func appendSnappy(dst, src []byte) []byte {
	dst = append(dst, xerialMagic...)
	dst = append(dst, 0, 0, 0, 1, 0, 0, 0, 1)
	for len(src) > 0 {
		n := min(len(src), xerialBlock)
		at := len(dst)
		room := 4 + snappy.MaxEncodedLen(n)
		dst = slices.Grow(dst, room)
		block := snappy.Encode(dst[at+4:at+room], src[:n])
		dst = dst[:at+4+len(block)]
		binary.BigEndian.PutUint32(dst[at:], uint32(len(block)))
		src = src[n:]
	}
	return dst
}
