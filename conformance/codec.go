package conformance

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// snappyHead opens the chunked stream of snappy-java, which Kafka's clients write.
var snappyHead = []byte{0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1}

// maxInflated bounds what a target's compressed batch may grow to.
const maxInflated = 64 << 20

// compress packs the records of a batch as Kafka's clients do.
func compress(codec int16, src []byte) []byte {
	var out bytes.Buffer
	switch codec {
	case codecGzip:
		w := gzip.NewWriter(&out)
		w.Write(src)
		w.Close()
	case codecSnappy:
		block := s2.EncodeSnappy(nil, src)
		out.Write(snappyHead)
		out.Write(binary.BigEndian.AppendUint32(nil, uint32(len(block))))
		out.Write(block)
	case codecLZ4:
		w := lz4.NewWriter(&out)
		w.Write(src)
		w.Close()
	case codecZstd:
		w, err := zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1))
		if err != nil {
			panic(err) // options are constant
		}
		w.Write(src)
		w.Close()
	default:
		return src
	}
	return out.Bytes()
}

// decompress is the other way, for printing what a target sends.
func decompress(codec int16, src []byte) ([]byte, error) {
	var r io.Reader
	var err error
	switch codec {
	case codecNone:
		return src, nil
	case codecGzip:
		r, err = gzip.NewReader(bytes.NewReader(src))
	case codecSnappy:
		return unsnappy(src)
	case codecLZ4:
		r = lz4.NewReader(bytes.NewReader(src))
	case codecZstd:
		var d *zstd.Decoder
		if d, err = zstd.NewReader(bytes.NewReader(src), zstd.WithDecoderConcurrency(1)); err == nil {
			defer d.Close()
			r = d
		}
	default:
		return nil, fmt.Errorf("unknown codec %d", codec)
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, maxInflated))
}

func unsnappy(src []byte) ([]byte, error) {
	if !bytes.HasPrefix(src, snappyHead[:8]) {
		return s2.Decode(nil, src)
	}
	var out []byte
	for src = src[len(snappyHead):]; len(src) >= 4; {
		n := binary.BigEndian.Uint32(src)
		src = src[4:]
		if uint64(n) > uint64(len(src)) {
			return nil, io.ErrUnexpectedEOF
		}
		block, err := s2.Decode(nil, src[:n])
		if err != nil {
			return nil, err
		}
		out, src = append(out, block...), src[n:]
	}
	return out, nil
}
