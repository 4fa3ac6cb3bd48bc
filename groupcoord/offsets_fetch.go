package groupcoord

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// FetchOffsets answers one group of an OffsetFetch request: the topics asked for
// (names filled in), or all when req.Topics is nil, in order of topic and
// partition and without topic ids. A partition without an offset has offset and
// leader epoch -1, empty metadata and no error, as has every partition of a group
// that does not exist. A member that is named must be one, and its epoch right; both mean nothing to a classic group. With
// requireStable a partition that an open transaction has an offset for is answered with
// UNSTABLE_OFFSET_COMMIT (KIP-447).
// It mirrors fetchOffsets and fetchAllOffsets of Kafka's OffsetMetadataManager.
//
// The answer shares the metadata with the group, which never changes it.
func (g *Group) FetchOffsets(now time.Time, req kmsg.OffsetFetchRequestGroup, requireStable bool) kmsg.OffsetFetchResponseGroup {
	resp := kmsg.NewOffsetFetchResponseGroup()
	resp.Group = req.Group
	if code := g.checkFetch(&req); code != protocol.None {
		resp.ErrorCode = int16(code)
		return resp
	}
	none := new(string)
	if req.Topics == nil {
		resp.Topics = g.offsets.all(none)
		if requireStable {
			g.offsets.pending.refuse(resp.Topics, none)
		}
		return resp
	}
	resp.Topics = make([]kmsg.OffsetFetchResponseGroupTopic, 0, len(req.Topics))
	for i := range req.Topics {
		asked := &req.Topics[i]
		answer := kmsg.OffsetFetchResponseGroupTopic{Topic: asked.Topic, TopicID: asked.TopicID}
		answer.Partitions = make([]kmsg.OffsetFetchResponseGroupTopicPartition, len(asked.Partitions))
		t := g.offsets.topics[asked.Topic]
		for j, partition := range asked.Partitions {
			answer.Partitions[j] = t.answer(partition, asked.TopicID, none)
		}
		resp.Topics = append(resp.Topics, answer)
	}
	if requireStable {
		g.offsets.pending.refuse(resp.Topics, none)
	}
	return resp
}

// checkFetch asks the membership, if there is a group.
func (g *Group) checkFetch(req *kmsg.OffsetFetchRequestGroup) protocol.ErrorCode {
	if !g.Listed() {
		return protocol.None
	}
	return g.kind.checkFetch(req.MemberID, req.MemberEpoch)
}

// refuse gives an error for the partitions that open transactions have offsets for.
func (p *pendingOffsets) refuse(topics []kmsg.OffsetFetchResponseGroupTopic, none *string) {
	if len(p.open) == 0 {
		return
	}
	for i := range topics {
		for j := range topics[i].Partitions {
			answer := &topics[i].Partitions[j]
			if p.unstable(topics[i].Topic, answer.Partition) {
				answer.Offset, answer.LeaderEpoch, answer.Metadata = -1, -1, none
				answer.ErrorCode = int16(protocol.UnstableOffsetCommit)
			}
		}
	}
}

// all answers for every offset that there is.
func (o *offsets) all(none *string) []kmsg.OffsetFetchResponseGroupTopic {
	topics := make([]kmsg.OffsetFetchResponseGroupTopic, 0, len(o.topics))
	for _, name := range o.topicNames() {
		t := o.topics[name]
		answer := kmsg.OffsetFetchResponseGroupTopic{Topic: name}
		answer.Partitions = make([]kmsg.OffsetFetchResponseGroupTopicPartition, 0, len(t.partitions))
		for _, partition := range t.partitionIDs() {
			answer.Partitions = append(answer.Partitions, t.answer(partition, protocol.UUID{}, none))
		}
		topics = append(topics, answer)
	}
	return topics
}

// answer is one partition of the answer; none is the empty metadata. An offset
// that was committed for another topic of the same name does not count. A nil
// topicOffsets has no offset.
func (t *topicOffsets) answer(partition int32, id protocol.UUID, none *string) kmsg.OffsetFetchResponseGroupTopicPartition {
	p := kmsg.OffsetFetchResponseGroupTopicPartition{Partition: partition, Offset: -1, LeaderEpoch: -1, Metadata: none}
	if t == nil {
		return p
	}
	c, ok := t.partitions[partition]
	if !ok {
		return p
	}
	if has, no := t.topicID(&c), (protocol.UUID{}); has != no && id != no && has != id {
		return p
	}
	p.Offset, p.LeaderEpoch = c.offset, c.leaderEpoch
	if c.more != nil {
		p.Metadata = &c.more.metadata
	}
	return p
}
