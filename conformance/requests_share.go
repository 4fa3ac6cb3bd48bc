package conformance

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The requests of share groups (KIP-932), as the rules mostly need them. Member ids are
// the members' own.

// Sharing is a fresh share group whose state on all partitions of some topics is begun,
// with nobody in it any more. configs are names and values of the group in turn;
// everything is read from the first record on unless they say otherwise.
func (c *Conversation) Sharing(label string, topics []Topic, configs ...string) string {
	g := c.Group(label)
	if len(configs) == 0 || configs[0] != "share.auto.offset.reset" {
		configs = append([]string{"share.auto.offset.reset", "earliest"}, configs...)
	}
	ask[*kmsg.AlterConfigsResponse](c.setup, alterConfigs(2, kmsg.ConfigResourceTypeGroupConfig, g, configs...))
	partitions := 0
	meta := metadata(12)
	for _, t := range topics {
		meta.Topics = append(meta.Topics, kmsg.MetadataRequestTopic{Topic: &t.Name})
	}
	for _, t := range ask[*kmsg.MetadataResponse](c.setup, meta).Topics {
		partitions += len(t.Partitions)
	}
	for try := range settleTries {
		until(c, shareEnter(g, "founder", topics...), warm[*kmsg.ShareGroupHeartbeatResponse])
		if c.begun(g) >= partitions {
			break
		}
		c.pause(settlePause)
		_ = try
	}
	ask[*kmsg.ShareGroupHeartbeatResponse](c.setup, shareBeat(g, "founder", -1))
	return g
}

// warm waits, outside the transcript, until partitions that are empty can be read by a
// share group: Kafka loads them at the first fetch, which may find nothing by then.
func (c *Conversation) warm(group string, t Topic, partitions ...int32) {
	epoch := int32(0)
	for range settleTries {
		req := shareOpen(2, group, "founder", t, partitions...)
		req.MaxWaitMillis, req.ShareSessionEpoch = 300, epoch
		failed := false
		for _, rt := range acquire(c.setup, req).Topics {
			for _, p := range rt.Partitions {
				failed = failed || p.ErrorCode != 0
			}
		}
		if epoch++; !failed {
			break
		}
	}
	acquire(c.setup, shareNext(2, group, "founder", -1))
}

// acquires says what a fetch that begins a session acquires, once it does acquire something.
func (c *Conversation) acquires(req *kmsg.ShareFetchRequest) {
	for range settleTries {
		any := false
		for _, t := range acquire(c.setup, req).Topics {
			for _, p := range t.Partitions {
				if any = any || len(p.AcquiredRecords) > 0; any {
					c.say("acquired of partition %d: %v", p.Partition, p.AcquiredRecords)
				}
			}
		}
		if any {
			return
		}
	}
}

// begun is of how many partitions a share group has a state.
func (c *Conversation) begun(group string) (n int) {
	resp := ask[*kmsg.DescribeShareGroupOffsetsResponse](c.setup, shareOffsets(group))
	for _, g := range resp.Groups {
		for _, t := range g.Topics {
			n += len(t.Partitions)
		}
	}
	return n
}

// shareEnter joins a share group, subscribing to topics.
func shareEnter(group, member string, topics ...Topic) *kmsg.ShareGroupHeartbeatRequest {
	req := shareBeat(group, member, 0)
	req.SubscribedTopicNames = []string{}
	for _, t := range topics {
		req.SubscribedTopicNames = append(req.SubscribedTopicNames, t.Name)
	}
	return req
}

// shareBeat is a heartbeat that says nothing new.
func shareBeat(group, member string, epoch int32) *kmsg.ShareGroupHeartbeatRequest {
	req := kmsg.NewPtrShareGroupHeartbeatRequest()
	req.Version, req.GroupID, req.MemberID, req.MemberEpoch = 1, group, member, epoch
	return req
}

func shareAsk(a *Conn, req *kmsg.ShareGroupHeartbeatRequest) *kmsg.ShareGroupHeartbeatResponse {
	return ask[*kmsg.ShareGroupHeartbeatResponse](a, req)
}

// shareOpen begins a share session of a member with some partitions of a topic.
func shareOpen(version int16, group, member string, t Topic, partitions ...int32) *kmsg.ShareFetchRequest {
	req := shareNext(version, group, member, 0)
	rt := kmsg.NewShareFetchRequestTopic()
	rt.TopicID = t.ID
	for _, p := range partitions {
		rp := kmsg.NewShareFetchRequestTopicPartition()
		rp.Partition = p
		rt.Partitions = append(rt.Partitions, rp)
	}
	if len(partitions) > 0 {
		req.Topics = append(req.Topics, rt)
	}
	return req
}

// shareNext goes on with a share session, asking for up to 500 records and waiting for one.
func shareNext(version int16, group, member string, epoch int32) *kmsg.ShareFetchRequest {
	req := kmsg.NewPtrShareFetchRequest()
	req.Version, req.GroupID, req.MemberID, req.ShareSessionEpoch = version, &group, &member, epoch
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes, req.MaxRecords, req.BatchSize = 5_000, 1, 50<<20, 500, 500
	return req
}

// brief makes a share fetch one that finds nothing without waiting long for it.
func brief(req *kmsg.ShareFetchRequest) *kmsg.ShareFetchRequest {
	req.MaxWaitMillis = 300
	return req
}

// acquire asks for records.
func acquire(a *Conn, req *kmsg.ShareFetchRequest) *kmsg.ShareFetchResponse {
	return ask[*kmsg.ShareFetchResponse](a, req)
}

// withAck adds an acknowledgement to a share fetch: of a range of offsets, with types.
func withAck(req *kmsg.ShareFetchRequest, t Topic, partition int32, first, last int64, types ...int8) *kmsg.ShareFetchRequest {
	rp := kmsg.NewShareFetchRequestTopicPartition()
	rp.Partition = partition
	rp.AcknowledgementBatches = append(rp.AcknowledgementBatches, kmsg.ShareFetchRequestTopicPartitionAcknowledgementBatch{
		FirstOffset: first, LastOffset: last, AcknowledgeTypes: types,
	})
	rt := kmsg.NewShareFetchRequestTopic()
	rt.TopicID = t.ID
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	return req
}

// shareAck acknowledges a range of offsets of one partition.
func shareAck(version int16, group, member string, epoch int32, t Topic, partition int32, first, last int64, types ...int8) *kmsg.ShareAcknowledgeRequest {
	req := kmsg.NewPtrShareAcknowledgeRequest()
	req.Version, req.GroupID, req.MemberID, req.ShareSessionEpoch = version, &group, &member, epoch
	rp := kmsg.NewShareAcknowledgeRequestTopicPartition()
	rp.Partition = partition
	rt := kmsg.NewShareAcknowledgeRequestTopic()
	rt.TopicID = t.ID
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	return alsoAck(req, first, last, types...)
}

// alsoAck adds a range to the last partition of a request.
func alsoAck(req *kmsg.ShareAcknowledgeRequest, first, last int64, types ...int8) *kmsg.ShareAcknowledgeRequest {
	rp := &req.Topics[0].Partitions[0]
	rp.AcknowledgementBatches = append(rp.AcknowledgementBatches, kmsg.ShareAcknowledgeRequestTopicPartitionAcknowledgementBatch{
		FirstOffset: first, LastOffset: last, AcknowledgeTypes: types,
	})
	return req
}

func acked(a *Conn, req *kmsg.ShareAcknowledgeRequest) *kmsg.ShareAcknowledgeResponse {
	return ask[*kmsg.ShareAcknowledgeResponse](a, req)
}

// The types of acknowledgement.
const (
	ackGap     int8 = 0
	ackAccept  int8 = 1
	ackRelease int8 = 2
	ackReject  int8 = 3
	ackRenew   int8 = 4
)

// shareOffsets asks where a share group stands: on partitions of topics, or on all that it knows.
func shareOffsets(group string, topics ...Topic) *kmsg.DescribeShareGroupOffsetsRequest {
	req := kmsg.NewPtrDescribeShareGroupOffsetsRequest()
	req.Version = 1
	g := kmsg.NewDescribeShareGroupOffsetsRequestGroup()
	g.GroupID = group
	for _, t := range topics {
		g.Topics = append(g.Topics, kmsg.DescribeShareGroupOffsetsRequestGroupTopic{Topic: t.Name, Partitions: []int32{0}})
	}
	req.Groups = append(req.Groups, g)
	return req
}

func alterShareOffsets(group string, t Topic, partition int32, offset int64) *kmsg.AlterShareGroupOffsetsRequest {
	req := kmsg.NewPtrAlterShareGroupOffsetsRequest()
	req.GroupID = group
	rt := kmsg.NewAlterShareGroupOffsetsRequestTopic()
	rt.Topic = t.Name
	rp := kmsg.NewAlterShareGroupOffsetsRequestTopicPartition()
	rp.Partition, rp.StartOffset = partition, offset
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	return req
}

func deleteShareOffsets(group string, topics ...Topic) *kmsg.DeleteShareGroupOffsetsRequest {
	req := kmsg.NewPtrDeleteShareGroupOffsetsRequest()
	req.GroupID = group
	for _, t := range topics {
		rt := kmsg.NewDeleteShareGroupOffsetsRequestTopic()
		rt.Topic = t.Name
		req.Topics = append(req.Topics, rt)
	}
	return req
}
