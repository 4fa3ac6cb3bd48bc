package conformance

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

const txnProduceSource = "KIP-890, AddPartitionsToTxnManager"

func produceNow(a *Conn, req *kmsg.ProduceRequest) *kmsg.ProduceResponse {
	return ask[*kmsg.ProduceResponse](a, req)
}

func txnProduceRules() []Rule {
	return []Rule{
		must("txn.produce.not-added", "Before v12 a partition that was not added to the transaction refuses its batch: INVALID_TXN_STATE, in v11 TRANSACTION_ABORTABLE.", txnProduceSource, func(c *Conversation) {
			t := c.Topic("orders", 2)
			p := c.Payer(c.Conn("a"), "payer")
			for v := int16(3); v <= 11; v++ {
				produceNow(p.a, p.write(v, t, 0, 0, "v"))
			}
			p.described()
			p.add(t, 1)
			produceNow(p.a, p.write(9, t, 0, 0, "v"))
			produceNow(p.a, p.write(11, t, 0, 0, "v"))
			get(p.a, fetch(12, t, 0, 0))
		}),
		must("txn.produce.added", "To one that was added every version writes.", txnProduceSource, func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.add(t, 0)
			for v := int16(3); v <= 13; v++ {
				produceNow(p.a, p.write(v, t, 0, int32(v)-3, "v"))
			}
			p.end(4, true)
			get(p.a, committedFetch(12, t, 0, 0))
		}),
		must("txn.produce.adds", "From v12 on the partition is added by the write, by topic id in v13.", "KIP-890", func(c *Conversation) {
			t := c.Topic("orders", 3)
			p := c.Payer(c.Conn("a"), "payer")
			for v := int16(12); v <= 13; v++ {
				produceNow(p.a, p.write(v, t, int32(v)-12, 0, "v"))
				p.described()
			}
			p.end(5, true)
			p.described()
		}),
		must("txn.produce.adds-several", "All partitions of a request are added.", "KIP-890", func(c *Conversation) {
			t, u := c.Topic("orders", 2), c.Topic("bills", 1)
			p := c.Payer(c.Conn("a"), "payer")
			req := p.write(12, t, 0, 0, "v")
			req.Topics[0].Partitions = append(req.Topics[0].Partitions, p.write(12, t, 1, 0, "w").Topics[0].Partitions[0])
			req.Topics = append(req.Topics, p.write(12, u, 0, 0, "x").Topics[0])
			produceNow(p.a, req)
			p.described()
			p.end(5, true)
		}),
		must("txn.produce.open-partition", "Once a partition has the producer's open transaction it does not ask the coordinator again: what the request says of the transactional id is not looked at.", "UnifiedLog.hasOngoingTransaction", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "v")
			other := *p
			other.id = c.TransactionalID("forgotten")
			other.put(t, 0, 1, "w")
			other.oldPut(t, 0, 2, "x")
			p.end(5, true)
			get(p.a, committedFetch(12, t, 0, 0))
		}),
		must("txn.produce.other-epoch", "An epoch that is not the transactional id's is INVALID_PRODUCER_EPOCH, older or newer, whether the partition was written to or not.", txnProduceSource, func(c *Conversation) {
			t := c.Topic("orders", 2)
			p := c.Payer(c.Conn("a"), "payer")
			p.initNow()
			p.put(t, 0, 0, "v")
			for _, v := range []int16{7, 11, 12} {
				for _, off := range []int16{-1, 1} {
					produceNow(p.a, p.with(off).write(v, t, 0, 0, "w"))
					produceNow(p.a, p.with(off).write(v, t, 1, 0, "w"))
				}
			}
			p.described()
			get(p.a, fetch(12, t, 0, 0))
		}),
		must("txn.produce.other-producer", "A producer id that is not the transactional id's is INVALID_PRODUCER_ID_MAPPING.", txnProduceSource, func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			q := p.stranger()
			for v := int16(3); v <= 12; v++ {
				produceNow(p.a, q.write(v, t, 0, 0, "v"))
			}
			p.described()
		}),
		must("txn.produce.no-id", "The empty transactional id is INVALID_REQUEST.", txnProduceSource, func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.id = ""
			for _, v := range []int16{3, 9, 11, 12} {
				produceNow(p.a, p.write(v, t, 0, 0, "v"))
			}
		}),
		must("txn.produce.two-producers", "Batches of two producers, or of two epochs, in one request are INVALID_PRODUCER_ID_MAPPING, all of them.", "ReplicaManager.handleProduceAppend", func(c *Conversation) {
			t := c.Topic("orders", 3)
			p, q := c.Payer(c.Conn("a"), "payer"), c.Payer(c.Conn("a"), "other-payer")
			for _, r := range []*payer{q, p.with(1)} {
				req := p.write(12, t, 0, 0, "v")
				req.Topics[0].Partitions = append(req.Topics[0].Partitions, r.write(12, t, 1, 0, "w").Topics[0].Partitions[0])
				req.Topics[0].Partitions = append(req.Topics[0].Partitions, produce(12, -1, t, 2, batchOf("plain")).Topics[0].Partitions[0])
				produceNow(p.a, req)
			}
			p.described()
			get(p.a, fetch(12, t, 2, 0))
		}),
		must("txn.produce.beside-plain", "A request may have a transactional batch for one partition and a plain one for another; one that is idempotent only is plain.", "KafkaApis.handleProduceRequest", func(c *Conversation) {
			t := c.Topic("orders", 3)
			p := c.Payer(c.Conn("a"), "payer")
			req := p.write(12, t, 0, 0, "v")
			for part, records := range [][]byte{batchOf("plain"), idempotent(newProducer(c.setup), 0, 0, "idempotent")} {
				req.Topics[0].Partitions = append(req.Topics[0].Partitions, produce(12, -1, t, int32(part)+1, records).Topics[0].Partitions[0])
			}
			produceNow(p.a, req)
			p.described()
			get(p.a, committedFetch(12, t, 1, 0))
		}),
		must("txn.produce.not-transactional", "While a transaction is open, a batch of its producer that is not transactional is INVALID_TXN_STATE; before and after it is taken.", "ProducerAppendInfo.appendDataBatch", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			put(p.a, t, 0, idempotent(p.pid, p.epoch, 0, "before"))
			p.put(t, 0, 1, "v")
			put(p.a, t, 0, idempotent(p.pid, p.epoch, 2, "within"))
			p.put(t, 0, 2, "w")
			p.end(4, true)
			put(p.a, t, 0, idempotent(p.pid, p.epoch, 3, "after"))
			get(p.a, fetch(12, t, 0, 0))
		}),
		must("txn.produce.first-sequence", "In v12 the first batch of a producer that the partition does not know must have sequence 0; before, any will do.", "ProducerAppendInfo.checkSequence", func(c *Conversation) {
			t := c.Topic("orders", 2)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 5, "v")
			p.described()
			p.put(t, 0, 0, "v")
			p.add(t, 1)
			p.oldPut(t, 1, 5, "w")
			p.oldPut(t, 1, 6, "x")
		}),
		must("txn.produce.first-sequence-remembered", "A first batch that was refused is remembered by its sequence: none above the lowest that was tried is taken before it.", "VerificationStateEntry.maybeUpdateLowestSequenceAndEpoch", func(c *Conversation) {
			t := c.Topic("orders", 2)
			p := c.Payer(c.Conn("a"), "payer")
			p.oldPut(t, 0, 3, "v")
			p.add(t, 0)
			p.oldPut(t, 0, 5, "v")
			p.oldPut(t, 0, 2, "v")
			p.oldPut(t, 0, 3, "w")
		}),
		must("txn.produce.gap", "A gap in the sequence is OUT_OF_ORDER_SEQUENCE_NUMBER in a transaction as anywhere.", "ProducerAppendInfo.checkSequence", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "v")
			p.put(t, 0, 2, "gap")
			p.put(t, 0, 1, "w")
			p.end(4, true)
			p.put(t, 0, 3, "gap")
			p.put(t, 0, 2, "x")
			p.end(4, false)
			get(p.a, committedFetch(12, t, 0, 0))
		}),
		must("txn.produce.duplicate", "A batch that is sent again is answered with its old offset, within the transaction and after it.", "ProducerStateEntry.findDuplicateBatch", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "a", "b")
			p.put(t, 0, 2, "c")
			p.put(t, 0, 0, "a", "b")
			p.end(4, true)
			p.put(t, 0, 2, "c")
			p.described()
			get(p.a, fetch(12, t, 0, 0))
		}),
		must("txn.produce.duplicate-of-old-epoch", "After an end in v5 a batch of the epoch before it is INVALID_PRODUCER_EPOCH, also when it was taken.", "KIP-890", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			old := p.with(0)
			p.put(t, 0, 0, "a")
			p.end(5, true)
			old.put(t, 0, 0, "a")
			old.put(t, 0, 1, "b")
			old.oldPut(t, 0, 1, "b")
			p.put(t, 0, 1, "c")
			p.put(t, 0, 0, "c")
		}),
		must("txn.produce.refused-is-added", "A batch that the partition refuses has been added to the transaction by then.", "KIP-890", func(c *Conversation) {
			t := c.Topic("orders", 2, "max.message.bytes", "100")
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 1, 0, string(make([]byte, 200)))
			p.described()
			p.end(5, true)
			get(p.a, fetch(12, t, 1, 0))
		}),
		must("txn.produce.unknown-topic", "An unknown partition is UNKNOWN_TOPIC_OR_PARTITION and is not added; the others are.", "KafkaApis.handleProduceRequest", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			for _, v := range []int16{11, 12} {
				req := p.write(v, t, 0, 0, "v")
				req.Topics[0].Partitions = append(req.Topics[0].Partitions, p.write(v, t, 7, 0, "w").Topics[0].Partitions[0])
				req.Topics = append(req.Topics, p.write(v, c.nowhere(), 0, 0, "x").Topics[0])
				produceNow(p.a, req)
				p.described()
			}
		}),
		must("txn.produce.after-end", "After the end of a transaction a partition is none of the next until it is added: before v12 that is refused, v12 begins with it.", txnProduceSource, func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.add(t, 0)
			p.oldPut(t, 0, 0, "v")
			p.end(4, true)
			produceNow(p.a, p.write(9, t, 0, 1, "w"))
			produceNow(p.a, p.write(11, t, 0, 1, "w"))
			p.described()
			p.put(t, 0, 1, "w")
			p.described()
			p.end(4, true)
		}),
		must("txn.produce.acks", "With acks=1 and with acks=0 a transaction is written as well.", "KafkaApis.handleProduceRequest", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			req := p.write(12, t, 0, 0, "v")
			req.Acks = 1
			produceNow(p.a, req)
			req = p.write(12, t, 0, 1, "w")
			req.Acks = 0
			p.a.Send(req).NoAnswer()
			p.put(t, 0, 2, "x")
			p.end(5, true)
			get(p.a, committedFetch(12, t, 0, 0))
		}),
		must("txn.produce.no-sequence", "A transactional batch without a sequence is INVALID_RECORD once it is of the transaction, one without an epoch INVALID_PRODUCER_EPOCH; one without a producer id is of no transaction and is taken.", "DefaultRecordBatch, LogValidator.validateBatch", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			for _, v := range []int16{11, 12} {
				p.a.Send(p.write(v, t, 0, -1, "v")).Answer()
				p.a.Send((&payer{c: c, a: p.a, id: p.id, pid: p.pid, epoch: -1}).write(v, t, 0, 0, "v")).Answer()
				p.a.Send((&payer{c: c, a: p.a, id: p.id, pid: -1, epoch: -1}).write(v, t, 0, -1, "v")).Answer()
			}
		}),
		must("txn.produce.control-batch", "A client may not write a control batch.", "LogValidator.validateBatch", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "v")
			b := newBatch()
			b.ProducerID, b.ProducerEpoch, b.FirstSequence, b.Attributes = p.pid, p.epoch, -1, transactional|controlBatch
			req := p.write(12, t, 0, 0, "")
			req.Topics[0].Partitions[0].Records = seal(b, codecNone, kmsg.Record{Key: []byte{0, 0, 0, 1}, Value: make([]byte, 6)})
			p.a.Send(req).Answer()
			get(p.a, committedFetch(12, t, 0, 0))
		}),
		must("txn.produce.several-batches", "Two transactional batches for a partition in a request are INVALID_RECORD, and nothing is added.", "ProduceRequest.validateRecords", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			req := p.write(12, t, 0, 0, "v")
			req.Topics[0].Partitions[0].Records = append(p.batch(0, "v"), p.batch(1, "w")...)
			p.a.Send(req).Answer()
			p.described()
		}),
		must("txn.produce.two-payers", "Two producers write to a partition in turn, each with sequences of its own.", "ProducerStateManager", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p, q := c.Payer(c.Conn("a"), "payer"), c.Payer(c.Conn("b"), "other-payer")
			for i := range int32(3) {
				p.put(t, 0, i, "p")
				q.put(t, 0, i, "q")
			}
			p.a.Send(describeProducers(t.Name, 0)).Answer()
			p.end(5, true)
			p.a.Send(describeProducers(t.Name, 0)).Answer()
			q.end(5, false)
			p.a.Send(describeProducers(t.Name, 0)).Answer()
			get(p.a, committedFetch(12, t, 0, 0))
		}),
		must("txn.produce.with-idempotent", "An idempotent producer beside a transactional one waits for nothing, but is read committed only when the transaction before it has ended.", "KIP-98", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			pid := newProducer(p.a)
			put(p.a, t, 0, idempotent(pid, 0, 0, "a"))
			p.put(t, 0, 0, "v")
			put(p.a, t, 0, idempotent(pid, 0, 1, "b"))
			p.a.Send(describeProducers(t.Name, 0)).Answer()
			get(p.a, committedFetch(12, t, 0, 0))
			p.end(5, true)
			put(p.a, t, 0, idempotent(pid, 0, 2, "c"))
			get(p.a, committedFetch(12, t, 0, 0))
		}),
	}
}

func txnProducerRules() []Rule {
	describe := func(p *payer, t Topic) { p.a.Send(describeProducers(t.Name, 0)).Answer() }
	return []Rule{
		must("txn.producers.open", "An open transaction is described by the offset at which it began; before the first marker no coordinator epoch is known.", "KIP-664", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			put(p.a, t, 0, batchOf("a", "b"))
			p.put(t, 0, 0, "v")
			p.put(t, 0, 1, "w", "x")
			describe(p, t)
			p.end(4, true)
			describe(p, t)
			p.put(t, 0, 3, "y")
			describe(p, t)
		}),
		must("txn.producers.ended-new", "After an end in v5 the producer has the new epoch, and no sequence.", "KIP-890", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "v")
			p.end(5, false)
			describe(p, t)
			p.put(t, 0, 0, "w")
			describe(p, t)
		}),
		must("txn.producers.marker-only", "Where only a marker was written the producer is known by it.", "ProducerStateManager", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.add(t, 0)
			describe(p, t)
			p.end(4, true)
			describe(p, t)
			p.add(t, 0)
			p.end(5, true)
			describe(p, t)
		}),
		must("txn.producers.offsets-topic", "The offsets topic knows producers by the offsets that they committed.", "KIP-664", func(c *Conversation) {
			t, g := c.Topic("orders", 1), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			partition, _ := c.logOf(offsetsTopic, g)
			show := func() {
				resp := ask[*kmsg.DescribeProducersResponse](c.setup, describeProducers(offsetsTopic, partition))
				for _, a := range resp.Topics[0].Partitions[0].ActiveProducers {
					if a.ProducerID == p.pid {
						c.say("a producer of the offsets topic: epoch %d, sequence %d, open %v", a.ProducerEpoch, a.LastSequence, a.CurrentTxnStartOffset >= 0)
					}
				}
			}
			p.offset(g, t, 0, 5)
			show()
			p.end(5, true)
			show()
		}),
	}
}
