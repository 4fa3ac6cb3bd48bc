package partitions

import (
	"math"
	"slices"
	"time"

	"klamm/protocol"
)

// Marker ends the transaction of one producer on a partition: what the transaction
// coordinator, or a WriteTxnMarkers request, writes to the log.
type Marker struct {
	ProducerID       int64
	ProducerEpoch    int16
	CoordinatorEpoch int32
	Commit           bool // or abort
	// EpochBump tells that the coordinator has given the producer a new epoch with this
	// marker, so that it must be above the one that the log knows (transaction version 2, KIP-890).
	EpochBump bool
}

// openTxn is a transaction that has written to the partition and has not ended.
type openTxn struct {
	producerID  int64
	firstOffset int64
}

// AbortedTxn is an aborted transaction as consumers of committed records are told of it
// (org.apache.kafka.storage.internals.log.AbortedTxn).
type AbortedTxn struct {
	ProducerID  int64
	FirstOffset int64
	lastOffset  int64 // of its marker
	lastStable  int64 // last stable offset once it had ended
}

// transactions are those of one partition: the open ones in the order in which they
// began, and the aborted ones in the order in which they ended.
type transactions struct {
	open    []openTxn
	aborted []AbortedTxn
}

// LastStableOffset is the offset below which every transaction has ended: what
// consumers of committed records can read up to.
func (p *Partition) LastStableOffset() int64 {
	if len(p.txns.open) > 0 && p.start < p.end {
		return p.txns.open[0].firstOffset // also when its records have been deleted
	}
	return p.HighWatermark()
}

// SizeBetween is how many bytes of batches lie between two offsets at which batches begin.
func (p *Partition) SizeBetween(from, to int64) int {
	if from < p.start || from >= to {
		return 0
	}
	_, size, _ := p.log.read(nil, p.log.seek(from), to, math.MaxInt, true)
	return size
}

// HasOpenTransaction tells whether the producer has an open transaction on the
// partition, of that epoch (UnifiedLog.hasOngoingTransaction).
func (p *Partition) HasOpenTransaction(producerID int64, epoch int16) bool {
	s := p.producers[producerID]
	return s != nil && s.txnStart >= 0 && s.epoch == epoch
}

// attempt is a first batch of a transaction that a producer has tried to append
// (org.apache.kafka.storage.internals.log.VerificationStateEntry).
type attempt struct {
	epoch     int16
	lowest    int32 // sequence of all batches that were tried
	epochBump bool  // by the protocol of KIP-890
	atMs      int64
}

// TryTransaction tells whether the producer has an open transaction on the partition,
// into which it can write, or has been fenced: InvalidProducerEpoch. If neither, somebody
// has to make sure that the partition is part of its transaction before the batch is
// appended, and the batch is remembered: none with a higher sequence is taken before it,
// and by the protocol of KIP-890 (epochBump) a producer that the log knows nothing of has
// to begin with sequence 0.
func (p *Partition) TryTransaction(now time.Time, h *protocol.BatchHeader, epochBump bool) (open bool, code protocol.ErrorCode) {
	if p.HasOpenTransaction(h.ProducerID, h.ProducerEpoch) {
		return true, protocol.None
	}
	if s := p.producers[h.ProducerID]; s != nil && h.ProducerEpoch < s.epoch {
		return false, protocol.InvalidProducerEpoch
	}
	a, again := p.trying[h.ProducerID]
	switch {
	case !again || h.ProducerEpoch > a.epoch:
		a.epoch, a.lowest = h.ProducerEpoch, h.BaseSequence
	case h.ProducerEpoch == a.epoch:
		a.lowest = min(a.lowest, h.BaseSequence)
	}
	if !again {
		a.epochBump = epochBump
	}
	a.atMs = now.UnixMilli()
	if p.trying == nil {
		p.trying = make(map[int64]attempt)
	}
	p.trying[h.ProducerID] = a
	return false, protocol.None
}

// tooEarly tells whether a batch must wait for one that was tried before it.
func (p *Partition) tooEarly(h *protocol.BatchHeader, known *producer) bool {
	a, tried := p.trying[h.ProducerID]
	if !tried {
		return false
	}
	return a.epochBump && h.BaseSequence != 0 && (known == nil || known.count == 0) || h.BaseSequence > a.lowest
}

// ended tells whether the transaction of a batch that was tried has ended since then
// (UnifiedLog.batchMissingRequiredVerification).
func (p *Partition) ended(b *Batch) bool {
	if !b.Tried || !b.Header.Transactional() || p.HasOpenTransaction(b.Header.ProducerID, b.Header.ProducerEpoch) {
		return false
	}
	_, tried := p.trying[b.Header.ProducerID]
	return !tried
}

// AppendMarker ends the producer's transaction with a control batch, and returns the
// marker's offset. It is refused with InvalidProducerEpoch when the epoch is an old one,
// and with TransactionCoordinatorFenced when the coordinator's is; before that with
// MessageTooLarge when the topic's max.message.bytes has no room for it. A producer without an
// open transaction gets its marker all the same, as in Kafka
// (ProducerAppendInfo.appendEndTxnMarker).
func (p *Partition) AppendMarker(now time.Time, cfg *Config, m Marker) (offset int64, code protocol.ErrorCode) {
	s, b := p.producers[m.ProducerID], controlBatch(now, cfg, m)
	if len(b.Bytes) > cfg.MaxMessageBytes {
		return InvalidOffset, protocol.MessageTooLarge
	}
	if s != nil {
		if m.oldEpoch(s) {
			return InvalidOffset, protocol.InvalidProducerEpoch
		}
		if s.coordinatorEpoch > m.CoordinatorEpoch {
			return InvalidOffset, protocol.TransactionCoordinatorFenced
		}
	}
	offset = p.end
	p.keep(now, cfg, b)
	p.endTransaction(p.producer(m.ProducerID, m.ProducerEpoch), now, m, offset)
	return offset, protocol.None
}

// oldEpoch tells whether the marker's epoch is one that the producer has left behind.
// A marker that bumped the epoch and comes again changes nothing and is let through.
func (m *Marker) oldEpoch(s *producer) bool {
	if !m.EpochBump || m.ProducerEpoch != s.epoch {
		return m.ProducerEpoch < s.epoch
	}
	return s.txnStart >= 0 && m.ProducerEpoch != math.MaxInt16
}

func controlBatch(now time.Time, cfg *Config, m Marker) *Batch {
	h := protocol.PlainBatch()
	h.Attributes = protocol.AttrTransactional | protocol.AttrControl
	if cfg.LogAppendTime {
		h.Attributes |= protocol.AttrLogAppendTime
		h.MaxTimestampMs = now.UnixMilli()
	}
	h.ProducerID, h.ProducerEpoch = m.ProducerID, m.ProducerEpoch
	kind := protocol.ControlAbort
	if m.Commit {
		kind = protocol.ControlCommit
	}
	bytes, err := protocol.AppendBatch(nil, h, nil, []protocol.Record{{
		TimestampMs: now.UnixMilli(),
		Key:         protocol.AppendControlKey(nil, kind),
		Value:       protocol.AppendEndTxnValue(nil, m.CoordinatorEpoch),
	}})
	if err != nil {
		panic("partitions: " + err.Error()) // nothing is compressed and the record is there
	}
	header, _ := protocol.ParseBatchHeader(bytes)
	return &Batch{Header: header, Bytes: bytes}
}

// endTransaction notes what a marker at offset ended.
func (p *Partition) endTransaction(s *producer, now time.Time, m Marker, offset int64) {
	if s.epoch != m.ProducerEpoch {
		s.epoch, s.count = m.ProducerEpoch, 0
	}
	s.coordinatorEpoch, s.lastTimestampMs = m.CoordinatorEpoch, now.UnixMilli()
	delete(p.trying, m.ProducerID)
	first := s.txnStart
	if s.txnStart = -1; first < 0 {
		return
	}
	p.txns.open = slices.DeleteFunc(p.txns.open, func(o openTxn) bool { return o.producerID == m.ProducerID })
	if !m.Commit {
		p.txns.aborted = append(p.txns.aborted, AbortedTxn{
			ProducerID: m.ProducerID, FirstOffset: first, lastOffset: offset, lastStable: p.LastStableOffset(),
		})
	}
}

// abortedBetween are the aborted transactions that records from offset on, and below
// limit, may belong to (TransactionIndex.collectAbortedTxns).
func (t *transactions) abortedBetween(offset, limit int64) (found []AbortedTxn) {
	for _, a := range t.aborted {
		if a.lastOffset >= offset && a.FirstOffset < limit {
			found = append(found, a)
		}
		if a.lastStable >= limit {
			break
		}
	}
	return found
}

// trim forgets the aborted transactions that ended below the log start offset.
func (t *transactions) trim(start int64) {
	gone := 0
	for gone < len(t.aborted) && t.aborted[gone].lastOffset < start {
		gone++
	}
	t.aborted = slices.Clone(t.aborted[gone:])
}
