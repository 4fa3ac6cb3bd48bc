package broker

import (
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/partitions"
	"klamm/protocol"
)

// listOffsets answers ListOffsets v1-11 (ReplicaManager.fetchOffset). A topic or
// partition that the request has more than once is answered once, the partition
// with INVALID_REQUEST.
func (c *Cluster) listOffsets(call *call, req *kmsg.ListOffsetsRequest, resp *kmsg.ListOffsetsResponse) {
	if !isIsolation(req.IsolationLevel) {
		failListOffsets(req, resp)
		return
	}
	image := c.image.Load()
	var named naming[kmsg.ListOffsetsRequestTopicPartition]
	for i := range req.Topics {
		for j := range req.Topics[i].Partitions {
			rp := &req.Topics[i].Partitions[j]
			named.add(req.Topics[i].Topic, rp.Partition, rp)
		}
	}
	for _, nt := range named.topics {
		t := kmsg.NewListOffsetsResponseTopic()
		t.Topic = nt.name
		for _, np := range nt.partitions {
			t.Partitions = append(t.Partitions, listOffset(image.byName.get(nt.name), np.first, req, np.times > 1))
		}
		resp.Topics = append(resp.Topics, t)
	}
}

// The isolation levels of ListOffsets and Fetch (IsolationLevel).
const (
	readUncommitted = 0
	readCommitted   = 1
)

func isIsolation(level int8) bool { return level == readUncommitted || level == readCommitted }

// failListOffsets answers a request that Kafka fails on: each partition as often as it
// was asked for (ListOffsetsRequest.getErrorResponse).
func failListOffsets(req *kmsg.ListOffsetsRequest, resp *kmsg.ListOffsetsResponse) {
	for i := range req.Topics {
		t := kmsg.NewListOffsetsResponseTopic()
		t.Topic = req.Topics[i].Topic
		for _, rp := range req.Topics[i].Partitions {
			p := kmsg.NewListOffsetsResponseTopicPartition()
			p.Partition, p.ErrorCode = rp.Partition, int16(protocol.UnknownServerError)
			t.Partitions = append(t.Partitions, p)
		}
		resp.Topics = append(resp.Topics, t)
	}
}

func listOffset(t *topic, rp *kmsg.ListOffsetsRequestTopicPartition, req *kmsg.ListOffsetsRequest, twice bool) kmsg.ListOffsetsResponseTopicPartition {
	out := kmsg.NewListOffsetsResponseTopicPartition()
	out.Partition = rp.Partition
	code := protocol.None
	p := t.partition(rp.Partition)
	switch {
	case twice:
		code = protocol.InvalidRequest
	case !listsTimestamp(rp.Timestamp, req.Version):
		code = protocol.UnsupportedVersion
	case p == nil:
		code = protocol.UnknownTopicOrPartition
	default:
		var found partitions.TimestampOffset
		isolation := req.IsolationLevel
		if req.ReplicaID != -1 { // only consumers are told of what is committed
			isolation = readUncommitted
		}
		found, code = p.findOffset(rp.Timestamp, rp.CurrentLeaderEpoch, isolation)
		if code == protocol.None {
			out.Timestamp, out.Offset, out.LeaderEpoch = found.TimestampMs, found.Offset, found.LeaderEpoch
		}
	}
	out.ErrorCode = int16(code)
	return out
}

// listsTimestamp tells whether a version has the special timestamp.
func listsTimestamp(timestamp int64, version int16) bool {
	switch {
	case timestamp >= partitions.EarliestTimestamp:
		return true
	case timestamp == partitions.MaxTimestamp:
		return version >= 7
	case timestamp == partitions.EarliestLocalTimestamp:
		return version >= 8
	case timestamp == partitions.LatestTieredTimestamp:
		return version >= 9
	case timestamp == partitions.EarliestPendingUploadTimestamp:
		return version >= 11
	}
	return false
}

// findOffset looks up a timestamp for a client that knows the given leader epoch.
// A consumer of committed records takes the last stable offset for the latest, and is
// told nothing of what lies above it.
func (p *partition) findOffset(timestamp int64, leaderEpoch int32, isolation int8) (partitions.TimestampOffset, protocol.ErrorCode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.deleted {
		return partitions.TimestampOffset{}, protocol.UnknownTopicOrPartition
	}
	if code := p.log.CheckLeaderEpoch(leaderEpoch); code != protocol.None {
		return partitions.TimestampOffset{}, code
	}
	found, code := p.log.FindOffset(p.cfg.Load(), timestamp, nil)
	if isolation != readCommitted || code != protocol.None {
		return found, code
	}
	switch stable := p.log.LastStableOffset(); {
	case timestamp == partitions.LatestTimestamp:
		found.Offset = stable
	case timestamp >= 0 || timestamp == partitions.MaxTimestamp:
		if found.Offset >= stable {
			found = partitions.TimestampOffset{TimestampMs: -1, Offset: -1, LeaderEpoch: -1}
		}
	}
	return found, protocol.None
}

// offsetForLeaderEpoch answers OffsetForLeaderEpoch v2-4 (ReplicaManager.lastOffsetForLeaderEpoch).
func (c *Cluster) offsetForLeaderEpoch(call *call, req *kmsg.OffsetForLeaderEpochRequest, resp *kmsg.OffsetForLeaderEpochResponse) {
	image := c.image.Load()
	for i := range req.Topics {
		rt := &req.Topics[i]
		t := kmsg.NewOffsetForLeaderEpochResponseTopic()
		t.Topic = rt.Topic
		for j := range rt.Partitions {
			rp := &rt.Partitions[j]
			out := kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
			out.Partition, out.LeaderEpoch, out.EndOffset = rp.Partition, -1, -1
			end, code := image.byName.get(rt.Topic).partition(rp.Partition).endOfEpoch(rp.CurrentLeaderEpoch, rp.LeaderEpoch)
			if out.ErrorCode = int16(code); code == protocol.None {
				out.LeaderEpoch, out.EndOffset = end.Epoch, end.EndOffset
			}
			t.Partitions = append(t.Partitions, out)
		}
		resp.Topics = append(resp.Topics, t)
	}
}

// endOfEpoch is where an epoch ends, for a client that knows the given leader
// epoch. p may be nil.
func (p *partition) endOfEpoch(current, epoch int32) (partitions.EpochEnd, protocol.ErrorCode) {
	if p == nil {
		return partitions.EpochEnd{}, protocol.UnknownTopicOrPartition
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if code := p.log.CheckLeaderEpoch(current); code != protocol.None {
		return partitions.EpochEnd{}, code
	}
	return p.log.EndOfEpoch(epoch), protocol.None
}

// deleteRecords answers DeleteRecords v0-2 (ReplicaManager.deleteRecords). Of a
// partition that the request has more than once the last offset counts.
func (c *Cluster) deleteRecords(call *call, req *kmsg.DeleteRecordsRequest, resp *kmsg.DeleteRecordsResponse) {
	image := c.image.Load()
	var named naming[kmsg.DeleteRecordsRequestTopicPartition]
	for i := range req.Topics {
		for j := range req.Topics[i].Partitions {
			rp := &req.Topics[i].Partitions[j]
			named.add(req.Topics[i].Topic, rp.Partition, rp)
		}
	}
	for _, nt := range named.topics {
		t := kmsg.NewDeleteRecordsResponseTopic()
		t.Topic = nt.name
		for _, np := range nt.partitions {
			low, code := c.deleteBefore(image.byName.get(nt.name), np.index, np.last.Offset)
			out := kmsg.NewDeleteRecordsResponseTopicPartition()
			out.Partition, out.LowWatermark, out.ErrorCode = np.index, low, int16(code)
			t.Partitions = append(t.Partitions, out)
		}
		resp.Topics = append(resp.Topics, t)
	}
	c.changes.notify()
}

func (c *Cluster) deleteBefore(t *topic, index int32, offset int64) (lowWatermark int64, code protocol.ErrorCode) {
	p := t.partition(index)
	switch {
	case p == nil:
		return partitions.InvalidOffset, protocol.UnknownTopicOrPartition
	case t.internal:
		return partitions.InvalidOffset, protocol.InvalidTopicException
	case c.compactsOnly(t):
		return partitions.InvalidOffset, protocol.PolicyViolation
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	low, failed := p.log.DeleteRecords(offset)
	p.watch(time.Now())
	return low, failed
}

// compactsOnly tells whether the topic's cleanup.policy keeps the last record of
// each key for good, so that records must not be deleted.
func (c *Cluster) compactsOnly(t *topic) bool {
	policy := splitConfigList(c.settings.Load().topicValue(t.configs, "cleanup.policy"))
	return slices.Contains(policy, "compact") && !slices.Contains(policy, "delete")
}
