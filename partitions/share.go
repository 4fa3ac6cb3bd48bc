package partitions

import (
	"sort"
	"time"
)

// ShareConfig is what the configuration of a share group means to its partitions.
type ShareConfig struct {
	DeliveryLimit int           // share.delivery.count.limit: how often a record is delivered at most
	MaxLocks      int           // share.partition.max.record.locks: how many records may be in flight
	LockDuration  time.Duration // share.record.lock.duration.ms
	NoRenewal     bool          // share.renew.acknowledge.enable=false
}

// ShareState is what the share coordinator keeps of one share group on one partition.
type ShareState struct {
	StartOffset      int64 // no record below it is delivered any more
	StateEpoch       int32
	DeliveryComplete int32 // records from StartOffset on that are done with
	Batches          []ShareBatch
}

// ShareBatch is the state of a range of offsets, both ends included.
type ShareBatch struct {
	First, Last   int64
	State         RecordState
	DeliveryCount int16
}

// SharePartition is what one share group has done with the records of one partition:
// which of them are acquired by whom, and which need no delivery any more. It mirrors
// kafka.server.share.SharePartition (KIP-932). It reads no clock, and does not keep what
// it is given. It is not safe for concurrent use.
//
// What Acknowledge and Release change has to be written by the owner, who then calls
// Commit: until then the records can not be acquired, as in Kafka, where the share
// coordinator has to say yes first.
type SharePartition struct {
	cfg        ShareConfig
	start, end int64            // of what is in flight; end is the last offset, or start where nothing is
	batches    []*inFlightBatch // in order of their offsets, which do not overlap
	research   bool             // there may be something to acquire below end
	gaps       *gapWindow
	complete   int // records from start on that are done with
	locks      lockHeap
	pending    []transition
	stateEpoch int32
}

// gapWindow is where the state that was read leaves offsets out, which were never acquired.
type gapWindow struct {
	start int64 // of the first gap
	end   int64 // last offset of the state; the window is void once more was acquired
}

// transition is a change of state that is not written yet, and what to go back to.
type transition struct {
	state  *inFlight
	before inFlight
	batch  ShareBatch
}

// NewSharePartition goes on from what the share coordinator has kept.
func NewSharePartition(cfg ShareConfig, state ShareState) *SharePartition {
	s := &SharePartition{cfg: cfg, start: state.StartOffset, end: state.StartOffset, stateEpoch: state.StateEpoch}
	gap, next := int64(-1), s.start
	for _, b := range state.Batches {
		if gap < 0 && b.First > next {
			gap = next
		}
		next = b.Last + 1
		s.batches = append(s.batches, &inFlightBatch{first: b.First, last: b.Last, whole: inFlight{state: b.State, count: b.DeliveryCount}})
		if b.State.terminal() {
			s.complete += int(b.Last - b.First + 1)
		}
	}
	if len(s.batches) > 0 {
		s.research, s.end = true, s.lastCached()
		if gap >= 0 {
			s.gaps = &gapWindow{start: gap, end: s.end}
		}
		s.moveStart()
	}
	return s
}

// Configure changes the configuration, for what happens from now on.
func (s *SharePartition) Configure(cfg ShareConfig) { s.cfg = cfg }

// StartOffset is the offset below which no record is delivered any more.
func (s *SharePartition) StartOffset() int64 { return s.start }

// StateEpoch is the epoch of the state that it began with, which is to be written with each change.
func (s *SharePartition) StateEpoch() int32 { return s.stateEpoch }

// DeliveryComplete is how many records from the start offset on need no delivery any more (KIP-1226).
func (s *SharePartition) DeliveryComplete() int32 { return int32(s.complete) }

// Deadline is when the owner has to call Tick next; the zero time means never. It may be
// earlier than there is something to do.
func (s *SharePartition) Deadline() time.Time {
	for len(s.locks) > 0 && s.locks[0].last < s.start {
		s.locks.pop()
	}
	if len(s.locks) == 0 {
		return time.Time{}
	}
	return time.Unix(0, s.locks[0].until)
}

// CanAcquire tells whether a record more may be in flight, or one that was given back is
// to be delivered again.
func (s *SharePartition) CanAcquire() bool {
	return s.NextFetchOffset() != s.end+1 || s.inFlightRecords() < s.cfg.MaxLocks
}

// NextFetchOffset is the offset that is to be read for the next acquisition.
func (s *SharePartition) NextFetchOffset() int64 {
	if len(s.batches) == 0 || s.start > s.lastCached() {
		s.research = false
		return s.end
	}
	if s.research {
		if offset := s.firstAvailable(); offset >= 0 {
			return offset
		}
		s.research = false
	}
	return s.end + 1
}

// firstAvailable is the first offset that can be acquired again, or that was left out; -1 without one.
func (s *SharePartition) firstAvailable() int64 {
	gap := int64(-1)
	if s.gapsOpen() {
		gap = s.gaps.start
	}
	for _, b := range s.batches {
		if s.gapsOpen() {
			if b.first > gap {
				return gap
			}
			gap = max(b.last+1, gap)
		}
		for offset := b.first; offset <= b.last; offset++ {
			if b.at(offset).acquirable() {
				return offset
			}
			if b.each == nil {
				break
			}
		}
	}
	return -1
}

func (s *SharePartition) gapsOpen() bool { return s.gaps != nil && s.gaps.end == s.end }

// closeGaps notes that what lies below offset was acquired.
func (s *SharePartition) closeGaps(offset int64) {
	switch {
	case s.gaps == nil:
	case s.gapsOpen() && offset <= s.gaps.end:
		s.gaps.start = offset
	default:
		s.gaps = nil
	}
}

func (s *SharePartition) inFlightRecords() int {
	if len(s.batches) == 0 {
		return 0
	}
	return int(s.end - s.start + 1)
}

func (s *SharePartition) lastCached() int64 { return s.batches[len(s.batches)-1].last }

// floor is the place of the last batch that does not begin behind offset; -1 without one.
func (s *SharePartition) floor(offset int64) int {
	return sort.Search(len(s.batches), func(i int) bool { return s.batches[i].first > offset }) - 1
}

// within are the batches that begin between two offsets, both included.
func (s *SharePartition) within(first, last int64) []*inFlightBatch {
	from := sort.Search(len(s.batches), func(i int) bool { return s.batches[i].first >= first })
	to := s.floor(last) + 1
	if from >= to {
		return nil
	}
	return s.batches[from:to]
}

// put adds a batch in its place.
func (s *SharePartition) put(b *inFlightBatch) {
	at := s.floor(b.first) + 1
	s.batches = append(s.batches, nil)
	copy(s.batches[at+1:], s.batches[at:])
	s.batches[at] = b
}
