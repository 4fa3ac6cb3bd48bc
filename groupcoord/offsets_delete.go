package groupcoord

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// deleteOffsets answers an OffsetDelete request (OffsetMetadataManager.deleteOffsets):
// offsets of a topic that a member consumes stay.
func (g *Group) deleteOffsets(now time.Time, e OffsetDelete) []Effect {
	g.observe(now)
	resp := e.Req.ResponseKind().(*kmsg.OffsetDeleteResponse)
	switch {
	case g.id == "":
		resp.ErrorCode = int16(protocol.InvalidGroupId)
	case !g.offsets.exists:
		resp.ErrorCode = int16(protocol.GroupIdNotFound)
	default:
		resp.ErrorCode = int16(g.kind.checkOffsetDelete())
	}
	if resp.ErrorCode != 0 {
		return []Effect{Reply{To: e.To, Resp: resp}}
	}
	var records []Record
	resp.Topics = make([]kmsg.OffsetDeleteResponseTopic, 0, len(e.Req.Topics))
	for i := range e.Req.Topics {
		topic := &e.Req.Topics[i]
		code := protocol.None
		if g.kind.subscribedTo(topic.Topic) {
			code = protocol.GroupSubscribedToTopic
		}
		answer := kmsg.OffsetDeleteResponseTopic{Topic: topic.Topic}
		answer.Partitions = make([]kmsg.OffsetDeleteResponseTopicPartition, len(topic.Partitions))
		for j, p := range topic.Partitions {
			answer.Partitions[j] = kmsg.OffsetDeleteResponseTopicPartition{Partition: p.Partition, ErrorCode: int16(code)}
			if code == protocol.None && (g.offsets.has(topic.Topic, p.Partition) || g.offsets.pending.unstable(topic.Topic, p.Partition)) {
				records = append(records, g.offsetTombstone(topic.Topic, p.Partition))
			}
		}
		resp.Topics = append(resp.Topics, answer)
	}
	if g.batchTooLarge(records) {
		resp.ErrorCode, resp.Topics, records = int16(protocol.UnknownServerError), nil, nil
	}
	return appendAndReply(records, e.To, resp)
}

// deleteGroup answers the part of a DeleteGroups request that names this group
// (GroupCoordinatorShard.deleteGroups).
func (g *Group) deleteGroup(now time.Time, e DeleteGroup) []Effect {
	g.observe(now)
	result := kmsg.NewDeleteGroupsResponseGroup()
	result.Group = g.id
	var records []Record
	switch {
	case !g.offsets.exists:
		result.ErrorCode = int16(protocol.GroupIdNotFound)
	case !g.kind.isEmpty():
		result.ErrorCode = int16(protocol.NonEmptyGroup)
	default:
		for _, topic := range g.offsets.topicNames() {
			records = g.topicTombstones(records, topic)
		}
		records = g.kind.tombstones(g, g.pendingTombstones(records, nil))
	}
	if g.batchTooLarge(records) {
		result.ErrorCode, records = int16(protocol.UnknownServerError), nil
	}
	resp := kmsg.NewPtrDeleteGroupsResponse()
	resp.Groups = []kmsg.DeleteGroupsResponseGroup{result}
	return appendAndReply(records, e.To, resp)
}

// topicsDeleted takes back the offsets of topics that are gone, whatever the group
// is doing (OffsetMetadataManager.onTopicsDeleted). The group itself stays until
// the next check for expired offsets finds it empty.
func (g *Group) topicsDeleted(now time.Time, e TopicsDeleted) []Effect {
	g.observe(now)
	var records []Record
	for _, topic := range e.Topics {
		records = g.topicTombstones(records, topic)
	}
	return g.inBatches(g.pendingTombstones(records, e.Topics))
}

// pendingTombstones adds a tombstone for each partition that has offsets pending in open
// transactions and no committed one, of some topics, or of all where topics is nil.
func (g *Group) pendingTombstones(records []Record, topics []string) []Record {
	for _, key := range slices.SortedFunc(maps.Keys(g.offsets.pending.open), compareOffsetKeys) {
		if (topics == nil || slices.Contains(topics, key.topic)) && !g.offsets.has(key.topic, key.partition) {
			records = append(records, g.offsetTombstone(key.topic, key.partition))
		}
	}
	return records
}

func compareOffsetKeys(a, b offsetKey) int {
	return cmp.Or(cmp.Compare(a.topic, b.topic), cmp.Compare(a.partition, b.partition))
}

// topicTombstones adds a tombstone for each offset of the topic.
func (g *Group) topicTombstones(records []Record, topic string) []Record {
	if t := g.offsets.topics[topic]; t != nil {
		for _, partition := range t.partitionIDs() {
			records = append(records, g.offsetTombstone(topic, partition))
		}
	}
	return records
}
