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

// String is Kafka's name of the codec, as compression.type has it.
func (c Codec) String() string {
	names := [...]string{"none", "gzip", "snappy", "lz4", "zstd"}
	if !c.Known() {
		return fmt.Sprintf("codec %d", int8(c))
	}
	return names[c]
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

// Compression is a codec and how hard it tries, as a topic's compression.type and the levels
// beside it ask for (org.apache.kafka.common.compress.Compression).
type Compression struct {
	Codec Codec
	// Level is Kafka's level of the codec: 1 to 9 of gzip, 1 to 17 of lz4, -131072 to 22 of
	// zstd. 0 is the codec's default, and so is -1 of gzip; snappy has none.
	Level int
}

// defaultLZ4Level is compression.lz4.level's default, which means the fast compressor and not
// a level of the other one (Lz4BlockOutputStream).
const defaultLZ4Level = 9

// Compressor compresses records, one batch after another, and keeps what it needs
// for the next one. It belongs to one goroutine at a time; its zero value is ready
// and needs no closing.
type Compressor struct {
	plain []byte
	batch []byte // what Rebuild returned last
	gzip  *gzip.Writer
	lz4   *lz4Writer
	zstd  *zstd.Encoder

	gzipLevel, zstdLevel int // what the two were made with
}

// Append appends src, compressed as Kafka's own writers do it: gzip at its default
// level, snappy in the framing of snappy-java, lz4 in a frame of independent blocks
// of 64 KiB, zstd at level 3. The error is that of an unknown codec.
func (c *Compressor) Append(dst []byte, codec Codec, src []byte) ([]byte, error) {
	return c.AppendAs(dst, Compression{Codec: codec}, src)
}

// AppendAs is Append at a level. The bytes are not those that Kafka's compressors make of a
// level, but they take about as long and are about as many.
func (c *Compressor) AppendAs(dst []byte, as Compression, src []byte) ([]byte, error) {
	switch as.Codec {
	case CodecNone:
		return append(dst, src...), nil
	case CodecGzip:
		return c.appendGzip(dst, as.Level, src)
	case CodecSnappy:
		return appendSnappy(dst, src), nil
	case CodecLZ4:
		if c.lz4 == nil {
			c.lz4 = new(lz4Writer)
		}
		return c.lz4.append(dst, as.Level, src)
	case CodecZstd:
		return c.appendZstd(dst, as.Level, src)
	default:
		return dst, fmt.Errorf("protocol: there is no %v", as.Codec)
	}
}

func (c *Compressor) appendGzip(dst []byte, level int, src []byte) ([]byte, error) {
	if level == 0 {
		level = gzip.DefaultCompression
	}
	sink := byteSink(dst)
	if c.gzip == nil || c.gzipLevel != level {
		var err error
		if c.gzip, err = gzip.NewWriterLevel(&sink, level); err != nil {
			return dst, err
		}
		c.gzipLevel = level
	} else {
		c.gzip.Reset(&sink)
	}
	if _, err := c.gzip.Write(src); err != nil {
		return dst, err
	}
	err := c.gzip.Close()
	c.gzip.Reset(nil) // the sink is the caller's
	return sink, err
}

func (c *Compressor) appendZstd(dst []byte, level int, src []byte) ([]byte, error) {
	if c.zstd == nil || c.zstdLevel != level {
		as := zstd.SpeedDefault
		if level != 0 {
			as = zstd.EncoderLevelFromZstd(level)
		}
		var err error
		c.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(as), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
		if err != nil {
			return dst, err
		}
		c.zstdLevel = level
	}
	dst = c.zstd.EncodeAll(src, dst)
	if len(src) > keepScratch {
		c.zstd = nil // its tables have grown with what they were used for
	}
	return dst, nil
}

// byteSink appends what is written to it.
type byteSink []byte

func (s *byteSink) Write(b []byte) (int, error) {
	*s = append(*s, b...)
	return len(b), nil
}
