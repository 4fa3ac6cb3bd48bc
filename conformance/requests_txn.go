package conformance

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// The requests of transactions, as the rules mostly need them; what a rule wants
// otherwise it sets afterwards.

// txnTimeout is a transaction timeout that no conversation outlives, in milliseconds.
const txnTimeout = 60_000

// transactional are the attribute bits of a transactional batch.
const transactional = 0x10

// payer is a transactional producer as a client sees itself.
type payer struct {
	c     *Conversation
	a     *Conn
	id    string
	pid   int64
	epoch int16
}

// Payer initializes a fresh transactional id on connection a, as a part of the transcript.
func (c *Conversation) Payer(a *Conn, label string) *payer {
	p := &payer{c: c, a: a, id: c.TransactionalID(label)}
	p.initNow()
	return p
}

// initNow initializes the producer again without naming what it has; what the answer gives
// is what the producer uses from now on.
func (p *payer) initNow() *kmsg.InitProducerIDResponse { return p.take(initTxn(4, p.id)) }

// initKeeping initializes it again as KIP-360 has it, with its producer id and epoch.
func (p *payer) initKeeping() *kmsg.InitProducerIDResponse {
	req := initTxn(4, p.id)
	req.ProducerID, req.ProducerEpoch = p.pid, p.epoch
	return p.take(req)
}

func (p *payer) take(req *kmsg.InitProducerIDRequest) *kmsg.InitProducerIDResponse {
	resp := ask[*kmsg.InitProducerIDResponse](p.a, req)
	if resp.ErrorCode == 0 {
		p.pid, p.epoch = resp.ProducerID, resp.ProducerEpoch
	}
	return resp
}

// with is the same producer with an epoch that is off by as much.
func (p *payer) with(off int16) *payer {
	q := *p
	q.epoch += off
	return &q
}

// stranger is the same transactional id with a producer id that is not its own.
func (p *payer) stranger() *payer {
	q := *p
	q.pid = newProducer(p.c.setup)
	return &q
}

// initTxn asks for the producer id of a transactional id.
func initTxn(version int16, id string) *kmsg.InitProducerIDRequest {
	req := initProducer(version)
	req.TransactionalID, req.TransactionTimeoutMillis = &id, txnTimeout
	return req
}

// addPartitions adds partitions of a topic, in the batched form from v4 on.
func (p *payer) addPartitions(version int16, t Topic, partitions ...int32) *kmsg.AddPartitionsToTxnRequest {
	req := kmsg.NewPtrAddPartitionsToTxnRequest()
	req.Version = version
	if version >= 4 {
		rt := kmsg.NewAddPartitionsToTxnRequestTransaction()
		rt.TransactionalID, rt.ProducerID, rt.ProducerEpoch = p.id, p.pid, p.epoch
		rt.Topics = append(rt.Topics, kmsg.AddPartitionsToTxnRequestTransactionTopic{Topic: t.Name, Partitions: partitions})
		req.Transactions = append(req.Transactions, rt)
		return req
	}
	req.TransactionalID, req.ProducerID, req.ProducerEpoch = p.id, p.pid, p.epoch
	req.Topics = append(req.Topics, kmsg.AddPartitionsToTxnRequestTopic{Topic: t.Name, Partitions: partitions})
	return req
}

// verify asks, as a broker does, whether partitions belong to the transaction.
func (p *payer) verify(version int16, t Topic, partitions ...int32) *kmsg.AddPartitionsToTxnRequest {
	req := p.addPartitions(version, t, partitions...)
	req.Transactions[0].VerifyOnly = true
	return req
}

func (p *payer) add(t Topic, partitions ...int32) *kmsg.AddPartitionsToTxnResponse {
	return ask[*kmsg.AddPartitionsToTxnResponse](p.a, p.addPartitions(3, t, partitions...))
}

func (p *payer) addOffsets(version int16, group string) *kmsg.AddOffsetsToTxnRequest {
	req := kmsg.NewPtrAddOffsetsToTxnRequest()
	req.Version, req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group = version, p.id, p.pid, p.epoch, group
	return req
}

// commitOffset commits one offset within the transaction, for no member of the group.
func (p *payer) commitOffset(version int16, group string, t Topic, partition int32, offset int64) *kmsg.TxnOffsetCommitRequest {
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.Version, req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group = version, p.id, p.pid, p.epoch, group
	rt := kmsg.NewTxnOffsetCommitRequestTopic()
	rt.Topic, rt.TopicID = t.Name, t.ID
	rp := kmsg.NewTxnOffsetCommitRequestTopicPartition()
	rp.Partition, rp.Offset = partition, offset
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	return req
}

// offset commits an offset in the protocol of KIP-890, which adds it to the transaction.
func (p *payer) offset(group string, t Topic, partition int32, offset int64) *kmsg.TxnOffsetCommitResponse {
	return ask[*kmsg.TxnOffsetCommitResponse](p.a, p.commitOffset(5, group, t, partition, offset))
}

func (p *payer) endTxn(version int16, commit bool) *kmsg.EndTxnRequest {
	req := kmsg.NewPtrEndTxnRequest()
	req.Version, req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit = version, p.id, p.pid, p.epoch, commit
	return req
}

// end ends the transaction and waits until all of it is visible; from v5 on the producer
// goes on with the epoch that the answer gives.
func (p *payer) end(version int16, commit bool) *kmsg.EndTxnResponse {
	resp := ask[*kmsg.EndTxnResponse](p.a, p.endTxn(version, commit))
	if version >= 5 && resp.ErrorCode == 0 {
		p.pid, p.epoch = resp.ProducerID, resp.ProducerEpoch
	}
	p.c.AwaitTransaction(p.id)
	return resp
}

// batch is a transactional batch with these values.
func (p *payer) batch(sequence int32, vs ...string) []byte {
	b := newBatch()
	b.FirstTimestamp = time.Now().UnixMilli()
	b.ProducerID, b.ProducerEpoch, b.FirstSequence, b.Attributes = p.pid, p.epoch, sequence, transactional
	return seal(b, codecNone, values(vs...)...)
}

// write is a Produce with one transactional batch, by topic id from v13 on.
func (p *payer) write(version int16, t Topic, partition, sequence int32, vs ...string) *kmsg.ProduceRequest {
	req := produce(version, -1, t, partition, p.batch(sequence, vs...))
	req.TransactionID = &p.id
	return req
}

// put writes in the protocol of KIP-890, which adds the partition to the transaction.
func (p *payer) put(t Topic, partition, sequence int32, vs ...string) *kmsg.ProduceResponse {
	return ask[*kmsg.ProduceResponse](p.a, p.write(12, t, partition, sequence, vs...))
}

// oldPut writes in the protocol before it, in which the partition was to be added.
func (p *payer) oldPut(t Topic, partition, sequence int32, vs ...string) *kmsg.ProduceResponse {
	return ask[*kmsg.ProduceResponse](p.a, p.write(11, t, partition, sequence, vs...))
}

// marker is the end of the producer's transaction on partitions of a topic, as a
// coordinator writes it.
func (p *payer) marker(commit bool, coordinatorEpoch int32, t Topic, partitions ...int32) kmsg.WriteTxnMarkersRequestMarker {
	m := kmsg.NewWriteTxnMarkersRequestMarker()
	m.ProducerID, m.ProducerEpoch, m.Committed, m.CoordinatorEpoch = p.pid, p.epoch, commit, coordinatorEpoch
	m.Topics = append(m.Topics, kmsg.WriteTxnMarkersRequestMarkerTopic{Topic: t.Name, Partitions: partitions})
	return m
}

func writeMarkers(version int16, markers ...kmsg.WriteTxnMarkersRequestMarker) *kmsg.WriteTxnMarkersRequest {
	req := kmsg.NewPtrWriteTxnMarkersRequest()
	req.Version, req.Markers = version, markers
	return req
}

func markersNow(a *Conn, req *kmsg.WriteTxnMarkersRequest) *kmsg.WriteTxnMarkersResponse {
	return ask[*kmsg.WriteTxnMarkersResponse](a, req)
}

func describeTransactions(ids ...string) *kmsg.DescribeTransactionsRequest {
	req := kmsg.NewPtrDescribeTransactionsRequest()
	req.TransactionalIDs = ids
	return req
}

// described shows what the coordinator knows about the transactional id.
func (p *payer) described() *kmsg.DescribeTransactionsResponse {
	return ask[*kmsg.DescribeTransactionsResponse](p.a, describeTransactions(p.id))
}

func listTransactions(version int16, states ...string) *kmsg.ListTransactionsRequest {
	req := kmsg.NewPtrListTransactionsRequest()
	req.Version, req.StateFilters = version, states
	return req
}

func listedTransactions(a *Conn, req *kmsg.ListTransactionsRequest) *kmsg.ListTransactionsResponse {
	return ask[*kmsg.ListTransactionsResponse](a, req)
}

// committedFetch reads one partition up to its last stable offset.
func committedFetch(version int16, t Topic, partition int32, offset int64) *kmsg.FetchRequest {
	req := fetch(version, t, partition, offset)
	req.IsolationLevel = 1
	return req
}

// committedList asks for an offset below the last stable one.
func committedList(version int16, topic string, partition int32, timestamp int64) *kmsg.ListOffsetsRequest {
	req := listOffsets(version, topic, partition, timestamp)
	req.IsolationLevel = 1
	return req
}

// stable asks for committed offsets, and for an error where a transaction is open.
func stable(version int16, group string, t Topic, partitions ...int32) *kmsg.OffsetFetchRequest {
	req := committed(version, group, t, partitions...)
	req.RequireStable = true
	return req
}

func listGroups(version int16) *kmsg.ListGroupsRequest {
	req := kmsg.NewPtrListGroupsRequest()
	req.Version = version
	return req
}
