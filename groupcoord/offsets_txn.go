package groupcoord

import (
	"bytes"

	"klamm/protocol"
)

// Outcome is how a transaction ended.
type Outcome int8

// The outcomes; the zero value is none.
const (
	Committed Outcome = iota + 1
	Aborted
)

// Producer is who commits offsets in a transaction.
type Producer struct {
	ID    int64
	Epoch int16
}

// pendingOffsets are the offsets that open transactions have committed: hard state,
// written by Apply. They count when the marker of their transaction says so.
type pendingOffsets struct {
	byProducer map[int64]map[offsetKey]pendingOffset
	open       map[offsetKey]int // how many transactions have an offset pending for the partition
}

type offsetKey struct {
	topic     string
	partition int32
}

type pendingOffset struct {
	value  offsetValue
	record int64 // offset of the record in __consumer_offsets
}

// unstable tells whether an open transaction has an offset for the partition.
func (p *pendingOffsets) unstable(topic string, partition int32) bool {
	return len(p.open) > 0 && p.open[offsetKey{topic, partition}] > 0
}

// put keeps what a record of a transaction says until the marker comes.
func (p *pendingOffsets) put(producerID int64, topic []byte, partition int32, v offsetValue, record int64) {
	if p.byProducer == nil {
		p.byProducer, p.open = map[int64]map[offsetKey]pendingOffset{}, map[offsetKey]int{}
	}
	offsets := p.byProducer[producerID]
	if offsets == nil {
		offsets = map[offsetKey]pendingOffset{}
		p.byProducer[producerID] = offsets
	}
	key := offsetKey{string(topic), partition}
	if _, again := offsets[key]; !again {
		p.open[key]++
	}
	v.metadata = bytes.Clone(v.metadata)
	offsets[key] = pendingOffset{v, record}
}

// take removes and returns what a producer's transaction has pending.
func (p *pendingOffsets) take(producerID int64) map[offsetKey]pendingOffset {
	offsets := p.byProducer[producerID]
	delete(p.byProducer, producerID)
	for key := range offsets {
		p.close(key)
	}
	return offsets
}

// remove forgets what transactions have pending for a partition.
func (p *pendingOffsets) remove(topic []byte, partition int32) {
	key := offsetKey{string(topic), partition}
	if p.open[key] == 0 {
		return
	}
	for _, offsets := range p.byProducer {
		delete(offsets, key)
	}
	delete(p.open, key)
}

func (p *pendingOffsets) close(key offsetKey) {
	if p.open[key]--; p.open[key] <= 0 {
		delete(p.open, key)
	}
}

// endTransaction makes the offsets of a committed transaction count, unless a later
// commit has overtaken them, and forgets those of an aborted one
// (OffsetMetadataManager.replayEndTransactionMarker).
func (o *offsets) endTransaction(producerID int64, how Outcome) {
	for key, pending := range o.pending.take(producerID) {
		if how != Committed {
			continue
		}
		if t := o.topics[key.topic]; t != nil {
			if c, ok := t.partitions[key.partition]; ok && pending.record <= c.record {
				continue
			}
		}
		o.put([]byte(key.topic), key.partition, &pending.value, pending.record)
	}
	o.due.known = false
}

// HasPending tells whether a producer has committed offsets to the group in a
// transaction that is open.
func (g *Group) HasPending(producerID int64) bool {
	_, pending := g.offsets.pending.byProducer[producerID]
	return pending
}

// checkTxnCommit tells whether offsets may be committed in a transaction: who names a
// member must be one, of this generation (ClassicGroup.validateOffsetCommit).
func (c *classic) checkTxnCommit(g *Group, e OffsetCommit) protocol.ErrorCode {
	req := e.Req
	switch {
	case req.Generation < 0 && c.isEmpty():
		return protocol.None
	case g.Vacant() && req.Version >= 9:
		return protocol.GroupIdNotFound
	case g.Vacant():
		return protocol.IllegalGeneration
	case req.Generation < 0 && req.MemberID == "" && req.InstanceID == nil:
		return protocol.None
	}
	if _, code := c.validate(req.MemberID, req.InstanceID); code != protocol.None {
		return code
	}
	if req.Generation != c.generation {
		return protocol.IllegalGeneration
	}
	return protocol.None
}

// inTransaction stamps the records of a commit with the producer whose transaction it
// is part of.
func inTransaction(records []Record, p *Producer) {
	if p == nil {
		return
	}
	for i := range records {
		records[i].ProducerID, records[i].ProducerEpoch = p.ID, p.Epoch
	}
}
