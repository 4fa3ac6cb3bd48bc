package conformance

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

const txnPendingSource = "OffsetMetadataManager.replayEndTransactionMarker"

// txnPendingRules are about offsets that a transaction has committed and that is open.
func txnPendingRules() []Rule {
	return []Rule{
		must("txn.pending.unstable", "Where an offset is pending, who asks for stable ones is told UNSTABLE_OFFSET_COMMIT, and who does not gets the one before.", "KIP-447", func(c *Conversation) {
			t, g := c.Topic("orders", 3), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			commitNow(p.a, commit(9, g, t, 0, 3))
			commitNow(p.a, commit(9, g, t, 2, 4))
			p.offset(g, t, 0, 5)
			p.offset(g, t, 1, 6)
			for v := int16(7); v <= 10; v++ {
				committedNow(p.a, stable(v, g, t, 0, 1, 2))
				committedNow(p.a, committed(v, g, t, 0, 1, 2))
			}
			p.end(5, true)
			committedNow(p.a, stable(9, g, t, 0, 1, 2))
		}),
		must("txn.pending.all", "Asking for all offsets tells of those that are pending only where one was committed before.", "OffsetMetadataManager.fetchAllOffsets", func(c *Conversation) {
			t, g := c.Topic("orders", 3), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			commitNow(p.a, commit(9, g, t, 0, 3))
			commitNow(p.a, commit(9, g, t, 2, 4))
			p.offset(g, t, 0, 5)
			p.offset(g, t, 1, 6)
			for v := int16(7); v <= 10; v++ {
				committedNow(p.a, stable(v, g, t))
				committedNow(p.a, committed(v, g, t))
			}
			p.end(5, false)
			committedNow(p.a, stable(9, g, t))
		}),
		must("txn.pending.only", "A group that has pending offsets only has none to tell.", "OffsetMetadataManager.fetchOffsets", func(c *Conversation) {
			t, g := c.Topic("orders", 1), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			p.offset(g, t, 0, 5)
			committedNow(p.a, committed(9, g, t))
			committedNow(p.a, stable(9, g, t))
			committedNow(p.a, stable(9, g, t, 0))
			p.end(5, false)
			committedNow(p.a, stable(9, g, t, 0))
			described(p.a, g)
		}),
		must("txn.pending.abort", "Offsets of an aborted transaction are as if they had never been.", txnPendingSource, func(c *Conversation) {
			t, g := c.Topic("orders", 2), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			commitNow(p.a, commit(9, g, t, 0, 3))
			for _, v := range []int16{4, 5} {
				p.offset(g, t, 0, 5)
				p.offset(g, t, 1, 6)
				p.end(v, false)
				committedNow(p.a, stable(9, g, t, 0, 1))
			}
		}),
		must("txn.pending.plain-commit-later", "An offset that was committed plainly after the transaction's stays, though the transaction commits later.", txnPendingSource, func(c *Conversation) {
			t, g := c.Topic("orders", 1), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			p.offset(g, t, 0, 5)
			commitNow(p.a, commit(9, g, t, 0, 3))
			committedNow(p.a, committed(9, g, t, 0))
			committedNow(p.a, stable(9, g, t, 0))
			p.end(5, true)
			committedNow(p.a, stable(9, g, t, 0))
		}),
		must("txn.pending.two-payers", "Of two transactions the one that committed the offset later has the last word, whichever ends last.", txnPendingSource, func(c *Conversation) {
			t, g := c.Topic("orders", 1), c.Group("readers")
			p, q := c.Payer(c.Conn("a"), "payer"), c.Payer(c.Conn("b"), "other-payer")
			p.offset(g, t, 0, 5)
			q.offset(g, t, 0, 9)
			q.end(5, true)
			committedNow(p.a, committed(9, g, t, 0))
			committedNow(p.a, stable(9, g, t, 0))
			p.end(5, true)
			committedNow(p.a, stable(9, g, t, 0))
		}),
		must("txn.pending.two-payers-abort", "An offset is pending until the last of them has ended.", txnPendingSource, func(c *Conversation) {
			t, g := c.Topic("orders", 1), c.Group("readers")
			p, q := c.Payer(c.Conn("a"), "payer"), c.Payer(c.Conn("b"), "other-payer")
			p.offset(g, t, 0, 5)
			q.offset(g, t, 0, 9)
			q.end(5, false)
			committedNow(p.a, stable(9, g, t, 0))
			p.end(5, true)
			committedNow(p.a, stable(9, g, t, 0))
		}),
		must("txn.pending.delete-offset", "An offset that is pending can be deleted, and the end of the transaction does not bring it back.", "OffsetMetadataManager.deleteOffsets", func(c *Conversation) {
			t, g := c.Topic("orders", 2), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			commitNow(p.a, commit(9, g, t, 1, 3))
			p.offset(g, t, 0, 5)
			p.offset(g, t, 1, 6)
			ask[*kmsg.OffsetDeleteResponse](p.a, offsetDelete(g, t.Name, 0))
			committedNow(p.a, stable(9, g, t, 0, 1))
			p.end(5, true)
			committedNow(p.a, stable(9, g, t, 0, 1))
		}),
		must("txn.pending.delete-group", "A group that has pending offsets can be deleted, and the end of the transaction does not bring it back.", "OffsetMetadataManager.deleteAllOffsets", func(c *Conversation) {
			t, g := c.Topic("orders", 2), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			commitNow(p.a, commit(9, g, t, 1, 3))
			p.offset(g, t, 0, 5)
			ask[*kmsg.DeleteGroupsResponse](p.a, deleteGroups(2, g))
			committedNow(p.a, stable(9, g, t, 0, 1))
			p.end(5, true)
			committedNow(p.a, stable(9, g, t, 0, 1))
			described(p.a, g)
		}),
		must("txn.pending.empty-group", "A group whose last member leaves keeps what is pending.", txnPendingSource, func(c *Conversation) {
			t, g, b := c.Topic("orders", 1), c.Group("readers"), c.Conn("b")
			m := single(b, g)
			p := c.Payer(c.Conn("a"), "payer")
			req := p.commitOffset(5, g, t, 0, 5)
			req.MemberID, req.Generation = m, 1
			txnCommitNow(p.a, req)
			leaveNow(b, leave(5, g, m))
			p.end(5, true)
			committedNow(p.a, stable(9, g, t, 0))
			described(p.a, g)
		}),
		must("txn.pending.delete-topic", "Offsets of a topic that is deleted under an open transaction are gone, and its commit does not bring them back.", txnPendingSource, func(c *Conversation) {
			t, g := c.Topic("orders", 1), c.Group("readers")
			gone := c.Topic("gone", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.offset(g, gone, 0, 5)
			p.offset(g, t, 0, 6)
			ask[*kmsg.DeleteTopicsResponse](p.a, deleteTopics(5, gone.Name))
			until(c, metadata(9, gone.Name), func(resp *kmsg.MetadataResponse) bool { return resp.Topics[0].ErrorCode == 3 })
			p.end(5, true)
			until(c, stable(9, g, t), func(resp *kmsg.OffsetFetchResponse) bool {
				return len(resp.Groups) == 1 && len(resp.Groups[0].Topics) == 1
			})
			committedNow(p.a, stable(9, g, t))
		}),
		must("txn.pending.several-groups", "What is pending in one group is not in another.", "KIP-447", func(c *Conversation) {
			t, g, h := c.Topic("orders", 1), c.Group("readers"), c.Group("writers")
			p := c.Payer(c.Conn("a"), "payer")
			commitNow(p.a, commit(9, h, t, 0, 3))
			p.offset(g, t, 0, 5)
			req := stable(9, g, t, 0)
			req.Groups = append(req.Groups, stable(9, h, t, 0).Groups...)
			committedNow(p.a, req)
		}),
		must("txn.pending.with-records", "Records and offsets of a transaction are committed together.", "KIP-98", func(c *Conversation) {
			in, out, g := c.Topic("orders", 1), c.Topic("bills", 1), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			for i, commit := range []bool{true, false, true} {
				p.put(out, 0, 0, "v")
				p.offset(g, in, 0, int64(i)+1)
				p.end(5, commit)
				get(p.a, committedFetch(12, out, 0, int64(2*i)))
				committedNow(p.a, stable(9, g, in, 0))
			}
		}),
	}
}
