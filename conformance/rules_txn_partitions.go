package conformance

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

const txnAddSource = "TransactionCoordinator.handleAddPartitionsToTransaction"

// nowhere is a topic that does not exist.
func (c *Conversation) nowhere() Topic { return Topic{Name: c.Name("nowhere"), ID: [16]byte{5}} }

func addNow(a *Conn, req *kmsg.AddPartitionsToTxnRequest) *kmsg.AddPartitionsToTxnResponse {
	return ask[*kmsg.AddPartitionsToTxnResponse](a, req)
}

func txnPartitionsRules() []Rule {
	return []Rule{
		must("txn.partitions.every-version", "Every version of AddPartitionsToTxn adds partitions and opens the transaction; from v4 on a request has several transactions.", txnAddSource, func(c *Conversation) {
			t := c.Topic("orders", 6)
			p := c.Payer(c.Conn("a"), "payer")
			for v := range int16(6) {
				addNow(p.a, p.addPartitions(v, t, int32(v)))
				p.described()
			}
			p.end(4, true)
		}),
		must("txn.partitions.several-topics", "Partitions of several topics are added at once.", txnAddSource, func(c *Conversation) {
			t, u := c.Topic("orders", 3), c.Topic("bills", 2)
			p := c.Payer(c.Conn("a"), "payer")
			req := p.addPartitions(3, t, 2, 0)
			req.Topics = append(req.Topics, p.addPartitions(3, u, 1).Topics...)
			addNow(p.a, req)
			p.described()
			p.end(4, false)
		}),
		must("txn.partitions.again", "What is in the transaction can be added again, also twice in one request.", txnAddSource, func(c *Conversation) {
			t := c.Topic("orders", 2)
			p := c.Payer(c.Conn("a"), "payer")
			p.add(t, 0, 0)
			p.add(t, 0)
			p.add(t, 0, 1)
			p.described()
			p.end(4, true)
		}),
		must("txn.partitions.same-topic-twice", "A topic that is named twice in a request is added with all its partitions.", txnAddSource, func(c *Conversation) {
			t := c.Topic("orders", 2)
			p := c.Payer(c.Conn("a"), "payer")
			req := p.addPartitions(2, t, 0)
			req.Topics = append(req.Topics, p.addPartitions(2, t, 1).Topics...)
			addNow(p.a, req)
			p.described()
		}),
		must("txn.partitions.unknown", "An unknown topic or partition is UNKNOWN_TOPIC_OR_PARTITION, and then none is added: the others are OPERATION_NOT_ATTEMPTED.", "KafkaApis.handleAddPartitionsToTxnRequest", func(c *Conversation) {
			t, nowhere := c.Topic("orders", 2), c.nowhere()
			p := c.Payer(c.Conn("a"), "payer")
			for v := range int16(6) {
				addNow(p.a, p.addPartitions(v, t, 0, 7, -1))
				addNow(p.a, p.addPartitions(v, nowhere, 0))
			}
			req := p.addPartitions(3, t, 1)
			req.Topics = append(req.Topics, p.addPartitions(3, nowhere, 0).Topics...)
			addNow(p.a, req)
			p.described()
		}),
		must("txn.partitions.unknown-first", "Topics are looked at before transactional id, producer id and epoch.", "KafkaApis.handleAddPartitionsToTxnRequest", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			q := *p
			q.id = ""
			for _, v := range []int16{0, 3, 4, 5} {
				addNow(p.a, q.addPartitions(v, t, 0, 1))
				addNow(p.a, p.with(3).addPartitions(v, t, 0, 1))
			}
		}),
		must("txn.partitions.no-id", "The empty transactional id is INVALID_REQUEST, for each partition.", txnAddSource, func(c *Conversation) {
			t := c.Topic("orders", 2)
			p := c.Payer(c.Conn("a"), "payer")
			p.id = ""
			for v := range int16(6) {
				addNow(p.a, p.addPartitions(v, t, 0, 1))
			}
		}),
		must("txn.partitions.unknown-id", "A transactional id that was never initialized is INVALID_PRODUCER_ID_MAPPING.", txnAddSource, func(c *Conversation) {
			t := c.Topic("orders", 2)
			p := c.Payer(c.Conn("a"), "payer")
			p.id = c.TransactionalID("forgotten")
			for v := range int16(6) {
				addNow(p.a, p.addPartitions(v, t, 0, 1))
			}
		}),
		must("txn.partitions.other-producer", "A producer id that is not the transactional id's is INVALID_PRODUCER_ID_MAPPING, whatever the epoch.", txnAddSource, func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			q := p.stranger()
			for v := range int16(6) {
				addNow(p.a, q.addPartitions(v, t, 0))
				addNow(p.a, q.with(5).addPartitions(v, t, 0))
			}
			q.pid = -1
			addNow(p.a, q.addPartitions(3, t, 0))
			p.described()
		}),
		must("txn.partitions.other-epoch", "An epoch that is older or newer is PRODUCER_FENCED, before v2 INVALID_PRODUCER_EPOCH.", "KIP-588", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.initNow()
			for v := range int16(6) {
				for _, off := range []int16{-1, 1, -2} {
					addNow(p.a, p.with(off).addPartitions(v, t, 0))
				}
			}
			p.described()
		}),
		must("txn.partitions.none", "A request without partitions is answered without any, and opens the transaction all the same.", txnAddSource, func(c *Conversation) {
			p := c.Payer(c.Conn("a"), "payer")
			for _, v := range []int16{0, 3, 4} {
				req := p.addPartitions(v, Topic{})
				req.Topics = nil
				for i := range req.Transactions {
					req.Transactions[i].Topics = nil
				}
				addNow(p.a, req)
				p.described()
				p.end(4, true)
				p.described()
			}
		}),
		must("txn.partitions.topic-without-partitions", "A topic that exists or not, without partitions, says nothing.", txnAddSource, func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			addNow(p.a, p.addPartitions(3, t))
			addNow(p.a, p.addPartitions(5, c.nowhere()))
			p.described()
		}),
		must("txn.partitions.batch", "In a batch each transaction is judged by itself.", "KIP-890", func(c *Conversation) {
			t, a := c.Topic("orders", 3), c.Conn("a")
			p, q, r := c.Payer(a, "first"), c.Payer(a, "second"), c.Payer(a, "third")
			for v := int16(4); v <= 5; v++ {
				req := p.addPartitions(v, t, 0, 1)
				req.Transactions = append(req.Transactions, q.with(1).addPartitions(v, t, 1).Transactions[0],
					r.addPartitions(v, t, 2, 9).Transactions[0], r.verify(v, t, 2).Transactions[0])
				req.Transactions[3].TransactionalID = c.TransactionalID("forgotten")
				addNow(a, req)
			}
			ask[*kmsg.DescribeTransactionsResponse](a, describeTransactions(p.id, q.id, r.id))
		}),
		must("txn.partitions.verify", "A broker can ask whether partitions are in the transaction: those that are not are TRANSACTION_ABORTABLE, and none is added.", "TransactionCoordinator.handleVerifyPartitionsInTransaction", func(c *Conversation) {
			t := c.Topic("orders", 3)
			p := c.Payer(c.Conn("a"), "payer")
			for _, v := range []int16{4, 5} {
				addNow(p.a, p.verify(v, t, 0, 1))
			}
			p.described()
			p.add(t, 1)
			for _, v := range []int16{4, 5} {
				addNow(p.a, p.verify(v, t, 0, 1, 2))
			}
			p.described()
			p.end(4, true)
			addNow(p.a, p.verify(5, t, 1))
			p.described()
		}),
		must("txn.partitions.verify-fenced", "Asking so is refused as adding is.", "TransactionCoordinator.handleVerifyPartitionsInTransaction", func(c *Conversation) {
			t := c.Topic("orders", 2)
			p := c.Payer(c.Conn("a"), "payer")
			p.add(t, 0)
			unknown, empty := *p, *p
			unknown.id, empty.id = c.TransactionalID("forgotten"), ""
			for _, q := range []*payer{p.with(1), p.with(-1), p.stranger(), &unknown, &empty} {
				addNow(p.a, q.verify(5, t, 0, 1))
			}
			addNow(p.a, p.verify(5, t, 0, 7))
			addNow(p.a, p.verify(5, c.nowhere(), 0))
		}),
		must("txn.partitions.next", "After a transaction the next one begins with nothing of it.", txnAddSource, func(c *Conversation) {
			t := c.Topic("orders", 3)
			p := c.Payer(c.Conn("a"), "payer")
			for part, commit := range []bool{true, false, true} {
				p.add(t, int32(part))
				p.described()
				p.end(4, commit)
			}
			p.described()
		}),
		must("txn.partitions.internal-topic", "A client may not add partitions of an internal topic: TOPIC_AUTHORIZATION_FAILED, and the others are not attempted. In the batched form, as a broker sends it, they are added.", "KafkaApis.handleAddPartitionsToTxnRequest", func(c *Conversation) {
			c.Group("readers")
			t, internal := c.Topic("orders", 1), Topic{Name: offsetsTopic}
			p := c.Payer(c.Conn("a"), "payer")
			for v := range int16(4) {
				req := p.addPartitions(v, internal, 0)
				req.Topics = append(req.Topics, p.addPartitions(v, t, 0).Topics...)
				addNow(p.a, req)
			}
			p.add(Topic{Name: transactionTopic}, 0)
			p.described()
			addNow(p.a, p.addPartitions(4, internal, 0))
			p.described()
			p.end(5, true)
		}),
		must("txn.partitions.timeout-runs", "Partitions that are added later do not move the start of the transaction.", "TransactionMetadata.prepareAddPartitions", func(c *Conversation) {
			t := c.Topic("orders", 2)
			p := c.Payer(c.Conn("a"), "payer")
			p.add(t, 0)
			was := p.described().TransactionStates[0].StartTimestamp
			c.pause(settlePause)
			p.add(t, 1)
			if p.described().TransactionStates[0].StartTimestamp != was {
				c.say("the start has moved")
			}
		}),
		must("txn.partitions.after-prepare", "Partitions can be added as soon as the end of the transaction before is complete, with the epoch that the end left.", "KIP-890", func(c *Conversation) {
			t := c.Topic("orders", 2)
			p := c.Payer(c.Conn("a"), "payer")
			old := p.with(0)
			p.add(t, 0)
			p.end(5, true)
			old.add(t, 1)
			p.add(t, 1)
			p.end(5, true)
		}),
	}
}
