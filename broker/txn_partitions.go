package broker

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/broker/txncoord"
	"klamm/protocol"
)

// addPartitionsToTxn makes partitions part of transactions: of one, for its producer, or
// since version 4 of many, for another broker.
func (c *Cluster) addPartitionsToTxn(call *call, req *kmsg.AddPartitionsToTxnRequest, resp *kmsg.AddPartitionsToTxnResponse) {
	if req.Version >= 4 {
		for i := range req.Transactions {
			resp.Transactions = append(resp.Transactions, c.addBatched(call, &req.Transactions[i]))
		}
		return
	}
	var asked []txncoord.TopicPartition
	for _, t := range req.Topics {
		for _, p := range t.Partitions {
			asked = append(asked, txncoord.TopicPartition{Topic: t.Topic, Partition: p})
		}
	}
	codes, each := c.refuseInternal(asked), true
	if codes == nil {
		codes, each = c.addAll(call, req.TransactionalID, txncoord.AddPartitions{ProducerID: req.ProducerID, ProducerEpoch: req.ProducerEpoch, Partitions: asked}, false)
	}
	for i, code := range codes {
		codes[i] = fencedBefore(fencedSince, req.Version, code)
	}
	if each {
		resp.Topics = addedEach(asked, codes)
		return
	}
	for _, rt := range req.Topics {
		t := kmsg.NewAddPartitionsToTxnResponseTopic()
		t.Topic, t.Partitions = rt.Topic, addedPartitions(rt.Partitions, codes)
		codes = codes[len(rt.Partitions):]
		resp.Topics = append(resp.Topics, t)
	}
}

// addedPartitions are partitions of one topic and their errors.
func addedPartitions(indexes []int32, codes []protocol.ErrorCode) []kmsg.AddPartitionsToTxnResponseTopicPartition {
	var all []kmsg.AddPartitionsToTxnResponseTopicPartition
	for i, index := range indexes {
		p := kmsg.NewAddPartitionsToTxnResponseTopicPartition()
		p.Partition, p.ErrorCode = index, int16(codes[i])
		all = append(all, p)
	}
	return all
}

// addedEach is the answer where partitions have errors of their own: each stands there
// once, and each topic (AddPartitionsToTxnResponse.resultForTransaction).
func addedEach(asked []txncoord.TopicPartition, codes []protocol.ErrorCode) []kmsg.AddPartitionsToTxnResponseTopic {
	var topics []kmsg.AddPartitionsToTxnResponseTopic
	at, seen := map[string]int{}, map[txncoord.TopicPartition]bool{}
	for i, tp := range asked {
		if seen[tp] {
			continue
		}
		seen[tp] = true
		n, known := at[tp.Topic]
		if !known {
			n = len(topics)
			at[tp.Topic] = n
			t := kmsg.NewAddPartitionsToTxnResponseTopic()
			t.Topic = tp.Topic
			topics = append(topics, t)
		}
		topics[n].Partitions = append(topics[n].Partitions, addedPartitions([]int32{tp.Partition}, codes[i:])...)
	}
	return topics
}

// refuseInternal refuses what a client asks for when partitions of internal topics are
// among it; nil means that none is.
func (c *Cluster) refuseInternal(asked []txncoord.TopicPartition) []protocol.ErrorCode {
	if !slices.ContainsFunc(asked, func(tp txncoord.TopicPartition) bool { return isInternalTopic(tp.Topic) }) {
		return nil
	}
	codes, image := make([]protocol.ErrorCode, len(asked)), c.image.Load()
	for i, tp := range asked {
		switch {
		case isInternalTopic(tp.Topic):
			codes[i] = protocol.TopicAuthorizationFailed
		case image.byName.get(tp.Topic).partition(tp.Partition) == nil:
			codes[i] = protocol.UnknownTopicOrPartition
		default:
			codes[i] = protocol.OperationNotAttempted
		}
	}
	return codes
}

func (c *Cluster) addBatched(call *call, req *kmsg.AddPartitionsToTxnRequestTransaction) kmsg.AddPartitionsToTxnResponseTransaction {
	var asked []txncoord.TopicPartition
	for _, t := range req.Topics {
		for _, p := range t.Partitions {
			asked = append(asked, txncoord.TopicPartition{Topic: t.Topic, Partition: p})
		}
	}
	codes, each := c.addAll(call, req.TransactionalID, txncoord.AddPartitions{
		ProducerID: req.ProducerID, ProducerEpoch: req.ProducerEpoch, Partitions: asked, EpochBump: true,
	}, req.VerifyOnly)
	answer := kmsg.NewAddPartitionsToTxnResponseTransaction()
	answer.TransactionalID = req.TransactionalID
	add := func(topic string, partitions []kmsg.AddPartitionsToTxnResponseTopicPartition) {
		t := kmsg.NewAddPartitionsToTxnResponseTransactionTopic()
		t.Topic = topic
		for _, p := range partitions {
			t.Partitions = append(t.Partitions, kmsg.AddPartitionsToTxnResponseTransactionTopicPartition(p))
		}
		answer.Topics = append(answer.Topics, t)
	}
	if each {
		for _, t := range addedEach(asked, codes) {
			add(t.Topic, t.Partitions)
		}
		return answer
	}
	for _, rt := range req.Topics {
		add(rt.Topic, addedPartitions(rt.Partitions, codes))
		codes = codes[len(rt.Partitions):]
	}
	return answer
}

// addAll adds or verifies all partitions, or none where one of them is not there; each
// tells whether partitions have errors of their own.
func (c *Cluster) addAll(call *call, id string, e txncoord.AddPartitions, verifyOnly bool) (codes []protocol.ErrorCode, each bool) {
	codes = make([]protocol.ErrorCode, len(e.Partitions))
	image, missing := c.image.Load(), false
	for i, tp := range e.Partitions {
		if codes[i] = protocol.OperationNotAttempted; image.byName.get(tp.Topic).partition(tp.Partition) == nil {
			codes[i], missing = protocol.UnknownTopicOrPartition, true
		}
	}
	if missing {
		return codes, true
	}
	if verifyOnly {
		return c.verifyInTransaction(call, id, e)
	}
	code := c.addToTransaction(call, id, e)
	for i := range codes {
		codes[i] = code
	}
	return codes, false
}

// verifyInTransaction tells of each partition whether it is part of the producer's transaction.
func (c *Cluster) verifyInTransaction(call *call, id string, e txncoord.AddPartitions) (codes []protocol.ErrorCode, each bool) {
	if id != "" {
		if t := c.knownTransaction(call.now, id); t != nil {
			defer t.release()
			return t.machine.Verify(e.ProducerID, e.ProducerEpoch, e.Partitions), true
		}
	}
	code := protocol.InvalidProducerIdMapping
	if id == "" {
		code = protocol.InvalidRequest
	}
	codes = make([]protocol.ErrorCode, len(e.Partitions))
	for i := range codes {
		codes[i] = code
	}
	return codes, true
}

// txnSupport is how far the version of a Produce or TxnOffsetCommit request goes in what it
// says of transactions (AddPartitionsToTxnManager.TransactionSupportedOperation).
type txnSupport int

const (
	txnVerify    txnSupport = iota // a partition has to be part of the transaction
	txnAbortable                   // ... and TRANSACTION_ABORTABLE is understood
	txnAdd                         // a partition becomes part of it (KIP-890)
)

// supportOf is the support of a version, where v is the first that understands
// TRANSACTION_ABORTABLE and the next one adds partitions.
func supportOf(version, v int16) txnSupport {
	switch {
	case version > v:
		return txnAdd
	case version == v:
		return txnAbortable
	}
	return txnVerify
}

// verifies tells whether a request of that support has to be part of a transaction at all
// (transaction.partition.verification.enable).
func (c *Cluster) verifies(support txnSupport) bool {
	return support == txnAdd || c.settings.Load().txnVerification
}

// join makes sure that partitions that a producer writes to are part of its transaction,
// and tells of each why it cannot be written to.
func (c *Cluster) join(call *call, id string, e txncoord.AddPartitions, support txnSupport) []protocol.ErrorCode {
	if !c.verifies(support) {
		return make([]protocol.ErrorCode, len(e.Partitions))
	}
	e.EpochBump = support == txnAdd
	codes, _ := c.addAll(call, id, e, support != txnAdd)
	for i, code := range codes {
		switch {
		case code == protocol.ProducerFenced:
			codes[i] = protocol.InvalidProducerEpoch
		case code == protocol.TransactionAbortable && support == txnVerify:
			codes[i] = protocol.InvalidTxnState
		}
	}
	return codes
}
