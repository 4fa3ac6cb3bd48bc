package partitions

import (
	"container/heap"
	"time"
)

// RecordState is the state of a record in a share group, by the ids that Kafka writes
// (org.apache.kafka.server.share.fetch.RecordState).
type RecordState int8

// The states of records. Archiving, on the way to a dead-letter queue, is not entered.
const (
	RecordAvailable    RecordState = 0
	RecordAcquired     RecordState = 1
	RecordAcknowledged RecordState = 2
	RecordArchiving    RecordState = 3
	RecordArchived     RecordState = 4
)

// String is Kafka's name of the state.
func (s RecordState) String() string {
	switch s {
	case RecordAvailable:
		return "available"
	case RecordAcquired:
		return "acquired"
	case RecordAcknowledged:
		return "acknowledged"
	case RecordArchiving:
		return "archiving"
	}
	return "archived"
}

func (s RecordState) terminal() bool { return s == RecordAcknowledged || s == RecordArchived }

// inFlight is the state of a batch or of one record.
type inFlight struct {
	state    RecordState
	count    int16  // deliveries
	changing bool   // the change is not written yet
	member   string // who has acquired it
	until    int64  // when the acquisition ends, Unix time in ns; 0: never
}

func (f *inFlight) acquirable() bool { return f.state == RecordAvailable && !f.changing }

// acquire gives it to a member.
func (f *inFlight) acquire(member string, until int64) {
	f.state, f.member, f.until = RecordAcquired, member, until
	f.count++
}

// leave ends an acquisition: with state, or archived where it was to be delivered again
// and has been delivered often enough.
func (f *inFlight) leave(state RecordState, limit int) {
	if state == RecordAvailable && int(f.count) >= limit {
		state = RecordArchived
	}
	f.state, f.member = state, ""
}

// archive ends it for good.
func (f *inFlight) archive() {
	*f = inFlight{state: RecordArchived, count: f.count, changing: f.changing}
}

// inFlightBatch is the state of some offsets that follow each other: of all of them
// together, until they differ (org.apache.kafka.server.share.fetch.InFlightBatch).
type inFlightBatch struct {
	first, last int64
	whole       inFlight
	each        []inFlight // by offset, once they may differ
}

// at is the state of one offset.
func (b *inFlightBatch) at(offset int64) *inFlight {
	if b.each == nil {
		return &b.whole
	}
	return &b.each[offset-b.first]
}

// split begins to keep a state for each offset.
func (b *inFlightBatch) split() {
	if b.each != nil {
		return
	}
	b.each = make([]inFlight, b.last-b.first+1)
	for i := range b.each {
		b.each[i] = b.whole
	}
}

func (b *inFlightBatch) size() int { return int(b.last - b.first + 1) }

// inside tells whether the batch lies between two offsets.
func (b *inFlightBatch) inside(first, last int64) bool { return b.first >= first && b.last <= last }

// lock is an acquisition that ends when until has come. Some of its records may have
// been left before, or be locked anew.
type lock struct {
	until       int64
	first, last int64
}

// lockHeap has the lock that ends first in front.
type lockHeap []lock

// Len is for container/heap, as are the four that follow.
func (h lockHeap) Len() int { return len(h) }

// Less tells which lock ends first; of two at a time the one of lower offsets.
func (h lockHeap) Less(i, j int) bool {
	return h[i].until < h[j].until || h[i].until == h[j].until && h[i].first < h[j].first
}

// Swap changes two places.
func (h lockHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push adds a lock at the end.
func (h *lockHeap) Push(x any) { *h = append(*h, x.(lock)) }

// Pop takes the last lock off.
func (h *lockHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

func (h *lockHeap) pop() lock { return heap.Pop(h).(lock) }

// lock notes that some offsets are acquired until the lock duration is over, and returns when that is.
func (s *SharePartition) lock(now time.Time, first, last int64) (until int64) {
	until = now.Add(s.cfg.LockDuration).UnixNano()
	heap.Push(&s.locks, lock{until, first, last})
	return until
}
