package protocol

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Codec is how the records of a batch are compressed, by the attribute bits
// (org.apache.kafka.common.record.CompressionType).
type Codec int8

// The codecs of Kafka 4.4.0.
const (
	CodecNone   Codec = 0
	CodecGzip   Codec = 1
	CodecSnappy Codec = 2
	CodecLZ4    Codec = 3
	CodecZstd   Codec = 4
)

// Known tells whether Kafka has a codec of that number.
func (c Codec) Known() bool { return c >= CodecNone && c <= CodecZstd }

// codecNames are Kafka's names of the codecs, as compression.type has them.
var codecNames = [...]string{"none", "gzip", "snappy", "lz4", "zstd"}

// String is Kafka's name of the codec, as compression.type has it.
func (c Codec) String() string {
	if !c.Known() {
		return fmt.Sprintf("codec %d", int8(c))
	}
	return codecNames[c]
}

// CodecOf is the codec of one of Kafka's names; CodecNone and false where there is none.
func CodecOf(name string) (codec Codec, ok bool) {
	i := slices.Index(codecNames[:], name)
	return Codec(max(i, 0)), i >= 0
}

// ErrTooLarge means that compressed records would grow beyond the limit.
var ErrTooLarge = errors.New("protocol: compressed records grow beyond the limit")

// errCompressed is what is wrong with compressed bytes, whatever it is.
var errCompressed = errors.New("protocol: compressed records cannot be read")

// DecompressLimit is the limit of a zero Decompressor, in bytes: as much as the
// largest request of Kafka's default socket.request.max.bytes could carry plain.
const DecompressLimit = 100 << 20

// keepScratch is the largest buffer that is kept for the next batch.
const keepScratch = 1 << 20

// Decompressor decompresses records, one batch after another, and keeps what it
// needs for the next one. It belongs to one goroutine at a time; its zero value is
// ready, costs nothing until it meets a codec, and needs no closing.
type Decompressor struct {
	// Limit bounds what one batch may decompress to, in bytes; 0 means DecompressLimit.
	Limit int
	// Exceeded is set when a batch grew beyond Limit. It stays until the caller clears it.
	Exceeded bool

	out       []byte
	source    bytes.Reader
	gzip      *gzip.Reader
	zstd      *zstd.Decoder
	zstdLimit int // what zstd was made with
}

// Decompress returns the plain bytes of src. They are valid until the next call, and
// with CodecNone they are src. The error is ErrTooLarge beyond the limit, and else
// says what is wrong with src.
func (d *Decompressor) Decompress(codec Codec, src []byte) ([]byte, error) {
	limit := d.Limit
	if limit <= 0 {
		limit = DecompressLimit
	}
	out, err := d.out[:0], error(nil)
	switch codec {
	case CodecNone:
		return src, nil
	case CodecGzip:
		out, err = d.gunzip(out, src, limit)
	case CodecSnappy:
		out, err = unsnappy(out, src, limit)
	case CodecLZ4:
		out, err = unlz4(out, src, limit)
	case CodecZstd:
		out, err = d.unzstd(out, src, limit)
	default:
		return nil, fmt.Errorf("protocol: there is no %v", codec)
	}
	if d.out = out[:0]; cap(out) > keepScratch {
		d.out = nil // the caller has it, and nobody afterwards
	}
	if err != nil {
		d.Exceeded = d.Exceeded || errors.Is(err, ErrTooLarge)
		return nil, err
	}
	return out, nil
}

// gunzip reads one gzip member after another. What follows a whole member and is not
// one itself is ignored, as java.util.zip.GZIPInputStream ignores it.
func (d *Decompressor) gunzip(dst, src []byte, limit int) ([]byte, error) {
	d.source.Reset(src)
	defer d.source.Reset(nil)
	if d.gzip == nil {
		d.gzip = new(gzip.Reader)
	}
	for first := true; first || d.source.Len() > 0; first = false {
		if err := d.gzip.Reset(&d.source); err != nil {
			if first {
				return dst, errCompressed
			}
			return dst, nil
		}
		d.gzip.Multistream(false)
		var err error
		if dst, err = readAll(dst, d.gzip, limit); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// readAll appends all of r to dst, which grows as bytes come and never beyond limit.
func readAll(dst []byte, r io.Reader, limit int) ([]byte, error) {
	for {
		if len(dst) == cap(dst) {
			dst = grow(dst, minRead, limit)
		}
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		switch {
		case len(dst) > limit:
			return dst, ErrTooLarge
		case err == io.EOF:
			return dst, nil
		case err != nil:
			return dst, errCompressed
		}
	}
}

// minRead is how much room a reader is given at least, in bytes.
const minRead = 512

// grow makes room for n more bytes and for twice as many as there are, so that what is
// unpacked is not copied all the time, but for little more than limit in all.
func grow(dst []byte, n, limit int) []byte {
	return slices.Grow(dst, max(n, min(len(dst), limit+1-len(dst))))
}

func (d *Decompressor) unzstd(dst, src []byte, limit int) ([]byte, error) {
	if d.zstd == nil || d.zstdLimit != limit {
		var err error
		d.zstdLimit = limit
		d.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxMemory(uint64(limit)), zstd.WithDecoderMaxWindow(zstdMaxWindow))
		if err != nil {
			return dst, err
		}
	}
	out, err := d.zstd.DecodeAll(src, dst)
	if err != nil || cap(out) > keepScratch {
		d.zstd = nil // it holds on to what it has unpacked
	}
	switch {
	case err == nil:
		return out, nil
	case errors.Is(err, zstd.ErrDecoderSizeExceeded),
		limit < DecompressLimit && errors.Is(err, zstd.ErrWindowSizeExceeded):
		return dst, ErrTooLarge
	default:
		return dst, errCompressed
	}
}

// zstdMaxWindow is the largest window that the reference decoder takes, and so the
// largest that the highest level of a Java producer asks for.
const zstdMaxWindow = 128 << 20

// Compressor compresses records, one batch after another, and keeps what it needs
// for the next one. It belongs to one goroutine at a time; its zero value is ready
// and needs no closing.
type Compressor struct {
	plain     []byte
	gzip      *gzip.Writer
	gzipLevel int // that gzip was made with
	lz4       *lz4Writer
	zstd      *zstd.Encoder
	zstdLevel int // that zstd was made with
}

// Append is AppendLevel at the default level of the codec.
func (c *Compressor) Append(dst []byte, codec Codec, src []byte) ([]byte, error) {
	return c.AppendLevel(dst, codec, 0, src)
}

// AppendLevel appends src, compressed as Kafka's own writers do it: snappy in the framing
// of snappy-java, lz4 in a frame of independent blocks of 64 KiB. The level is the codec's
// (compression.gzip.level, compression.lz4.level, compression.zstd.level); 0 is its
// default, and the levels that a library does not have are the next that it has. The error
// is that of an unknown codec or level.
func (c *Compressor) AppendLevel(dst []byte, codec Codec, level int, src []byte) ([]byte, error) {
	switch codec {
	case CodecNone:
		return append(dst, src...), nil
	case CodecGzip:
		return c.appendGzip(dst, level, src)
	case CodecSnappy:
		return appendSnappy(dst, src), nil
	case CodecLZ4:
		if c.lz4 == nil {
			c.lz4 = new(lz4Writer)
		}
		return c.lz4.append(dst, level, src)
	case CodecZstd:
		return c.appendZstd(dst, level, src)
	default:
		return dst, fmt.Errorf("protocol: there is no %v", codec)
	}
}

func (c *Compressor) appendGzip(dst []byte, level int, src []byte) ([]byte, error) {
	if level == 0 {
		level = gzip.DefaultCompression
	}
	sink := byteSink(dst)
	if c.gzip == nil || c.gzipLevel != level {
		w, err := gzip.NewWriterLevel(&sink, level)
		if err != nil {
			return dst, err
		}
		c.gzip, c.gzipLevel = w, level
	} else {
		c.gzip.Reset(&sink)
	}
	if _, err := c.gzip.Write(src); err != nil {
		return dst, err
	}
	return sink, c.gzip.Close()
}

func (c *Compressor) appendZstd(dst []byte, level int, src []byte) ([]byte, error) {
	if level == 0 {
		level = zstdDefaultLevel
	}
	if c.zstd == nil || c.zstdLevel != level {
		w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true),
			zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(level)))
		if err != nil {
			return dst, err
		}
		c.zstd, c.zstdLevel = w, level
	}
	return c.zstd.EncodeAll(src, dst), nil
}

// zstdDefaultLevel is the default of compression.zstd.level.
const zstdDefaultLevel = 3

// byteSink appends what is written to it.
type byteSink []byte

func (s *byteSink) Write(b []byte) (int, error) {
	*s = append(*s, b...)
	return len(b), nil
}
