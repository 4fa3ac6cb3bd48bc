package protocol

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

var codecs = []Codec{CodecNone, CodecGzip, CodecSnappy, CodecLZ4, CodecZstd}

// plainTexts are payloads of every interesting size: empty, tiny, just around the
// blocks of the codecs, and both easy and impossible to compress.
func plainTexts() [][]byte {
	random := rand.New(rand.NewPCG(1, 2))
	var texts [][]byte
	for _, n := range []int{0, 1, 3, 4, 15, 16, 17, 100, 32<<10 - 1, 32 << 10, 32<<10 + 1, 64 << 10, 64<<10 + 1, 300_000} {
		easy, hard := bytes.Repeat([]byte("kafka"), n/5+1)[:n], make([]byte, n)
		for i := range hard {
			hard[i] = byte(random.Uint32())
		}
		texts = append(texts, easy, hard)
	}
	return texts
}

func TestCodecsRoundTrip(t *testing.T) {
	var c Compressor
	var d Decompressor
	for _, codec := range codecs {
		for _, text := range plainTexts() {
			packed, err := c.Append([]byte("before"), codec, text)
			if err != nil || string(packed[:6]) != "before" {
				t.Fatalf("%v of %d bytes: %v", codec, len(text), err)
			}
			plain, err := d.Decompress(codec, packed[6:])
			if err != nil || !bytes.Equal(plain, text) {
				t.Fatalf("%v of %d bytes came back as %d bytes, %v", codec, len(text), len(plain), err)
			}
		}
	}
	if _, err := c.Append(nil, 5, nil); err == nil {
		t.Error("codec 5 compresses")
	}
	if _, err := d.Decompress(7, nil); err == nil {
		t.Error("codec 7 decompresses")
	}
}

func TestDecompressStopsAtTheLimit(t *testing.T) {
	var c Compressor
	for _, codec := range codecs[1:] {
		packed, err := c.Append(nil, codec, make([]byte, 4<<20))
		if err != nil {
			t.Fatal(err)
		}
		d := Decompressor{Limit: 1 << 20}
		if _, err := d.Decompress(codec, packed); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%v: 4 MiB within a limit of 1 MiB: %v, want ErrTooLarge", codec, err)
		}
		if !d.Exceeded {
			t.Errorf("%v: it does not say that the limit was exceeded", codec)
		}
		d.Limit, d.Exceeded = 4<<20, false
		if plain, err := d.Decompress(codec, packed); err != nil || len(plain) != 4<<20 || d.Exceeded {
			t.Errorf("%v: 4 MiB within 4 MiB: %d bytes, %v", codec, len(plain), err)
		}
		if cap(d.out) > keepScratch {
			t.Errorf("%v: keeps %d bytes after a large batch", codec, cap(d.out))
		}
	}
}

// What a frame says of its window counts towards the limit, too.
func TestDecompressStopsAtALargeWindow(t *testing.T) {
	encoder, err := zstd.NewWriter(nil, zstd.WithWindowSize(8<<20))
	if err != nil {
		t.Fatal(err)
	}
	packed := encoder.EncodeAll(make([]byte, 20<<20), nil)
	d := Decompressor{Limit: 4 << 20}
	if _, err := d.Decompress(CodecZstd, packed); !errors.Is(err, ErrTooLarge) {
		t.Errorf("20 MiB within a limit of 4 MiB: %v, want ErrTooLarge", err)
	}
	d.Limit = 0
	if plain, err := d.Decompress(CodecZstd, packed); err != nil || len(plain) != 20<<20 {
		t.Errorf("20 MiB without a limit: %d bytes, %v", len(plain), err)
	}
}

func TestDecompressRefusesWhatIsCut(t *testing.T) {
	var c Compressor
	var d Decompressor
	text := bytes.Repeat([]byte("a record and another; "), 5000)
	for _, codec := range codecs[1:] {
		packed, _ := c.Append(nil, codec, text)
		for _, keep := range []int{0, 1, 5, 17, len(packed) / 2, len(packed) - 1} {
			plain, err := d.Decompress(codec, packed[:keep])
			if err == nil && len(plain) > 0 {
				t.Errorf("%v: %d of %d bytes decompressed to %d bytes", codec, keep, len(packed), len(plain))
			}
		}
	}
}

// Kafka takes a bare block of snappy, several gzip members, whatever follows the
// last of them, and whatever follows a frame of lz4.
func TestDecompressTakesWhatKafkaTakes(t *testing.T) {
	var c Compressor
	var d Decompressor
	pack := func(codec Codec, s string) []byte {
		b, err := c.Append(nil, codec, []byte(s))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for _, tc := range []struct {
		name  string
		codec Codec
		src   []byte
		want  string
	}{
		{"bare snappy", CodecSnappy, []byte("\x05\x10hello"), "hello"},
		{"two framed snappy streams", CodecSnappy, join(pack(CodecSnappy, "one "), pack(CodecSnappy, "two")), "one two"},
		{"two gzip members", CodecGzip, join(pack(CodecGzip, "one "), pack(CodecGzip, "two")), "one two"},
		{"gzip and rubbish", CodecGzip, join(pack(CodecGzip, "one"), []byte("this is no gzip header at all")), "one"},
		{"lz4 and rubbish", CodecLZ4, join(pack(CodecLZ4, "one"), []byte("rubbish")), "one"},
		{"two zstd frames", CodecZstd, join(pack(CodecZstd, "one "), pack(CodecZstd, "two")), "one two"},
	} {
		got, err := d.Decompress(tc.codec, tc.src)
		if err != nil || string(got) != tc.want {
			t.Errorf("%s: %q, %v; want %q", tc.name, got, err, tc.want)
		}
	}
}

// The frames are written and read here, so the library's own frames judge them.
func TestLZ4FramesAgreeWithTheLibrary(t *testing.T) {
	for _, text := range plainTexts() {
		packed, err := new(Compressor).Append(nil, CodecLZ4, text)
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := io.ReadAll(lz4.NewReader(bytes.NewReader(packed))); err != nil || !bytes.Equal(plain, text) {
			t.Fatalf("the library reads %d bytes of %d: %v", len(plain), len(text), err)
		}
		for _, options := range [][]lz4.Option{
			{lz4.BlockSizeOption(lz4.Block64Kb), lz4.BlockChecksumOption(true), lz4.ChecksumOption(true)},
			{lz4.BlockSizeOption(lz4.Block4Mb), lz4.ChecksumOption(false), lz4.SizeOption(uint64(len(text)))},
		} {
			var frame bytes.Buffer
			w := lz4.NewWriter(&frame)
			if err := w.Apply(append(options, lz4.ConcurrencyOption(1))...); err != nil {
				t.Fatal(err)
			}
			w.Write(text)
			w.Close()
			plain, err := new(Decompressor).Decompress(CodecLZ4, frame.Bytes())
			if err != nil || !bytes.Equal(plain, text) {
				t.Fatalf("a frame of the library with %d bytes: %d bytes, %v", len(text), len(plain), err)
			}
		}
	}
}

func TestLZ4ChecksChecksums(t *testing.T) {
	var frame bytes.Buffer
	w := lz4.NewWriter(&frame)
	w.Apply(lz4.BlockChecksumOption(true), lz4.ChecksumOption(false))
	w.Write([]byte("a block of which one bit will change"))
	w.Close()
	for _, at := range []int{6, 15} { // the descriptor's checksum, and the block itself
		bad := bytes.Clone(frame.Bytes())
		bad[at] ^= 1
		if _, err := new(Decompressor).Decompress(CodecLZ4, bad); err == nil {
			t.Errorf("byte %d was changed and nobody noticed", at)
		}
	}
}

// A large batch leaves nothing behind in its reader, not even what was too large.
func TestDecompressorKeepsLittle(t *testing.T) {
	const size = 16 << 20
	for _, codec := range []Codec{CodecGzip, CodecSnappy, CodecLZ4, CodecZstd} {
		packed, err := new(Compressor).Append(nil, codec, make([]byte, size))
		if err != nil {
			t.Fatal(err)
		}
		for _, limit := range []int{0, size / 2} {
			d := Decompressor{Limit: limit}
			before := heapInUse()
			if _, err := d.Decompress(codec, packed); (err == nil) != (limit == 0) {
				t.Fatalf("%v with limit %d: %v", codec, limit, err)
			}
			if kept := heapInUse() - before; kept > 4<<20 {
				t.Errorf("%v with limit %d: %d MiB are kept", codec, limit, kept>>20)
			}
			runtime.KeepAlive(&d)
		}
	}
}

func heapInUse() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
