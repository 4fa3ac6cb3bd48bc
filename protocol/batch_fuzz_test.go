package protocol

import (
	"bytes"
	"testing"
)

// FuzzRecordBatch decodes any bytes as a batch. Nothing may panic or grow beyond
// its limit, and what was decoded comes back the same when it is built again.
func FuzzRecordBatch(f *testing.F) {
	for _, codec := range codecs {
		h := PlainBatch()
		h.Attributes = int16(codec)
		b, err := AppendBatch(nil, h, nil, []Record{
			{TimestampMs: 5, Key: []byte("key"), Value: bytes.Repeat([]byte("value"), 30), Headers: []RecordHeader{{Key: "h"}, {Key: "", Value: []byte("v")}}},
			{TimestampMs: 1 << 40},
		})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d := Decompressor{Limit: 1 << 16}
		records, rest, err := DecodeBatch(nil, b, &d)
		if len(rest) > len(b) || cap(d.out) > 1<<20 {
			t.Fatalf("%d bytes are left of %d; %d bytes are kept for a limit of %d", len(rest), len(b), cap(d.out), d.Limit)
		}
		if err != nil || len(records) == 0 {
			return
		}
		again, err := AppendBatch(nil, PlainBatch(), nil, records)
		if err != nil {
			t.Fatal(err)
		}
		second, _, err := DecodeBatch(nil, again, &d)
		if err != nil || len(second) != len(records) {
			t.Fatalf("%d records came back as %d: %v", len(records), len(second), err)
		}
		for i := range records {
			a, b := &records[i], &second[i]
			if a.TimestampMs != b.TimestampMs || !bytes.Equal(a.Key, b.Key) || !bytes.Equal(a.Value, b.Value) || len(a.Headers) != len(b.Headers) {
				t.Fatalf("record %d: %+v came back as %+v", i, a, b)
			}
		}
	})
}
