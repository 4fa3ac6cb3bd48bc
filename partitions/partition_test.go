package partitions

import (
	"fmt"
	"testing"
	"time"

	"klamm/protocol"
)

// defaults is what the configs of a topic are unless told otherwise.
func defaults() Config {
	return Config{MaxMessageBytes: 1048588, TimestampBeforeMaxMs: 1<<63 - 1, TimestampAfterMaxMs: 3600_000}
}

// buildBatch makes a batch of n records, one millisecond apart from t on.
func buildBatch(tb testing.TB, h protocol.BatchHeader, t time.Time, n, valueSize int) []byte {
	tb.Helper()
	var records []protocol.Record
	for i := range n {
		value := fmt.Appendf(make([]byte, 0, valueSize), "%0*d", valueSize, i)
		records = append(records, protocol.Record{TimestampMs: t.UnixMilli() + int64(i), Key: []byte("k"), Value: value})
	}
	b, err := protocol.AppendBatch(nil, h, nil, records)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestAppendAndRead(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	cfg := defaults()
	p := New()
	var want int64
	for i := range 400 {
		n := i%7 + 1
		records := buildBatch(t, protocol.PlainBatch(), now, n, i*10%3000+1)
		var b Batch
		if refusal := b.Validate(&cfg, nil, now, &Produced{Topic: "t", Version: 9, Records: records}); refusal != nil {
			t.Fatal(refusal)
		}
		var done Appended
		if p.Append(now, &cfg, &b, &done); done.BaseOffset != want || done.Refusal != nil {
			t.Fatalf("batch %d went to %+v, want offset %d", i, done, want)
		}
		want += int64(n)
	}
	var r Read
	for offset := int64(0); offset < p.LogEndOffset(); offset++ {
		p.Read(&r, From{Offset: offset, LastEpoch: -1, MaxBytes: 1, MinOne: true})
		h, _ := protocol.ParseBatchHeader(r.Batches[0])
		if h.BaseOffset > offset || h.LastOffset() < offset || h.Size() != r.Size {
			t.Fatalf("offset %d: batch %d..%d, %d bytes of %d", offset, h.BaseOffset, h.LastOffset(), r.Size, h.Size())
		}
		if got := p.Records(offset, 1); len(got) != 1 || got[0].Offset != offset {
			t.Fatalf("offset %d: records %+v", offset, got)
		}
	}
}
