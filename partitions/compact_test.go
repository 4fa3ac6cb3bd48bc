package partitions

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"klamm/protocol"
)

// history is a compacted partition, and all that was ever written to it.
type history struct {
	p       *Partition
	cfg     Config
	now     time.Time
	records []written
	writers [4]writer // the first one is idempotent only
}

// written is a record as its producer knows it.
type written struct {
	key, value string // no value: a tombstone
	txn        *bool  // whether its transaction was committed; nil: it has none
}

// writer is a producer.
type writer struct {
	epoch int16
	next  int32
	txn   *bool // the open transaction
	open  bool
}

// A consumer of committed records ends with the same value of every key, whatever was
// cleaned and when.
func TestCompactionKeepsTheState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &history{p: New(), now: time.UnixMilli(1_000_000), cfg: Config{
			MaxMessageBytes: 1 << 20, TimestampBeforeMaxMs: 1 << 40, TimestampAfterMaxMs: 1 << 40, Compacted: true, MaxCompactionLagMs: math.MaxInt64,
			SegmentBytes: rapid.SampledFrom([]int64{0, 200, 1000}).Draw(t, "segment bytes"), SegmentMs: 1000,
			DeleteRetentionMs: rapid.SampledFrom([]int64{0, 2000}).Draw(t, "delete retention"),
		}}
		t.Repeat(map[string]func(*rapid.T){
			"append": h.append, "transaction": h.append, "end": h.end, "clean": h.clean, "expire": h.expire, "delete": h.delete, "": h.check,
		})
	})
}

func (h *history) append(t *rapid.T) {
	h.now = h.now.Add(time.Duration(rapid.IntRange(0, 1500).Draw(t, "ms")) * time.Millisecond)
	head := protocol.PlainBatch()
	head.Attributes = int16(rapid.SampledFrom([]protocol.Codec{0, 0, protocol.CodecGzip, protocol.CodecLZ4}).Draw(t, "codec"))
	n := rapid.IntRange(1, 4).Draw(t, "records")
	var txn *bool
	if id := rapid.IntRange(-1, len(h.writers)-1).Draw(t, "writer"); id >= 0 {
		w := &h.writers[id]
		if id > 0 {
			head.Attributes |= protocol.AttrTransactional
			if !w.open {
				w.open, w.txn = true, new(bool)
			}
			txn = w.txn
		}
		head.ProducerID, head.ProducerEpoch, head.BaseSequence = int64(id), w.epoch, w.next
		w.next += int32(n)
	}
	var records []protocol.Record
	for range n {
		r := protocol.Record{TimestampMs: h.now.UnixMilli(), Key: []byte(rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "key"))}
		one := written{key: string(r.Key), txn: txn}
		if rapid.IntRange(0, 2).Draw(t, "tombstone") > 0 {
			one.value = fmt.Sprint(len(h.records))
			r.Value = []byte(one.value)
		}
		records, h.records = append(records, r), append(h.records, one)
	}
	bytes, err := protocol.AppendBatch(nil, head, nil, records)
	if err != nil {
		t.Fatal(err)
	}
	var b Batch
	if refusal := b.Validate(&h.cfg, nil, h.now, &Produced{Topic: "t", Version: 9, Records: bytes}); refusal != nil {
		t.Fatal(refusal)
	}
	var done Appended
	if h.p.Append(h.now, &h.cfg, &b, &done); done.Refusal != nil || done.BaseOffset != int64(len(h.records)-n) {
		t.Fatalf("%+v %+v", done, done.Refusal)
	}
}

// end ends a transaction.
func (h *history) end(t *rapid.T) {
	id := rapid.IntRange(1, len(h.writers)-1).Draw(t, "writer")
	w := &h.writers[id]
	m := Marker{ProducerID: int64(id), ProducerEpoch: w.epoch, Commit: rapid.Bool().Draw(t, "commit"), EpochBump: rapid.Bool().Draw(t, "bump")}
	if m.EpochBump {
		m.ProducerEpoch++
		w.epoch, w.next = w.epoch+1, 0
	}
	if _, code := h.p.AppendMarker(h.now, &h.cfg, m); code != protocol.None {
		t.Fatal(code)
	}
	h.records = append(h.records, written{})
	if w.open {
		*w.txn, w.open = m.Commit, false
	}
}

func (h *history) clean(t *rapid.T) {
	h.now = h.now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond)
	if rapid.Bool().Draw(t, "roll") {
		h.p.Roll(h.now)
	}
	c := h.p.BeginCleaning(h.now, &h.cfg)
	if c == nil {
		return
	}
	c.Run()
	if rapid.Bool().Draw(t, "append meanwhile") {
		h.append(t)
	}
	h.p.FinishCleaning(c)
	if h.p.uncleanable {
		t.Fatal("a batch could not be read")
	}
}

func (h *history) expire(t *rapid.T) {
	h.now = h.now.Add(time.Minute)
	h.p.ExpireProducers(h.now, time.Minute)
	for id := range h.writers {
		if h.p.producers[int64(id)] == nil { // a new one need not go on with its sequence
			h.writers[id].next = 0
		}
	}
}

func (h *history) delete(t *rapid.T) {
	if rapid.IntRange(0, 3).Draw(t, "whether") == 0 {
		h.p.DeleteRecords(rapid.Int64Range(0, h.p.LastStableOffset()).Draw(t, "before"))
		h.p.ApplyRetention(h.now, &h.cfg)
	}
}

// check reads all of the log and compares.
func (h *history) check(t *rapid.T) {
	got, want := consume(t, h.p), map[string]string{}
	for offset := h.p.LogStartOffset(); offset < h.p.LastStableOffset(); offset++ {
		if r := h.records[offset]; r.key != "" && (r.txn == nil || *r.txn) {
			if want[r.key] = r.value; r.value == "" {
				delete(want, r.key)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	last := map[int64]int32{}
	all := batches{chunks: h.p.log.chunks}
	for all.next(math.MaxInt64) {
		if b := &all.header; b.HasProducer() && !b.Control() {
			last[b.ProducerID] = b.LastSequence()
		}
	}
	for id, s := range h.p.producers {
		if s.count > 0 && s.recent[s.count-1].baseOffset >= h.p.start && last[id] != s.lastSequence() {
			t.Fatalf("the last sequence of %d is %d, in the log %d", id, s.lastSequence(), last[id])
		}
	}
	if h.p.log.size != h.p.Size() && h.p.start == 0 {
		t.Fatalf("%d bytes in segments of %d", h.p.log.size, h.p.Size())
	}
}

// consume reads as a consumer of committed records does, and returns the last value of each key.
func consume(t *rapid.T, p *Partition) map[string]string {
	state := map[string]string{}
	var r Read
	for offset := p.LogStartOffset(); offset < p.LastStableOffset(); {
		p.Read(&r, From{Offset: offset, LastEpoch: -1, MaxBytes: 150, MinOne: true, Committed: true})
		if r.Code != protocol.None {
			t.Fatalf("at %d of %d: %v", offset, p.LastStableOffset(), r.Code)
		}
		if r.Size == 0 { // nothing is left up to the last stable offset
			return state
		}
		aborted := map[int64][]int64{}
		for _, a := range r.Aborted {
			aborted[a.ProducerID] = append(aborted[a.ProducerID], a.FirstOffset)
		}
		ascend := int64(-1)
		for _, part := range r.Batches {
			for len(part) >= protocol.BatchOverhead {
				h, _ := protocol.ParseBatchHeader(part)
				if h.Size() > len(part) {
					break
				}
				if h.BaseOffset <= ascend || h.LastOffset() < offset || h.CRC != protocol.BatchCRC(part[:h.Size()]) {
					t.Fatalf("batch of %d to %d behind %d, read at %d", h.BaseOffset, h.LastOffset(), ascend, offset)
				}
				ascend = h.LastOffset()
				part = apply(t, state, &h, part, aborted, offset)
			}
		}
		offset = ascend + 1
	}
	return state
}

// apply does with a batch what a consumer does.
func apply(t *rapid.T, state map[string]string, h *protocol.BatchHeader, b []byte, aborted map[int64][]int64, from int64) (rest []byte) {
	records, rest, err := protocol.DecodeBatch(nil, b, nil)
	if err != nil {
		t.Fatal(err)
	}
	firsts := aborted[h.ProducerID]
	begun := len(firsts) > 0 && firsts[0] <= h.LastOffset()
	if h.Control() {
		if _, kind, _ := protocol.ParseControlKey(keyOf(records)); begun && kind == protocol.ControlAbort {
			aborted[h.ProducerID] = firsts[1:]
		}
		return rest
	}
	if begun && h.Transactional() {
		return rest
	}
	offset := h.BaseOffset - 1
	for _, r := range records {
		if r.Offset <= offset || r.Offset > h.LastOffset() {
			t.Fatalf("offset %d behind %d", r.Offset, offset)
		}
		offset = r.Offset
		if r.Offset < from {
			continue
		}
		if state[string(r.Key)] = string(r.Value); r.Value == nil {
			delete(state, string(r.Key))
		}
	}
	return rest
}

func keyOf(records []protocol.Record) []byte {
	if len(records) == 0 {
		return nil
	}
	return records[0].Key
}

// A cleaned log holds on to nothing of what it was.
func TestCleaningReturnsMemory(t *testing.T) {
	p, now, cfg := New(), time.UnixMilli(1000), defaults()
	cfg.Compacted, cfg.SegmentBytes = true, 1<<20
	b := Batch{Bytes: buildBatch(t, protocol.PlainBatch(), now, 10, 1000)}
	b.Header, _ = protocol.ParseBatchHeader(b.Bytes)
	for p.Size() < 16<<20 {
		p.Append(now, &cfg, &b, new(Appended))
	}
	segments := len(p.segments)
	c := p.BeginCleaning(now, &cfg)
	c.Run()
	p.FinishCleaning(c)
	held := bytesHeld(p)
	if active := int(p.segments[len(p.segments)-1].size); segments < 15 || held > active+maxChunk || p.log.size > int64(active+1200) {
		t.Fatalf("%d bytes of %d segments, the active one has %d; %d bytes are held", p.log.size, segments, active, held)
	}
}

// Nor does one whose segments have expired, or whose records were deleted.
func TestRetentionReturnsMemory(t *testing.T) {
	for _, deletes := range []bool{true, false} {
		p, now, cfg := New(), time.UnixMilli(1000), defaults()
		cfg.SegmentBytes, cfg.Deletes, cfg.RetentionMs, cfg.RetentionBytes = 1<<20, deletes, -1, 1<<20
		b := Batch{Bytes: buildBatch(t, protocol.PlainBatch(), now, 10, 1000)}
		b.Header, _ = protocol.ParseBatchHeader(b.Bytes)
		written := int64(0)
		for p.LogEndOffset() < 16_000 {
			p.Append(now, &cfg, &b, new(Appended))
			written += int64(len(b.Bytes))
			if !deletes && p.LogEndOffset()%100 == 0 {
				p.DeleteRecords(p.LogEndOffset() - 1000)
			}
			p.ApplyRetention(now, &cfg)
		}
		if held := bytesHeld(p); written < 16_000_000 || len(p.segments) > 3 || held > 3<<20+maxChunk {
			t.Errorf("deletes: %t: %d segments and %d bytes are held of %d", deletes, len(p.segments), held, written)
		}
	}
}

// bytesHeld is how much memory the log has for batches.
func bytesHeld(p *Partition) (held int) {
	for i := range p.log.chunks {
		held += cap(p.log.chunks[i].buf)
	}
	return held
}

// A log with a batch that cannot be read, such as one whose record does not have the size that
// stands before it, which no broker looks at in compressed batches, stays as it is.
func TestUnreadableLogsStay(t *testing.T) {
	p, now, cfg := New(), time.UnixMilli(1000), defaults()
	cfg.Compacted, cfg.Deletes, cfg.RetentionMs = true, true, 1
	plain := protocol.AppendRecord(nil, 0, 0, &protocol.Record{Key: []byte("k"), Value: []byte("v")})
	plain[0] += 2 // a size that is too large by one
	h := protocol.PlainBatch()
	h.Attributes, h.NumRecords = int16(protocol.CodecGzip), 1
	h.BaseTimestampMs, h.MaxTimestampMs = now.UnixMilli(), now.UnixMilli()
	bytes, err := new(protocol.Compressor).Append(h.Append(nil), protocol.CodecGzip, plain)
	if err != nil {
		t.Fatal(err)
	}
	protocol.SealBatch(bytes)
	var b Batch
	if refusal := b.Validate(&cfg, nil, now, &Produced{Topic: "t", Version: 9, Records: bytes}); refusal != nil {
		t.Fatal(refusal)
	}
	p.Append(now, &cfg, &b, new(Appended))
	p.Roll(now)
	size := p.Size()
	c := p.BeginCleaning(now, &cfg)
	c.Run()
	p.FinishCleaning(c)
	later := now.Add(time.Hour)
	_, due := p.CleaningDue(later, &cfg)
	if p.ApplyRetention(later, &cfg) || due || p.BeginCleaning(later, &cfg) != nil || p.Size() != size {
		t.Fatalf("%d bytes are left of %d; due: %t", p.Size(), size, due)
	}
}
