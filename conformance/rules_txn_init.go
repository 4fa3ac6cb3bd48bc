package conformance

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const txnInitSource = "TransactionCoordinator.handleInitProducerId"

func txnInitRules() []Rule {
	return []Rule{
		must("txn.init.first", "Every version of InitProducerId gives a fresh transactional id a producer id of its own, of epoch 0.", txnInitSource, func(c *Conversation) {
			for v := range int16(6) {
				ask[*kmsg.InitProducerIDResponse](c.Conn("a"), initTxn(v, c.TransactionalID("payer-"+decimal(v))))
			}
		}),
		must("txn.init.again", "A transactional id that is initialized again keeps its producer id, and its epoch grows by one.", txnInitSource, func(c *Conversation) {
			id := c.TransactionalID("payer")
			for v := range int16(6) {
				ask[*kmsg.InitProducerIDResponse](c.Conn("a"), initTxn(v, id))
			}
		}),
		must("txn.init.empty-id", "The empty transactional id is INVALID_REQUEST.", txnInitSource, func(c *Conversation) {
			c.TransactionalID("warm")
			for v := range int16(6) {
				ask[*kmsg.InitProducerIDResponse](c.Conn("a"), initTxn(v, ""))
			}
		}),
		must("txn.init.odd-ids", "A transactional id may have any characters and be long.", txnInitSource, func(c *Conversation) {
			c.TransactionalID("warm")
			a := c.Conn("a")
			for _, label := range []string{"with space", "näme/\\\n\x00", ".", strings.Repeat("long", 50)} {
				id := c.TransactionalID(label)
				ask[*kmsg.InitProducerIDResponse](a, initTxn(4, id))
				ask[*kmsg.DescribeTransactionsResponse](a, describeTransactions(id))
			}
		}),
		must("txn.init.timeout", "A timeout from 1 ms to transaction.max.timeout.ms, 15 minutes, is taken; others are INVALID_TRANSACTION_TIMEOUT and make no transaction.", "TransactionStateManager.validateTransactionTimeoutMs", func(c *Conversation) {
			a, id := c.Conn("a"), c.TransactionalID("payer")
			for _, v := range []int16{0, 5} {
				for _, ms := range []int32{0, -1, 900_001, 1<<31 - 1} {
					req := initTxn(v, id)
					req.TransactionTimeoutMillis = ms
					ask[*kmsg.InitProducerIDResponse](a, req)
				}
			}
			ask[*kmsg.DescribeTransactionsResponse](a, describeTransactions(id))
			for _, ms := range []int32{1, 900_000} {
				req := initTxn(5, id)
				req.TransactionTimeoutMillis = ms
				ask[*kmsg.InitProducerIDResponse](a, req)
			}
		}),
		must("txn.init.timeout-changes", "The last initialization sets the timeout.", txnInitSource, func(c *Conversation) {
			a, id := c.Conn("a"), c.TransactionalID("payer")
			for _, ms := range []int32{60_000, 1_234, 500_000} {
				req := initTxn(4, id)
				req.TransactionTimeoutMillis = ms
				ask[*kmsg.InitProducerIDResponse](a, req)
				ask[*kmsg.DescribeTransactionsResponse](a, describeTransactions(id))
			}
		}),
		must("txn.init.no-timeout-check", "Without a transactional id no timeout is checked.", txnInitSource, func(c *Conversation) {
			c.TransactionalID("warm")
			for _, ms := range []int32{0, -1, 1<<31 - 1} {
				req := initProducer(4)
				req.TransactionTimeoutMillis = ms
				ask[*kmsg.InitProducerIDResponse](c.Conn("a"), req)
			}
		}),
		must("txn.init.half", "A producer id without an epoch, or an epoch without one, is INVALID_REQUEST.", "KafkaApis.handleInitProducerIdRequest", func(c *Conversation) {
			a := c.Conn("a")
			p := c.Payer(a, "payer")
			for v := int16(3); v <= 5; v++ {
				req := initTxn(v, p.id)
				req.ProducerID = p.pid
				ask[*kmsg.InitProducerIDResponse](a, req)
				req.ProducerID, req.ProducerEpoch = -1, p.epoch
				ask[*kmsg.InitProducerIDResponse](a, req)
			}
			p.described()
		}),
		must("txn.init.order-of-checks", "The producer id and epoch are looked at first, then the transactional id, then the timeout, then whether the producer is fenced.", txnInitSource, func(c *Conversation) {
			a := c.Conn("a")
			p := c.Payer(a, "payer")
			req := initTxn(4, "")
			req.ProducerID, req.TransactionTimeoutMillis = p.pid, 0
			ask[*kmsg.InitProducerIDResponse](a, req)
			req = initTxn(4, "")
			req.TransactionTimeoutMillis = 0
			ask[*kmsg.InitProducerIDResponse](a, req)
			req = initTxn(4, p.id)
			req.ProducerID, req.ProducerEpoch, req.TransactionTimeoutMillis = p.pid, p.epoch+9, 0
			ask[*kmsg.InitProducerIDResponse](a, req)
		}),
		must("txn.init.v6", "InitProducerId v6 is not served: the connection is closed.", "KIP-939", func(c *Conversation) {
			a := c.Conn("a")
			req := initTxn(5, c.TransactionalID("payer"))
			correl := a.next()
			frame := kmsg.NewRequestFormatter(kmsg.FormatterClientID("a")).AppendRequest(nil, req, correl)
			frame[7] = 6
			body := frame[len(frame)-1]
			frame = append(frame[:len(frame)-1], 0, 0, body) // enable two phases, keep the prepared transaction
			frame[3] += 2
			a.SendRaw("InitProducerId v6", frame).AnswerAs(nil)
		}),
		must("txn.init.keeping", "A producer that names its producer id and epoch gets the next epoch.", "KIP-360", func(c *Conversation) {
			p := c.Payer(c.Conn("a"), "payer")
			for v := int16(3); v <= 5; v++ {
				req := initTxn(v, p.id)
				req.ProducerID, req.ProducerEpoch = p.pid, p.epoch
				p.take(req)
			}
		}),
		must("txn.init.keeping-repeated", "The same again, by a producer that has not seen the answer, is answered the same.", "KIP-360, TransactionMetadata.prepareIncrementProducerEpoch", func(c *Conversation) {
			p := c.Payer(c.Conn("a"), "payer")
			p.with(0).initKeeping()
			p.with(0).initKeeping()
			p.with(0).initKeeping()
			c.Note("the next epoch ends that")
			p.with(1).initKeeping()
			p.with(0).initKeeping()
			p.with(1).initKeeping()
		}),
		must("txn.init.keeping-fenced", "Any other epoch is PRODUCER_FENCED, before v4 INVALID_PRODUCER_EPOCH.", "KIP-360, KIP-588", func(c *Conversation) {
			p := c.Payer(c.Conn("a"), "payer")
			p.initNow()
			p.initNow()
			for _, v := range []int16{3, 4, 5} {
				for _, off := range []int16{-2, -1, 1, 2, 100} {
					req := initTxn(v, p.id)
					req.ProducerID, req.ProducerEpoch = p.pid, p.epoch+off
					ask[*kmsg.InitProducerIDResponse](p.a, req)
				}
			}
			p.initNow()
		}),
		must("txn.init.keeping-other-producer", "Another producer id than the transactional id's is PRODUCER_FENCED, whatever the epoch.", "KIP-360", func(c *Conversation) {
			p := c.Payer(c.Conn("a"), "payer")
			q := p.stranger()
			q.initKeeping()
			q.with(1).initKeeping()
			req := initTxn(3, p.id)
			req.ProducerID, req.ProducerEpoch = q.pid, 0
			ask[*kmsg.InitProducerIDResponse](p.a, req)
		}),
		must("txn.init.keeping-unknown", "For a transactional id that the coordinator does not know, producer id and epoch are not looked at: it gets a fresh producer id of epoch 0.", "KIP-360", func(c *Conversation) {
			p := c.Payer(c.Conn("a"), "payer")
			req := initTxn(4, c.TransactionalID("forgotten"))
			req.ProducerID, req.ProducerEpoch = p.pid, 17
			ask[*kmsg.InitProducerIDResponse](p.a, req)
		}),
		must("txn.init.keeping-after-plain", "An initialization that names nothing forgets the epoch before it: a producer of that epoch is fenced.", "TransactionMetadata.prepareIncrementProducerEpoch", func(c *Conversation) {
			p := c.Payer(c.Conn("a"), "payer")
			old := p.with(0)
			p.initNow()
			old.initKeeping()
			p.initKeeping()
			p.initKeeping()
		}),
		must("txn.init.keeping-after-end", "A producer that names its epoch after the old protocol's end of a transaction gets the next; after the new one's end the epoch before the end counts as the last.", "KIP-360, KIP-890", func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			p := c.Payer(a, "old-payer")
			p.add(t, 0)
			p.end(4, true)
			p.initKeeping()
			q := c.Payer(a, "new-payer")
			before := q.with(0)
			q.put(t, 0, 0, "v")
			q.end(5, true)
			before.initKeeping()
			q.initKeeping()
		}),
		must("txn.init.two-ids", "Two transactional ids do not share a producer id.", txnInitSource, func(c *Conversation) {
			a := c.Conn("a")
			c.Payer(a, "payer")
			c.Payer(a, "other-payer")
			newProducer(a)
		}),
		must("txn.init.described", "What was initialized is Empty, without partitions and without a start.", txnInitSource, func(c *Conversation) {
			p := c.Payer(c.Conn("a"), "payer")
			p.described()
			p.initNow()
			p.described()
		}),
		must("txn.init.after-end", "After a transaction an initialization takes the next epoch, and the state is Empty again.", txnInitSource, func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			for _, commit := range []bool{true, false} {
				for _, v := range []int16{4, 5} {
					p.put(t, 0, 0, "v")
					p.end(v, commit)
					p.described()
					p.initNow()
					p.described()
				}
			}
		}),
	}
}
