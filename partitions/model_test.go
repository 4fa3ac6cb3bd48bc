package partitions

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"klamm/protocol"
)

// model is a partition as anybody would write it who need not be quick: every
// record, and every batch as it has to be read.
type model struct {
	p       *Partition
	start   int64
	records []protocol.Record // by offset, deleted ones included
	batches []modelBatch
	held    []heldRead
}

type modelBatch struct {
	base  int64
	bytes []byte
}

// heldRead is what a reader got and goes on holding, and what it was then.
type heldRead struct {
	got  [][]byte
	then []byte
}

func (m *model) end() int64 { return int64(len(m.records)) }

func TestPartitionAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{p: New()}
		t.Repeat(map[string]func(*rapid.T){
			"append": m.append, "read": m.read, "find": m.find, "delete": m.delete, "view": m.view, "": m.check,
		})
	})
}

func (m *model) append(t *rapid.T) {
	h := protocol.PlainBatch()
	h.Attributes = int16(rapid.SampledFrom([]protocol.Codec{0, 0, 0, protocol.CodecSnappy, protocol.CodecLZ4}).Draw(t, "codec"))
	size := rapid.SampledFrom([]int{0, 1, 10, 100, 300, 1000, 4000}).Draw(t, "size")
	var records []protocol.Record
	for range rapid.IntRange(1, 6).Draw(t, "records") {
		records = append(records, protocol.Record{
			Offset: m.end() + int64(len(records)), TimestampMs: rapid.Int64Range(-1, 50).Draw(t, "timestamp"),
			Value: bytes.Repeat([]byte{byte(len(records))}, size),
		})
	}
	now := time.UnixMilli(100)
	cfg := Config{MaxMessageBytes: 8 << 20, TimestampBeforeMaxMs: 1 << 40, TimestampAfterMaxMs: 1 << 40}
	cfg.LogAppendTime = rapid.IntRange(0, 4).Draw(t, "log append time") == 0
	batch, err := protocol.AppendBatch(nil, h, nil, records)
	if err != nil {
		t.Fatal(err)
	}
	before := bytes.Clone(batch)
	var checked Batch
	if refusal := checked.Validate(&cfg, nil, now, &Produced{Topic: "t", Version: 9, Records: batch}); refusal != nil {
		t.Fatalf("refused: %v", refusal)
	}
	var done Appended
	if m.p.Append(now, &cfg, &checked, &done); done.BaseOffset != m.end() || done.LogStartOffset != m.start || done.Refusal != nil {
		t.Fatalf("appended to %+v, want offset %d", done, m.end())
	}
	if !bytes.Equal(batch, before) {
		t.Fatal("the request was written to")
	}
	protocol.SetBaseOffset(batch, m.end())
	protocol.SetLeaderEpoch(batch, 0)
	if cfg.LogAppendTime {
		protocol.SetMaxTimestamp(batch, 100, true)
		for i := range records {
			records[i].TimestampMs = 100
		}
	}
	m.batches = append(m.batches, modelBatch{m.end(), batch})
	m.records = append(m.records, records...)
}

func (m *model) delete(t *rapid.T) {
	before := rapid.Int64Range(-2, m.end()+1).Draw(t, "before")
	low, code := m.p.DeleteRecords(before)
	if before == -1 {
		before = m.end()
	}
	if before < 0 || before > m.end() {
		if code != protocol.OffsetOutOfRange || low != -1 {
			t.Fatalf("delete before %d of %d: %v, %d", before, m.end(), code, low)
		}
		return
	}
	m.start = max(m.start, before)
	if code != protocol.None || low != m.start {
		t.Fatalf("delete before %d: %v, low watermark %d, want %d", before, code, low, m.start)
	}
}

func (m *model) read(t *rapid.T) {
	offset := rapid.Int64Range(-1, m.end()+1).Draw(t, "offset")
	maxBytes := rapid.SampledFrom([]int{0, 1, 200, 5000, 1 << 30}).Draw(t, "max")
	minOne := rapid.Bool().Draw(t, "min one")
	var r Read
	m.p.Read(&r, From{Offset: offset, LastEpoch: -1, MaxBytes: maxBytes, MinOne: minOne})
	if offset < m.start || offset > m.end() {
		if r.Code != protocol.OffsetOutOfRange || r.Size != 0 {
			t.Fatalf("read at %d of %d..%d: %v", offset, m.start, m.end(), r.Code)
		}
		return
	}
	var want []byte
	first := 0
	for i := range m.batches {
		if next := i + 1; next < len(m.batches) && m.batches[next].base <= offset || offset == m.end() {
			continue
		}
		if first == 0 {
			first = len(m.batches[i].bytes)
		}
		want = append(want, m.batches[i].bytes...)
	}
	switch {
	case first > maxBytes && minOne:
		want = want[:first]
	case first > maxBytes:
		want = nil
	case len(want) > maxBytes:
		want = want[:maxBytes]
	}
	if got := bytes.Join(r.Batches, nil); !bytes.Equal(got, want) || r.Size != len(got) || r.Code != protocol.None {
		t.Fatalf("read at %d, at most %d: %d bytes, want %d; %v", offset, maxBytes, len(got), len(want), r.Code)
	}
	m.held = append(m.held, heldRead{r.Batches, want})
}

func (m *model) find(t *rapid.T) {
	timestamp := rapid.Int64Range(0, 101).Draw(t, "timestamp")
	want := noOffset
	for _, r := range m.records[m.start:] {
		if r.TimestampMs >= timestamp {
			want = TimestampOffset{r.TimestampMs, r.Offset, 0}
			break
		}
	}
	if got, _ := m.p.FindOffset(&Config{}, timestamp, nil); got != want {
		t.Fatalf("timestamp %d: %+v, want %+v", timestamp, got, want)
	}
	newest := noOffset
	if len(m.records) > 0 {
		newest = TimestampOffset{-1, 0, 0} // where none has a time it is the first
	}
	for _, r := range m.records {
		if r.TimestampMs > newest.TimestampMs {
			newest = TimestampOffset{r.TimestampMs, r.Offset, 0}
		}
	}
	if got, _ := m.p.FindOffset(&Config{}, MaxTimestamp, nil); got != newest {
		t.Fatalf("max timestamp: %+v, want %+v", got, newest)
	}
}

func (m *model) view(t *rapid.T) {
	offset, limit := rapid.Int64Range(m.start, m.end()).Draw(t, "offset"), rapid.IntRange(0, 30).Draw(t, "limit")
	want := m.records[offset:min(offset+int64(limit), m.end())]
	if got := m.p.Records(offset, limit); len(got)+len(want) > 0 {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	}
}

// check looks at what holds at any time.
func (m *model) check(t *rapid.T) {
	if m.p.LogStartOffset() != m.start || m.p.LogEndOffset() != m.end() || m.p.HighWatermark() != m.end() {
		t.Fatalf("%d..%d, want %d..%d", m.p.LogStartOffset(), m.p.LogEndOffset(), m.start, m.end())
	}
	for _, h := range m.held {
		if !bytes.Equal(bytes.Join(h.got, nil), h.then) {
			t.Fatal("what a reader holds has changed")
		}
	}
	if len(m.held) > 4 {
		m.held = m.held[1:]
	}
}

// The log must not cost more than what it stores, and nothing when it stores nothing.
func TestMemoryOverhead(t *testing.T) {
	for _, size := range []int{100, 1000, 16 << 10, 100 << 10, 600 << 10, 1 << 20} {
		p := New()
		h := protocol.PlainBatch()
		b := Batch{Header: h, Bytes: make([]byte, size)}
		stamp, _ := protocol.AppendBatch(nil, h, nil, []protocol.Record{{}})
		copy(b.Bytes, stamp)
		protocol.SealBatch(b.Bytes)
		for p.Size() < 24<<20 {
			p.Append(time.UnixMilli(0), &Config{}, &b, new(Appended))
		}
		held := 0
		for _, c := range p.log.chunks {
			held += (cap(c.buf)+4095)/4096*4096 + cap(c.index)*8 + 64
		}
		if share := float64(held) / float64(p.Size()); share > 1.06 {
			t.Errorf("batches of %d bytes cost %.3f times their size in %d chunks", size, share, len(p.log.chunks))
		}
	}
}
