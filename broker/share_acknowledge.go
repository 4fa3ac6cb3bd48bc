package broker

import (
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/partitions"
	"klamm/protocol"
)

// shareAcks are the acknowledgements of one request, and how they went.
type shareAcks struct{ list []*shareAck }

// shareAck is what a request acknowledges of one partition.
type shareAck struct {
	sharePartitionID
	acks    []partitions.Ack
	refused apiError
	part    *sharePartition // whose changes are to be committed
}

// commit ends the changes of all acknowledgements. It may be called again.
func (a *shareAcks) commit() {
	for _, one := range a.list {
		if one.part != nil {
			one.part.commit()
			one.part = nil
		}
	}
}

// shareAcknowledge answers ShareAcknowledge v1-2 (KafkaApis.handleShareAcknowledgeRequest).
func (c *Cluster) shareAcknowledge(call *call, req *kmsg.ShareAcknowledgeRequest, resp *kmsg.ShareAcknowledgeResponse) {
	if req.GroupID == nil || !isShareMemberID(req.MemberID) {
		resp.ErrorCode = int16(protocol.InvalidRequest)
		return
	}
	if req.ShareSessionEpoch == initialEpoch {
		resp.ErrorCode = int16(protocol.InvalidShareSessionEpoch)
		return
	}
	key := shareMember{*req.GroupID, *req.MemberID}
	c.shareSessions.mu.Lock()
	session, code := c.shareSessions.next(key, req.ShareSessionEpoch)
	c.shareSessions.mu.Unlock()
	if code != protocol.None {
		resp.ErrorCode = int16(code)
		return
	}
	acks := c.acknowledgeShared(call.now, key, acknowledged(req), req.Version >= 2, req.IsRenewAck)
	acks.commit()
	resp.AcquisitionLockTimeoutMillis = c.settings.Load().shareLockMs(key.group)
	for _, a := range acks.list {
		p := kmsg.NewShareAcknowledgeResponseTopicPartition()
		p.Partition, p.ErrorCode = a.partition, int16(a.refused.code)
		if a.refused.message != "" {
			p.ErrorMessage = &a.refused.message
		}
		t := acknowledgedTopicOf(resp, a.topic)
		t.Partitions = append(t.Partitions, p)
	}
	if req.ShareSessionEpoch == finalEpoch {
		c.endShareSession(call.now, session)
	}
}

func acknowledgedTopicOf(resp *kmsg.ShareAcknowledgeResponse, id protocol.UUID) *kmsg.ShareAcknowledgeResponseTopic {
	for i := range resp.Topics {
		if resp.Topics[i].TopicID == id {
			return &resp.Topics[i]
		}
	}
	t := kmsg.NewShareAcknowledgeResponseTopic()
	t.TopicID = id
	resp.Topics = append(resp.Topics, t)
	return &resp.Topics[len(resp.Topics)-1]
}

// acknowledged are the acknowledgements of a ShareAcknowledge request.
func acknowledged(req *kmsg.ShareAcknowledgeRequest) (list []*shareAck) {
	for i := range req.Topics {
		rt := &req.Topics[i]
		for j := range rt.Partitions {
			rp := &rt.Partitions[j]
			a := &shareAck{sharePartitionID: sharePartitionID{rt.TopicID, rp.Partition}}
			for k := range rp.AcknowledgementBatches {
				b := &rp.AcknowledgementBatches[k]
				a.acks = append(a.acks, partitions.Ack{First: b.FirstOffset, Last: b.LastOffset, Types: ackTypes(b.AcknowledgeTypes)})
			}
			list = append(list, a)
		}
	}
	return list
}

// ackTopics are the acknowledgements of a ShareFetch request: of every partition that it
// names, if it acknowledges anything.
func (f *shareFetch) ackTopics() (list []*shareAck) {
	any := false
	for i := range f.req.Topics {
		rt := &f.req.Topics[i]
		for j := range rt.Partitions {
			rp := &rt.Partitions[j]
			a := &shareAck{sharePartitionID: sharePartitionID{rt.TopicID, rp.Partition}}
			for k := range rp.AcknowledgementBatches {
				b := &rp.AcknowledgementBatches[k]
				a.acks = append(a.acks, partitions.Ack{First: b.FirstOffset, Last: b.LastOffset, Types: ackTypes(b.AcknowledgeTypes)})
			}
			any = any || len(a.acks) > 0
			list = append(list, a)
		}
	}
	if !any {
		return nil
	}
	return list
}

func ackTypes(types []int8) []partitions.AckType {
	out := make([]partitions.AckType, len(types))
	for i, t := range types {
		out[i] = partitions.AckType(t)
	}
	return out
}

// acknowledgeShared carries out the acknowledgements of a request (KafkaApis.handleAcknowledgements).
func (c *Cluster) acknowledgeShared(now time.Time, key shareMember, list []*shareAck, renews, renewing bool) shareAcks {
	image := c.image.Load()
	any := false
	for _, a := range list {
		t := image.byID.get(a.topic)
		switch {
		case t == nil:
			a.refused.code = protocol.UnknownTopicId
		case !validAcks(a.acks, renews, renewing):
			a.refused.code = protocol.InvalidRequest
		case t.partition(a.partition) == nil:
			a.refused.code = protocol.UnknownTopicOrPartition
		case len(a.acks) > 0:
			a.carryOut(c, now, key)
			any = true
		}
	}
	if !any { // as Kafka does, whose answer has then what is wrong only
		list = slices.DeleteFunc(list, func(a *shareAck) bool { return a.refused.code == protocol.None })
	}
	return shareAcks{list}
}

func (a *shareAck) carryOut(c *Cluster, now time.Time, key shareMember) {
	p := c.sharePartitions.get(shareKey(key.group, a.topic, a.partition))
	refusal := notHosted()
	if p != nil {
		refusal = p.acknowledge(now, key.member, a.acks)
	}
	if refusal != nil {
		a.refused = apiError{refusal.Code, refusal.Message}
		return
	}
	a.part = p
}

// validAcks is KafkaApis.validateAcknowledgementBatches: ranges in order, and a type for
// each of their offsets or one for all of them.
func validAcks(acks []partitions.Ack, renews, renewing bool) bool {
	end, highest := int64(-1), partitions.AckReject
	if renews {
		highest = partitions.AckRenew
	}
	for i := range acks {
		a := &acks[i]
		if a.First > a.Last || a.First < end || len(a.Types) == 0 || len(a.Types) > 1 && a.Last-a.First != int64(len(a.Types)-1) {
			return false
		}
		for _, t := range a.Types {
			if t < partitions.AckGap || t > highest || t == partitions.AckRenew && !renewing {
				return false
			}
		}
		end = a.Last
	}
	return true
}
