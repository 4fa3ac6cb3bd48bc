package broker

import (
	"errors"
	"fmt"

	"klamm/partitions"
	"klamm/protocol"
)

// produceScratch is what a connection keeps from one Produce request to the next.
type produceScratch struct {
	req          produceRequest
	decompressor protocol.Decompressor
	compressor   protocol.Compressor // for topics with a compression.type of their own
}

// serveProduce serves Produce. It is the hot path: the request is decoded into the
// connection's own, and the answer is encoded by hand.
func (c *call) serveProduce(body []byte) error {
	req := &c.conn.produce.req
	defer req.drop()
	if err := req.read(c.header.Version, body); err != nil {
		return err
	}
	refused := c.refuseProduce(req)
	req.merge()
	if refused == nil && req.nulls && c.withoutRecords(req) {
		return errNullRecords
	}
	var txn txnWrite
	if refused == nil && req.transactional {
		txn, refused = c.joinProduced(req)
	}
	next := 0
	for i := range req.topics {
		t, missing := c.producedTopic(&req.topics[i])
		for range req.topics[i].partitions {
			p := &req.partitions[next]
			next++
			if refused != nil {
				p.done = refusedWith(refused)
			} else {
				c.produceTo(t, missing, p, &txn)
			}
		}
	}
	c.cluster.changes.notify()
	if req.acks == 0 {
		return req.withoutAcks()
	}
	start, before := c.begin()
	out := &c.conn.out
	out.buf = req.appendResponse(out.buf)
	out.end(start, before)
	return nil
}

// errNullRecords ends a connection that sends null for the records of a partition that
// there is: Kafka fails on it and never answers.
var errNullRecords = errors.New("Produce: the records of a partition are null")

func (c *call) withoutRecords(r *produceRequest) bool {
	next := 0
	for i := range r.topics {
		for range r.topics[i].partitions {
			p := &r.partitions[next]
			next++
			if p.records != nil {
				continue
			}
			if t, _ := c.producedTopic(&r.topics[i]); t.partition(p.index) != nil {
				return true
			}
		}
	}
	return false
}

// hasAcks tells whether the request asks for acks that there are.
func (r *produceRequest) hasAcks() bool { return r.acks >= -1 && r.acks <= 1 }

// refuseProduce checks what concerns the request as a whole. Nobody is authorized for the
// transactions of a request without a transactional id.
func (c *call) refuseProduce(r *produceRequest) *partitions.Refusal {
	topic, left := -1, 0
	for i := range r.partitions {
		p := &r.partitions[i]
		for left == 0 {
			topic++
			left = r.topics[topic].partitions
		}
		left--
		transactional, refusal := partitions.Inspect(r.version, p.records)
		if refusal.ErrorCode() == protocol.UnknownServerError {
			// Kafka fails on these records when it turns to their partition.
			if t, _ := c.producedTopic(&r.topics[topic]); t.partition(p.index) == nil {
				continue
			}
		}
		switch {
		case refusal != nil:
			return refusal
		case transactional && !r.transactional:
			return &partitions.Refusal{Code: protocol.TransactionalIdAuthorizationFailed}
		case transactional:
			return nil // Kafka looks no further
		}
	}
	return nil
}

// producedTopic finds the topic by name or, since v13, by id; missing is what to
// answer where there is none.
func (c *call) producedTopic(rt *producedTopic) (t *topic, missing protocol.ErrorCode) {
	image := c.cluster.image.Load()
	if c.header.Version >= 13 {
		return image.byID.get(rt.id), protocol.UnknownTopicId
	}
	return getBytes(&image.byName, rt.name), protocol.UnknownTopicOrPartition
}

// produceTo appends the records of one partition, and fills in its answer.
func (c *call) produceTo(t *topic, missing protocol.ErrorCode, rp *producedPartition, txn *txnWrite) {
	if t == nil {
		rp.done = refusedAppend(missing)
		return
	}
	p := t.partition(rp.index)
	if p == nil {
		rp.done = refusedAppend(protocol.UnknownTopicOrPartition)
		return
	}
	if refused := c.refuseField(t, rp); refused != protocol.None {
		rp.done = refusedAppend(refused)
		return
	}
	if txn.code != nil {
		if refused := txn.refusal(TopicPartition{t.name, rp.index}, c.header.Version); refused != nil {
			if rp.done = refusedWith(refused); rp.spoiled != protocol.None {
				rp.done = refusedAppend(rp.spoiled)
			}
			return
		}
	}
	in := partitions.Produced{
		Topic: t.name, Partition: rp.index, Version: c.header.Version, Records: rp.records, Tried: txn.tried,
		Compressor: &c.conn.produce.compressor,
	}
	p.append(&rp.done, c.now, &c.conn.produce.decompressor, &in)
	if rp.spoiled != protocol.None {
		rp.done = refusedAppend(rp.spoiled)
	}
}

// refuseField refuses what never comes to the log, in Kafka's order: records that are
// not one batch, wrong acks, internal topics.
func (c *call) refuseField(t *topic, rp *producedPartition) protocol.ErrorCode {
	hasAcks := c.conn.produce.req.hasAcks()
	if hasAcks && !t.internal {
		return protocol.None // the append looks at the records itself
	}
	if rp.spoiled != protocol.None {
		return rp.spoiled
	}
	if code := partitions.CheckField(c.header.Version, rp.records); code != protocol.None {
		return code
	}
	if !hasAcks {
		return protocol.InvalidRequiredAcks
	}
	return protocol.InvalidTopicException
}

// withoutAcks ends a request that wants no answer. An error cannot be told but by
// hanging up, which makes the producer refresh its metadata.
func (r *produceRequest) withoutAcks() error {
	for i := range r.partitions {
		if code := r.partitions[i].done.Refusal.ErrorCode(); code != protocol.None {
			return fmt.Errorf("Produce with acks=0 failed: %s", code)
		}
	}
	return nil
}
