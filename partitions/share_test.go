package partitions

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"klamm/protocol"
)

// shareWorld is a share partition, what its members were told, and what was written of it.
type shareWorld struct {
	cfg     ShareConfig
	s       *SharePartition
	now     time.Time
	log     []LogBatch
	start   int64              // of the log
	written map[int64]sharedAt // by offset, as the share coordinator keeps it
	first   int64              // start offset as it was written last
	held    map[int64]sharedAt // what is acquired, by whom
	counts  map[int64]int16    // deliveries since the last reload
	done    map[int64]bool     // acknowledged for good
}

// sharedAt is what is known of one offset.
type sharedAt struct {
	state  RecordState
	count  int16
	member string
	until  time.Time
}

// TestSharePartitionKeepsItsPromises: a record is acquired by one member at a time, is
// never delivered more often than the limit, nor again once it was done with, and is never lost.
func TestSharePartitionKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &shareWorld{
			cfg: ShareConfig{DeliveryLimit: rapid.IntRange(2, 6).Draw(t, "limit"), MaxLocks: rapid.SampledFrom([]int{5, 20, 1000}).Draw(t, "locks"), LockDuration: 10 * time.Second},
			now: time.Unix(1000, 0), written: map[int64]sharedAt{}, held: map[int64]sharedAt{}, counts: map[int64]int16{}, done: map[int64]bool{},
		}
		w.s = NewSharePartition(w.cfg, ShareState{})
		t.Repeat(map[string]func(*rapid.T){
			"append": w.append, "acquire": w.acquire, "acknowledge": w.acknowledge, "release": w.release,
			"pass": w.pass, "reload": w.reload, "trim": w.trim, "": w.check,
		})
		w.drain(t)
	})
}

func (w *shareWorld) end() int64 {
	if len(w.log) == 0 {
		return 0
	}
	return w.log[len(w.log)-1].Last + 1
}

func (w *shareWorld) append(t *rapid.T) {
	n := int64(rapid.IntRange(1, 7).Draw(t, "records"))
	w.log = append(w.log, LogBatch{Base: w.end(), Last: w.end() + n - 1, ProducerID: -1})
}

func drawMember(t *rapid.T) string {
	return rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "member")
}

func (w *shareWorld) acquire(t *rapid.T) {
	w.get(t, drawMember(t), rapid.Bool().Draw(t, "record limit"), rapid.IntRange(1, 12).Draw(t, "max records"))
}

func (w *shareWorld) get(t *rapid.T, member string, limit bool, most int) (n int) {
	if !w.s.CanAcquire() {
		return 0
	}
	from := w.s.NextFetchOffset()
	if from < w.start {
		w.s.MoveStart(w.start)
		return 0
	}
	req := Acquire{Member: member, RecordLimit: limit, BatchSize: 3, MaxRecords: most, From: from}
	for _, b := range w.log {
		if b.Last >= from {
			req.Read = append(req.Read, b)
		}
	}
	got, count := w.s.Acquire(w.now, req)
	last := int64(-1)
	for _, r := range got {
		if r.First <= last || r.Last < r.First {
			t.Fatalf("ranges are not in order: %v", got)
		}
		last = r.Last
		for offset := r.First; offset <= r.Last; offset++ {
			w.acquired(t, member, offset, r.DeliveryCount)
			n++
		}
	}
	if limit && n > most {
		t.Fatalf("%d records are more than the limit of %d", n, most)
	}
	if count < n {
		t.Fatalf("counted %d of %d", count, n)
	}
	return n
}

func (w *shareWorld) acquired(t *rapid.T, member string, offset int64, count int16) {
	if offset < w.start {
		return // of a batch in which the log begins: Kafka may acquire these as well
	}
	if h, held := w.held[offset]; held {
		t.Fatalf("%d is acquired by %s and by %s", offset, h.member, member)
	}
	if w.done[offset] || offset < w.first || offset >= w.end() {
		t.Fatalf("%d is delivered, and should not be", offset)
	}
	if w.counts[offset]++; count != w.counts[offset] || int(count) > w.cfg.DeliveryLimit {
		t.Fatalf("%d has a delivery count of %d, want %d, at most %d", offset, count, w.counts[offset], w.cfg.DeliveryLimit)
	}
	w.held[offset] = sharedAt{RecordAcquired, count, member, w.now.Add(w.cfg.LockDuration)}
}

// wrote takes in what has to be written, as the share coordinator does.
func (w *shareWorld) wrote(batches []ShareBatch) {
	w.first = max(w.first, w.s.StartOffset())
	for _, b := range batches {
		for offset := b.First; offset <= b.Last; offset++ {
			w.written[offset] = sharedAt{state: b.State, count: b.DeliveryCount}
			delete(w.held, offset)
			if b.State.terminal() {
				w.done[offset] = true
			}
		}
	}
	w.s.Commit()
}

func (w *shareWorld) acknowledge(t *rapid.T) {
	member := drawMember(t)
	first := rapid.Int64Range(0, max(w.end(), 1)).Draw(t, "first")
	last := first + int64(rapid.IntRange(0, 4).Draw(t, "more"))
	ack := Ack{First: first, Last: last, Types: []AckType{AckType(rapid.IntRange(0, 4).Draw(t, "type"))}}
	if rapid.Bool().Draw(t, "each") {
		for len(ack.Types) < int(last-first+1) {
			ack.Types = append(ack.Types, AckType(rapid.IntRange(0, 4).Draw(t, "type")))
		}
	}
	w.renewNothingInPart(member, &ack)
	batches, refusal := w.s.Acknowledge(w.now, member, []Ack{ack})
	if refusal != nil {
		return
	}
	for offset := max(first, w.s.StartOffset()); offset <= last; offset++ {
		h, held := w.held[offset]
		if !held || h.member != member {
			t.Fatalf("%s acknowledges %d, which %q holds", member, offset, h.member)
		}
		kind := ack.Types[0]
		if len(ack.Types) > 1 {
			kind = ack.Types[offset-first]
		}
		if kind == AckRenew {
			h.until = w.now.Add(w.cfg.LockDuration)
			w.held[offset] = h
		}
	}
	w.wrote(batches)
}

// renewNothingInPart has an acknowledgement that will be refused renew nothing: what comes
// before the refusal is renewed all the same.
func (w *shareWorld) renewNothingInPart(member string, ack *Ack) {
	for offset := ack.First; offset <= ack.Last; offset++ {
		if h, held := w.held[offset]; !held || h.member != member {
			for i, kind := range ack.Types {
				if kind == AckRenew {
					ack.Types[i] = AckAccept
				}
			}
		}
	}
}

func (w *shareWorld) release(t *rapid.T) {
	member := drawMember(t)
	w.wrote(w.s.Release(member))
	for offset, h := range w.held {
		if h.member == member && offset >= w.s.StartOffset() {
			t.Fatalf("%d is still held by %s", offset, member)
		}
	}
}

func (w *shareWorld) pass(t *rapid.T) {
	w.now = w.now.Add(time.Duration(rapid.IntRange(0, 12).Draw(t, "seconds")) * time.Second)
	w.expire(t)
}

func (w *shareWorld) expire(t *rapid.T) {
	batches := w.s.Tick(w.now)
	for _, b := range batches {
		for offset := b.First; offset <= b.Last; offset++ {
			if h, held := w.held[offset]; offset >= w.start && (!held || h.until.After(w.now)) {
				t.Fatalf("%d expires too early", offset)
			}
		}
	}
	w.wrote(batches)
	for offset, h := range w.held {
		if !h.until.After(w.now) && offset >= w.s.StartOffset() {
			t.Fatalf("%d has not expired", offset)
		}
	}
}

// reload forgets what was acquired, and goes on from what was written.
func (w *shareWorld) reload(t *rapid.T) {
	state := ShareState{StartOffset: w.first}
	w.held, w.counts = map[int64]sharedAt{}, map[int64]int16{}
	for offset := w.first; offset < w.end(); offset++ {
		at, known := w.written[offset]
		if !known {
			continue
		}
		w.counts[offset] = at.count
		if n := len(state.Batches); n > 0 && state.Batches[n-1].Last+1 == offset && state.Batches[n-1].State == at.state && state.Batches[n-1].DeliveryCount == at.count {
			state.Batches[n-1].Last = offset
		} else {
			state.Batches = append(state.Batches, ShareBatch{offset, offset, at.state, at.count})
		}
	}
	w.s = NewSharePartition(w.cfg, state)
}

// trim deletes records from the front of the log.
func (w *shareWorld) trim(t *rapid.T) {
	if rapid.IntRange(0, 3).Draw(t, "whether") > 0 {
		return
	}
	w.start = rapid.Int64Range(w.start, w.end()).Draw(t, "start")
	w.s.MoveStart(w.start)
	for offset := range w.start {
		w.done[offset] = true
	}
	w.log = slices.DeleteFunc(w.log, func(b LogBatch) bool { return b.Last < w.start && b.Last+1 < w.end() })
}

func (w *shareWorld) check(t *rapid.T) {
	done := 0
	for offset := w.s.StartOffset(); offset < w.end(); offset++ {
		if w.done[offset] {
			done++
		}
	}
	if n := int(w.s.DeliveryComplete()); n > done || n < 0 {
		t.Fatalf("%d records are said to be done with, %d are", n, done)
	}
	if d := w.s.Deadline(); len(w.held) > 0 && w.s.StartOffset() < w.end() && d.IsZero() {
		for offset := range w.held {
			if offset >= w.s.StartOffset() {
				t.Fatalf("%d is held, and nothing ends that", offset)
			}
		}
	}
}

// drain delivers and accepts what is left: nothing may be missing.
func (w *shareWorld) drain(t *rapid.T) {
	w.cfg.MaxLocks = 1000
	w.s.Configure(w.cfg)
	for range 10 * (int(w.end()) + 10) {
		w.now = w.now.Add(w.cfg.LockDuration)
		w.expire(t)
		if w.get(t, "z", false, 100) == 0 && w.s.NextFetchOffset() >= w.end() {
			break
		}
		var acks []Ack
		for offset := range w.held {
			acks = append(acks, Ack{First: offset, Last: offset, Types: []AckType{AckAccept}})
		}
		slices.SortFunc(acks, func(a, b Ack) int { return int(a.First - b.First) })
		batches, refusal := w.s.Acknowledge(w.now, "z", acks)
		if refusal != nil {
			t.Fatalf("%v", refusal)
		}
		w.wrote(batches)
	}
	for offset := w.start; offset < w.end(); offset++ {
		if !w.done[offset] && offset >= w.s.StartOffset() {
			t.Fatalf("%d was lost: start %d, next %d, end %d", offset, w.s.StartOffset(), w.s.NextFetchOffset(), w.end())
		}
		if !w.done[offset] && offset < w.s.StartOffset() {
			t.Fatalf("%d was passed over", offset)
		}
	}
}

func TestAbortedRecordsAreNotAcquired(t *testing.T) {
	s := NewSharePartition(ShareConfig{DeliveryLimit: 5, MaxLocks: 100, LockDuration: time.Second}, ShareState{})
	got, count := s.Acquire(time.Unix(1, 0), Acquire{Member: "a", BatchSize: 100, MaxRecords: 100, Read: []LogBatch{
		{Base: 0, Last: 1, ProducerID: -1}, {Base: 2, Last: 4, ProducerID: 7, Txn: true}, {Base: 5, Last: 5, ProducerID: 8, Txn: true},
		{Base: 6, Last: 6, ProducerID: 7, Txn: true, Control: true, Aborts: true}, {Base: 7, Last: 7, ProducerID: 7, Txn: true},
	}, Aborted: []AbortedTxn{{ProducerID: 7, FirstOffset: 2}}})
	if want := "[{0 1 1} {5 7 1}]"; fmt.Sprint(got) != want || count != 5 {
		t.Fatalf("acquired %v, %d records; want %s, 5 records", got, count, want)
	}
	if n := s.DeliveryComplete(); n != 3 {
		t.Fatalf("%d records are done with, want 3", n)
	}
}

func TestRefusedAcknowledgementChangesNothing(t *testing.T) {
	s := NewSharePartition(ShareConfig{DeliveryLimit: 5, MaxLocks: 100, LockDuration: time.Second}, ShareState{})
	now := time.Unix(1, 0)
	s.Acquire(now, Acquire{Member: "a", BatchSize: 1, MaxRecords: 100, Read: []LogBatch{{Base: 0, Last: 1, ProducerID: -1}, {Base: 2, Last: 3, ProducerID: -1}}})
	batches, refusal := s.Acknowledge(now, "a", []Ack{{0, 2, []AckType{AckAccept}}, {9, 9, []AckType{AckAccept}}})
	if refusal.ErrorCode() != protocol.InvalidRequest || batches != nil || s.DeliveryComplete() != 0 {
		t.Fatalf("%v, %v, %d done with", refusal, batches, s.DeliveryComplete())
	}
	if batches, refusal = s.Acknowledge(now, "a", []Ack{{0, 3, []AckType{AckAccept}}}); refusal != nil || len(batches) != 3 {
		t.Fatalf("%v, %v", batches, refusal)
	}
	if s.Commit(); s.StartOffset() != 4 {
		t.Fatalf("start offset %d, want 4", s.StartOffset())
	}
}
