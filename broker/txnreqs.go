package broker

import (
	"slices"

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
	call.settleLater(t)
	t.release()
	resp.ErrorCode = int16(fencedBefore(4, req.Version, reply.Code))
	resp.ProducerID, resp.ProducerEpoch = reply.ProducerID, reply.ProducerEpoch
}

// settleLater sees to it that the markers of t are written once the client has its answer.
func (c *call) settleLater(t *transaction) {
	if t.markers != nil {
		c.conn.ending = append(c.conn.ending, t)
	}
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
	call.settleLater(t)
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
// another broker would ask for. The answers of one producer stand together, by topic: for
// a partition that is named again the last one. A marker for no partition has none.
func (c *Cluster) writeTxnMarkers(call *call, req *kmsg.WriteTxnMarkersRequest, resp *kmsg.WriteTxnMarkersResponse) {
	answer := newMarkersAnswer(resp)
	for i := range req.Markers {
		m, done := &req.Markers[i], map[txncoord.TopicPartition]bool{}
		if c.cannotWrite(m) {
			failMarkers(req, resp)
			return
		}
		for _, rt := range m.Topics {
			for _, index := range rt.Partitions {
				if tp := (txncoord.TopicPartition{Topic: rt.Topic, Partition: index}); !done[tp] {
					done[tp] = true
					answer.add(markedTopic{m.ProducerID, rt.Topic}, c.writeRequestedMarker(call, m, tp))
				}
			}
		}
	}
}

// markersAnswer gathers an answer; the maps tell where in it things are.
type markersAnswer struct {
	resp       *kmsg.WriteTxnMarkersResponse
	producers  map[int64]int
	topics     map[markedTopic]int
	partitions map[markedPartition]int
}

func newMarkersAnswer(resp *kmsg.WriteTxnMarkersResponse) *markersAnswer {
	return &markersAnswer{resp: resp, producers: map[int64]int{}, topics: map[markedTopic]int{}, partitions: map[markedPartition]int{}}
}

type markedTopic struct {
	producerID int64
	topic      string
}

type markedPartition struct {
	markedTopic
	partition int32
}

func (a *markersAnswer) add(to markedTopic, p kmsg.WriteTxnMarkersResponseMarkerTopicPartition) {
	at, ok := a.producers[to.producerID]
	if !ok {
		at = len(a.resp.Markers)
		a.producers[to.producerID] = at
		a.resp.Markers = append(a.resp.Markers, kmsg.WriteTxnMarkersResponseMarker{ProducerID: to.producerID})
	}
	own := &a.resp.Markers[at]
	t, ok := a.topics[to]
	if !ok {
		t = len(own.Topics)
		a.topics[to] = t
		own.Topics = append(own.Topics, kmsg.WriteTxnMarkersResponseMarkerTopic{Topic: to.topic})
	}
	topic := &own.Topics[t]
	if i, ok := a.partitions[markedPartition{to, p.Partition}]; ok {
		topic.Partitions[i] = p
		return
	}
	a.partitions[markedPartition{to, p.Partition}] = len(topic.Partitions)
	topic.Partitions = append(topic.Partitions, p)
}

// cannotWrite tells whether Kafka throws at a marker, because no batch can have its
// producer, once there is a partition to write it to. The markers before it are written.
func (c *Cluster) cannotWrite(m *kmsg.WriteTxnMarkersRequestMarker) bool {
	if m.ProducerID >= 0 && m.ProducerEpoch >= 0 {
		return false
	}
	image := c.image.Load()
	return slices.ContainsFunc(m.Topics, func(t kmsg.WriteTxnMarkersRequestMarkerTopic) bool {
		return slices.ContainsFunc(t.Partitions, func(index int32) bool { return image.byName.get(t.Topic).partition(index) != nil })
	})
}

// failMarkers answers a request that Kafka fails on: of each producer the last marker
// (WriteTxnMarkersRequest.getErrorResponse).
func failMarkers(req *kmsg.WriteTxnMarkersRequest, resp *kmsg.WriteTxnMarkersResponse) {
	resp.Markers = nil
	at := make(map[int64]int)
	for i := range req.Markers {
		m := &req.Markers[i]
		answer := newMarkersAnswer(kmsg.NewPtrWriteTxnMarkersResponse())
		for _, rt := range m.Topics {
			for _, index := range rt.Partitions {
				answer.add(markedTopic{m.ProducerID, rt.Topic}, kmsg.WriteTxnMarkersResponseMarkerTopicPartition{Partition: index, ErrorCode: int16(protocol.UnknownServerError)})
			}
		}
		failed := kmsg.WriteTxnMarkersResponseMarker{ProducerID: m.ProducerID}
		if len(answer.resp.Markers) > 0 {
			failed = answer.resp.Markers[0]
		}
		if n, ok := at[m.ProducerID]; ok {
			resp.Markers[n] = failed
			continue
		}
		at[m.ProducerID] = len(resp.Markers)
		resp.Markers = append(resp.Markers, failed)
	}
}

func (c *Cluster) writeRequestedMarker(call *call, m *kmsg.WriteTxnMarkersRequestMarker, tp txncoord.TopicPartition) kmsg.WriteTxnMarkersResponseMarkerTopicPartition {
	p := kmsg.NewWriteTxnMarkersResponseMarkerTopicPartition()
	p.Partition = tp.Partition
	const unknownVersion = -1
	switch {
	case c.image.Load().byName.get(tp.Topic).partition(tp.Partition) == nil:
		p.ErrorCode = int16(protocol.UnknownTopicOrPartition)
	case m.TransactionVersion == unknownVersion:
		p.ErrorCode = int16(protocol.UnknownServerError)
	default:
		p.ErrorCode = int16(c.writeMarker(call.now, tp, requestedMarker(m)))
	}
	return p
}
