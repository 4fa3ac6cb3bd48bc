package broker

import (
	"encoding/binary"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/partitions"
	"klamm/protocol"
)

// answerFetch encodes the answer of a fetch; log bytes are spliced in, not copied.
func (c *call) answerFetch(req *kmsg.FetchRequest, ctx *fetchContext, reads []fetchRead) {
	sessionID := int32(0)
	switch {
	case ctx.session != nil:
		sessionID = ctx.session.id
		reads = ctx.session.withNews(reads)
	case ctx.create:
		sessionID = c.newFetchSession(reads)
	}
	version, flexible := c.header.Version, c.header.Version >= 12
	start, before := c.begin()
	out := &c.conn.out
	out.buf = appendFetchHead(out.buf, version, protocol.None, sessionID)
	out.buf = appendArrayLen(out.buf, countTopics(reads), flexible)
	for len(reads) > 0 {
		n := sameTopic(reads)
		if version >= 13 {
			out.buf = append(out.buf, reads[0].topicID[:]...)
		} else {
			out.buf = appendString(out.buf, reads[0].topic, flexible)
		}
		out.buf = appendArrayLen(out.buf, n, flexible)
		for i := range reads[:n] {
			out.appendRead(&reads[i], version, req.IsolationLevel)
		}
		out.buf = appendNoTags(out.buf, flexible)
		reads = reads[n:]
	}
	out.buf = appendNoTags(out.buf, flexible)
	out.end(start, before)
}

// answerFetchError answers with an error of the request as a whole.
func (c *call) answerFetchError(code protocol.ErrorCode) error {
	flexible := c.header.Version >= 12
	start, before := c.begin()
	out := &c.conn.out
	out.buf = appendFetchHead(out.buf, c.header.Version, code, 0)
	out.buf = appendArrayLen(out.buf, 0, flexible)
	out.buf = appendNoTags(out.buf, flexible)
	out.end(start, before)
	return nil
}

// answerFetchFailure answers a request that Kafka fails on: the error stands at the top
// and, before v13, at each partition of the request (FetchRequest.getErrorResponse).
func (c *call) answerFetchFailure(req *kmsg.FetchRequest, code protocol.ErrorCode) {
	version, flexible := c.header.Version, c.header.Version >= 12
	start, before := c.begin()
	out := &c.conn.out
	out.buf = appendFetchHead(out.buf, version, code, req.SessionID)
	topics := req.Topics
	if version >= 13 {
		topics = nil
	}
	out.buf = appendArrayLen(out.buf, len(topics), flexible)
	for i := range topics {
		out.buf = appendString(out.buf, topics[i].Topic, flexible)
		out.buf = appendArrayLen(out.buf, len(topics[i].Partitions), flexible)
		for _, rp := range topics[i].Partitions {
			r := fetchRead{fetchedPartition: fetchedPartition{index: rp.Partition}}
			r.refuse(code)
			out.appendRead(&r, version, req.IsolationLevel)
		}
		out.buf = appendNoTags(out.buf, flexible)
	}
	out.buf = appendNoTags(out.buf, flexible)
	out.end(start, before)
}

func appendFetchHead(b []byte, version int16, code protocol.ErrorCode, sessionID int32) []byte {
	b = binary.BigEndian.AppendUint32(b, 0) // throttle time
	if version >= 7 {
		b = binary.BigEndian.AppendUint16(b, uint16(code))
		b = binary.BigEndian.AppendUint32(b, uint32(sessionID))
	}
	return b
}

// sameTopic counts the reads at the start that are of one topic.
func sameTopic(reads []fetchRead) (n int) {
	for n < len(reads) && reads[n].topicID == reads[0].topicID && reads[n].topic == reads[0].topic {
		n++
	}
	return n
}

func countTopics(reads []fetchRead) (n int) {
	for len(reads) > 0 {
		reads = reads[sameTopic(reads):]
		n++
	}
	return n
}

func (o *outbox) appendRead(r *fetchRead, version int16, isolation int8) {
	flexible := version >= 12
	b := binary.BigEndian.AppendUint32(o.buf, uint32(r.index))
	b = binary.BigEndian.AppendUint16(b, uint16(r.result.Code))
	b = binary.BigEndian.AppendUint64(b, uint64(r.result.HighWatermark))
	b = binary.BigEndian.AppendUint64(b, uint64(r.result.LastStableOffset))
	if version >= 5 {
		b = binary.BigEndian.AppendUint64(b, uint64(r.result.LogStartOffset))
	}
	b = appendAborted(b, flexible, r.hasAborted(isolation), r.result.Aborted)
	if version >= 11 {
		b = binary.BigEndian.AppendUint32(b, ^uint32(0)) // no preferred read replica
	}
	if flexible {
		b = binary.AppendUvarint(b, uint64(r.result.Size)+1)
	} else {
		b = binary.BigEndian.AppendUint32(b, uint32(r.result.Size))
	}
	o.buf = b
	for _, batches := range r.result.Batches {
		o.splice(batches)
	}
	o.buf = appendReadTags(o.buf, r, version)
}

// hasAborted tells whether the answer has a list of aborted transactions. A
// partition that does not exist has one, of all things.
func (r *fetchRead) hasAborted(isolation int8) bool {
	if r.source == nil {
		return r.result.Code != protocol.InconsistentTopicId
	}
	return isolation == readCommitted && r.result.Code == protocol.None && r.result.Diverging == nil
}

// appendAborted appends the aborted transactions, or null where the client did not ask
// for them.
func appendAborted(b []byte, flexible, asked bool, aborted []partitions.AbortedTxn) []byte {
	switch {
	case asked:
		b = appendArrayLen(b, len(aborted), flexible)
		for _, a := range aborted {
			b = binary.BigEndian.AppendUint64(b, uint64(a.ProducerID))
			b = binary.BigEndian.AppendUint64(b, uint64(a.FirstOffset))
			b = appendNoTags(b, flexible)
		}
		return b
	case flexible:
		return append(b, 0)
	default:
		return binary.BigEndian.AppendUint32(b, ^uint32(0))
	}
}

// appendReadTags ends a partition with its tags: the diverging epoch (KIP-595), or who
// leads when it is not who was asked (KIP-951).
func appendReadTags(b []byte, r *fetchRead, version int16) []byte {
	d := r.result.Diverging
	switch {
	case version < 12:
		return b
	case d != nil:
		b = append(b, 1, 0, 13) // one tag: number 0, of 4 + 8 + 1 bytes
		b = binary.BigEndian.AppendUint32(b, uint32(d.Epoch))
		b = binary.BigEndian.AppendUint64(b, uint64(d.EndOffset))
	case r.result.Code == protocol.NotLeaderOrFollower && version >= 16:
		b = append(b, 1, 1, 9) // one tag: number 1, of 4 + 4 + 1 bytes
		b = binary.BigEndian.AppendUint32(b, uint32(nodeID))
		b = binary.BigEndian.AppendUint32(b, 0) // the epoch, which never changes here
	}
	return append(b, 0)
}
