package txncoord

import (
	"math"
	"slices"
	"time"

	"klamm/protocol"
)

// State is the state of a transactional id (org.apache.kafka.coordinator.transaction.TransactionState).
type State int8

// The states, with the numbers that records have for them. PrepareEpochFence is passed
// through within one step, and Dead is a tombstone, so that neither is ever stored.
const (
	Empty             State = 0
	Ongoing           State = 1
	PrepareCommit     State = 2
	PrepareAbort      State = 3
	CompleteCommit    State = 4
	CompleteAbort     State = 5
	Dead              State = 6
	PrepareEpochFence State = 7
)

// String is Kafka's name of the state.
func (s State) String() string {
	if s < 0 || int(s) >= len(stateNames) {
		return "Unknown"
	}
	return stateNames[s]
}

var stateNames = [...]string{
	"Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort", "Dead", "PrepareEpochFence",
}

// preparing tells that the outcome is decided and the markers are not all written.
func (s State) preparing() bool { return s == PrepareCommit || s == PrepareAbort }

// Config is the part of the broker's configuration that transactions go by. Durations
// of zero mean never.
type Config struct {
	AbortInterval  time.Duration // transaction.abort.timed.out.transaction.cleanup.interval.ms
	Expiration     time.Duration // transactional.id.expiration.ms
	ExpiryInterval time.Duration // transaction.remove.expired.transaction.cleanup.interval.ms
	Began          time.Time     // when the coordinator began: the intervals count from here
	Version        int16         // finalized level of the feature transaction.version
}

// Transaction is one transactional id. It is not safe for concurrent use; its owner has
// a mutex around it.
type Transaction struct {
	id    string
	cfg   Config
	known bool     // a record says so
	is    metadata // what the last record says
	// lastEpoch is the epoch before the current one; -1 when there is none, and after a
	// reload, because no record has it.
	lastEpoch int16
}

// metadata is what one record says.
type metadata struct {
	producerID, previousID, nextID int64
	epoch                          int16
	timeoutMs                      int32
	state                          State
	partitions                     []TopicPartition // in order
	startMs, updateMs              int64
	epochBump                      bool // by the protocol of KIP-890 (client transaction version 2)
}

// New returns a transactional id that nobody has used.
func New(id string, cfg Config) *Transaction {
	return &Transaction{id: id, cfg: cfg, is: metadata{producerID: -1, previousID: -1, nextID: -1, epoch: -1, startMs: -1}, lastEpoch: -1}
}

// lastUsableEpoch is the last epoch that a producer gets: above it there is one that
// fences it, and then none.
const lastUsableEpoch = math.MaxInt16 - 1

// NeedsProducerID tells whether e has to bring an unused producer id.
func (t *Transaction) NeedsProducerID(e Event) bool {
	switch e.(type) {
	case InitProducerID:
		return !t.known || t.is.epoch >= lastUsableEpoch
	case EndTxn, Tick:
		return t.known && t.is.epoch >= lastUsableEpoch
	}
	return false
}

// Step applies e at time now. It does not block, start goroutines, read a clock or keep e.
func (t *Transaction) Step(now time.Time, e Event) []Effect {
	switch e := e.(type) {
	case InitProducerID:
		return t.initProducerID(now, e)
	case AddPartitions:
		return t.addPartitions(now, e)
	case EndTxn:
		return t.endTxn(now, e)
	case MarkersWritten:
		return t.complete(now)
	case Tick:
		return t.tick(now, e)
	case Configure:
		t.cfg = e.Config
	}
	return nil
}

// Vacant tells that the transactional id is not known: the owner may forget it.
func (t *Transaction) Vacant() bool { return !t.known }

// refuse is the answer to a request that changes nothing.
func refuse(code protocol.ErrorCode) []Effect {
	return []Effect{Reply{Code: code, ProducerID: -1, ProducerEpoch: -1}}
}

// checkProducer tells what is wrong with the id and epoch of a producer that is to go on.
func (t *Transaction) checkProducer(id int64, epoch int16) protocol.ErrorCode {
	switch {
	case !t.known || t.is.producerID != id:
		return protocol.InvalidProducerIdMapping
	case t.is.epoch != epoch:
		return protocol.ProducerFenced
	}
	return protocol.None
}

// completing tells that the markers are being written. Kafka calls that a pending
// transition, and most requests are then told to come again before anything of them is
// looked at.
func (t *Transaction) completing() bool { return t.known && t.is.state.preparing() }

// addPartitions adds partitions to the transaction (TransactionCoordinator.handleAddPartitionsToTransaction).
func (t *Transaction) addPartitions(now time.Time, e AddPartitions) []Effect {
	if t.completing() {
		return refuse(protocol.ConcurrentTransactions)
	}
	if code := t.checkProducer(e.ProducerID, e.ProducerEpoch); code != protocol.None {
		return refuse(code)
	}
	next := t.is
	if next.state != Ongoing {
		next.state, next.startMs = Ongoing, now.UnixMilli()
	} else if !slices.ContainsFunc(e.Partitions, func(tp TopicPartition) bool { return !t.has(tp) }) {
		return refuse(protocol.None) // nothing is new
	}
	next.partitions = union(t.is.partitions, e.Partitions)
	next.updateMs, next.epochBump = now.UnixMilli(), e.EpochBump
	return []Effect{t.store(next), Reply{ProducerID: -1, ProducerEpoch: -1}}
}

// Verify tells of each partition whether it is part of the producer's transaction:
// None, or TransactionAbortable (TransactionCoordinator.handleVerifyPartitionsInTransaction).
func (t *Transaction) Verify(producerID int64, epoch int16, asked []TopicPartition) []protocol.ErrorCode {
	code := t.checkProducer(producerID, epoch)
	if code == protocol.None && t.completing() {
		code = protocol.ConcurrentTransactions
	}
	codes := make([]protocol.ErrorCode, len(asked))
	for i, tp := range asked {
		codes[i] = code
		if code == protocol.None && !t.has(tp) {
			codes[i] = protocol.TransactionAbortable
		}
	}
	return codes
}

func (t *Transaction) has(tp TopicPartition) bool {
	_, found := slices.BinarySearchFunc(t.is.partitions, tp, comparePartitions)
	return found
}

// store writes what the transactional id is to become.
func (t *Transaction) store(next metadata) Append {
	next.previousID = t.is.producerID
	return Append{Record: t.record(&next)}
}
