package partitions

import (
	"fmt"
	"strings"
	"time"

	"klamm/protocol"
)

// AckType is what a member says about records that it has acquired
// (org.apache.kafka.clients.consumer.AcknowledgeType).
type AckType int8

// The types of acknowledgement. AckGap is for offsets that have no record.
const (
	AckGap     AckType = 0
	AckAccept  AckType = 1
	AckRelease AckType = 2
	AckReject  AckType = 3
	AckRenew   AckType = 4
)

// Ack acknowledges a range of offsets: each with a type of its own, or all with one.
type Ack struct {
	First, Last int64
	Types       []AckType // at least one
}

// Acknowledge takes in what a member says about records: all of it, or with a refusal
// nothing but renewals. The owner has to write what it returns and then to call Commit.
// A record is acknowledged by the member that has acquired it, and by nobody else.
func (s *SharePartition) Acknowledge(now time.Time, member string, acks []Ack) ([]ShareBatch, *Refusal) {
	before := len(s.pending)
	for i := range acks {
		if refusal := s.acknowledge(now, member, &acks[i]); refusal != nil {
			s.rollBack(before)
			return nil, refusal
		}
	}
	return s.changes(before), nil
}

// changes are the last changes that are not written yet.
func (s *SharePartition) changes(from int) (out []ShareBatch) {
	for _, t := range s.pending[from:] {
		out = append(out, t.batch)
	}
	return out
}

// Commit ends the changes that Acknowledge, Release or Tick has returned, which are written by now. It
// tells whether there may be something to acquire that there was not before.
func (s *SharePartition) Commit() (more bool) {
	for _, t := range s.pending {
		t.state.changing, t.state.until = false, 0
		if t.state.state == RecordAvailable {
			s.research = true
		}
	}
	more = len(s.pending) > 0
	s.pending = nil
	s.moveStart()
	return more
}

// rollBack takes back the last changes that are not written yet.
func (s *SharePartition) rollBack(to int) {
	for i := len(s.pending) - 1; i >= to; i-- {
		t := &s.pending[i]
		*t.state = t.before
		if t.batch.State.terminal() {
			s.complete -= s.inFlightOf(t.batch.First, t.batch.Last)
		}
	}
	s.pending = s.pending[:to]
}

// change begins a change of state, which Commit ends.
func (s *SharePartition) change(f *inFlight, first, last int64, state RecordState) {
	t := transition{state: f, before: *f}
	f.leave(state, s.cfg.DeliveryLimit)
	f.changing = true
	t.batch = ShareBatch{first, last, f.state, f.count}
	if f.state.terminal() {
		s.complete += s.inFlightOf(first, last)
	}
	s.pending = append(s.pending, t)
}

// inFlightOf is how many of some offsets are not below the start offset.
func (s *SharePartition) inFlightOf(first, last int64) int {
	return int(max(0, last-max(s.start, first)+1))
}

func (s *SharePartition) acknowledge(now time.Time, member string, ack *Ack) *Refusal {
	for _, t := range ack.Types {
		if t < AckGap || t > AckRenew {
			return &Refusal{Code: protocol.InvalidRequest, Message: "Invalid acknowledge type: " + listOfTypes(ack.Types)}
		}
	}
	if ack.Last < s.start {
		return nil // that is over
	}
	batches, refusal := s.acknowledged(ack)
	if refusal != nil {
		return refusal
	}
	for _, b := range batches {
		if b.last < s.start {
			continue
		}
		if refusal := s.acknowledgeBatch(now, member, ack, b); refusal != nil {
			return refusal
		}
	}
	return nil
}

// listOfTypes is Java's text of a list of bytes.
func listOfTypes(types []AckType) string {
	return strings.ReplaceAll(fmt.Sprint(types), " ", ", ")
}

// acknowledged finds the batches in flight that an acknowledgement is about
// (SharePartition.fetchSubMapForAcknowledgementBatch).
func (s *SharePartition) acknowledged(ack *Ack) ([]*inFlightBatch, *Refusal) {
	at := s.floor(ack.First)
	if at < 0 && ack.First < s.start {
		at = s.floor(s.start)
	}
	if at < 0 {
		return nil, invalidState("Batch record not found. The request batch offsets are not found in the cache.")
	}
	batches := s.within(s.batches[at].first, ack.Last)
	switch last := batches[len(batches)-1].last; {
	case last < ack.First:
		return nil, &Refusal{Code: protocol.InvalidRequest, Message: "Batch record not found. The first offset in request is past acquired records."}
	case last < ack.Last:
		return nil, &Refusal{Code: protocol.InvalidRequest, Message: "Batch record not found. The last offset in request is past acquired records."}
	}
	return batches, nil
}

func invalidState(message string) *Refusal {
	return &Refusal{Code: protocol.InvalidRecordState, Message: message}
}

func (s *SharePartition) acknowledgeBatch(now time.Time, member string, ack *Ack, b *inFlightBatch) *Refusal {
	if b.each == nil {
		switch {
		case b.whole.member == "":
			return invalidState("The batch cannot be acknowledged. The batch is not in the acquired state.")
		case b.whole.member != member:
			return invalidState("Member is not the owner of batch record")
		case b.whole.changing:
			return invalidState(notCompleted)
		}
		startInside := b.first < s.start && b.last >= s.start
		if b.inside(ack.First, ack.Last) && len(ack.Types) == 1 && !startInside {
			return s.acknowledgeState(now, ack.Types[0], &b.whole, b.first, b.last)
		}
		if b.whole.state != RecordAcquired {
			return invalidState("The batch cannot be acknowledged. The subset batch is not in the acquired state.")
		}
		b.split()
	}
	for offset := max(b.first, ack.First, s.start); offset <= min(b.last, ack.Last); offset++ {
		f := b.at(offset)
		switch {
		case f.state != RecordAcquired:
			return invalidState("The offset cannot be acknowledged. The offset is not acquired.")
		case f.changing:
			return invalidState(notCompleted)
		case f.member != member:
			return invalidState("Member is not the owner of offset")
		}
		t := ack.Types[0]
		if len(ack.Types) > 1 {
			t = ack.Types[offset-ack.First]
		}
		if refusal := s.acknowledgeState(now, t, f, offset, offset); refusal != nil {
			return refusal
		}
	}
	return nil
}

const notCompleted = "The record state is invalid. The acknowledgement of delivery could not be completed."

// acknowledgeState applies one acknowledgement to a batch or a record that is acquired.
func (s *SharePartition) acknowledgeState(now time.Time, t AckType, f *inFlight, first, last int64) *Refusal {
	switch t {
	case AckRenew:
		if s.cfg.NoRenewal {
			return invalidState("Renewing acquisition locks is not enabled for the group.")
		}
		f.until = s.lock(now, first, last)
	case AckAccept:
		s.change(f, first, last, RecordAcknowledged)
	case AckRelease:
		s.change(f, first, last, RecordAvailable)
	default:
		s.change(f, first, last, RecordArchived)
	}
	return nil
}

// Release gives back everything that a member has acquired: its session has ended. The
// owner has to write what it returns and then to call Commit.
func (s *SharePartition) Release(member string) []ShareBatch {
	before := len(s.pending)
	for _, b := range s.batches {
		if b.each == nil && b.whole.state == RecordAcquired && b.whole.member == member && b.first < s.start && b.last >= s.start {
			b.split()
		}
		s.giveBack(b, b.first, b.last, func(f *inFlight) bool { return f.member == member })
	}
	return s.changes(before)
}

// giveBack makes the acquired records of a batch that are meant available again. Those below the start
// offset are archived: they are no more.
func (s *SharePartition) giveBack(b *inFlightBatch, first, last int64, meant func(*inFlight) bool) {
	state := func(last int64) RecordState {
		if last < s.start {
			return RecordArchived
		}
		return RecordAvailable
	}
	if b.each == nil {
		if f := &b.whole; f.state == RecordAcquired && !f.changing && meant(f) {
			s.change(f, b.first, b.last, state(b.last))
		}
		return
	}
	for offset := max(first, b.first); offset <= min(last, b.last); offset++ {
		if f := b.at(offset); f.state == RecordAcquired && !f.changing && meant(f) {
			s.change(f, offset, offset, state(offset))
		}
	}
}

// Tick ends the acquisitions whose time is over. The owner has to write what it returns
// and then to call Commit.
func (s *SharePartition) Tick(now time.Time) []ShareBatch {
	before := len(s.pending)
	for len(s.locks) > 0 && s.locks[0].until <= now.UnixNano() {
		l := s.locks.pop()
		at := s.floor(l.first)
		if at < 0 {
			continue
		}
		for _, b := range s.within(s.batches[at].first, l.last) {
			if b.each == nil && b.whole.state == RecordAcquired && b.first < s.start && b.last >= s.start {
				b.split()
			}
			s.giveBack(b, l.first, l.last, func(f *inFlight) bool { return f.until == l.until })
		}
	}
	return s.changes(before)
}

// MoveStart tells that the log begins at an offset now: what lies below is gone
// (SharePartition.updateCacheAndOffsets).
func (s *SharePartition) MoveStart(logStart int64) {
	if logStart < s.start {
		return
	}
	if len(s.batches) == 0 {
		s.start, s.end, s.complete = logStart, logStart, 0
		return
	}
	done := s.doneBetween(s.start, logStart-1)
	// Below the start offset is what was acquired of a batch in which the log begins; Kafka
	// goes on asking for that.
	if s.archive(0, logStart-1, s.batches, RecordAvailable, false) {
		s.research = true
	}
	s.start = logStart
	if s.gaps != nil {
		s.gaps.start = max(s.gaps.start, logStart)
	}
	s.complete -= done
	s.end = max(s.end, s.start)
}

// doneBetween counts the records between two offsets that are done with.
func (s *SharePartition) doneBetween(first, last int64) (n int) {
	for _, b := range s.batches {
		for offset := max(first, b.first); offset <= min(last, b.last); offset++ {
			if b.at(offset).state.terminal() {
				n++
			}
		}
	}
	return n
}

// moveStart moves the start offset over all records in front that are done with, and
// forgets them (SharePartition.maybeUpdateCachedStateAndOffsets).
func (s *SharePartition) moveStart() {
	at := s.floor(s.start)
	if at < 0 || s.batches[at].last < s.start || !s.batches[at].at(s.start).done() {
		return
	}
	last, done, batches := s.lastDone()
	switch {
	case last < 0:
		return
	case last == s.lastCached():
		s.start, s.end, s.complete = last+1, last+1, 0
		s.batches, s.locks = nil, nil
		return
	}
	next := last + 1
	if batches < len(s.batches) && s.batches[batches].first > next {
		next = s.batches[batches].first
	}
	s.start = max(s.start, next)
	if s.gapsOpen() {
		s.start = min(s.gaps.start, s.start)
	}
	s.complete -= done
	clear(s.batches[:batches])
	s.batches = s.batches[batches:]
}

func (f *inFlight) done() bool { return !f.changing && f.state.terminal() }

// lastDone is the last offset of those in front that are done with, -1 without one; how
// many of them are not below the start offset; and how many whole batches they are.
func (s *SharePartition) lastDone() (last int64, n, batches int) {
	last = -1
	for i, b := range s.batches {
		if s.gapsOpen() && b.last >= s.gaps.start {
			return last, n, i
		}
		for offset := b.first; offset <= b.last; offset++ {
			if !b.at(offset).done() {
				return last, n, i
			}
			if b.each == nil {
				n += s.inFlightOf(b.first, b.last)
				last = b.last
				break
			}
			last = offset
			n += s.inFlightOf(offset, offset)
		}
	}
	return last, n, len(s.batches)
}
