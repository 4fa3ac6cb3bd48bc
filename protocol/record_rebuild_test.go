package protocol

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
)

func TestEveryLevelRoundTrips(t *testing.T) {
	var c Compressor
	var d Decompressor
	text := bytes.Repeat([]byte("a record and another; "), 5000)
	for codec, levels := range map[Codec][]int{
		CodecGzip: {-1, 0, 1, 9}, CodecSnappy: {0}, CodecLZ4: {0, 1, 3, 9, 10, 17}, CodecZstd: {-131072, -1, 0, 1, 3, 10, 22},
	} {
		for _, level := range append(levels, levels[0]) { // a compressor may change its level back
			packed, err := c.AppendAs([]byte("before"), Compression{codec, level}, text)
			if err != nil {
				t.Fatalf("%v at level %d: %v", codec, level, err)
			}
			if plain, err := d.Decompress(codec, packed[6:]); err != nil || !bytes.Equal(plain, text) {
				t.Errorf("%v at level %d came back as %d bytes, %v", codec, level, len(plain), err)
			}
			if len(packed) > len(text)/5 {
				t.Errorf("%v at level %d: %d of %d bytes are left", codec, level, len(packed), len(text))
			}
		}
	}
}

// Higher levels are asked for because they take fewer bytes.
func TestLevelsDiffer(t *testing.T) {
	var c Compressor
	var text []byte
	words := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		text = fmt.Appendf(text, "word%d ", words.IntN(500)*words.IntN(500)>>6)
	}
	for _, pair := range [][2]Compression{{{CodecGzip, 1}, {CodecGzip, 9}}, {{CodecLZ4, 9}, {CodecLZ4, 17}}, {{CodecZstd, 1}, {CodecZstd, 22}}} {
		low, _ := c.AppendAs(nil, pair[0], text)
		high, _ := c.AppendAs(nil, pair[1], text)
		if len(high) >= len(low) {
			t.Errorf("%v: %d bytes at level %d, %d at level %d", pair[0].Codec, len(low), pair[0].Level, len(high), pair[1].Level)
		}
	}
}

// manyHeaders are the plain records of a batch of one record with n headers of two bytes.
func manyHeaders(n int) []byte {
	record := AppendVarint([]byte{0, 0, 0, 1, 1}, int64(n))
	record = append(record, bytes.Repeat([]byte{0, 1}, n)...)
	return append(AppendVarint(nil, int64(len(record))), record...)
}

func TestRebuildIsBoundedByItsLimit(t *testing.T) {
	var c Compressor
	h := PlainBatch()
	h.NumRecords = 1
	plain := manyHeaders(20 << 20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	batch, _, err := c.Rebuild(h, Compression{Codec: CodecZstd}, -1, DecompressLimit, ReadRecords(plain, 1))
	runtime.ReadMemStats(&after)
	if err != nil || len(batch) > 1<<20 {
		t.Fatalf("20 million headers: %d bytes, %v", len(batch), err)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 3*uint64(len(plain)) {
		t.Errorf("%d MiB were taken for %d MiB of headers", grown>>20, len(plain)>>20)
	}
	if cap(c.plain) > keepScratch || cap(c.batch) > keepScratch {
		t.Errorf("%d and %d bytes are kept", cap(c.plain), cap(c.batch))
	}
	runtime.ReadMemStats(&before)
	if _, _, err = c.Rebuild(h, Compression{}, -1, 1<<20, ReadRecords(plain, 1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("beyond the limit: %v", err)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20 {
		t.Errorf("%d MiB were taken within a limit of 1 MiB", grown>>20)
	}
}

// The limit counts every byte: exactly as much as is allowed is allowed.
func TestRebuildToTheByte(t *testing.T) {
	var c Compressor
	batch, err := AppendBatch(nil, PlainBatch(), nil, []Record{{Value: []byte("one")}, {Key: []byte("k"), Headers: []RecordHeader{{Key: "h"}}}})
	if err != nil {
		t.Fatal(err)
	}
	h, _ := ParseBatchHeader(batch)
	records := ReadRecords(batch[BatchOverhead:], h.NumRecords)
	size := len(batch) - BatchOverhead
	again, _, err := c.Rebuild(h, Compression{}, -1, size, records)
	if err != nil || !bytes.Equal(again[LogOverhead:], batch[LogOverhead:]) {
		t.Errorf("%x was rebuilt as %x, %v", batch, again, err)
	}
	if _, _, err = c.Rebuild(h, Compression{}, -1, size-1, records); !errors.Is(err, ErrTooLarge) {
		t.Errorf("one byte less is too small a limit: %v", err)
	}
}
