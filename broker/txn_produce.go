package broker

import (
	"time"

	"klamm/broker/txncoord"
	"klamm/partitions"
	"klamm/protocol"
)

// txnWrite is the part of a Produce request that belongs to a transaction.
type txnWrite struct {
	tried bool                                  // its partitions were made sure of
	code  map[TopicPartition]protocol.ErrorCode // of those that cannot be written to
}

// joinProduced makes sure that the partitions with transactional batches are part of the
// producer's transaction (ReplicaManager.handleProduceAppend). A refusal concerns the
// request as a whole.
func (c *call) joinProduced(r *produceRequest) (w txnWrite, refused *partitions.Refusal) {
	const abortableSince = 11
	support := supportOf(c.header.Version, abortableSince)
	if !c.cluster.verifies(support) {
		return w, nil
	}
	w.tried = true
	e := txncoord.AddPartitions{ProducerID: -1}
	next := 0
	for i := range r.topics {
		t, _ := c.producedTopic(&r.topics[i])
		for range r.topics[i].partitions {
			rp := &r.partitions[next]
			next++
			p := t.partition(rp.index)
			if p == nil {
				continue
			}
			h, ok := protocol.ParseBatchHeader(rp.records)
			if !ok || h.Magic != 2 || !h.Transactional() || !h.HasProducer() {
				continue
			}
			if partitions.CheckField(c.header.Version, rp.records) != protocol.None {
				continue // which is refused later, and not written
			}
			if e.ProducerID >= 0 && (e.ProducerID != h.ProducerID || e.ProducerEpoch != h.ProducerEpoch) {
				return w, &partitions.Refusal{
					Code:    protocol.InvalidProducerIdMapping,
					Message: "Transactional records contained more than one producer ID",
				}
			}
			e.ProducerID, e.ProducerEpoch = h.ProducerID, h.ProducerEpoch
			switch open, code := p.tryTransaction(c.now, &h, support == txnAdd); {
			case code != protocol.None:
				w.refuse(TopicPartition{t.name, rp.index}, code)
			case !open:
				e.Partitions = append(e.Partitions, txncoord.TopicPartition{Topic: t.name, Partition: rp.index})
			}
		}
	}
	if len(e.Partitions) == 0 {
		return w, nil
	}
	for i, code := range c.cluster.join(c, r.transactionalID, e, support) {
		tp := TopicPartition{e.Partitions[i].Topic, e.Partitions[i].Partition}
		w.refuse(tp, code)
	}
	return w, nil
}

// refuse notes why a partition cannot be written to.
func (w *txnWrite) refuse(tp TopicPartition, code protocol.ErrorCode) {
	if w.code == nil {
		w.code = make(map[TopicPartition]protocol.ErrorCode)
	}
	w.code[tp] = code
}

// tryTransaction is Partition.TryTransaction.
func (p *partition) tryTransaction(now time.Time, h *protocol.BatchHeader, epochBump bool) (open bool, code protocol.ErrorCode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.TryTransaction(now, h, epochBump)
}

// refusal is why a partition cannot be written to; nil where it can.
func (w *txnWrite) refusal(tp TopicPartition, version int16) *partitions.Refusal {
	const addsSince = 12
	switch code := w.code[tp]; {
	case code == protocol.None:
		return nil
	case code == protocol.InvalidTxnState:
		return &partitions.Refusal{Code: code, Message: "Partition was not added to the transaction"}
	case code == protocol.ConcurrentTransactions && version < addsSince:
		return &partitions.Refusal{
			Code:    protocol.NotEnoughReplicas, // which makes an old client try again
			Message: "Unable to verify the partition has been added to the transaction. Underlying error: " + code.Name(),
		}
	default:
		return &partitions.Refusal{Code: code}
	}
}
