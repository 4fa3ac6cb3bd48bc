package broker

import (
	"fmt"

	"klamm/partitions"
	"klamm/protocol"
)

// produceScratch is what a connection keeps from one Produce request to the next.
type produceScratch struct {
	req          produceRequest
	decompressor protocol.Decompressor
}

// serveProduce serves Produce. It is the hot path: the request is decoded into the
// connection's own, and the answer is encoded by hand.
func (c *call) serveProduce(body []byte) error {
	req := &c.conn.produce.req
	req.decode(c.header.Version, body)
	defer req.drop()
	refused := req.refuse()
	next := 0
	for i := range req.topics {
		t, missing := c.producedTopic(&req.topics[i])
		for range req.topics[i].partitions {
			p := &req.partitions[next]
			next++
			if refused != protocol.None {
				p.done = refusedAppend(partitions.Refusal{Code: refused})
			} else {
				p.done = c.produceTo(t, missing, p)
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

// refuse checks what concerns the request as a whole. Transactions are not offered
// yet, so nobody is authorized for them.
func (r *produceRequest) refuse() protocol.ErrorCode {
	if !r.transactional {
		for i := range r.partitions {
			if protocol.IsTransactional(r.partitions[i].records) {
				return protocol.TransactionalIdAuthorizationFailed
			}
		}
	}
	if r.acks < -1 || r.acks > 1 {
		return protocol.InvalidRequiredAcks
	}
	return protocol.None
}

// producedTopic finds the topic by name or, since v13, by id; missing is what to
// answer where there is none.
func (c *call) producedTopic(rt *producedTopic) (t *topic, missing protocol.ErrorCode) {
	image := c.cluster.image.Load()
	if c.header.Version >= 13 {
		return image.byID[rt.id], protocol.UnknownTopicId
	}
	return image.byName[string(rt.name)], protocol.UnknownTopicOrPartition
}

func (c *call) produceTo(t *topic, missing protocol.ErrorCode, rp *producedPartition) partitions.Appended {
	if t == nil {
		return refusedAppend(partitions.Refusal{Code: missing})
	}
	p := t.partition(rp.index)
	if p == nil {
		return refusedAppend(partitions.Refusal{Code: protocol.UnknownTopicOrPartition})
	}
	if t.internal {
		return refusedAppend(partitions.Refusal{Code: protocol.InvalidTopicException})
	}
	return p.append(c.now, &c.conn.produce.decompressor, partitions.Produced{
		Topic: t.name, Partition: rp.index, Version: c.header.Version, Records: rp.records,
	})
}

// withoutAcks ends a request that wants no answer. An error cannot be told but by
// hanging up, which makes the producer refresh its metadata.
func (r *produceRequest) withoutAcks() error {
	for i := range r.partitions {
		if code := r.partitions[i].done.Refusal.Code; code != protocol.None {
			return fmt.Errorf("Produce with acks=0 failed: %s", code)
		}
	}
	return nil
}
