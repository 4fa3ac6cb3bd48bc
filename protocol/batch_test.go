package protocol

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func genRecord(t *rapid.T) Record {
	gen := rapid.SliceOfN(rapid.Byte(), 0, 200)
	maybe := func(name string) []byte {
		if rapid.IntRange(0, 4).Draw(t, name+" null") == 0 {
			return nil
		}
		return gen.Draw(t, name)
	}
	r := Record{TimestampMs: rapid.Int64Range(-1, 4e12).Draw(t, "timestamp"), Key: maybe("key"), Value: maybe("value")}
	for range rapid.IntRange(0, 3).Draw(t, "headers") {
		r.Headers = append(r.Headers, RecordHeader{Key: rapid.String().Draw(t, "header"), Value: maybe("header value")})
	}
	return r
}

func TestBatchRoundTrip(t *testing.T) {
	var c Compressor
	var d Decompressor
	rapid.Check(t, func(t *rapid.T) {
		h := PlainBatch()
		h.BaseOffset = rapid.Int64Range(0, 1<<40).Draw(t, "base offset")
		h.Attributes = int16(rapid.SampledFrom(codecs).Draw(t, "codec"))
		h.ProducerID, h.ProducerEpoch, h.BaseSequence = rapid.Int64().Draw(t, "producer"), 3, 9
		var records []Record
		for i := range rapid.IntRange(1, 20).Draw(t, "records") {
			r := genRecord(t)
			r.Offset = h.BaseOffset + int64(i)
			records = append(records, r)
		}
		b, err := AppendBatch([]byte("x"), h, &c, records)
		if err != nil {
			t.Fatal(err)
		}
		b = b[1:]
		got, ok := ParseBatchHeader(b)
		if !ok || got.Size() != len(b) || got.CRC != BatchCRC(b) || got.Magic != 2 ||
			got.ProducerID != h.ProducerID || int(got.NumRecords) != len(records) || got.LastOffset() != records[len(records)-1].Offset {
			t.Fatalf("header %+v of %d bytes", got, len(b))
		}
		if again := got.Append(nil); !bytes.Equal(again, b[:BatchOverhead]) {
			t.Fatalf("the header came back as %x, was %x", again, b[:BatchOverhead])
		}
		decoded, rest, err := DecodeBatch(nil, append(b, "rest"...), &d)
		if err != nil || string(rest) != "rest" {
			t.Fatalf("%q is left, %v", rest, err)
		}
		if diff := cmp.Diff(records, decoded); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestPatchingKeepsTheBatchValid(t *testing.T) {
	b, err := AppendBatch(nil, PlainBatch(), nil, []Record{{TimestampMs: 1000, Key: []byte("k")}, {TimestampMs: 999}})
	if err != nil {
		t.Fatal(err)
	}
	crc := BatchCRC(b)
	SetBaseOffset(b, 77)
	SetLeaderEpoch(b, 5)
	if BatchCRC(b) != crc {
		t.Error("base offset and leader epoch are outside the CRC")
	}
	SetMaxTimestamp(b, 1000, false)
	h, _ := ParseBatchHeader(b)
	if h.CRC != crc || h.BaseOffset != 77 || h.PartitionLeaderEpoch != 5 {
		t.Errorf("header %+v", h)
	}
	SetMaxTimestamp(b, 5000, true)
	h, _ = ParseBatchHeader(b)
	if h.CRC != BatchCRC(b) || h.CRC == crc || !h.LogAppendTime() || h.MaxTimestampMs != 5000 {
		t.Errorf("header %+v", h)
	}
	records, _, err := DecodeBatch(nil, b, nil)
	if err != nil || records[0].TimestampMs != 5000 || records[1].TimestampMs != 5000 || records[1].Offset != 78 {
		t.Errorf("records %+v, %v", records, err)
	}
}

func TestLastSequenceWraps(t *testing.T) {
	for _, tc := range []struct{ base, delta, want int32 }{
		{0, 0, 0}, {5, 3, 8}, {1<<31 - 1, 0, 1<<31 - 1}, {1<<31 - 1, 1, 0}, {1<<31 - 3, 5, 2}, {NoSequence, 4, NoSequence},
	} {
		h := BatchHeader{BaseSequence: tc.base, LastOffsetDelta: tc.delta}
		if got := h.LastSequence(); got != tc.want {
			t.Errorf("base %d, last offset delta %d: %d, want %d", tc.base, tc.delta, got, tc.want)
		}
	}
}

// Each payload is one record and what is around it, in hexadecimal: size,
// attributes, timestamp delta, offset delta, key, value, headers.
func TestRecordsThatAreNone(t *testing.T) {
	for _, tc := range []struct {
		name, payload string
		strict, skim  error
	}{
		{"plain", "0c 00 00 00 01 01 00", nil, nil},
		{"key and value", "12 00 00 00 02 6b 04 7676 00", nil, nil},
		{"any negative length is null", "0c 00 00 00 09 07 00", nil, nil},
		{"nothing", "", ErrRecord, ErrRecord},
		{"size says more", "0e 00 00 00 01 01 00", ErrRecord, nil},
		{"size says less", "0a 00 00 00 01 01 00", ErrRecord, nil},
		{"size is negative", "0b 00 00 00 01 01 00", ErrRecord, ErrRecord},
		{"size is no varint", "ffffffffff 00 00 00 01 01 00", ErrRecordSize, ErrRecord},
		{"size has five bytes", "8c80808000 00 00 00 01 01 00", nil, nil},
		{"bytes are left", "0c 00 00 00 01 01 00 00", ErrRecord, ErrRecord},
		{"key runs past the end", "0c 00 00 00 08 01 00", ErrRecord, ErrRecord},
		{"value runs past the end", "0c 00 00 00 01 08 00", ErrRecord, ErrRecord},
		{"key of many bytes runs past the end", "18 00 00 00 10 6b6b6b6b6b6b6b 01", ErrRecord, ErrRecord},
		{"value of many bytes runs past the end", "18 00 00 00 02 6b 10 767676767676", ErrRecord, ErrRecord},
		{"value of many bytes ends where the headers should be counted", "18 00 00 00 02 6b 0c 767676767676", ErrRecord, ErrRecord},
		{"headers are negative", "0c 00 00 00 01 01 01", ErrRecord, ErrRecord},
		{"headers are too many", "0c 00 00 00 01 01 7e", ErrRecord, ErrRecord},
		{"a header", "14 00 00 00 01 01 02 02 68 02 76", nil, nil},
		{"a header with null value", "12 00 00 00 01 01 02 02 68 01", nil, nil},
		{"a header with null key", "10 00 00 00 01 01 02 01 01", ErrRecord, ErrRecord},
		{"timestamp of ten bytes", "1e 00 ffffffffffffffffff01 00 01 01 00", nil, nil},
		{"timestamp of eleven bytes", "20 00 ffffffffffffffffffff01 00 01 01 00", ErrRecord, ErrRecord},
		{"offset is no varint", "16 00 00 ffffffffffff 01 01 00", ErrRecord, ErrRecord},
	} {
		payload, err := hex.DecodeString(strings.ReplaceAll(tc.payload, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		var v RecordView
		strict, skim := ReadRecords(payload, 1), SkimRecords(payload, 1)
		for strict.Next(&v) {
		}
		for skim.Next(&v) {
		}
		if !errors.Is(strict.Err(), tc.strict) || !errors.Is(skim.Err(), tc.skim) {
			t.Errorf("%s: read: %v, want %v; skimmed: %v, want %v", tc.name, strict.Err(), tc.strict, skim.Err(), tc.skim)
		}
	}
}

func TestRecordAttributes(t *testing.T) {
	for _, payload := range []string{"\x12\xff\x00\x02\x02k\x04vv\x00", "\x0c\xff\x00\x02\x01\x01\x00"} {
		r := ReadRecords([]byte(payload), 1)
		var v RecordView
		if !r.Next(&v) || v.Attributes != -1 || v.OffsetDelta != 1 {
			t.Errorf("%+v, %v", v, r.Err())
		}
	}
}

func TestControlRecords(t *testing.T) {
	version, kind, ok := ParseControlKey(AppendControlKey(nil, ControlCommit))
	if version != 0 || kind != ControlCommit || !ok {
		t.Error(version, kind, ok)
	}
	version, epoch, ok := ParseEndTxnValue(AppendEndTxnValue(nil, 12))
	if version != 0 || epoch != 12 || !ok {
		t.Error(version, epoch, ok)
	}
	if _, _, ok := ParseControlKey([]byte{0, 0, 0}); ok {
		t.Error("a key of three bytes was read")
	}
}
