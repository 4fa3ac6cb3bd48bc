package conformance

const cleanedTxnSource = "org.apache.kafka.storage.internals.log.CleanedTransactionMetadata"

// compactionTxnRules are about the batches of producers in a log that is cleaned.
func compactionTxnRules() []Rule {
	return []Rule{
		compaction("idempotent", "The last batch of a producer stays without its records: it still goes on with its sequence, and what it repeats is known.", "Cleaner.cleanInto", func(c *Conversation) {
			t, a := compacted(c, "segment.ms", soonSegments), c.Conn("a")
			id := newProducer(a)
			put(a, t, 0, sequenced(id, 0, soon(0), "a=1", "b=1"))
			again := sequenced(id, 2, soon(0), "a=2", "b=2")
			put(a, t, 0, again)
			lay(c, t, soon(0), "a=3", "b=3")
			lay(c, t, soon(1), "z=1")
			clean(c, t)
			segmentEnds(c, t)
			put(a, t, 0, again)
			put(a, t, 0, sequenced(id, 5, soon(1), "c=1"))
			put(a, t, 0, sequenced(id, 4, soon(1), "c=1"))
			lay(c, t, soon(2), "y=1")
			clean(c, t)
			segmentEnds(c, t)
		}),
		compaction("sequences", "A batch of a producer that has lost records keeps its sequence.", "MemoryRecords.buildRetainedRecordsInto", func(c *Conversation) {
			t, a := compacted(c, "segment.ms", soonSegments), c.Conn("a")
			id := newProducer(a)
			put(a, t, 0, sequenced(id, 0, soon(0), "a=1", "b=1", "c=1", "d=1"))
			put(a, t, 0, sequenced(id, 4, soon(0), "b=2", "d=2"))
			lay(c, t, soon(1), "z=1")
			clean(c, t)
			segmentEnds(c, t)
		}),
		compaction("aborted", "Records of an aborted transaction go, but for the empty last batch of the producer; the marker stays, and tells of it.", cleanedTxnSource, func(c *Conversation) {
			t := compacted(c, "segment.ms", soonSegments)
			p := c.Payer(c.Conn("a"), "payer")
			lay(c, t, soon(0), "a=0")
			p.pay(t, 0, soon(0), "a=1", "b=1")
			p.pay(t, 2, soon(0), "c=1")
			p.end(3, false)
			lay(c, t, soon(1), "z=1")
			clean(c, t)
			both(p.a, t, 0, 0)
			segmentEnds(c, t)
		}),
		compaction("aborted-bumped", "When the producer has a new epoch none of its batches is needed, and the marker is.", cleanedTxnSource, func(c *Conversation) {
			t := compacted(c, "segment.ms", soonSegments)
			p := c.Payer(c.Conn("a"), "payer")
			p.pay(t, 0, soon(0), "a=1", "b=1")
			p.end(5, false)
			lay(c, t, soon(1), "z=1")
			clean(c, t)
			both(p.a, t, 0, 0)
			lay(c, t, soon(2), "y=1")
			clean(c, t)
			both(p.a, t, 0, 0)
			segmentEnds(c, t)
		}),
		compaction("aborted-key", "What a transaction wrote that was aborted does not count for a key.", "Cleaner.buildOffsetMapForSegment", func(c *Conversation) {
			t := compacted(c, "segment.ms", soonSegments)
			p := c.Payer(c.Conn("a"), "payer")
			lay(c, t, soon(0), "a=1", "b=1")
			p.pay(t, 0, soon(0), "a=2")
			p.end(5, false)
			p.pay(t, 0, soon(0), "b")
			p.end(5, true)
			lay(c, t, soon(1), "z=1")
			clean(c, t)
			both(p.a, t, 0, 0)
			segmentEnds(c, t)
		}),
		compaction("committed", "Records of committed transactions are compacted like others, and the marker stays as long as one is there.", cleanedTxnSource, func(c *Conversation) {
			t := compacted(c, "segment.ms", soonSegments)
			p := c.Payer(c.Conn("a"), "payer")
			p.pay(t, 0, soon(0), "a=1", "b=1")
			p.end(5, true)
			p.pay(t, 0, soon(0), "a=2")
			p.end(5, true)
			lay(c, t, soon(1), "z=1")
			clean(c, t)
			both(p.a, t, 0, 0)
			lay(c, t, soon(2), "y=1")
			clean(c, t)
			segmentEnds(c, t)
		}),
		compaction("markers", "The marker of a transaction of which a cleaning finds no batch gets a delete horizon.", cleanedTxnSource, func(c *Conversation) {
			t := compacted(c, "segment.ms", soonSegments)
			p := c.Payer(c.Conn("a"), "payer")
			for _, commit := range verdicts {
				p.pay(t, 0, soon(0), "a=1")
				p.end(5, commit)
			}
			lay(c, t, soon(0), "a=2")
			lay(c, t, soon(1), "z=1")
			clean(c, t)
			segmentEnds(c, t)
			lay(c, t, soon(2), "y=1")
			clean(c, t)
			segmentEnds(c, t)
		}),
		compaction("markers-expire", "Behind its horizon the marker goes, but for the last one of a producer without a batch in its epoch, which becomes an empty batch.", cleanedTxnSource, func(c *Conversation) {
			t := compacted(c, "segment.ms", soonSegments, "delete.retention.ms", "0")
			p := c.Payer(c.Conn("a"), "payer")
			for _, commit := range verdicts {
				p.pay(t, 0, soon(0), "a=1")
				p.end(5, commit)
			}
			lay(c, t, soon(0), "a=2")
			for n := int64(1); n < 4; n++ {
				lay(c, t, soon(n), "z=1")
				clean(c, t)
			}
			segmentEnds(c, t)
		}),
		compaction("open-transaction", "Nothing at the last stable offset or behind it is cleaned.", "LogCleanerManager.cleanableOffsets", func(c *Conversation) {
			t := compacted(c, "segment.ms", soonSegments)
			p := c.Payer(c.Conn("a"), "payer")
			lay(c, t, soon(0), "a=1", "b=1")
			lay(c, t, soon(1), "a=2")
			p.pay(t, 0, soon(2), "a=3")
			lay(c, t, soon(3), "b=2")
			lay(c, t, soon(4), "z=1")
			clean(c, t)
			segmentEnds(c, t)
			p.end(5, true)
			clean(c, t)
			segmentEnds(c, t)
		}),
		compaction("read-committed", "Who reads committed records is given what is left below the last stable offset, from wherever he begins.", "UnifiedLog.read", func(c *Conversation) {
			t := compacted(c, "segment.ms", soonSegments)
			p, q := c.Payer(c.Conn("a"), "payer"), c.Payer(c.Conn("b"), "other-payer")
			p.pay(t, 0, soon(0), "a=1", "b=1")
			q.pay(t, 0, soon(0), "a=2")
			p.end(5, false)
			q.end(5, true)
			lay(c, t, soon(0), "a=3", "c=1")
			lay(c, t, soon(1), "d=1")
			p.pay(t, 0, soon(1), "e=1")
			clean(c, t)
			for offset := range int64(10) {
				get(p.a, committedFetch(12, t, 0, offset))
			}
		}),
	}
}

// sequenced is one batch of pairs of a producer with an id, in its first epoch.
func sequenced(id int64, sequence int32, ms int64, texts ...string) []byte {
	b := newBatch()
	b.FirstTimestamp = ms
	b.ProducerID, b.ProducerEpoch, b.FirstSequence = id, 0, sequence
	return seal(b, codecNone, pairs(texts...)...)
}
