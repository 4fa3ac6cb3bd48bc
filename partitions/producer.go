package partitions

import (
	"time"

	"klamm/protocol"
)

// batchesKept is how many batches of a producer can be told apart from new ones
// when they come again (ProducerStateEntry.NUM_BATCHES_TO_RETAIN).
const batchesKept = 5

// producer is what a partition knows of one producer id
// (org.apache.kafka.storage.internals.log.ProducerStateEntry).
type producer struct {
	epoch           int16
	count           int8 // batches in recent
	recent          [batchesKept]producedBatch
	lastTimestampMs int64

	txnStart         int64 // first offset of its open transaction; -1: none
	coordinatorEpoch int32 // of its last marker; -1: none
}

// producedBatch is a batch that was appended.
type producedBatch struct {
	firstSequence, lastSequence int32
	baseOffset                  int64
	maxTimestampMs              int64
}

// lastSequence is that of the newest batch, or NoSequence when the epoch has none.
func (s *producer) lastSequence() int32 {
	if s.count == 0 {
		return protocol.NoSequence
	}
	return s.recent[s.count-1].lastSequence
}

// checkProducer compares a batch with what its producer wrote before. When ok is
// false the answer stands: a refusal, or the offset that the batch got already.
// It mirrors org.apache.kafka.storage.internals.log.ProducerAppendInfo.
func (p *Partition) checkProducer(b *Batch) (done Appended, ok bool) {
	h := &b.Header
	known := p.producers[h.ProducerID]
	if known != nil && known.epoch == h.ProducerEpoch && !b.Coordinated {
		first, last := h.BaseSequence, h.LastSequence()
		for _, b := range known.recent[:known.count] {
			if b.firstSequence == first && b.lastSequence == last {
				return Appended{
					BaseOffset: b.baseOffset, LogAppendTimeMs: b.maxTimestampMs,
					LogStartOffset: p.start, Duplicate: true,
				}, false
			}
		}
	}
	if p.ended(b) {
		return p.refuse(protocol.InvalidTxnState), false
	}
	switch fresh := known == nil || known.epoch == protocol.NoProducerEpoch; {
	case known != nil && h.ProducerEpoch < known.epoch, known == nil && h.ProducerEpoch < protocol.NoProducerEpoch:
		return p.refuse(protocol.InvalidProducerEpoch), false
	case b.Coordinated:
		return done, true
	case p.tooEarly(h, known):
		return p.refuse(protocol.OutOfOrderSequenceNumber), false
	case known == nil: // whatever its sequence: what came before may have been deleted
		return done, true
	case h.ProducerEpoch > known.epoch && h.BaseSequence != 0 && !fresh,
		h.ProducerEpoch == known.epoch && !follows(known.lastSequence(), h.BaseSequence) && !fresh:
		return p.refuse(protocol.OutOfOrderSequenceNumber), false
	case known.txnStart >= 0 && !h.Transactional():
		return p.refuse(protocol.InvalidTxnState), false
	}
	return done, true
}

// producer is the state of a producer id, new if there is none.
func (p *Partition) producer(id int64, epoch int16) *producer {
	s := p.producers[id]
	if s == nil {
		if p.producers == nil {
			p.producers = make(map[int64]*producer)
		}
		s = &producer{epoch: epoch, txnStart: -1, coordinatorEpoch: -1}
		p.producers[id] = s
	}
	return s
}

// follows tells whether next is the sequence after last, which wraps to 0.
func follows(last, next int32) bool {
	return int64(next) == int64(last)+1 || next == 0 && last == 1<<31-1
}

// noteProducer remembers a batch that has been appended at base.
func (p *Partition) noteProducer(h *protocol.BatchHeader, base int64) {
	s := p.producer(h.ProducerID, h.ProducerEpoch)
	if h.Transactional() && s.txnStart < 0 {
		s.txnStart = base
		p.txns.open = append(p.txns.open, openTxn{h.ProducerID, base})
	}
	if h.Transactional() {
		delete(p.trying, h.ProducerID)
	}
	if s.epoch != h.ProducerEpoch {
		s.epoch, s.count = h.ProducerEpoch, 0
	}
	if s.count == batchesKept {
		copy(s.recent[:], s.recent[1:])
		s.count--
	}
	s.recent[s.count] = producedBatch{
		firstSequence: h.BaseSequence, lastSequence: h.LastSequence(),
		baseOffset: base, maxTimestampMs: h.MaxTimestampMs,
	}
	s.count++
	s.lastTimestampMs = h.MaxTimestampMs
}

// ExpireProducers forgets the producers whose last batch is as old as expiration
// (producer.id.expiration.ms), by the timestamps of its records as Kafka counts, but for
// those with an open transaction.
func (p *Partition) ExpireProducers(now time.Time, expiration time.Duration) {
	for id, s := range p.producers {
		if s.txnStart < 0 && now.UnixMilli()-s.lastTimestampMs >= expiration.Milliseconds() {
			delete(p.producers, id)
		}
	}
	for id, a := range p.trying {
		if now.UnixMilli()-a.atMs >= expiration.Milliseconds() {
			delete(p.trying, id)
		}
	}
}

// Producers is how many producer ids the partition remembers, those included that have
// only tried to begin a transaction.
func (p *Partition) Producers() int { return len(p.producers) + len(p.trying) }
