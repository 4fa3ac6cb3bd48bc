package conformance

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// txnTimedRules are about transactions, transactional ids and producers that time ends.
func txnTimedRules() []Rule {
	timed := func(profile, id, says, source string, run func(c *Conversation)) Rule {
		return Rule{ID: id, Says: says, Source: source, Severity: Timing, Timed: true, Profile: profile, Run: run}
	}
	needs := func(profile, id, says, source string, run func(c *Conversation)) Rule {
		r := must(id, says, source, run)
		r.Profile = profile
		return r
	}
	return []Rule{
		timed("fast-aborts", "txn.timeout.abort", "A transaction that is open longer than its timeout is aborted, and its producer's epoch grows by one.", "TransactionCoordinator.abortTimedOutTransactions", func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			p := hasty(c, a, "payer")
			p.put(t, 0, 0, "v")
			p.described()
			get(a, committedFetch(12, t, 0, 0))
			c.Wait(2 * time.Second)
			c.AwaitTransactionState(p.id, "CompleteAbort")
			p.described()
			get(a, committedFetch(12, t, 0, 0))
		}),
		timed("fast-aborts", "txn.timeout.fenced", "Its producer is fenced by that, and goes on with a new epoch.", "TransactionCoordinator.abortTimedOutTransactions", func(c *Conversation) {
			t, g, a := c.Topic("orders", 2), c.Group("readers"), c.Conn("a")
			p := hasty(c, a, "payer")
			p.put(t, 0, 0, "v")
			c.Wait(2 * time.Second)
			c.AwaitTransactionState(p.id, "CompleteAbort")
			p.put(t, 0, 1, "w")
			p.put(t, 1, 0, "w")
			p.add(t, 0)
			offsetsNow(a, p.addOffsets(3, g))
			for _, v := range []int16{1, 4} {
				for _, commit := range verdicts {
					endNow(a, p.endTxn(v, commit))
				}
			}
			p.described()
			p.initNow()
			p.put(t, 0, 0, "x")
			p.end(5, true)
			get(a, committedFetch(12, t, 0, 0))
		}),
		timed("fast-aborts", "txn.timeout.end-again", "In v5 the end of a transaction that time has aborted is taken for one that is repeated: the abort is answered with the new epoch, the commit is INVALID_TXN_STATE.", "TransactionCoordinator.endTransaction", func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			p := hasty(c, a, "payer")
			p.put(t, 0, 0, "v")
			c.Wait(2 * time.Second)
			c.AwaitTransactionState(p.id, "CompleteAbort")
			endNow(a, p.endTxn(5, true))
			endNow(a, p.endTxn(5, false))
			p.described()
		}),
		timed("fast-aborts", "txn.timeout.old", "A transaction of the old protocol is aborted in the same way.", "TransactionCoordinator.abortTimedOutTransactions", func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			p := hasty(c, a, "payer")
			l := c.TransactionLog(p.id)
			p.add(t, 0)
			p.oldPut(t, 0, 0, "v")
			c.Wait(2 * time.Second)
			c.AwaitTransactionState(p.id, "CompleteAbort")
			l.Show()
			p.initKeeping()
			get(a, committedFetch(12, t, 0, 0))
		}),
		timed("fast-aborts", "txn.timeout.offsets", "Offsets that were pending are dropped.", "TransactionCoordinator.abortTimedOutTransactions", func(c *Conversation) {
			t, g, a := c.Topic("orders", 1), c.Group("readers"), c.Conn("a")
			p := hasty(c, a, "payer")
			p.offset(g, t, 0, 5)
			committedNow(a, stable(9, g, t, 0))
			c.Wait(2 * time.Second)
			c.AwaitTransactionState(p.id, "CompleteAbort")
			committedNow(a, stable(9, g, t, 0))
		}),
		timed("fast-aborts", "txn.timeout.not-open", "Without an open transaction no timeout runs.", "TransactionStateManager.timedOutTransactions", func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			p, q := hasty(c, a, "payer"), hasty(c, a, "other-payer")
			q.put(t, 0, 0, "v")
			q.end(5, true)
			c.Wait(2 * time.Second)
			p.described()
			q.described()
			p.put(t, 0, 0, "v")
			q.put(t, 0, 0, "v")
		}),
		timed("fast-aborts", "txn.timeout.begins-with-the-first", "Writing does not prolong a transaction: its timeout begins with the first partition.", "TransactionStateManager.timedOutTransactions", func(c *Conversation) {
			t, a := c.Topic("orders", 2), c.Conn("a")
			p := hasty(c, a, "payer")
			p.put(t, 0, 0, "v")
			c.Wait(700 * time.Millisecond)
			p.put(t, 1, 0, "w")
			c.Wait(time.Second)
			c.AwaitTransactionState(p.id, "CompleteAbort")
			p.put(t, 1, 1, "x")
		}),
		needs("short-transactions", "txn.timeout.longest", "No timeout is longer than transaction.max.timeout.ms.", "TransactionStateManager.validateTransactionTimeoutMs", func(c *Conversation) {
			a, id := c.Conn("a"), c.TransactionalID("payer")
			for _, ms := range []int32{30_000, 30_001, 60_000, 1} {
				req := initTxn(4, id)
				req.TransactionTimeoutMillis = ms
				ask[*kmsg.InitProducerIDResponse](a, req)
			}
		}),
		timed("brief-ids", "txn.expiry.id", "A transactional id that is not used for transactional.id.expiration.ms is forgotten, and a tombstone is written.", "TransactionStateManager.removeExpiredTransactionalIds", func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			p, q := c.Payer(a, "payer"), c.Payer(a, "other-payer")
			q.put(t, 0, 0, "v")
			q.end(5, true)
			l := c.TransactionLog(q.id)
			c.Wait(6 * time.Second)
			ask[*kmsg.DescribeTransactionsResponse](a, describeTransactions(p.id, q.id))
			listedTransactions(a, listTransactions(2))
			l.Show()
			p.add(t, 0)
			p.put(t, 0, 0, "v")
			endNow(a, p.endTxn(4, true))
			endNow(a, q.endTxn(5, false))
			q.initKeeping()
			p.initNow()
		}),
		timed("brief-ids", "txn.expiry.open", "While a transaction is open its id is not forgotten.", "TransactionState.isExpirationAllowed", func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			p := c.Payer(a, "payer")
			p.put(t, 0, 0, "v")
			c.Wait(6 * time.Second)
			p.described()
			p.end(5, true)
			p.described()
		}),
		timed("brief-producers", "txn.expiry.producer", "A partition forgets a producer that has not written for producer.id.expiration.ms, but not one with an open transaction.", "ProducerStateManager.isProducerExpired", func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			p, q, pid := c.Payer(a, "payer"), c.Payer(a, "other-payer"), newProducer(a)
			put(a, t, 0, idempotent(pid, 0, 0, "a"))
			p.put(t, 0, 0, "v")
			q.put(t, 0, 0, "w")
			q.end(4, true)
			a.Send(describeProducers(t.Name, 0)).Answer()
			c.Wait(6 * time.Second)
			a.Send(describeProducers(t.Name, 0)).Answer()
			c.Note("what is forgotten may begin with any sequence")
			put(a, t, 0, idempotent(pid, 0, 7, "b"))
			put(a, t, 0, idempotent(pid, 0, 8, "c"))
			p.put(t, 0, 1, "w")
			p.end(5, true)
		}),
		needs("no-verification", "txn.verification.off", "Without transaction.partition.verification.enable versions before v12 write to partitions that were not added; v12 adds those that have nothing of the transaction yet.", "ReplicaManager.maybeSendPartitionsToTransactionCoordinator", func(c *Conversation) {
			t, g, a := c.Topic("orders", 2), c.Group("readers"), c.Conn("a")
			p := c.Payer(a, "payer")
			p.oldPut(t, 0, 0, "v")
			produceNow(a, p.write(7, t, 0, 1, "v"))
			txnCommitNow(a, p.commitOffset(3, g, t, 0, 5))
			p.described()
			p.put(t, 1, 0, "w")
			p.put(t, 0, 2, "x")
			p.described()
		}),
	}
}

// hasty is a producer whose transactions may take a second.
func hasty(c *Conversation, a *Conn, label string) *payer {
	p := &payer{c: c, a: a, id: c.TransactionalID(label)}
	req := initTxn(4, p.id)
	req.TransactionTimeoutMillis = 1_000
	p.take(req)
	return p
}
