package broker

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// describeTopicPartitions answers DescribeTopicPartitions v0 (KIP-966), page by
// page: the topics by name, and at most as many partitions as the request and
// max.request.partition.size.limit allow. It mirrors
// DescribeTopicPartitionsRequestHandler and KRaftMetadataCache.
func (c *Cluster) describeTopicPartitions(call *call, req *kmsg.DescribeTopicPartitionsRequest, resp *kmsg.DescribeTopicPartitionsResponse) {
	image := c.image.Load()
	names, ok := describedTopics(image, req)
	if !ok {
		refuseDescription(req, resp, protocol.InvalidRequest)
		return
	}
	remaining := max(min(c.settings.Load().maxRequestPartitions, int(req.ResponsePartitionLimit)), 1)
	for _, name := range names {
		if remaining == 0 {
			resp.NextCursor = cursor(name, 0)
			break
		}
		first := int32(0)
		if req.Cursor != nil && req.Cursor.Topic == name {
			first = req.Cursor.Partition
		}
		d, next := describeTopic(name, image.byName.get(name), first, remaining)
		resp.Topics = append(resp.Topics, d)
		if next >= 0 {
			resp.NextCursor = cursor(name, next)
			break
		}
		remaining -= len(d.Partitions)
	}
	if len(resp.Topics) > 0 && *resp.Topics[0].Topic == "" {
		// Kafka fails to work out the authorized operations of a topic without a name.
		resp.Topics, resp.NextCursor = nil, nil
		refuseDescription(req, resp, protocol.UnknownServerError)
	}
}

// describedTopics are the topics asked for from the cursor on, sorted. ok is
// false if the cursor is not one of them, or not of a partition.
func describedTopics(image *topicImage, req *kmsg.DescribeTopicPartitionsRequest) (names []string, ok bool) {
	from := ""
	if req.Cursor != nil {
		from = req.Cursor.Topic
	}
	if len(req.Topics) == 0 {
		for _, t := range image.list {
			if t.name >= from {
				names = append(names, t.name)
			}
		}
	}
	for i := range req.Topics {
		if req.Topics[i].Topic >= from {
			names = append(names, req.Topics[i].Topic)
		}
	}
	if req.Cursor != nil {
		if req.Cursor.Partition < 0 || len(req.Topics) > 0 && !slices.Contains(names, from) {
			return nil, false
		}
	}
	slices.Sort(names)
	return slices.Compact(names), true
}

// describeTopic describes at most limit partitions of a topic from first on; next
// is the one where the next page begins, -1 if there is none. t may be nil.
func describeTopic(name string, t *topic, first int32, limit int) (d kmsg.DescribeTopicPartitionsResponseTopic, next int32) {
	d = kmsg.NewDescribeTopicPartitionsResponseTopic()
	d.Topic = &name
	d.IsInternal = isInternalTopic(name)
	d.AuthorizedOperations = topicOperations
	if t == nil {
		d.ErrorCode = int16(protocol.UnknownTopicOrPartition)
		if invalidTopicName(name) != "" {
			d.ErrorCode = int16(protocol.InvalidTopicException)
		}
		return d, -1
	}
	d.TopicID = t.id
	end := min(len(t.partitions), int(first)+limit)
	for i := int(first); i < end; i++ {
		p := kmsg.NewDescribeTopicPartitionsResponseTopicPartition()
		p.Partition, p.LeaderID, p.LeaderEpoch = int32(i), nodeID, 0
		p.Replicas, p.ISR = []int32{nodeID}, []int32{nodeID}
		p.EligibleLeaderReplicas, p.LastKnownELR = []int32{}, []int32{}
		d.Partitions = append(d.Partitions, p)
	}
	if end < len(t.partitions) {
		return d, int32(end)
	}
	return d, -1
}

func cursor(topic string, partition int32) *kmsg.DescribeTopicPartitionsResponseNextCursor {
	c := kmsg.NewDescribeTopicPartitionsResponseNextCursor()
	c.Topic, c.Partition = topic, partition
	return &c
}

// refuseDescription refuses the request as a whole.
func refuseDescription(req *kmsg.DescribeTopicPartitionsRequest, resp *kmsg.DescribeTopicPartitionsResponse, code protocol.ErrorCode) {
	for i := range req.Topics {
		d := kmsg.NewDescribeTopicPartitionsResponseTopic()
		d.Topic, d.ErrorCode = &req.Topics[i].Topic, int16(code)
		resp.Topics = append(resp.Topics, d)
	}
}
