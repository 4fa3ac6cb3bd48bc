package txncoord

import (
	"math"
	"time"

	"klamm/protocol"
)

// endTxn decides on the outcome. The markers are written afterwards
// (TransactionCoordinator.endTransaction).
func (t *Transaction) endTxn(now time.Time, e EndTxn) []Effect {
	if !t.known {
		return refuse(protocol.InvalidProducerIdMapping)
	}
	if !e.EpochBump {
		return t.endOld(now, e)
	}
	if t.completing() {
		return refuse(protocol.ConcurrentTransactions)
	}
	bumped := t.is.epoch == e.ProducerEpoch+1 // what the producer asks for was done before
	rotated := t.is.previousID == e.ProducerID && e.ProducerEpoch == lastUsableEpoch && t.is.epoch == 0
	switch {
	case t.is.producerID != e.ProducerID && !rotated:
		return refuse(protocol.InvalidProducerIdMapping)
	case !t.mayEnd(e.ProducerEpoch, bumped, rotated):
		return refuse(protocol.ProducerFenced)
	}
	again := bumped || rotated
	switch t.is.state {
	case Ongoing:
		return t.decide(now, t.is, outcome(e.Commit), true, e.Fresh)
	case CompleteCommit, CompleteAbort:
		if again && e.Commit == (t.is.state == CompleteCommit) {
			return []Effect{Reply{ProducerID: t.is.producerID, ProducerEpoch: t.is.epoch}}
		}
		if !again && !e.Commit {
			return t.decide(now, t.is, PrepareAbort, true, e.Fresh)
		}
	case Empty:
		if !e.Commit {
			return t.decide(now, t.is, PrepareAbort, true, e.Fresh)
		}
	}
	return refuse(protocol.InvalidTxnState)
}

// mayEnd tells whether the epoch is that of the producer whose transaction it is.
func (t *Transaction) mayEnd(epoch int16, bumped, rotated bool) bool {
	completed := t.is.state == CompleteCommit || t.is.state == CompleteAbort
	return epoch == t.is.epoch || completed && (bumped || rotated)
}

// endOld is EndTxn as it was before KIP-890: an outcome that was reached before is
// confirmed, and there is nothing to abort where nothing was begun.
func (t *Transaction) endOld(now time.Time, e EndTxn) []Effect {
	switch {
	case t.is.producerID != e.ProducerID:
		return refuse(protocol.InvalidProducerIdMapping)
	case t.is.epoch != e.ProducerEpoch:
		return refuse(protocol.ProducerFenced)
	case t.completing():
		return refuse(protocol.ConcurrentTransactions)
	}
	switch t.is.state {
	case Ongoing:
		return t.decide(now, t.is, outcome(e.Commit), false, -1)
	case CompleteCommit, CompleteAbort:
		if e.Commit == (t.is.state == CompleteCommit) {
			return []Effect{Reply{ProducerID: t.is.producerID, ProducerEpoch: t.is.epoch}}
		}
	}
	return refuse(protocol.InvalidTxnState)
}

func outcome(commit bool) State {
	if commit {
		return PrepareCommit
	}
	return PrepareAbort
}

// decide writes the outcome down, answers, and asks for the markers. By the protocol of
// KIP-890 the producer has a new epoch from now on, or a fresh id when there is none left.
func (t *Transaction) decide(now time.Time, next metadata, outcome State, epochBump bool, fresh int64) []Effect {
	if next.state != Ongoing {
		next.startMs = now.UnixMilli() // there was nothing to abort
	}
	next.state, next.updateMs, next.epochBump, next.nextID = outcome, now.UnixMilli(), epochBump, -1
	if epochBump {
		if next.epoch >= lastUsableEpoch {
			next.nextID = fresh
		}
		t.lastEpoch = next.epoch
		if next.epoch < math.MaxInt16 {
			next.epoch++
		}
	}
	reply := Reply{ProducerID: next.producerID, ProducerEpoch: next.epoch}
	if next.nextID != -1 {
		reply.ProducerID, reply.ProducerEpoch = next.nextID, 0
	}
	return []Effect{t.store(next), reply, WriteMarkers{Markers: next.markers()}}
}

// fence aborts what a producer has left open, under an epoch that it has not.
func (t *Transaction) fence(now time.Time, fresh int64) []Effect {
	next, epochBump := t.is, t.cfg.Version >= clientVersion2
	if !epochBump { // the abort itself brings no new epoch
		t.lastEpoch = -1
		if next.epoch < math.MaxInt16 {
			next.epoch++
		}
	}
	effects := t.decide(now, next, PrepareAbort, epochBump, fresh)
	return []Effect{effects[0], effects[2]} // nobody is answered
}

func (m *metadata) markers() Markers {
	return Markers{
		ProducerID: m.producerID, ProducerEpoch: m.epoch, Commit: m.state == PrepareCommit,
		EpochBump: m.epochBump, Partitions: m.partitions,
	}
}

// Pending are the markers of a transaction whose outcome is decided, for an owner that
// has just reloaded it. It is false when there are none to be written.
func (t *Transaction) Pending() (Markers, bool) { return t.is.markers(), t.is.state.preparing() }

// complete ends the transaction once the markers are written.
func (t *Transaction) complete(now time.Time) []Effect {
	next := t.is
	switch t.is.state {
	case PrepareCommit:
		next.state = CompleteCommit
	case PrepareAbort:
		next.state = CompleteAbort
	default:
		return nil
	}
	if next.epochBump && next.nextID != -1 {
		next.producerID, next.epoch = next.nextID, 0
	}
	next.nextID, next.partitions, next.updateMs = -1, nil, now.UnixMilli()
	return []Effect{t.store(next)}
}
