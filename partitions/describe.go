package partitions

import (
	"cmp"
	"slices"
)

// ActiveProducer is what DescribeProducers tells of one producer id
// (ProducerStateManager.activeProducers).
type ActiveProducer struct {
	ID              int64
	Epoch           int16
	LastSequence    int32 // NoSequence (-1) when the epoch has written nothing
	LastTimestampMs int64

	CoordinatorEpoch int32 // of its last marker; -1: none
	TxnStart         int64 // first offset of its open transaction; -1: none
}

// ActiveProducers are the producers that the partition remembers, by id.
func (p *Partition) ActiveProducers() []ActiveProducer {
	active := make([]ActiveProducer, 0, len(p.producers))
	for id, s := range p.producers {
		active = append(active, ActiveProducer{
			ID: id, Epoch: s.epoch, LastSequence: s.lastSequence(), LastTimestampMs: s.lastTimestampMs,
			CoordinatorEpoch: s.coordinatorEpoch, TxnStart: s.txnStart,
		})
	}
	slices.SortFunc(active, func(a, b ActiveProducer) int { return cmp.Compare(a.ID, b.ID) })
	return active
}
