package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/broker/txncoord"
	"klamm/protocol"
)

// initProducerID gives a producer its id: an idempotent one a new id each time, with
// epoch 0, and a transactional one the id of its transactional id, with an epoch that
// fences whoever had it before (TransactionCoordinator.handleInitProducerId).
func (c *Cluster) initProducerID(call *call, req *kmsg.InitProducerIDRequest, resp *kmsg.InitProducerIDResponse) {
	resp.ProducerID, resp.ProducerEpoch = -1, -1
	switch {
	case (req.ProducerID == -1) != (req.ProducerEpoch == -1):
		resp.ErrorCode = int16(protocol.InvalidRequest)
		return
	case req.TransactionalID == nil:
		resp.ProducerID, resp.ProducerEpoch = c.producerID.Add(1)-1, 0
		return
	case *req.TransactionalID == "":
		resp.ErrorCode = int16(protocol.InvalidRequest)
		return
	case req.TransactionTimeoutMillis <= 0 || int64(req.TransactionTimeoutMillis) > c.settings.Load().txnMaxTimeout:
		resp.ErrorCode = int16(protocol.InvalidTransactionTimeout)
		return
	}
	t, err := c.openTransaction(call.now, *req.TransactionalID)
	if err != nil {
		c.log.Error("there is no transaction coordinator", "error", err)
		resp.ErrorCode = int16(protocol.CoordinatorNotAvailable)
		return
	}
	e := txncoord.InitProducerID{TimeoutMs: req.TransactionTimeoutMillis, ProducerID: req.ProducerID, ProducerEpoch: req.ProducerEpoch}
	e.Fresh = t.freshID(e)
	reply := t.step(call.now, e)
	call.ending = t.ending()
	t.release()
	resp.ErrorCode = int16(fencedBefore(4, req.Version, reply.Code))
	resp.ProducerID, resp.ProducerEpoch = reply.ProducerID, reply.ProducerEpoch
}

// ending is t when it has markers to be written once the client has its answer, else nil.
func (t *transaction) ending() *transaction {
	if t.markers == nil {
		return nil
	}
	return t
}

// fencedBefore turns PRODUCER_FENCED into what was answered before the version that
// brought it (KIP-588).
func fencedBefore(since, version int16, code protocol.ErrorCode) protocol.ErrorCode {
	if code == protocol.ProducerFenced && version < since {
		return protocol.InvalidProducerEpoch
	}
	return code
}

// fencedSince is the version of AddPartitionsToTxn, AddOffsetsToTxn and EndTxn that knows
// PRODUCER_FENCED.
const fencedSince = 2

// addOffsetsToTxn makes the partition of __consumer_offsets that a group writes to part
// of a transaction.
func (c *Cluster) addOffsetsToTxn(call *call, req *kmsg.AddOffsetsToTxnRequest, resp *kmsg.AddOffsetsToTxnResponse) {
	offsets, err := c.offsetsPartition(req.Group)
	if err != nil {
		resp.ErrorCode = int16(protocol.CoordinatorNotAvailable)
		return
	}
	code := c.addToTransaction(call, req.TransactionalID, txncoord.AddPartitions{
		ProducerID: req.ProducerID, ProducerEpoch: req.ProducerEpoch,
		Partitions: []txncoord.TopicPartition{{Topic: offsets.topic, Partition: offsets.index}},
	})
	resp.ErrorCode = int16(fencedBefore(fencedSince, req.Version, code))
}

// addToTransaction adds partitions to the transaction of a transactional id.
func (c *Cluster) addToTransaction(call *call, id string, e txncoord.AddPartitions) protocol.ErrorCode {
	if id == "" {
		return protocol.InvalidRequest
	}
	t := c.knownTransaction(call.now, id)
	if t == nil {
		return protocol.InvalidProducerIdMapping
	}
	defer t.release()
	return t.step(call.now, e).Code
}

// endTxn commits or aborts. The markers follow the answer.
func (c *Cluster) endTxn(call *call, req *kmsg.EndTxnRequest, resp *kmsg.EndTxnResponse) {
	resp.ProducerID, resp.ProducerEpoch = -1, -1
	if req.TransactionalID == "" {
		resp.ErrorCode = int16(protocol.InvalidRequest)
		return
	}
	t := c.knownTransaction(call.now, req.TransactionalID)
	if t == nil {
		resp.ErrorCode = int16(protocol.InvalidProducerIdMapping)
		return
	}
	const epochBumpSince = 5
	e := txncoord.EndTxn{
		ProducerID: req.ProducerID, ProducerEpoch: req.ProducerEpoch, Commit: req.Commit, EpochBump: req.Version >= epochBumpSince,
	}
	e.Fresh = t.freshID(e)
	reply := t.step(call.now, e)
	call.ending = t.ending()
	t.release()
	resp.ErrorCode = int16(fencedBefore(fencedSince, req.Version, reply.Code))
	resp.ProducerID, resp.ProducerEpoch = reply.ProducerID, reply.ProducerEpoch
}

// describeTransactions tells what is known of transactional ids.
func (c *Cluster) describeTransactions(call *call, req *kmsg.DescribeTransactionsRequest, resp *kmsg.DescribeTransactionsResponse) {
	for _, id := range req.TransactionalIDs {
		one := kmsg.NewDescribeTransactionsResponseTransactionState()
		one.TransactionalID = id
		described, code := c.describeTransaction(id)
		if one.ErrorCode = int16(code); code == protocol.None {
			one.State, one.TimeoutMillis, one.StartTimestamp = described.State.String(), described.TimeoutMs, described.StartMs
			one.ProducerID, one.ProducerEpoch = described.ProducerID, described.ProducerEpoch
			one.Topics = txnTopics(described.Partitions)
		}
		resp.TransactionStates = append(resp.TransactionStates, one)
		const each = 64 // about how many bytes a partition takes
		if call.grows(each * (1 + len(described.Partitions))) {
			return
		}
	}
}

func (c *Cluster) describeTransaction(id string) (txncoord.Description, protocol.ErrorCode) {
	if id == "" {
		return txncoord.Description{}, protocol.InvalidRequest
	}
	if t := c.txns.get(id); t != nil {
		if described, ok := t.describe(); ok {
			return described, protocol.None
		}
	}
	return txncoord.Description{}, protocol.TransactionalIdNotFound
}

func (t *transaction) describe() (txncoord.Description, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.gone || t.machine.Vacant() {
		return txncoord.Description{}, false
	}
	return t.machine.Describe(), true
}

// txnTopics gathers ordered partitions by topic.
func txnTopics(partitions []txncoord.TopicPartition) (topics []kmsg.DescribeTransactionsResponseTransactionStateTopic) {
	for _, tp := range partitions {
		if n := len(topics); n == 0 || topics[n-1].Topic != tp.Topic {
			one := kmsg.NewDescribeTransactionsResponseTransactionStateTopic()
			one.Topic = tp.Topic
			topics = append(topics, one)
		}
		last := &topics[len(topics)-1]
		last.Partitions = append(last.Partitions, tp.Partition)
	}
	return topics
}

// listTransactions lists transactional ids by their states, producer ids, ages and names.
func (c *Cluster) listTransactions(call *call, req *kmsg.ListTransactionsRequest, resp *kmsg.ListTransactionsResponse) {
	filter, unknown, code := newTxnFilter(call, req)
	resp.UnknownStateFilters = unknown
	if resp.ErrorCode = int16(code); code != protocol.None {
		return
	}
	for _, t := range c.txns.all() {
		described, ok := t.describe()
		if !ok || !filter.takes(t.id, &described) {
			continue
		}
		one := kmsg.NewListTransactionsResponseTransactionState()
		one.TransactionalID, one.ProducerID, one.TransactionState = t.id, described.ProducerID, described.State.String()
		resp.TransactionStates = append(resp.TransactionStates, one)
	}
}

// writeTxnMarkers ends transactions on partitions, as a transaction coordinator of
// another broker would ask for.
func (c *Cluster) writeTxnMarkers(call *call, req *kmsg.WriteTxnMarkersRequest, resp *kmsg.WriteTxnMarkersResponse) {
	answers := make(map[int64]int)
	for i := range req.Markers {
		m := &req.Markers[i]
		at, again := answers[m.ProducerID]
		if !again {
			at = len(resp.Markers)
			answers[m.ProducerID] = at
			one := kmsg.NewWriteTxnMarkersResponseMarker()
			one.ProducerID = m.ProducerID
			resp.Markers = append(resp.Markers, one)
		}
		resp.Markers[at].Topics = append(resp.Markers[at].Topics, c.writeRequestedMarker(call, m)...)
	}
}

func (c *Cluster) writeRequestedMarker(call *call, m *kmsg.WriteTxnMarkersRequestMarker) []kmsg.WriteTxnMarkersResponseMarkerTopic {
	var answer []kmsg.WriteTxnMarkersResponseMarkerTopic
	for _, rt := range m.Topics {
		topic := kmsg.NewWriteTxnMarkersResponseMarkerTopic()
		topic.Topic = rt.Topic
		for _, index := range rt.Partitions {
			p := kmsg.NewWriteTxnMarkersResponseMarkerTopicPartition()
			p.Partition = index
			p.ErrorCode = int16(c.writeMarker(call.now, txncoord.TopicPartition{Topic: rt.Topic, Partition: index}, requestedMarker(m)))
			topic.Partitions = append(topic.Partitions, p)
		}
		answer = append(answer, topic)
	}
	return answer
}
