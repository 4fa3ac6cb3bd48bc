package txncoord

import (
	"time"

	"klamm/protocol"
)

// initProducerID gives the producer an epoch that nobody has had, under the producer id
// of the transactional id, and ends what an earlier one has left open: then the producer
// is told to ask again (TransactionCoordinator.handleInitProducerId).
func (t *Transaction) initProducerID(now time.Time, e InitProducerID) []Effect {
	next := t.is
	if t.completing() {
		return refuse(protocol.ConcurrentTransactions)
	}
	if !t.known {
		next.producerID, next.updateMs = e.Fresh, now.UnixMilli()
	} else if e.claims() && !t.accepts(e) {
		return refuse(protocol.ProducerFenced)
	}
	if next.state == Ongoing {
		return append(refuse(protocol.ConcurrentTransactions), t.fence(now, e.Fresh)...)
	}
	before := next.producerID
	next.state, next.timeoutMs, next.partitions = Empty, e.TimeoutMs, nil
	next.startMs, next.updateMs = -1, now.UnixMilli()
	lastEpoch := int16(-1)
	switch {
	case next.epoch >= lastUsableEpoch && (!e.claims() || e.ProducerEpoch == next.epoch):
		if e.claims() {
			lastEpoch = next.epoch
		}
		next.producerID, next.epoch = e.Fresh, 0
	case next.epoch >= lastUsableEpoch:
		return refuse(protocol.UnknownServerError) // Kafka's coordinator throws here
	case !e.claims():
		next.epoch++
	case next.epoch == -1 || e.ProducerEpoch == next.epoch:
		lastEpoch = next.epoch
		next.epoch++
	case e.ProducerEpoch == t.lastEpoch:
		lastEpoch = t.lastEpoch // asked again: the answer before was lost
	default:
		return refuse(protocol.ProducerFenced)
	}
	t.lastEpoch = lastEpoch
	next.previousID = before
	return []Effect{Append{Record: t.record(&next)}, Reply{ProducerID: next.producerID, ProducerEpoch: next.epoch}}
}

// claims tells whether the producer says which id and epoch it has.
func (e *InitProducerID) claims() bool { return e.ProducerID != -1 }

// accepts tells whether the producer can be the one that it says it is: it has the
// current id, or the one before when its epochs were used up.
func (t *Transaction) accepts(e InitProducerID) bool {
	return t.is.epoch == -1 || e.ProducerID == t.is.producerID ||
		e.ProducerID == t.is.previousID && e.ProducerEpoch >= lastUsableEpoch
}
