package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/broker/txncoord"
	"klamm/groupcoord"
	"klamm/protocol"
)

// txnOffsetCommit commits offsets as a part of a transaction: they are pending until it
// ends. Topics and partitions that there are not are answered as by OffsetCommit.
func (c *Cluster) txnOffsetCommit(call *call, req *kmsg.TxnOffsetCommitRequest, resp *kmsg.TxnOffsetCommitResponse) {
	const byIDSince = 6
	commit, committed := plainCommit(req), kmsg.NewPtrOffsetCommitResponse()
	answer := &commitAnswer{resp: committed, byID: req.Version >= byIDSince}
	if known := c.knownCommits(commit, answer); len(known) > 0 {
		commit.Topics = known
		if code := c.joinWithOffsets(call, req); code != protocol.None {
			refuseKnown(answer, known, code)
		} else if !c.commitInTransaction(call, req, commit, answer) {
			return
		}
	}
	for i := range committed.Topics {
		resp.Topics = append(resp.Topics, txnCommitted(&committed.Topics[i], answer.byID))
	}
}

// plainCommit is the request as the group's machine knows it.
func plainCommit(req *kmsg.TxnOffsetCommitRequest) *kmsg.OffsetCommitRequest {
	commit := kmsg.NewPtrOffsetCommitRequest()
	commit.Version = 8
	if req.Version >= 6 {
		commit.Version = 9
	}
	commit.Group, commit.Generation, commit.MemberID, commit.InstanceID = req.Group, req.Generation, req.MemberID, req.InstanceID
	for _, rt := range req.Topics {
		t := kmsg.NewOffsetCommitRequestTopic()
		t.Topic, t.TopicID = rt.Topic, rt.TopicID
		for _, rp := range rt.Partitions {
			p := kmsg.NewOffsetCommitRequestTopicPartition()
			p.Partition, p.Offset, p.LeaderEpoch, p.Metadata = rp.Partition, rp.Offset, rp.LeaderEpoch, rp.Metadata
			t.Partitions = append(t.Partitions, p)
		}
		commit.Topics = append(commit.Topics, t)
	}
	return commit
}

// joinWithOffsets makes sure that the group's partition of __consumer_offsets is part of
// the producer's transaction.
func (c *Cluster) joinWithOffsets(call *call, req *kmsg.TxnOffsetCommitRequest) protocol.ErrorCode {
	if req.Group == "" {
		return protocol.InvalidGroupId
	}
	offsets, err := c.offsetsPartition(req.Group)
	if err != nil {
		return protocol.CoordinatorNotAvailable
	}
	if offsets.hasOpenTransaction(req.ProducerID, req.ProducerEpoch) {
		return protocol.None
	}
	const abortableSince = 4
	return c.join(call, req.TransactionalID, txncoord.AddPartitions{
		ProducerID: req.ProducerID, ProducerEpoch: req.ProducerEpoch,
		Partitions: []txncoord.TopicPartition{{Topic: offsets.topic, Partition: offsets.index}},
	}, supportOf(req.Version, abortableSince))[0]
}

// commitInTransaction has the group keep the offsets until the transaction ends. It is
// false when there is nobody to answer.
func (c *Cluster) commitInTransaction(call *call, req *kmsg.TxnOffsetCommitRequest, commit *kmsg.OffsetCommitRequest, answer *commitAnswer) bool {
	ids := make(map[string]protocol.UUID, len(commit.Topics))
	for _, t := range commit.Topics {
		ids[t.Topic] = t.TopicID
	}
	reply := call.ask(req.Group, func(_ *group, to groupcoord.Token) groupcoord.Event {
		return groupcoord.OffsetCommit{To: to, Req: commit, Txn: &groupcoord.Producer{ID: req.ProducerID, Epoch: req.ProducerEpoch}}
	})
	if reply == nil {
		return false
	}
	topics := reply.(*kmsg.OffsetCommitResponse).Topics
	for i := range topics {
		topics[i].TopicID = ids[topics[i].Topic]
	}
	answer.merge(topics)
	return true
}

// refuseKnown answers every partition with the same error.
func refuseKnown(answer *commitAnswer, known []kmsg.OffsetCommitRequestTopic, code protocol.ErrorCode) {
	var topics []kmsg.OffsetCommitResponseTopic
	for _, rt := range known {
		t := kmsg.NewOffsetCommitResponseTopic()
		t.Topic, t.TopicID = rt.Topic, rt.TopicID
		for _, rp := range rt.Partitions {
			p := kmsg.NewOffsetCommitResponseTopicPartition()
			p.Partition, p.ErrorCode = rp.Partition, int16(code)
			t.Partitions = append(t.Partitions, p)
		}
		topics = append(topics, t)
	}
	answer.merge(topics)
}

func txnCommitted(from *kmsg.OffsetCommitResponseTopic, byID bool) kmsg.TxnOffsetCommitResponseTopic {
	t := kmsg.NewTxnOffsetCommitResponseTopic()
	t.Topic = from.Topic
	if byID {
		t.TopicID = from.TopicID
	}
	for _, fp := range from.Partitions {
		p := kmsg.NewTxnOffsetCommitResponseTopicPartition()
		p.Partition, p.ErrorCode = fp.Partition, fp.ErrorCode
		t.Partitions = append(t.Partitions, p)
	}
	return t
}

// hasOpenTransaction tells whether a producer has an open transaction on the partition.
func (p *partition) hasOpenTransaction(producerID int64, epoch int16) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.HasOpenTransaction(producerID, epoch)
}
