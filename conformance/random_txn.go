package conformance

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

// producers are the actors that write in transactions. The first two have the same
// transactional id, so that they fence each other.
var producers = []string{"m1", "m1", "m2", "m3"}

// homes are the transactional ids that the actors use when nothing is odd.
var homes = map[string]string{"m1": "x", "m2": "x", "m3": "y", "m4": "z"}

// txnTheme are transactions that write to partitions.
func (d *drawing) txnTheme() []func() {
	return []func(){
		d.initTxn, d.initTxn, d.beginTxn, d.beginTxn, d.beginTxn, d.txnWrite, d.txnWrite, d.txnWrite, d.addPartitions, d.addPartitions, d.endTxn, d.endTxn, d.endTxn,
		d.wholeTxn, d.wholeTxn, d.wholeTxn, d.readCommitted, d.readCommitted, d.readCommitted, d.txnProducer(d.write), d.txnProducer(d.idempotent),
		d.writeMarkers, d.describeTxn, d.describeTxn, d.listTxns, d.describeProducers, d.describeProducers, d.one(kmsg.DeleteRecords), d.deleteTopic,
	}
}

// txnOffsetTheme are offsets that are committed in transactions.
func (d *drawing) txnOffsetTheme() []func() {
	return []func(){
		d.initTxn, d.initTxn, d.beginOffsets, d.beginOffsets, d.beginOffsets, d.addOffsets, d.addOffsets, d.txnCommit, d.txnCommit, d.txnCommit, d.txnCommit, d.endTxn, d.endTxn, d.endTxn,
		d.wholeTxn, d.simpleCommit, d.one(kmsg.OffsetCommit), d.stableOffsets, d.stableOffsets, d.stableOffsets, d.one(kmsg.OffsetFetch), d.one(kmsg.OffsetDelete),
		d.one(kmsg.DeleteGroups), d.one(kmsg.DescribeGroups), d.one(kmsg.ListGroups), d.describeTxn, d.describeTxn, d.listTxns, d.round, d.leave, d.deleteTopic,
	}
}

// txnProducer has one of the producers do something.
func (d *drawing) txnProducer(do func()) func() {
	return func() {
		d.actor = pick(d, producers...)
		do()
	}
}

// txnID is mostly the actor's own transactional id.
func (d *drawing) txnID() string {
	if d.chance(2 * d.odd) {
		return pick(d, "$x", "$y", "$z", "$nobody's", "")
	}
	return "$" + homes[d.actor]
}

// producerID and producerEpoch are mostly what the actor was told last.
func (d *drawing) producerID() any {
	if d.chance(d.odd) {
		return pick[any](d, "$producer@m1", "$producer@m2", "$producer@m3", int64(-1))
	}
	return "$producer@" + d.actor
}

func (d *drawing) producerEpoch() any {
	e := "$epoch@" + d.actor
	if d.chance(2 * d.odd) {
		return pick[any](d, e+"+1", e+"+1", e+"-1", int64(-1), int64(0), int64(1), "$epoch@m1", "$epoch@m3")
	}
	return e
}

// as are the fields by which a producer says who it is.
func (d *drawing) as(more ...any) []any {
	return append([]any{"TransactionalID", d.txnID(), "ProducerID", d.producerID(), "ProducerEpoch", d.producerEpoch()}, more...)
}

// initTxn is a producer that starts, or that goes on with the id that it had.
func (d *drawing) initTxn() {
	d.actor = pick(d, producers...)
	given := []any{"TransactionalID", d.txnID(), "TransactionTimeoutMillis", int64(txnTimeout), "ProducerID", int64(-1), "ProducerEpoch", int64(-1)}
	if d.chance(d.odd) {
		given[3] = pick(d, int64(0), -1, 900_000, 900_001)
	}
	if d.chance(25) {
		given[5], given[7] = d.producerID(), d.producerEpoch()
	}
	d.send(kmsg.InitProducerID, -1, given...)
	if d.chance(50) { // the first one may have ended a transaction only
		d.send(kmsg.InitProducerID, -1, given...)
	}
}

// newProtocol tells whether a request is of the protocol of KIP-890, in which partitions
// need not be added; a script has mostly one of the two.
func (d *drawing) newProtocol() bool { return d.chance(10) != d.epochs }

// produceVersion, addVersion, commitVersion and endVersion are versions of the protocol
// that the script has.
func (d *drawing) produceVersion() int16 {
	if d.newProtocol() {
		return 12 + int16(d.IntN(2))
	}
	return pick(d, int16(3), 7, 9, 10, 11, 11, 11)
}

func (d *drawing) addVersion() int16 {
	if d.chance(25) {
		return 4 + int16(d.IntN(2))
	}
	return int16(d.IntN(4))
}

func (d *drawing) commitVersion() int16 {
	if d.newProtocol() {
		return 5 + int16(d.IntN(2))
	}
	return int16(d.IntN(5))
}

func (d *drawing) endVersion() int16 {
	if d.newProtocol() {
		return 5
	}
	return int16(d.IntN(5))
}

// place is where a transaction mostly writes to.
func (d *drawing) place() (topic string, partition int64) {
	return d.topic, pick(d, int64(0), 0, 0, 0, 1, 1, 2)
}

// writeTo produces one transactional batch, or two with different values to different
// partitions.
func (d *drawing) writeTo(topic string, partition int64) {
	one := func(partition int64) map[string]any {
		attributes, codec := int64(transactional), int64(0)
		if d.chance(10) {
			codec = 1 + int64(d.IntN(4))
			attributes |= codec
		}
		first := any("$sequence@" + d.actor + "." + topic + "." + decimal(int32(partition)))
		if d.chance(d.odd) {
			first = pick[any](d, first.(string)+"+1", int64(0), int64(1), int64(5), int64(-1))
		}
		header := map[string]any{"ProducerID": d.producerID(), "ProducerEpoch": d.producerEpoch(), "FirstSequence": first, "Attributes": attributes, "SinceNow": int64(0)}
		b := d.batch(header)
		b["Codec"] = codec
		if d.chance(2 * d.odd) { // what is not transactional, among what is
			b["Attributes"] = codec
		}
		return map[string]any{"Partition": partition, "Records": []any{b}}
	}
	parts := []any{one(partition)}
	if d.chance(15) {
		parts = append(parts, one(pick(d, int64(0), 1, 2)))
	}
	given := []any{"Acks", int64(-1), "TransactionID", d.txnID(), "Topics", []any{map[string]any{"Topic": "$" + topic, "TopicID": idOf("$" + topic), "Partitions": parts}}}
	if d.chance(d.odd) {
		given[3] = nil
	}
	d.send(kmsg.Produce, d.produceVersion(), given...)
}

func (d *drawing) txnWrite() {
	d.actor = pick(d, producers...)
	d.writeTo(d.place())
}

// addTo adds a partition to the transaction.
func (d *drawing) addTo(topic string, partition int64) {
	version := d.addVersion()
	partitions := []any{partition}
	if d.chance(20) {
		partitions = append(partitions, pick(d, int64(0), 1, 2, 7, -1))
	}
	topics := []any{map[string]any{"Topic": "$" + topic, "Partitions": partitions}}
	if d.chance(d.odd) {
		topics = append(topics, map[string]any{"Topic": pick(d, "$t1", "$t2", "$nowhere", "__consumer_offsets", ""), "Partitions": []any{int64(0)}})
	}
	if version < 4 {
		d.send(kmsg.AddPartitionsToTxn, version, d.as("Topics", topics)...)
		return
	}
	// Kafka never answers one without transactions.
	var all []any
	for range pick(d, 1, 1, 1, 1, 2) {
		one := map[string]any{"VerifyOnly": d.chance(20), "Topics": topics}
		for as := d.as(); len(as) > 0; as = as[2:] {
			one[as[0].(string)] = as[1]
		}
		all = append(all, one)
	}
	d.send(kmsg.AddPartitionsToTxn, version, "Transactions", all)
}

func (d *drawing) addPartitions() {
	d.actor = pick(d, producers...)
	d.addTo(d.place())
}

// beginTxn writes as the first thing of a transaction, or as a further one.
func (d *drawing) beginTxn() {
	d.actor = pick(d, producers...)
	topic, partition := d.place()
	if !d.epochs {
		d.addTo(topic, partition)
	}
	for range 1 + d.IntN(2) {
		d.writeTo(topic, partition)
	}
}

func (d *drawing) addOffsets() {
	d.actor = pick(d, producers...)
	d.send(kmsg.AddOffsetsToTxn, -1, d.as()...)
}

// txnCommit commits offsets in the transaction, mostly for no member of the group.
func (d *drawing) txnCommit() {
	d.actor = pick(d, producers...)
	d.commitNow()
}

func (d *drawing) commitNow() {
	given := d.as()
	if d.chance(75) {
		given = append(given, "MemberID", "", "Generation", int64(-1), "InstanceID", nil)
	}
	d.send(kmsg.TxnOffsetCommit, d.commitVersion(), given...)
}

// beginOffsets commits offsets as the first thing of a transaction, or as a further one.
func (d *drawing) beginOffsets() {
	d.actor = pick(d, producers...)
	if !d.epochs {
		d.send(kmsg.AddOffsetsToTxn, -1, d.as()...)
	}
	d.commitNow()
}

func (d *drawing) endTxn() {
	d.actor = pick(d, producers...)
	d.endNow()
}

func (d *drawing) endNow() {
	d.send(kmsg.EndTxn, d.endVersion(), d.as("Commit", d.chance(60))...)
	again := d.script.Steps[len(d.script.Steps)-1]
	if again.Key == int16(kmsg.EndTxn) && d.chance(2*d.odd) { // a client that has not seen the answer
		again.Fields, _ = cloneTree(again.Fields).(map[string]any)
		d.script.Steps = append(d.script.Steps, again)
	}
}

// wholeTxn is a transaction from its beginning to its end, and what is seen of it.
func (d *drawing) wholeTxn() {
	d.actor = pick(d, producers...)
	actor := d.actor
	if d.chance(30) {
		d.send(kmsg.InitProducerID, -1, "TransactionalID", "$"+homes[actor], "TransactionTimeoutMillis", int64(txnTimeout), "ProducerID", int64(-1), "ProducerEpoch", int64(-1))
	}
	for range 1 + d.IntN(2) {
		d.topic = pick(d, topics...)
		topic, partition := d.place()
		if !d.epochs {
			d.addTo(topic, partition)
		}
		d.writeTo(topic, partition)
	}
	if d.chance(30) {
		if !d.epochs {
			d.send(kmsg.AddOffsetsToTxn, -1, d.as()...)
		}
		d.commitNow()
	}
	d.endNow()
	if d.chance(40) {
		d.readCommitted()
	}
}

// readCommitted looks at what is committed: by fetching, or by asking for offsets.
func (d *drawing) readCommitted() {
	level := pick(d, int64(1), 1, 1, 0)
	if d.chance(30) {
		d.send(kmsg.ListOffsets, -1, "IsolationLevel", level)
		return
	}
	d.send(kmsg.Fetch, -1, "IsolationLevel", level, "SessionID", int64(0), "SessionEpoch", int64(-1))
}

func (d *drawing) stableOffsets() {
	d.send(kmsg.OffsetFetch, -1, "RequireStable", d.chance(80))
}

// writeMarkers is what only coordinators should ask for; never for the topics of others,
// and for one partition: Kafka never answers a request of which some markers are for
// partitions that are there and some are not.
func (d *drawing) writeMarkers() {
	if d.chance(40) {
		return
	}
	d.actor = pick(d, producers...)
	topic, partition := d.place()
	const coordinator = "$epoch@coordinator"
	d.send(kmsg.WriteTxnMarkers, -1, "Markers", d.list(func() any {
		return map[string]any{"ProducerID": d.producerID(), "ProducerEpoch": d.producerEpoch(), "Committed": d.chance(50),
			"CoordinatorEpoch": pick[any](d, coordinator, coordinator, coordinator, coordinator, coordinator+"+1", int64(-1)), "TransactionVersion": pick(d, int64(0), 1, 2, 2, 2, 3),
			"Topics": []any{map[string]any{"Topic": "$" + topic, "Partitions": []any{partition}}}}
	}))
}

func (d *drawing) describeTxn() {
	d.send(kmsg.DescribeTransactions, -1, "TransactionalIDs", d.list(func() any { return pick(d, "$x", "$x", "$y", "$y", "$z", "$nobody's", "") }))
}

func (d *drawing) describeProducers() {
	d.send(kmsg.DescribeProducers, -1, "Topics", []any{map[string]any{"Topic": "$" + d.topic, "Partitions": []any{int64(0), pick(d, int64(1), 1, 1, 2, 7)}}})
}

// listTxns lists transactions. What an hour ago was before any time of a script is told
// from what was never.
func (d *drawing) listTxns() {
	given := []any{"DurationFilterMillis", pick(d, int64(-1), -1, 3_600_000, -2), "TransactionalIDPattern", pick(d, any(nil), nil, "$x", ".*", "x.*", "(", ""), "ProducerIDFilters", []any{}, "StateFilters", []any{}}
	if d.chance(40) {
		given[5] = d.list(func() any { return d.producerID() })
	}
	if d.chance(40) {
		given[7] = d.list(func() any {
			return pick(d, "Empty", "Ongoing", "Ongoing", "CompleteCommit", "CompleteCommit", "CompleteAbort", "PrepareCommit", "ongoing", "Odd", "", "Dead", "PrepareEpochFence")
		})
	}
	d.send(kmsg.ListTransactions, -1, given...)
}

// deleteTopic sometimes deletes a topic, and makes it again, under open transactions.
func (d *drawing) deleteTopic() {
	if !d.chance(15) {
		return
	}
	d.send(kmsg.DeleteTopics, 5, "TopicNames", []any{"$" + d.topic})
	if d.chance(50) {
		d.send(kmsg.CreateTopics, 7, "Topics", []any{map[string]any{"Topic": "$" + d.topic, "NumPartitions": int64(2), "ReplicationFactor": int64(1), "Configs": []any{}}}, "ValidateOnly", false)
	}
}
