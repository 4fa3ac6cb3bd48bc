package conformance

const txnLogSource = "TransactionLog.valueToBytes"

// txnLogRules are about what the coordinators write for themselves, and for whoever reads
// their topics.
func txnLogRules() []Rule {
	return []Rule{
		must("txn.log.init", "An initialization is written to the transaction log.", txnLogSource, func(c *Conversation) {
			id := c.TransactionalID("payer")
			l := c.TransactionLog(id)
			a := c.Conn("a")
			p := &payer{c: c, a: a, id: id}
			p.initNow()
			l.Show()
			p.initNow()
			p.initKeeping()
			l.Show()
		}),
		must("txn.log.refused", "What is refused is not written.", txnLogSource, func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			l := c.TransactionLog(p.id)
			p.with(1).add(t, 0)
			p.add(t, 7)
			endNow(p.a, p.endTxn(4, true))
			endNow(p.a, p.with(1).endTxn(5, true))
			p.with(1).initKeeping()
			l.Show()
		}),
		must("txn.log.old", "A transaction of the old protocol: what was added, the end that is prepared, the end.", txnLogSource, func(c *Conversation) {
			t := c.Topic("orders", 3)
			p := c.Payer(c.Conn("a"), "payer")
			l := c.TransactionLog(p.id)
			p.add(t, 2, 0)
			p.add(t, 2)
			p.add(t, 1)
			p.oldPut(t, 0, 0, "v")
			l.Show()
			p.end(4, true)
			l.Show()
			p.add(t, 1)
			p.end(4, false)
			p.end(4, false)
			l.Show()
		}),
		must("txn.log.new", "A transaction of the new protocol: each partition as it is written to, and the next epoch from the end on.", txnLogSource, func(c *Conversation) {
			t := c.Topic("orders", 2)
			p := c.Payer(c.Conn("a"), "payer")
			l := c.TransactionLog(p.id)
			p.put(t, 0, 0, "v")
			p.put(t, 0, 1, "w")
			p.put(t, 1, 0, "x")
			l.Show()
			p.end(5, true)
			l.Show()
			p.put(t, 1, 0, "x")
			p.end(5, false)
			l.Show()
		}),
		must("txn.log.several-topics", "Partitions are written by topic.", txnLogSource, func(c *Conversation) {
			t, u, g := c.Topic("orders", 2), c.Topic("bills", 3), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			l := c.TransactionLog(p.id)
			req := p.addPartitions(3, t, 1, 0)
			req.Topics = append(req.Topics, p.addPartitions(3, u, 2, 0).Topics...)
			addNow(p.a, req)
			offsetsNow(p.a, p.addOffsets(3, g))
			p.end(4, true)
			l.Show()
		}),
		must("txn.log.empty-abort", "An abort of nothing is written as any other.", txnLogSource, func(c *Conversation) {
			p := c.Payer(c.Conn("a"), "payer")
			l := c.TransactionLog(p.id)
			p.end(5, false)
			p.end(5, false)
			l.Show()
		}),
		must("txn.log.nothing-added", "A transaction without partitions has an empty list of them, not none.", txnLogSource, func(c *Conversation) {
			p := c.Payer(c.Conn("a"), "payer")
			l := c.TransactionLog(p.id)
			req := p.addPartitions(3, Topic{})
			req.Topics = nil
			addNow(p.a, req)
			p.end(4, true)
			l.Show()
		}),
		must("txn.log.fence", "An initialization that aborts an open transaction writes the epoch in between, which no producer has.", txnLogSource, func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			l := c.TransactionLog(p.id)
			p.add(t, 0)
			fenced(p)
			l.Show()
		}),
		must("txn.log.versions", "The version of the client is kept with the transaction: 2 from AddPartitionsToTxn v4 and EndTxn v5 on, 0 before.", txnLogSource, func(c *Conversation) {
			t, g := c.Topic("orders", 3), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			l := c.TransactionLog(p.id)
			p.add(t, 0)
			addNow(p.a, p.addPartitions(4, t, 1))
			p.add(t, 2)
			offsetsNow(p.a, p.addOffsets(4, g))
			l.Show()
			p.end(5, true)
			p.put(t, 0, 0, "v")
			p.end(4, true)
			p.initNow()
			l.Show()
		}),
		must("txn.log.timeout", "The timeout is kept with the transaction.", txnLogSource, func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			l := c.TransactionLog(p.id)
			req := initTxn(4, p.id)
			req.TransactionTimeoutMillis = 1 << 19
			p.take(req)
			p.put(t, 0, 0, "v")
			l.Show()
		}),
		must("txn.log.offsets", "A transaction's offsets are written to the offsets topic in batches of its producer that all begin at sequence 0, and its end is a marker there.", "CoordinatorRuntime.CoordinatorContext.append", func(c *Conversation) {
			t, g := c.Topic("orders", 2), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			l := c.OffsetsLog(g)
			p.offset(g, t, 0, 5)
			req := p.commitOffset(5, g, t, 1, 6)
			req.Topics[0].Partitions = append(req.Topics[0].Partitions, p.commitOffset(5, g, t, 0, 7).Topics[0].Partitions[0])
			txnCommitNow(p.a, req)
			l.Show()
			p.end(5, true)
			l.Show()
		}),
		must("txn.log.offsets-old", "So it is in the old protocol, whose marker has the producer's own epoch.", "CoordinatorRuntime.CoordinatorContext.append", func(c *Conversation) {
			t, g := c.Topic("orders", 1), c.Group("readers")
			p := offsetsPayer(c, g)
			l := c.OffsetsLog(g)
			for v := range int16(5) {
				txnCommitNow(p.a, p.commitOffset(v, g, t, 0, int64(v)))
			}
			p.end(4, false)
			l.Show()
		}),
		must("txn.log.offsets-refused", "What the group refuses is not written.", "CoordinatorRuntime.CoordinatorContext.append", func(c *Conversation) {
			t, g := c.Topic("orders", 1), c.Group("readers")
			single(c.Conn("b"), g)
			p := c.Payer(c.Conn("a"), "payer")
			l := c.OffsetsLog(g)
			req := p.commitOffset(5, g, t, 0, 5)
			req.MemberID, req.Generation = "who", 1
			txnCommitNow(p.a, req)
			l.Show()
			p.end(5, true)
			l.Show()
		}),
		must("txn.log.offsets-deleted", "Deleting a pending offset writes a plain tombstone.", "GroupCoordinatorRecordHelpers.newOffsetCommitTombstoneRecord", func(c *Conversation) {
			t, g := c.Topic("orders", 1), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			l := c.OffsetsLog(g)
			p.offset(g, t, 0, 5)
			p.a.Send(offsetDelete(g, t.Name, 0)).Answer()
			p.end(5, true)
			l.Show()
		}),
		must("txn.log.group-deleted", "Deleting a group with pending offsets writes their tombstones and its own.", "GroupMetadataManager.createGroupTombstoneRecords", func(c *Conversation) {
			t, g := c.Topic("orders", 1), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			l := c.OffsetsLog(g)
			p.offset(g, t, 0, 5)
			p.a.Send(deleteGroups(2, g)).Answer()
			p.end(5, true)
			l.Show()
		}),
	}
}
