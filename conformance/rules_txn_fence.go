package conformance

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

const txnFenceSource = "TransactionCoordinator.prepareInitProducerIdTransit"

// fenced initializes the transactional id of a producer with an open transaction, and
// once more when that is aborted, for a new incarnation on connection b.
func fenced(p *payer) *payer {
	q := p.with(0)
	q.a = p.c.Conn("b")
	q.initNow()
	p.c.AwaitTransaction(p.id)
	q.initNow()
	return q
}

func txnFenceRules() []Rule {
	return []Rule{
		must("txn.fence.open", "An initialization while a transaction is open is CONCURRENT_TRANSACTIONS and aborts it; the next one gives an epoch that is two higher.", txnFenceSource, func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "v")
			q := p.with(0)
			q.a = c.Conn("b")
			q.initNow()
			c.AwaitTransaction(p.id)
			p.described()
			q.initNow()
			p.described()
			get(p.a, committedFetch(12, t, 0, 0))
		}),
		must("txn.fence.every-version", "That holds in every version, and for a transaction of the old protocol too.", txnFenceSource, func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			for v := range int16(6) {
				p.add(t, 0)
				ask[*kmsg.InitProducerIDResponse](p.a, initTxn(v, p.id))
				c.AwaitTransaction(p.id)
				p.take(initTxn(v, p.id))
			}
		}),
		must("txn.fence.keeping", "A producer that names its producer id aborts its open transaction as well, whatever epoch it names.", txnFenceSource, func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			for _, off := range []int16{0, 1, 50, -1} {
				p.put(t, 0, 0, "v")
				p.with(off).initKeeping()
				c.AwaitTransaction(p.id)
				p.described()
				p.initNow()
			}
		}),
		must("txn.fence.keeping-twice", "After that, the epoch that was named is the last one, and gives the epoch of the abort.", "TransactionMetadata.prepareIncrementProducerEpoch", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "v")
			p.initKeeping()
			c.AwaitTransaction(p.id)
			p.initKeeping()
			p.described()
			p.initKeeping()
		}),
		must("txn.fence.other-producer", "A wrong producer id is PRODUCER_FENCED and leaves the open transaction as it is.", txnFenceSource, func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "v")
			p.stranger().initKeeping()
			p.described()
			p.end(5, true)
		}),
		must("txn.fence.requests", "The producer that was fenced is told so by every request: PRODUCER_FENCED, in old versions and from partitions INVALID_PRODUCER_EPOCH.", "KIP-588", func(c *Conversation) {
			t, g, a := c.Topic("orders", 2), c.Group("readers"), c.Conn("a")
			p := c.Payer(a, "payer")
			p.put(t, 0, 0, "v")
			fenced(p)
			for _, v := range []int16{0, 1, 2, 3, 4, 5} {
				ask[*kmsg.AddPartitionsToTxnResponse](a, p.addPartitions(v, t, 1))
			}
			for v := range int16(5) {
				ask[*kmsg.AddOffsetsToTxnResponse](a, p.addOffsets(v, g))
			}
			for v := range int16(7) {
				ask[*kmsg.TxnOffsetCommitResponse](a, p.commitOffset(v, g, t, 0, 5))
			}
			for v := range int16(6) {
				ask[*kmsg.EndTxnResponse](a, p.endTxn(v, true))
			}
			p.put(t, 0, 1, "v")
			p.put(t, 1, 0, "v")
			p.oldPut(t, 0, 1, "v")
			p.initKeeping()
		}),
		must("txn.fence.next", "The producer that came after writes from sequence 0 and commits.", txnFenceSource, func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "old")
			q := fenced(p)
			q.put(t, 0, 0, "new")
			p.put(t, 0, 1, "late")
			q.end(5, true)
			get(p.a, committedFetch(12, t, 0, 0))
			get(p.a, fetch(12, t, 0, 0))
		}),
		must("txn.fence.marker-epoch", "The marker of a transaction that was fenced has the epoch in between.", "KIP-890", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.add(t, 0)
			p.oldPut(t, 0, 0, "v")
			fenced(p)
			get(p.a, fetch(12, t, 0, 0))
			p.a.Send(describeProducers(t.Name, 0)).Answer()
		}),
		must("txn.fence.offsets", "Offsets that a fenced transaction committed are dropped.", txnFenceSource, func(c *Conversation) {
			t, g := c.Topic("orders", 1), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			p.offset(g, t, 0, 5)
			committedNow(p.a, stable(9, g, t, 0))
			fenced(p)
			committedNow(p.a, stable(9, g, t, 0))
		}),
		must("txn.fence.without-transaction", "Without an open transaction a second producer fences the first at once.", txnFenceSource, func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			q := p.with(0)
			q.a = c.Conn("b")
			q.initNow()
			p.put(t, 0, 0, "v")
			p.add(t, 0)
			p.end(5, true)
			q.put(t, 0, 0, "v")
			q.end(5, true)
		}),
		must("txn.fence.zombie-partition", "Every partition refuses the old epoch: those that know the new one, and the others by asking the coordinator.", "KIP-890", func(c *Conversation) {
			t := c.Topic("orders", 3)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "v")
			q := fenced(p)
			q.put(t, 1, 0, "v")
			for part := range int32(3) {
				p.put(t, part, 5, "late")
				p.oldPut(t, part, 5, "late")
			}
			q.end(5, false)
		}),
	}
}
