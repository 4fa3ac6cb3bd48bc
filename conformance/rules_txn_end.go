package conformance

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

const txnEndSource = "TransactionCoordinator.endTransaction"

func endNow(a *Conn, req *kmsg.EndTxnRequest) *kmsg.EndTxnResponse {
	return ask[*kmsg.EndTxnResponse](a, req)
}

// verdicts are both ways to end a transaction.
var verdicts = []bool{true, false}

func txnEndRules() []Rule {
	return []Rule{
		must("txn.end.every-version", "Every version of EndTxn commits and aborts; v5 gives the epoch to go on with, which is the next.", txnEndSource, func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			for v := range int16(6) {
				for _, commit := range verdicts {
					p.add(t, 0)
					p.end(v, commit)
					p.described()
				}
			}
		}),
		must("txn.end.nothing-begun", "Before v5 a transaction that was never begun cannot be ended: INVALID_TXN_STATE. In v5 it can be aborted, not committed.", txnEndSource, func(c *Conversation) {
			p := c.Payer(c.Conn("a"), "payer")
			for v := range int16(6) {
				for _, commit := range verdicts {
					p.end(v, commit)
				}
			}
			p.described()
		}),
		must("txn.end.nothing-written", "A transaction in which nothing was written ends as any other.", txnEndSource, func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			for _, v := range []int16{4, 5} {
				for _, commit := range verdicts {
					p.add(t, 0)
					p.end(v, commit)
				}
			}
			get(p.a, fetch(12, t, 0, 0))
		}),
		must("txn.end.again", "Before v5 the same end again is no error, and the other one is INVALID_TXN_STATE.", txnEndSource, func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			for _, commit := range verdicts {
				p.add(t, 0)
				p.end(4, commit)
				for v := range int16(5) {
					p.end(v, commit)
					p.end(v, !commit)
				}
			}
			get(p.a, fetch(12, t, 0, 0))
		}),
		must("txn.end.again-with-old-epoch", "In v5 the same end again, with the epoch before it, is answered the same; the other one is INVALID_TXN_STATE.", "KIP-890", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			for _, commit := range verdicts {
				old := p.with(0)
				p.put(t, 0, 0, "v")
				p.end(5, commit)
				old.with(0).end(5, commit)
				old.with(0).end(5, !commit)
				p.described()
			}
			get(p.a, fetch(12, t, 0, 0))
		}),
		must("txn.end.again-with-new-epoch", "With the epoch that the end gave there is nothing to commit, INVALID_TXN_STATE, and an abort is one of an empty transaction.", "KIP-890", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			for _, commit := range verdicts {
				p.put(t, 0, 0, "v")
				p.end(5, commit)
				p.end(5, true)
				p.end(5, false)
				p.end(5, false)
				p.described()
			}
			get(p.a, fetch(12, t, 0, 0))
		}),
		must("txn.end.old-after-new", "After an end in v5 the epoch before it is fenced in older versions, and the new epoch repeats the end.", "KIP-890", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			old := p.with(0)
			p.put(t, 0, 0, "v")
			p.end(5, true)
			for v := range int16(5) {
				for _, commit := range verdicts {
					old.end(v, commit)
					p.end(v, commit)
				}
			}
		}),
		must("txn.end.new-after-old", "After an end in v4, v5 finds no commit to make, and its abort is one of an empty transaction.", "KIP-890", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			for _, commit := range verdicts {
				p.add(t, 0)
				p.end(4, commit)
				p.end(5, true)
				p.end(5, false)
				p.described()
			}
		}),
		must("txn.end.no-id", "The empty transactional id is INVALID_REQUEST.", txnEndSource, func(c *Conversation) {
			p := c.Payer(c.Conn("a"), "payer")
			p.id = ""
			for v := range int16(6) {
				endNow(p.a, p.endTxn(v, true))
			}
		}),
		must("txn.end.unknown-id", "A transactional id that was never initialized is INVALID_PRODUCER_ID_MAPPING.", txnEndSource, func(c *Conversation) {
			p := c.Payer(c.Conn("a"), "payer")
			p.id = c.TransactionalID("forgotten")
			for v := range int16(6) {
				endNow(p.a, p.endTxn(v, true))
			}
		}),
		must("txn.end.fenced", "Another producer id is INVALID_PRODUCER_ID_MAPPING, another epoch PRODUCER_FENCED, before v2 INVALID_PRODUCER_EPOCH; the transaction stays open.", "KIP-588", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.initNow()
			p.add(t, 0)
			q := p.stranger()
			for v := range int16(6) {
				for _, commit := range verdicts {
					endNow(p.a, q.endTxn(v, commit))
					endNow(p.a, p.with(1).endTxn(v, commit))
					endNow(p.a, p.with(-1).endTxn(v, commit))
				}
			}
			p.described()
		}),
		must("txn.end.fenced-empty", "So it is when no transaction is open: an epoch is looked at before the state.", txnEndSource, func(c *Conversation) {
			p := c.Payer(c.Conn("a"), "payer")
			p.initNow()
			q := p.stranger()
			for _, v := range []int16{0, 4, 5} {
				for _, commit := range verdicts {
					endNow(p.a, q.endTxn(v, commit))
					endNow(p.a, p.with(1).endTxn(v, commit))
					endNow(p.a, p.with(-1).endTxn(v, commit))
				}
			}
			p.described()
		}),
		must("txn.end.fenced-ended", "After an end in v5 only the epoch before it and the one that it gave are known.", "KIP-890", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.initNow()
			p.put(t, 0, 0, "v")
			p.end(5, true)
			q := p.stranger()
			for _, commit := range verdicts {
				for _, off := range []int16{-2, 1, 2} {
					endNow(p.a, p.with(off).endTxn(5, commit))
				}
				endNow(p.a, q.endTxn(5, commit))
			}
			p.described()
		}),
		must("txn.end.epochs", "In v5 every end takes one epoch, and each transaction writes from sequence 0.", "KIP-890", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			for i := range 4 {
				p.put(t, 0, 0, "v")
				p.put(t, 0, 1, "w")
				p.end(5, i%2 == 0)
			}
			get(p.a, fetch(12, t, 0, 0))
		}),
		must("txn.end.same-epoch", "Before v5 an end leaves the epoch, and sequences go on.", "KIP-98", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			for i := range int32(4) {
				p.add(t, 0)
				p.oldPut(t, 0, 2*i, "v")
				p.oldPut(t, 0, 2*i+1, "w")
				p.end(4, i%2 == 0)
			}
			get(p.a, fetch(12, t, 0, 0))
		}),
		must("txn.end.begun-new-ended-old", "A transaction that Produce v12 began can be ended in v4, which leaves the epoch.", "KIP-890", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "v")
			p.end(4, true)
			p.put(t, 0, 1, "w")
			p.end(4, false)
			p.described()
			get(p.a, fetch(12, t, 0, 0))
		}),
		must("txn.end.begun-old-ended-new", "A transaction that AddPartitionsToTxn began can be ended in v5, which takes an epoch.", "KIP-890", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.add(t, 0)
			p.oldPut(t, 0, 0, "v")
			p.end(5, true)
			p.add(t, 0)
			p.oldPut(t, 0, 0, "w")
			p.end(5, false)
			p.described()
			get(p.a, fetch(12, t, 0, 0))
		}),
		must("txn.end.all-partitions", "The end is written to every partition that was added, also where nothing was written.", "TransactionMarkerChannelManager", func(c *Conversation) {
			t := c.Topic("orders", 3)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 2, 0, "v")
			p.add(t, 0)
			p.end(5, true)
			for part := range int32(3) {
				get(p.a, fetch(12, t, part, 0))
			}
		}),
		must("txn.end.deleted-topic", "A transaction whose topic was deleted can be ended.", "TransactionMarkerChannelManager.addTxnMarkersToBrokerQueue", func(c *Conversation) {
			t, u := c.Topic("orders", 1), c.Topic("bills", 1)
			for _, v := range []int16{4, 5} {
				p := c.Payer(c.Conn("a"), "payer-"+decimal(v))
				gone := c.Topic("gone-"+decimal(v), 1)
				p.add(t, 0)
				p.add(u, 0)
				p.add(gone, 0)
				ask[*kmsg.DeleteTopicsResponse](p.a, deleteTopics(5, gone.Name))
				until(c, metadata(9, gone.Name), func(resp *kmsg.MetadataResponse) bool { return resp.Topics[0].ErrorCode == 3 })
				p.described()
				p.end(v, true)
				p.described()
			}
		}),
		must("txn.end.described", "The description of a transaction follows it from end to end; what it began with stays when it is complete.", "TransactionMetadata.prepareComplete", func(c *Conversation) {
			t := c.Topic("orders", 2)
			p := c.Payer(c.Conn("a"), "payer")
			p.described()
			p.put(t, 0, 0, "v")
			p.described()
			p.put(t, 1, 0, "v")
			p.described()
			p.end(5, true)
			p.described()
			p.put(t, 1, 0, "v")
			p.described()
			p.end(5, false)
			p.described()
			p.initNow()
			p.described()
		}),
		must("txn.end.two-payers", "The end of one transaction says nothing about another's.", txnEndSource, func(c *Conversation) {
			t := c.Topic("orders", 1)
			p, q := c.Payer(c.Conn("a"), "payer"), c.Payer(c.Conn("b"), "other-payer")
			p.put(t, 0, 0, "p")
			q.put(t, 0, 0, "q")
			p.end(5, true)
			q.described()
			q.put(t, 0, 1, "q")
			q.end(5, false)
			get(p.a, committedFetch(12, t, 0, 0))
		}),
		must("txn.end.empty-abort-epochs", "An abort of nothing in v5 takes an epoch each time, and writes no marker.", "KIP-890", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			for range 3 {
				p.end(5, false)
				p.described()
			}
			p.put(t, 0, 0, "v")
			p.end(5, true)
			get(p.a, fetch(12, t, 0, 0))
		}),
	}
}
