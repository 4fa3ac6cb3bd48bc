package broker

import (
	"encoding/binary"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/partitions"
	"klamm/protocol"
)

// produceScratch is what a connection keeps from one Produce request to the next.
type produceScratch struct {
	req  kmsg.ProduceRequest
	done []partitions.Appended // one for each partition of the request, in its order

	decompressor protocol.Decompressor
}

// serveProduce serves Produce. Request and answer are the hot path: the request is
// decoded into the connection's own, and the answer is encoded by hand.
func (c *call) serveProduce(body []byte) error {
	scratch := &c.conn.produce
	req := &scratch.req
	req.SetVersion(c.header.Version)
	if err := req.UnsafeReadFrom(body); err != nil {
		return err
	}
	scratch.done = scratch.done[:0]
	refused := c.refuseProduce(req)
	for i := range req.Topics {
		t, missing := c.producedTopic(&req.Topics[i])
		for j := range req.Topics[i].Partitions {
			done := refusedAppend(refused)
			if refused.Code == protocol.None {
				done = c.produceTo(t, missing, &req.Topics[i].Partitions[j])
			}
			scratch.done = append(scratch.done, done)
		}
	}
	c.cluster.changes.notify()
	if req.Acks == 0 {
		return c.withoutAcks(scratch.done)
	}
	start, before := c.begin()
	out := &c.conn.out
	out.buf = appendProduceResponse(out.buf, req, scratch.done)
	out.end(start, before)
	return nil
}

// refuseProduce checks what concerns the request as a whole. Transactions are not
// offered yet, so nobody is authorized for them.
func (c *call) refuseProduce(req *kmsg.ProduceRequest) partitions.Refusal {
	if req.TransactionID == nil && hasTransactional(req) {
		return partitions.Refusal{Code: protocol.TransactionalIdAuthorizationFailed}
	}
	if req.Acks < -1 || req.Acks > 1 {
		return partitions.Refusal{Code: protocol.InvalidRequiredAcks}
	}
	return partitions.Refusal{}
}

// hasTransactional tells whether a batch of the request says that it belongs to a transaction.
func hasTransactional(req *kmsg.ProduceRequest) bool {
	for i := range req.Topics {
		for j := range req.Topics[i].Partitions {
			h, ok := protocol.ParseBatchHeader(req.Topics[i].Partitions[j].Records)
			if ok && h.Magic == 2 && h.Transactional() {
				return true
			}
		}
	}
	return false
}

// producedTopic finds the topic by name or, since v13, by id; missing is what to
// answer where there is none.
func (c *call) producedTopic(rt *kmsg.ProduceRequestTopic) (t *topic, missing protocol.ErrorCode) {
	image := c.cluster.image.Load()
	if c.header.Version >= 13 {
		return image.byID[protocol.UUID(rt.TopicID)], protocol.UnknownTopicId
	}
	return image.byName[rt.Topic], protocol.UnknownTopicOrPartition
}

func (c *call) produceTo(t *topic, missing protocol.ErrorCode, rp *kmsg.ProduceRequestTopicPartition) partitions.Appended {
	if t == nil {
		return refusedAppend(partitions.Refusal{Code: missing})
	}
	p := t.partition(rp.Partition)
	if p == nil {
		return refusedAppend(partitions.Refusal{Code: protocol.UnknownTopicOrPartition})
	}
	if t.internal {
		return refusedAppend(partitions.Refusal{Code: protocol.InvalidTopicException})
	}
	return p.append(c.now, &c.conn.produce.decompressor, partitions.Produced{
		Topic: t.name, Partition: rp.Partition, Version: c.header.Version, Records: rp.Records,
	})
}

// withoutAcks ends a request that wants no answer. An error cannot be told but by
// hanging up, which makes the producer refresh its metadata.
func (c *call) withoutAcks(done []partitions.Appended) error {
	for i := range done {
		if code := done[i].Refusal.Code; code != protocol.None {
			return fmt.Errorf("Produce with acks=0 failed: %s", code)
		}
	}
	return nil
}

// appendProduceResponse encodes the body of the answer, v3 to v13.
func appendProduceResponse(b []byte, req *kmsg.ProduceRequest, done []partitions.Appended) []byte {
	version := req.Version
	flexible := version >= 9
	b = appendArrayLen(b, len(req.Topics), flexible)
	next := 0
	for i := range req.Topics {
		rt := &req.Topics[i]
		if version >= 13 {
			b = append(b, rt.TopicID[:]...)
		} else {
			b = appendString(b, rt.Topic, flexible)
		}
		b = appendArrayLen(b, len(rt.Partitions), flexible)
		for j := range rt.Partitions {
			b = appendProduced(b, version, rt.Partitions[j].Partition, &done[next])
			next++
		}
		b = appendNoTags(b, flexible)
	}
	b = binary.BigEndian.AppendUint32(b, 0) // throttle time
	return appendNoTags(b, flexible)
}

func appendProduced(b []byte, version int16, index int32, done *partitions.Appended) []byte {
	flexible := version >= 9
	b = binary.BigEndian.AppendUint32(b, uint32(index))
	b = binary.BigEndian.AppendUint16(b, uint16(done.Refusal.Code))
	b = binary.BigEndian.AppendUint64(b, uint64(done.BaseOffset))
	b = binary.BigEndian.AppendUint64(b, uint64(done.LogAppendTimeMs))
	if version >= 5 {
		b = binary.BigEndian.AppendUint64(b, uint64(done.LogStartOffset))
	}
	if version >= 8 {
		b = appendArrayLen(b, len(done.Refusal.Records), flexible)
		for _, r := range done.Refusal.Records {
			b = binary.BigEndian.AppendUint32(b, uint32(r.Index))
			b = appendNullableString(b, r.Message, flexible)
			b = appendNoTags(b, flexible)
		}
		b = appendNullableString(b, done.Refusal.Message, flexible)
	}
	return appendNoTags(b, flexible)
}
