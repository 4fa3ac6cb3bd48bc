package conformance

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

const txnFetchSource = "UnifiedLog.read, FetchIsolation.TXN_COMMITTED"

// both reads a partition up to the last stable offset, and up to the high watermark.
func both(a *Conn, t Topic, partition int32, offset int64) {
	get(a, committedFetch(12, t, partition, offset))
	get(a, fetch(12, t, partition, offset))
}

func txnFetchRules() []Rule {
	return []Rule{
		must("txn.fetch.open", "What an open transaction wrote is read by none that reads committed records only: they end at the last stable offset.", txnFetchSource, func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			put(p.a, t, 0, batchOf("before"))
			p.put(t, 0, 0, "v", "w")
			put(p.a, t, 0, batchOf("after"))
			both(p.a, t, 0, 0)
			p.end(5, true)
			both(p.a, t, 0, 0)
		}),
		must("txn.fetch.every-version", "Every version of Fetch reads so.", txnFetchSource, func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "a")
			p.end(5, false)
			p.put(t, 0, 0, "b")
			for v := int16(4); v <= 18; v++ {
				get(p.a, committedFetch(v, t, 0, 0))
			}
			p.end(5, true)
			for v := int16(4); v <= 18; v++ {
				get(p.a, committedFetch(v, t, 0, 2))
			}
		}),
		must("txn.fetch.aborted", "Aborted records are sent all the same, with the transactions that were aborted.", "KIP-98", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "a", "b")
			p.put(t, 0, 2, "c")
			p.end(5, false)
			both(p.a, t, 0, 0)
		}),
		must("txn.fetch.aborted-several", "Each aborted transaction that what is sent overlaps is named, in the order of their ends.", "TransactionIndex.collectAbortedTxns", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p, q := c.Payer(c.Conn("a"), "payer"), c.Payer(c.Conn("b"), "other-payer")
			p.put(t, 0, 0, "p0")
			q.put(t, 0, 0, "q0")
			q.end(5, false)
			q.put(t, 0, 0, "q1")
			p.end(5, false)
			q.end(5, false)
			p.put(t, 0, 0, "p1")
			p.end(5, true)
			p.put(t, 0, 0, "p2")
			p.end(5, false)
			for offset := range int64(11) {
				get(p.a, committedFetch(12, t, 0, offset))
			}
		}),
		must("txn.fetch.aborted-limited", "A small limit does not shorten the list of aborted transactions: it goes on to the next entry of the offset index, or to the end.", "UnifiedLog.addAbortedTransactions", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			for range 3 {
				p.put(t, 0, 0, "v")
				p.end(5, false)
			}
			for offset := range int64(6) {
				req := committedFetch(12, t, 0, offset)
				req.Topics[0].Partitions[0].PartitionMaxBytes = 1
				get(p.a, req)
			}
		}),
		must("txn.fetch.interleaved", "The last stable offset is that of the earliest open transaction.", "ProducerStateManager.firstUnstableOffset", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p, q := c.Payer(c.Conn("a"), "payer"), c.Payer(c.Conn("b"), "other-payer")
			p.put(t, 0, 0, "p0")
			q.put(t, 0, 0, "q0")
			p.put(t, 0, 1, "p1")
			q.end(5, true)
			get(p.a, committedFetch(12, t, 0, 0))
			q.put(t, 0, 0, "q1")
			p.end(5, false)
			get(p.a, committedFetch(12, t, 0, 0))
			q.end(5, false)
			get(p.a, committedFetch(12, t, 0, 0))
		}),
		must("txn.fetch.three-interleaved", "So it is with three, whatever the order in which they end.", "ProducerStateManager.lastStableOffset", func(c *Conversation) {
			t := c.Topic("orders", 1)
			var all []*payer
			for i := range int32(3) {
				p := c.Payer(c.Conn("a"), "payer-"+decimal(i))
				p.put(t, 0, 0, decimal(i))
				all = append(all, p)
			}
			for n, i := range []int{1, 2, 0} {
				all[i].end(5, n != 1)
				get(all[0].a, committedFetch(12, t, 0, 0))
			}
		}),
		must("txn.fetch.at-the-end", "From the last stable offset on nothing is read; beyond it, up to the high watermark, nothing as well, and beyond that is OFFSET_OUT_OF_RANGE.", txnFetchSource, func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			put(p.a, t, 0, batchOf("a"))
			p.put(t, 0, 0, "b", "c")
			for offset := range int64(5) {
				get(p.a, committedFetch(12, t, 0, offset))
			}
		}),
		must("txn.fetch.other-partition", "Another partition of the topic does not wait for a transaction.", txnFetchSource, func(c *Conversation) {
			t := c.Topic("orders", 2)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "v")
			put(p.a, t, 1, batchOf("w"))
			get(p.a, committedFetch(12, t, 0, 0))
			get(p.a, committedFetch(12, t, 1, 0))
		}),
		must("txn.fetch.added-not-written", "A partition that was added and not written to is stable.", txnFetchSource, func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.add(t, 0)
			put(p.a, t, 0, batchOf("w"))
			get(p.a, committedFetch(12, t, 0, 0))
			p.end(4, false)
			get(p.a, committedFetch(12, t, 0, 0))
		}),
		must("txn.fetch.many-partitions", "A transaction over several partitions is one of each of them.", "KIP-98", func(c *Conversation) {
			t, u := c.Topic("orders", 2), c.Topic("bills", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "v")
			p.put(t, 1, 0, "w")
			p.put(u, 0, 0, "x")
			req := committedFetch(12, t, 0, 0)
			req.Topics[0].Partitions = append(req.Topics[0].Partitions, fetchPartition(1, 0))
			req.Topics = append(req.Topics, fetchTopic(u, 0, 0))
			get(p.a, req)
			p.end(5, false)
			get(p.a, req)
		}),
		must("txn.fetch.odd-isolation", "An isolation level that does not exist is an error that the broker did not foresee.", "IsolationLevel.forId", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "v")
			for _, level := range []int8{2, -1} {
				req := committedFetch(12, t, 0, 0)
				req.IsolationLevel = level
				p.a.Send(req).Answer()
			}
		}),
		must("txn.fetch.waits", "A fetch of committed records waits for the end of the transaction.", "DelayedFetch", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "v")
			req := committedFetch(12, t, 0, 0)
			req.MinBytes, req.MaxWaitMillis = 1, 15_000
			waiting := c.Conn("b").Send(req)
			p.end(5, true)
			answer[*kmsg.FetchResponse](waiting)
		}),
		must("txn.fetch.session", "In a session a partition is sent again when its last stable offset has moved.", "KIP-227", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "v")
			open := opening(12, t, 0)
			open.IsolationLevel = 1
			id := get(p.a, open).SessionID
			again := func(epoch int32, parts ...kmsg.FetchRequestTopicPartition) {
				req := next(12, id, epoch, t, parts...)
				req.IsolationLevel = 1
				get(p.a, req)
			}
			again(1)
			p.put(t, 0, 1, "w")
			again(2)
			p.end(5, true)
			again(3)
			again(4, fetchPartition(0, 3))
		}),
		must("txn.fetch.compressed", "A compressed batch can be of a transaction, and its marker is not compressed.", "KIP-98", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			b := newBatch()
			b.ProducerID, b.ProducerEpoch, b.FirstSequence, b.Attributes = p.pid, p.epoch, 0, transactional
			req := p.write(12, t, 0, 0, "")
			req.Topics[0].Partitions[0].Records = seal(b, codecZstd, values("a", "b")...)
			ask[*kmsg.ProduceResponse](p.a, req)
			p.end(5, true)
			get(p.a, committedFetch(12, t, 0, 0))
		}),
	}
}

func txnListOffsetsRules() []Rule {
	listed := func(c *Conversation, req *kmsg.ListOffsetsRequest) {
		ask[*kmsg.ListOffsetsResponse](c.Conn("a"), req)
	}
	return []Rule{
		must("txn.listoffsets.latest", "The latest offset of committed records is the last stable one, in every version.", "Partition.fetchOffsetForTimestamp", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			put(p.a, t, 0, batchOf("a"))
			p.put(t, 0, 0, "b", "c")
			for v := int16(2); v <= 11; v++ {
				listed(c, committedList(v, t.Name, 0, -1))
				listed(c, listOffsets(v, t.Name, 0, -1))
			}
			p.end(5, false)
			listed(c, committedList(7, t.Name, 0, -1))
		}),
		must("txn.listoffsets.earliest", "The earliest offset does not depend on transactions.", "Partition.fetchOffsetForTimestamp", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "a")
			for _, timestamp := range []int64{-2, -4, -5} {
				listed(c, committedList(11, t.Name, 0, timestamp))
				listed(c, listOffsets(11, t.Name, 0, timestamp))
			}
		}),
		must("txn.listoffsets.timestamp", "A timestamp whose record lies at or beyond the last stable offset has no offset.", "Partition.fetchOffsetForTimestamp", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			put(p.a, t, 0, batchOf("a"))
			timed := func(timestamp int64, sequence int32, v string) {
				b := newBatch()
				b.FirstTimestamp = timestamp
				b.ProducerID, b.ProducerEpoch, b.FirstSequence, b.Attributes = p.pid, p.epoch, sequence, transactional
				req := p.write(12, t, 0, 0, "")
				req.Topics[0].Partitions[0].Records = seal(b, codecNone, values(v)...)
				ask[*kmsg.ProduceResponse](p.a, req)
			}
			timed(baseTime+10, 0, "b")
			timed(baseTime+20, 1, "c")
			for range 2 {
				for _, timestamp := range []int64{baseTime, baseTime + 1, baseTime + 10, baseTime + 15, baseTime + 20, baseTime + 21} {
					listed(c, committedList(7, t.Name, 0, timestamp))
					listed(c, listOffsets(7, t.Name, 0, timestamp))
				}
				p.end(5, true)
			}
		}),
		must("txn.listoffsets.max-timestamp", "The offset of the largest timestamp, too.", "KIP-734", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			put(p.a, t, 0, batchOf("a"))
			p.put(t, 0, 0, "b")
			listed(c, committedList(7, t.Name, 0, -3))
			listed(c, listOffsets(7, t.Name, 0, -3))
		}),
		must("txn.listoffsets.marker", "A marker is found by its time as records are.", "Partition.fetchOffsetForTimestamp", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.add(t, 0)
			p.end(4, true)
			listed(c, listOffsets(7, t.Name, 0, -1))
			listed(c, listOffsets(7, t.Name, 0, -3))
			listed(c, listOffsets(7, t.Name, 0, baseTime))
			listed(c, committedList(7, t.Name, 0, baseTime))
		}),
		must("txn.listoffsets.odd-isolation", "An isolation level that does not exist is an error that the broker did not foresee.", "IsolationLevel.forId", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "v")
			for _, level := range []int8{2, -1} {
				req := listOffsets(7, t.Name, 0, -1)
				req.IsolationLevel = level
				p.a.Send(req).Answer()
			}
		}),
	}
}
