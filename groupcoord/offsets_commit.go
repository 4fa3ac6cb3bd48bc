package groupcoord

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// commitOffsets answers an OffsetCommit request (OffsetMetadataManager.commitOffset and
// commitTransactionalOffset).
// Whoever may not commit gets one error for everything; otherwise each partition
// stands alone.
func (g *Group) commitOffsets(now time.Time, e OffsetCommit) []Effect {
	req := e.Req
	code := g.kind.checkCommit(g, now, e)
	if code == protocol.None {
		// A commit to a group that does not exist makes a simple group, even if no
		// partition of it is accepted.
		g.offsets.create(now.UnixMilli())
	}
	g.observe(now)
	resp := req.ResponseKind().(*kmsg.OffsetCommitResponse)
	resp.Topics = make([]kmsg.OffsetCommitResponseTopic, 0, len(req.Topics))
	nowMs, expires := now.UnixMilli(), int64(-1)
	if req.Version <= 4 && req.RetentionTimeMillis != -1 {
		expires = nowMs + req.RetentionTimeMillis
	}
	w := newOffsetWriter(g.id, req, code)
	for i := range req.Topics {
		topic := &req.Topics[i]
		answer := kmsg.OffsetCommitResponseTopic{Topic: topic.Topic, TopicID: topic.TopicID}
		answer.Partitions = make([]kmsg.OffsetCommitResponseTopicPartition, len(topic.Partitions))
		for j := range topic.Partitions {
			p := &topic.Partitions[j]
			failed := code
			if failed == protocol.None && g.metadataTooLarge(p.Metadata) {
				failed = protocol.OffsetMetadataTooLarge
			}
			if failed == protocol.None {
				w.commit(topic, p, nowMs, expires)
			}
			answer.Partitions[j] = kmsg.OffsetCommitResponseTopicPartition{Partition: p.Partition, ErrorCode: int16(failed)}
		}
		resp.Topics = append(resp.Topics, answer)
	}
	if g.batchTooLarge(w.records) {
		refuseCommits(resp, protocol.UnknownServerError)
		w.records = nil
	}
	inTransaction(w.records, e.Txn)
	return appendAndReply(w.records, e.To, resp)
}

// refuseCommits gives every partition the same error.
func refuseCommits(resp *kmsg.OffsetCommitResponse, code protocol.ErrorCode) {
	for i := range resp.Topics {
		for j := range resp.Topics[i].Partitions {
			resp.Topics[i].Partitions[j].ErrorCode = int16(code)
		}
	}
}

// metadataTooLarge compares with offset.metadata.max.bytes, which for all its name
// limits the length of a Java string: UTF-16 units.
func (g *Group) metadataTooLarge(metadata *string) bool {
	limit := g.cfg.OffsetMetadataMaxSize
	if metadata == nil || limit == 0 || len(*metadata) <= limit {
		return false
	}
	units := 0
	for _, r := range *metadata {
		units++
		if r > 0xffff {
			units++
		}
	}
	return units > limit
}

// appendAndReply writes the records, if there are any, before it answers.
func appendAndReply(records []Record, to Token, resp kmsg.Response) []Effect {
	if len(records) == 0 {
		return []Effect{Reply{To: to, Resp: resp}}
	}
	return []Effect{Append{Records: records}, Reply{To: to, Resp: resp}}
}
