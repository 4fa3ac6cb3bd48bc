package sharecoord

import (
	"time"

	"klamm/protocol"
)

// Key names the state of one share group on one partition.
type Key struct {
	Group     string
	Topic     protocol.UUID
	Partition int32
}

// Batch is the delivery state of a range of offsets, both ends included.
type Batch struct {
	First, Last   int64
	State         int8
	DeliveryCount int16
}

// State is what is kept of one share group on one partition. The zero value is none.
type State struct {
	known            bool
	snapshotEpoch    int32
	stateEpoch       int32
	leaderEpoch      int32
	startOffset      int64
	deliveryComplete int32
	batches          []Batch
	createdMs        int64
	writtenMs        int64
	updates          int // since the last snapshot
}

// Snapshot is the state as it can be read.
type Snapshot struct {
	StateEpoch, LeaderEpoch int32
	StartOffset             int64
	DeliveryComplete        int32 // records from StartOffset on that need no delivery; -1: not known
	Batches                 []Batch
}

// Write is a change of state: batches that are new, and where the state begins now.
type Write struct {
	StateEpoch, LeaderEpoch int32
	StartOffset             int64
	DeliveryComplete        int32
	Batches                 []Batch
}

// Record is a record of __share_group_state. A nil Value is a tombstone.
type Record struct{ Key, Value []byte }

// Known tells whether there is a state.
func (s *State) Known() bool { return s.known }

// Snapshot is the state; of one that is not known, start offset and count are -1.
func (s *State) Snapshot() Snapshot {
	if !s.known {
		return Snapshot{StartOffset: -1, DeliveryComplete: -1}
	}
	return Snapshot{s.stateEpoch, s.leaderEpoch, s.startOffset, s.deliveryComplete, s.batches}
}

// Initialize makes the state begin at an offset; -1 leaves it open where. It is refused
// when the state was begun with a later epoch.
func (s *State) Initialize(now time.Time, k Key, stateEpoch int32, startOffset int64) (Record, protocol.ErrorCode) {
	if s.known && s.stateEpoch > stateEpoch {
		return Record{}, protocol.FencedStateEpoch
	}
	next := State{stateEpoch: stateEpoch, startOffset: startOffset, createdMs: now.UnixMilli(), writtenMs: now.UnixMilli()}
	if s.known {
		next.snapshotEpoch = s.snapshotEpoch + 1
	}
	if startOffset == -1 {
		next.deliveryComplete = -1
	}
	return snapshotRecord(k, &next), protocol.None
}

// Read checks that the state can be read by the leader of an epoch. If that epoch is a
// new one, the record says so, and is to be written.
func (s *State) Read(now time.Time, k Key, leaderEpoch int32, updatesPerSnapshot int) (r Record, writes bool, code protocol.ErrorCode) {
	switch {
	case !s.known:
		return Record{}, false, protocol.InvalidRequest
	case s.leaderEpoch > leaderEpoch:
		return Record{}, false, protocol.FencedLeaderEpoch
	case s.leaderEpoch == leaderEpoch:
		return Record{}, false, protocol.None
	}
	w := Write{StateEpoch: s.stateEpoch, LeaderEpoch: leaderEpoch, StartOffset: s.startOffset, DeliveryComplete: s.deliveryComplete}
	return s.record(now, k, &w, leaderEpoch, updatesPerSnapshot), true, protocol.None
}

// Write changes the state. It is refused when there is none, or the epochs are former ones.
func (s *State) Write(now time.Time, k Key, w *Write, updatesPerSnapshot int) (Record, protocol.ErrorCode) {
	switch {
	case !s.known:
		return Record{}, protocol.InvalidRequest
	case s.leaderEpoch > w.LeaderEpoch:
		return Record{}, protocol.FencedLeaderEpoch
	case s.stateEpoch > w.StateEpoch:
		return Record{}, protocol.FencedStateEpoch
	}
	return s.record(now, k, w, s.leaderEpoch, updatesPerSnapshot), protocol.None
}

// record is an update, or after many of them a snapshot (ShareCoordinatorShard.generateShareStateRecord).
func (s *State) record(now time.Time, k Key, w *Write, leaderEpoch int32, updatesPerSnapshot int) Record {
	next := State{
		snapshotEpoch: s.snapshotEpoch, stateEpoch: s.stateEpoch, leaderEpoch: leaderEpoch,
		startOffset: max(w.StartOffset, s.startOffset), deliveryComplete: w.DeliveryComplete,
	}
	switch {
	case w.StartOffset == s.startOffset:
		next.deliveryComplete = max(w.DeliveryComplete, s.deliveryComplete)
	case w.StartOffset < s.startOffset:
		next.deliveryComplete = s.deliveryComplete
	}
	if s.updates < updatesPerSnapshot {
		next.batches = combine(nil, w.Batches, next.startOffset)
		return updateRecord(k, &next)
	}
	next.snapshotEpoch++
	next.batches = combine(s.batches, w.Batches, next.startOffset)
	next.createdMs, next.writtenMs = now.UnixMilli(), now.UnixMilli()
	return snapshotRecord(k, &next)
}

// Delete forgets the state; false when there is none.
func (s *State) Delete(k Key) (Record, bool) {
	return Record{Key: appendKey(nil, snapshotKind, k)}, s.known
}

// Apply is the only writer of hard state. What it cannot read it ignores.
func (s *State) Apply(r Record) {
	kind, _, ok := ParseKey(r.Key)
	if !ok {
		return
	}
	switch {
	case r.Value == nil:
		*s = State{}
	case kind == snapshotKind:
		if next, ok := parseSnapshot(r.Value); ok {
			next.known = true
			*s = next
		}
	case kind == updateKind:
		if next, ok := parseUpdate(r.Value); ok {
			s.update(&next)
		}
	}
}

// update takes in an update (ShareCoordinatorShard.merge).
func (s *State) update(next *State) {
	if next.startOffset != -1 {
		s.startOffset = next.startOffset
	}
	if next.leaderEpoch != -1 {
		s.leaderEpoch = next.leaderEpoch
	}
	s.known = true
	s.deliveryComplete = next.deliveryComplete
	s.batches = combine(s.batches, next.batches, s.startOffset)
	s.updates++
}
