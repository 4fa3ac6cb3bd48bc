package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/groupcoord"
	"klamm/protocol"
)

// describeShareGroupOffsets answers DescribeShareGroupOffsets v0-1.
func (c *Cluster) describeShareGroupOffsets(call *call, req *kmsg.DescribeShareGroupOffsetsRequest, resp *kmsg.DescribeShareGroupOffsetsResponse) {
	for i := range req.Groups {
		asked := &req.Groups[i]
		d := kmsg.NewDescribeShareGroupOffsetsResponseGroup()
		d.GroupID = asked.GroupID
		if asked.Topics == nil {
			d.Topics = c.allShareOffsets(asked.GroupID)
		} else if hasNegative(asked) {
			d.ErrorCode, d.ErrorMessage = int16(protocol.UnknownServerError), kmsg.StringPtr(protocol.UnknownServerError.Message())
		} else {
			d.Topics = c.namedShareOffsets(asked)
		}
		resp.Groups = append(resp.Groups, d)
		size := 0
		for j := range d.Topics {
			size += 64 + 64*len(d.Topics[j].Partitions)
		}
		if call.grows(size) {
			return
		}
	}
}

// hasNegative tells whether a partition is named that cannot be.
func hasNegative(asked *kmsg.DescribeShareGroupOffsetsRequestGroup) bool {
	for i := range asked.Topics {
		for _, p := range asked.Topics[i].Partitions {
			if p < 0 {
				return true
			}
		}
	}
	return false
}

// allShareOffsets are those of all partitions that the group has a state of.
func (c *Cluster) allShareOffsets(id string) (topics []kmsg.DescribeShareGroupOffsetsResponseGroupTopic) {
	g := c.groups.get(id)
	if g == nil {
		return nil
	}
	g.mu.Lock()
	states, _ := g.machine.ShareStates()
	g.mu.Unlock()
	image := c.image.Load()
	for _, s := range states {
		t := image.byID.get(s.Topic)
		if t == nil {
			continue
		}
		if n := len(topics); n == 0 || topics[n-1].TopicID != t.id {
			one := kmsg.NewDescribeShareGroupOffsetsResponseGroupTopic()
			one.Topic, one.TopicID = t.name, t.id
			topics = append(topics, one)
		}
		last := &topics[len(topics)-1]
		last.Partitions = append(last.Partitions, c.shareOffset(id, t, s.Partition))
	}
	return topics
}

// namedShareOffsets are those of the partitions that a request names; topics that do not
// exist come last.
func (c *Cluster) namedShareOffsets(asked *kmsg.DescribeShareGroupOffsetsRequestGroup) (topics []kmsg.DescribeShareGroupOffsetsResponseGroupTopic) {
	image := c.image.Load()
	var unknown []kmsg.DescribeShareGroupOffsetsResponseGroupTopic
	for i := range asked.Topics {
		at := &asked.Topics[i]
		one := kmsg.NewDescribeShareGroupOffsetsResponseGroupTopic()
		one.Topic = at.Topic
		t := image.byName.get(at.Topic)
		for _, p := range at.Partitions {
			if t == nil {
				none := kmsg.NewDescribeShareGroupOffsetsResponseGroupTopicPartition()
				none.Partition, none.StartOffset = p, -1
				one.Partitions = append(one.Partitions, none)
			} else {
				one.Partitions = append(one.Partitions, c.shareOffset(asked.GroupID, t, p))
			}
		}
		if t == nil {
			unknown = append(unknown, one)
			continue
		}
		one.TopicID = t.id
		topics = append(topics, one)
	}
	return append(topics, unknown...)
}

// shareOffset is where a group stands on a partition. The lag is how many records are
// neither done with nor below the start; -1 when that is not known.
func (c *Cluster) shareOffset(group string, t *topic, index int32) kmsg.DescribeShareGroupOffsetsResponseGroupTopicPartition {
	d := kmsg.NewDescribeShareGroupOffsetsResponseGroupTopicPartition()
	d.Partition, d.StartOffset = index, -1
	p := t.partition(index)
	if p == nil {
		return d
	}
	s := c.shareSummary(shareKey(group, t.id, index))
	d.StartOffset, d.LeaderEpoch = s.StartOffset, s.LeaderEpoch
	if s.StartOffset != -1 && s.DeliveryComplete != -1 {
		p.mu.Lock()
		d.Lag = p.log.HighWatermark() - s.StartOffset - int64(s.DeliveryComplete)
		p.mu.Unlock()
	}
	return d
}

// alterShareGroupOffsets answers AlterShareGroupOffsets v0.
func (c *Cluster) alterShareGroupOffsets(call *call, req *kmsg.AlterShareGroupOffsetsRequest, resp *kmsg.AlterShareGroupOffsetsResponse) {
	if req.GroupID == "" {
		resp.ErrorCode, resp.ErrorMessage = int16(protocol.InvalidGroupId), kmsg.StringPtr(protocol.InvalidGroupId.Message())
		return
	}
	image := c.image.Load()
	give(resp, call.ask(req.GroupID, func(_ *group, to groupcoord.Token) groupcoord.Event {
		return groupcoord.AlterShareOffsets{To: to, Req: req, Topics: image}
	}))
	c.settleShareStates(req.GroupID, call.now)
}

// deleteShareGroupOffsets answers DeleteShareGroupOffsets v0.
func (c *Cluster) deleteShareGroupOffsets(call *call, req *kmsg.DeleteShareGroupOffsetsRequest, resp *kmsg.DeleteShareGroupOffsetsResponse) {
	if req.GroupID == "" {
		resp.ErrorCode, resp.ErrorMessage = int16(protocol.InvalidGroupId), kmsg.StringPtr(protocol.InvalidGroupId.Message())
		return
	}
	image := c.image.Load()
	give(resp, call.ask(req.GroupID, func(_ *group, to groupcoord.Token) groupcoord.Event {
		return groupcoord.DeleteShareOffsets{To: to, Req: req, Topics: image}
	}))
	c.settleShareStates(req.GroupID, call.now)
}
