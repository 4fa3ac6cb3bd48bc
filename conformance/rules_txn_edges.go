package conformance

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

// txnProtocolRules tell both protocols from end to end, as clients speak them.
func txnProtocolRules() []Rule {
	return []Rule{
		must("txn.v1.lifecycle", "The protocol before KIP-890: partitions and groups are added before they are written to, and the epoch stays.", "KIP-98", func(c *Conversation) {
			in, out, g := c.Topic("orders", 1), c.Topic("bills", 2), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			for i, commit := range verdicts {
				p.add(out, 0, 1)
				p.oldPut(out, 0, int32(i), "v")
				p.oldPut(out, 1, int32(i), "w")
				offsetsNow(p.a, p.addOffsets(3, g))
				txnCommitNow(p.a, p.commitOffset(3, g, in, 0, 5+int64(i)))
				p.described()
				p.end(4, commit)
				p.described()
				committedNow(p.a, stable(9, g, in, 0))
			}
			get(p.a, committedFetch(12, out, 0, 0))
		}),
		must("txn.v2.lifecycle", "The protocol of KIP-890: what is written to is added, and each end takes an epoch.", "KIP-890", func(c *Conversation) {
			in, out, g := c.Topic("orders", 1), c.Topic("bills", 2), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			for i, commit := range verdicts {
				p.put(out, 0, 0, "v")
				p.put(out, 1, 0, "w")
				p.offset(g, in, 0, 5+int64(i))
				p.described()
				p.end(5, commit)
				p.described()
				committedNow(p.a, stable(9, g, in, 0))
			}
			get(p.a, committedFetch(12, out, 0, 0))
		}),
		must("txn.v2.abortable", "Where the old protocol's versions ask whether a partition was added, the new ones' error can be aborted: TRANSACTION_ABORTABLE, after which the transaction goes on as it was.", "KIP-890", func(c *Conversation) {
			t, g := c.Topic("orders", 2), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			p.add(t, 0)
			produceNow(p.a, p.write(11, t, 1, 0, "v"))
			txnCommitNow(p.a, p.commitOffset(4, g, t, 0, 5))
			p.oldPut(t, 0, 0, "w")
			p.end(4, false)
			get(p.a, committedFetch(12, t, 0, 0))
		}),
		must("txn.v2.late-batch", "A batch of a transaction that comes after its end is refused by its epoch, and opens nothing.", "KIP-890", func(c *Conversation) {
			t := c.Topic("orders", 2)
			p := c.Payer(c.Conn("a"), "payer")
			late := p.with(0)
			p.put(t, 0, 0, "v")
			p.end(5, false)
			late.put(t, 0, 1, "late")
			late.put(t, 1, 0, "late")
			p.described()
			put(p.a, t, 0, batchOf("after"))
			get(p.a, committedFetch(12, t, 0, 0))
		}),
		must("txn.v1.late-batch", "In the old protocol a batch that comes after the end of its transaction finds its partition not added.", "KIP-890", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.add(t, 0)
			p.oldPut(t, 0, 0, "v")
			p.end(4, true)
			for _, v := range []int16{3, 8, 10, 11} {
				produceNow(p.a, p.write(v, t, 0, 1, "late"))
			}
			get(p.a, committedFetch(12, t, 0, 0))
		}),
		must("txn.v2.switch", "A producer may change from one protocol to the other with each transaction, and back.", "KIP-890", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.add(t, 0)
			p.oldPut(t, 0, 0, "old")
			p.end(4, true)
			p.put(t, 0, 1, "new")
			p.end(5, true)
			p.add(t, 0)
			p.oldPut(t, 0, 0, "old")
			p.end(3, true)
			p.put(t, 0, 1, "new")
			p.end(5, false)
			get(p.a, committedFetch(12, t, 0, 0))
		}),
	}
}

// txnEdgeRules are about what else is done to partitions while transactions are open.
func txnEdgeRules() []Rule {
	return []Rule{
		must("txn.edges.delete-records", "Records of an open transaction can be deleted, and it ends after that as before. The last stable offset is then the first one of the batch that the log starts in.", "UnifiedLog.maybeIncrementLogStartOffset", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			put(p.a, t, 0, batchOf("a"))
			p.put(t, 0, 0, "b", "c")
			put(p.a, t, 0, batchOf("d"))
			ask[*kmsg.DeleteRecordsResponse](p.a, deleteRecords(2, t.Name, 0, 2))
			ask[*kmsg.ListOffsetsResponse](p.a, committedList(7, t.Name, 0, -1))
			get(p.a, committedFetch(12, t, 0, 2))
			ask[*kmsg.DeleteRecordsResponse](p.a, deleteRecords(2, t.Name, 0, -1))
			ask[*kmsg.ListOffsetsResponse](p.a, committedList(7, t.Name, 0, -1))
			p.a.Send(describeProducers(t.Name, 0)).Answer()
			p.put(t, 0, 2, "e")
			p.end(5, true)
			get(p.a, committedFetch(12, t, 0, 4))
		}),
		must("txn.edges.delete-aborted", "An aborted transaction is named as long as its marker is not deleted.", "TransactionIndex", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "a", "b")
			p.end(5, false)
			p.put(t, 0, 0, "c")
			p.end(5, false)
			ask[*kmsg.DeleteRecordsResponse](p.a, deleteRecords(2, t.Name, 0, 3))
			get(p.a, committedFetch(12, t, 0, 3))
			ask[*kmsg.DeleteRecordsResponse](p.a, deleteRecords(2, t.Name, 0, 4))
			get(p.a, committedFetch(12, t, 0, 4))
		}),
		must("txn.edges.recreated-topic", "Transactions know topics by name: one of the same name takes the place of one that was deleted.", "TransactionMarkerChannelManager", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "v")
			ask[*kmsg.DeleteTopicsResponse](c.setup, deleteTopics(5, t.Name))
			until(c, metadata(9, t.Name), func(resp *kmsg.MetadataResponse) bool { return resp.Topics[0].ErrorCode == 3 })
			again := until(c, createTopics(7, t.Name, 1, 1), func(resp *kmsg.CreateTopicsResponse) bool { return resp.Topics[0].ErrorCode == 0 })
			t.ID = again.Topics[0].TopicID
			c.ready(t.Name, 1)
			p.put(t, 0, 0, "w")
			p.end(5, true)
			get(p.a, committedFetch(12, t, 0, 0))
		}),
		must("txn.edges.new-partitions", "Partitions that are created while a transaction is open can be added to it.", "KIP-98", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "v")
			p.add(t, 1)
			ask[*kmsg.CreatePartitionsResponse](p.a, createPartitions(3, t.Name, 2))
			c.ready(t.Name, 2)
			p.add(t, 1)
			p.put(t, 1, 0, "w")
			p.end(5, true)
			get(p.a, committedFetch(12, t, 1, 0))
		}),
		must("txn.edges.offset-for-epoch", "The end of a leader epoch is that of the log, not the last stable offset.", "Partition.lastOffsetForLeaderEpoch", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "v")
			ask[*kmsg.OffsetForLeaderEpochResponse](p.a, epochEnd(4, t.Name, 0, -1, 0))
			p.end(5, true)
			ask[*kmsg.OffsetForLeaderEpochResponse](p.a, epochEnd(4, t.Name, 0, -1, 0))
		}),
		must("txn.edges.connection", "The end of a connection says nothing about a transaction: it goes on over another.", "KIP-98", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "v")
			p.a.Close()
			p.a = c.Conn("b")
			p.put(t, 0, 1, "w")
			p.end(5, true)
			get(p.a, committedFetch(12, t, 0, 0))
		}),
		must("txn.edges.pipelined", "Requests of a transaction that are sent without waiting are served in order.", "KIP-98", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			adding, first, second, end := p.a.Send(p.addPartitions(3, t, 0)), p.a.Send(p.write(11, t, 0, 0, "v")), p.a.Send(p.write(11, t, 0, 1, "w")), p.a.Send(p.endTxn(4, true))
			for _, sent := range []*Pending{adding, first, second, end} {
				sent.Answer()
			}
			c.AwaitTransaction(p.id)
			get(p.a, committedFetch(12, t, 0, 0))
		}),
		must("txn.edges.large-timeout-described", "Each transactional id has a timeout of its own.", txnDescribeSource, func(c *Conversation) {
			a := c.Conn("a")
			p, q := c.Payer(a, "payer"), c.Payer(a, "other-payer")
			req := initTxn(4, q.id)
			req.TransactionTimeoutMillis = 900_000
			q.take(req)
			ask[*kmsg.DescribeTransactionsResponse](a, describeTransactions(p.id, q.id))
		}),
	}
}

// lastEpoch is the epoch from which on a producer id is used up: Short.MaxValue - 1, for
// the highest is kept for fencing.
const lastEpoch = 1<<15 - 2

// worn is a producer that has no epoch left but the one that it has.
func worn(c *Conversation, a *Conn, label string) *payer {
	p := &payer{c: c, a: a, id: c.TransactionalID(label)}
	const window = 64
	var sent []*Pending
	wait := func() {
		resp := answer[*kmsg.InitProducerIDResponse](sent[0])
		p.pid, p.epoch, sent = resp.ProducerID, resp.ProducerEpoch, sent[1:]
	}
	for range lastEpoch + 1 {
		if sent = append(sent, c.setup.Send(initTxn(4, p.id))); len(sent) == window {
			wait()
		}
	}
	for len(sent) > 0 {
		wait()
	}
	c.Note("%s has initialized until its epoch is %d", label, p.epoch)
	return p
}

func txnEpochRules() []Rule {
	return []Rule{
		must("txn.epochs.init", "When the epochs of a producer id are used up, an initialization gives a new producer id of epoch 0; a producer that names the old one and its last epoch gets that as well, and again.", "TransactionMetadata.prepareProducerIdRotation", func(c *Conversation) {
			p := worn(c, c.Conn("a"), "payer")
			l := c.TransactionLog(p.id)
			p.described()
			old := p.with(0)
			p.initKeeping()
			old.with(0).initKeeping()
			old.with(-1).initKeeping()
			p.described()
			p.initNow()
			l.Show()
		}),
		must("txn.epochs.old", "In the old protocol the last epoch commits and aborts, and the next initialization gives a new producer id.", "TransactionMetadata.prepareProducerIdRotation", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := worn(c, c.Conn("a"), "payer")
			for i := range int32(2) {
				p.add(t, 0)
				p.oldPut(t, 0, i, "v")
				p.end(4, i == 0)
			}
			p.initNow()
			get(p.a, committedFetch(12, t, 0, 0))
		}),
		must("txn.epochs.new", "In the new protocol the end of a transaction of the last epoch gives a new producer id of epoch 0; its markers have the epoch that no producer has. The end repeated is answered the same.", "KIP-890, TransactionMetadata.prepareComplete", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := worn(c, c.Conn("a"), "payer")
			l := c.TransactionLog(p.id)
			old := p.with(0)
			p.put(t, 0, 0, "v")
			p.end(5, true)
			p.described()
			l.Show()
			old.with(0).end(5, true)
			old.with(0).end(5, false)
			old.put(t, 0, 1, "late")
			old.initKeeping()
			p.put(t, 0, 0, "w")
			p.end(5, true)
			get(p.a, committedFetch(12, t, 0, 0))
		}),
		must("txn.epochs.fence", "An initialization that aborts a transaction of the last epoch does so with the highest, and the next one has a new producer id.", "TransactionMetadata.prepareFenceProducerEpoch", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := worn(c, c.Conn("a"), "payer")
			l := c.TransactionLog(p.id)
			p.put(t, 0, 0, "v")
			q := fenced(p)
			l.Show()
			q.put(t, 0, 0, "w")
			p.put(t, 0, 1, "late")
			q.end(5, true)
			get(p.a, committedFetch(12, t, 0, 0))
		}),
		must("txn.epochs.empty-abort", "An abort of nothing with the last epoch gives a new producer id as well.", "KIP-890", func(c *Conversation) {
			p := worn(c, c.Conn("a"), "payer")
			l := c.TransactionLog(p.id)
			p.end(5, false)
			p.described()
			p.end(5, false)
			l.Show()
		}),
	}
}
