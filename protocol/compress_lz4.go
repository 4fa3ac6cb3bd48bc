package protocol

import (
	"encoding/binary"
	"math/bits"

	"github.com/pierrec/lz4/v4"
)

// The LZ4 frame as far as Kafka knows it (org.apache.kafka.common.compress.Lz4BlockInputStream):
// blocks are independent, there is no dictionary, the content checksum is read past.
// The frame is handled here, and only its blocks by the library, because Kafka's
// reader takes and refuses other frames than the library does.
const (
	lz4Magic = 0x184D2204

	lz4Version         = 0x40 // the upper two bits of FLG: version 1
	lz4Independent     = 0x20
	lz4BlockChecksum   = 0x10
	lz4ContentSize     = 0x08
	lz4ContentChecksum = 0x04

	lz4Plain     = 1 << 31 // a block that is not compressed
	lz4Block64K  = 4
	lz4BlockSize = 64 << 10
)

// unlz4 appends the plain bytes of the first frame of src. What follows it is
// ignored, as Kafka ignores it.
func unlz4(dst, src []byte, limit int) ([]byte, error) {
	le := binary.LittleEndian
	if len(src) < 7 || le.Uint32(src) != lz4Magic {
		return dst, errCompressed
	}
	flg, bd := src[4], src[5]
	if flg&0xc0 != lz4Version || flg&lz4Independent == 0 || flg&0x03 != 0 || bd&0x8f != 0 || bd>>4 < lz4Block64K {
		return dst, errCompressed
	}
	maxBlock := 1 << (8 + 2*(bd>>4))
	head := 6
	if flg&lz4ContentSize != 0 {
		head += 8
	}
	if len(src) <= head || src[head] != byte(xxh32(src[4:head])>>8) {
		return dst, errCompressed
	}
	src = src[head+1:]
	for {
		if len(src) < 4 {
			return dst, errCompressed
		}
		word := le.Uint32(src)
		size := int(word &^ lz4Plain)
		src = src[4:]
		if size == 0 {
			if flg&lz4ContentChecksum != 0 && len(src) < 4 {
				return dst, errCompressed
			}
			return dst, nil
		}
		if size > maxBlock || size > len(src) {
			return dst, errCompressed
		}
		block, err := src[:size], error(nil)
		if dst, err = unlz4Block(dst, block, word&lz4Plain != 0, maxBlock, limit); err != nil {
			return dst, err
		}
		if src = src[size:]; flg&lz4BlockChecksum != 0 {
			if len(src) < 4 || le.Uint32(src) != xxh32(block) {
				return dst, errCompressed
			}
			src = src[4:]
		}
	}
}

func unlz4Block(dst, block []byte, plain bool, maxBlock, limit int) ([]byte, error) {
	if plain {
		if len(block) > limit-len(dst) {
			return dst, ErrTooLarge
		}
		return append(dst, block...), nil
	}
	// A block grows by a factor of 255 at most, which spares small ones a large buffer.
	room := min(maxBlock, 255*len(block))
	if cap(dst)-len(dst) < room {
		dst = grow(dst, room, limit)
	}
	n, err := lz4.UncompressBlock(block, dst[len(dst):len(dst)+room])
	if err != nil {
		return dst, errCompressed
	}
	if n > limit-len(dst) {
		return dst, ErrTooLarge
	}
	return dst[:len(dst)+n], nil
}

// lz4Writer writes frames as Lz4BlockOutputStream does: blocks of 64 KiB, no checksums.
type lz4Writer struct {
	fast  lz4.Compressor
	high  *lz4.CompressorHC // of a quarter MiB, so only when a level asks for it
	block []byte
}

// lz4Levels are the levels of the library, which has fewer than lz4-java.
var lz4Levels = [...]lz4.CompressionLevel{
	lz4.Level1, lz4.Level2, lz4.Level3, lz4.Level4, lz4.Level5, lz4.Level6, lz4.Level7, lz4.Level8, lz4.Level9,
}

func (w *lz4Writer) compress(src []byte, level int) (int, error) {
	if level < 1 || level == defaultLZ4Level {
		return w.fast.CompressBlock(src, w.block)
	}
	if w.high == nil {
		w.high = new(lz4.CompressorHC)
	}
	w.high.Level = lz4Levels[min(level, len(lz4Levels))-1]
	return w.high.CompressBlock(src, w.block)
}

func (w *lz4Writer) append(dst []byte, level int, src []byte) ([]byte, error) {
	le := binary.LittleEndian
	dst = le.AppendUint32(dst, lz4Magic)
	descriptor := []byte{lz4Version | lz4Independent, lz4Block64K << 4}
	dst = append(append(dst, descriptor...), byte(xxh32(descriptor)>>8))
	if w.block == nil {
		w.block = make([]byte, lz4.CompressBlockBound(lz4BlockSize))
	}
	for len(src) > 0 {
		part := src[:min(len(src), lz4BlockSize)]
		n, err := w.compress(part, level)
		if err != nil {
			return dst, err
		}
		if n == 0 || n >= len(part) {
			dst = append(le.AppendUint32(dst, uint32(len(part))|lz4Plain), part...)
		} else {
			dst = append(le.AppendUint32(dst, uint32(n)), w.block[:n]...)
		}
		src = src[len(part):]
	}
	return le.AppendUint32(dst, 0), nil
}

// xxh32 is xxHash of 32 bits with seed 0, which LZ4 frames are checked with.
func xxh32(b []byte) uint32 {
	const p1, p2, p3, p4, p5 uint32 = 2654435761, 2246822519, 3266489917, 668265263, 374761393
	le := binary.LittleEndian
	size := uint32(len(b))
	h := p5
	if len(b) >= 16 {
		seed := p1 // a variable: the sums wrap
		lanes := [4]uint32{seed + p2, p2, 0, -seed}
		for ; len(b) >= 16; b = b[16:] {
			for i := range lanes {
				lanes[i] = bits.RotateLeft32(lanes[i]+le.Uint32(b[4*i:])*p2, 13) * p1
			}
		}
		h = bits.RotateLeft32(lanes[0], 1) + bits.RotateLeft32(lanes[1], 7) +
			bits.RotateLeft32(lanes[2], 12) + bits.RotateLeft32(lanes[3], 18)
	}
	h += size
	for ; len(b) >= 4; b = b[4:] {
		h = bits.RotateLeft32(h+le.Uint32(b)*p3, 17) * p4
	}
	for _, c := range b {
		h = bits.RotateLeft32(h+uint32(c)*p5, 11) * p1
	}
	h = (h ^ h>>15) * p2
	h = (h ^ h>>13) * p3
	return h ^ h>>16
}
