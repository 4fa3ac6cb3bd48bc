package conformance

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

const txnCommitSource = "OffsetMetadataManager.commitTransactionalOffset"

func offsetsNow(a *Conn, req *kmsg.AddOffsetsToTxnRequest) *kmsg.AddOffsetsToTxnResponse {
	return ask[*kmsg.AddOffsetsToTxnResponse](a, req)
}

func txnCommitNow(a *Conn, req *kmsg.TxnOffsetCommitRequest) *kmsg.TxnOffsetCommitResponse {
	return ask[*kmsg.TxnOffsetCommitResponse](a, req)
}

func txnOffsetsRules() []Rule {
	return []Rule{
		must("txn.offsets.every-version", "Every version of AddOffsetsToTxn adds the group's partition of the offsets topic.", "KafkaApis.handleAddOffsetsToTxnRequest", func(c *Conversation) {
			g := c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			for v := range int16(5) {
				offsetsNow(p.a, p.addOffsets(v, g))
				p.described()
				p.end(3, v%2 == 0)
			}
		}),
		must("txn.offsets.again", "A group can be added again.", txnAddSource, func(c *Conversation) {
			g := c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			offsetsNow(p.a, p.addOffsets(3, g))
			offsetsNow(p.a, p.addOffsets(3, g))
			p.described()
		}),
		must("txn.offsets.any-group", "The group need not exist, and may be the empty one.", "KafkaApis.handleAddOffsetsToTxnRequest", func(c *Conversation) {
			c.Group("warm")
			p := c.Payer(c.Conn("a"), "payer")
			for v := range int16(5) {
				offsetsNow(p.a, p.addOffsets(v, ""))
				p.end(4, true)
			}
			offsetsNow(p.a, p.addOffsets(4, c.Name("nobody")))
			ask[*kmsg.ListGroupsResponse](p.a, listGroups(5))
		}),
		must("txn.offsets.unknown-id", "A transactional id that was never initialized is INVALID_PRODUCER_ID_MAPPING, the empty one INVALID_REQUEST.", txnAddSource, func(c *Conversation) {
			g := c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			for v := range int16(5) {
				p.id = c.TransactionalID("forgotten-" + decimal(v))
				offsetsNow(p.a, p.addOffsets(v, g))
				p.id = ""
				offsetsNow(p.a, p.addOffsets(v, g))
			}
		}),
		must("txn.offsets.fenced", "Another producer id is INVALID_PRODUCER_ID_MAPPING, another epoch PRODUCER_FENCED, before v2 INVALID_PRODUCER_EPOCH.", "KIP-588", func(c *Conversation) {
			g := c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			q := p.stranger()
			for v := range int16(5) {
				offsetsNow(p.a, q.addOffsets(v, g))
				offsetsNow(p.a, p.with(1).addOffsets(v, g))
				offsetsNow(p.a, p.with(-1).addOffsets(v, g))
			}
			p.described()
		}),
		must("txn.offsets.beside-partitions", "Partitions and groups are in one transaction.", txnAddSource, func(c *Conversation) {
			t, g := c.Topic("orders", 2), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			p.add(t, 1)
			offsetsNow(p.a, p.addOffsets(3, g))
			p.described()
			p.end(4, true)
			p.described()
		}),
		must("txn.offsets.without-commit", "A transaction with a group and no offset can be ended.", "KIP-98", func(c *Conversation) {
			t, g := c.Topic("orders", 1), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			for _, commit := range []bool{true, false} {
				offsetsNow(p.a, p.addOffsets(3, g))
				p.end(4, commit)
			}
			committedNow(p.a, stable(9, g, t, 0))
		}),
	}
}

// offsetsPayer is a producer whose transaction has a group, in the old protocol.
func offsetsPayer(c *Conversation, group string) *payer {
	p := c.Payer(c.Conn("a"), "payer")
	offsetsNow(p.a, p.addOffsets(3, group))
	return p
}

func txnCommitRules() []Rule {
	return []Rule{
		must("txn.commit-offsets.every-version", "Every version of TxnOffsetCommit commits the offsets of a group that was added, by topic id in v6.", txnCommitSource, func(c *Conversation) {
			t, g := c.Topic("orders", 1), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			for v := range int16(7) {
				offsetsNow(p.a, p.addOffsets(3, g))
				txnCommitNow(p.a, p.commitOffset(v, g, t, 0, 10+int64(v)))
				committedNow(p.a, committed(9, g, t, 0))
				p.end(4, true)
				committedNow(p.a, committed(9, g, t, 0))
			}
		}),
		must("txn.commit-offsets.not-added", "Before v5 a group that was not added is INVALID_TXN_STATE, in v4 TRANSACTION_ABORTABLE.", "KIP-890, AddPartitionsToTxnManager", func(c *Conversation) {
			t, g := c.Topic("orders", 2), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			for v := range int16(5) {
				txnCommitNow(p.a, p.commitOffset(v, g, t, 0, 5))
			}
			p.described()
			p.add(t, 1)
			txnCommitNow(p.a, p.commitOffset(3, g, t, 0, 5))
			txnCommitNow(p.a, p.commitOffset(4, g, t, 0, 5))
			p.described()
		}),
		must("txn.commit-offsets.adds", "From v5 on the group is added by the commit.", "KIP-890", func(c *Conversation) {
			t, g := c.Topic("orders", 1), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			for v := int16(5); v <= 6; v++ {
				txnCommitNow(p.a, p.commitOffset(v, g, t, 0, int64(v)))
				p.described()
				p.end(5, true)
				committedNow(p.a, stable(9, g, t, 0))
			}
		}),
		must("txn.commit-offsets.several-groups", "Several groups can be in one transaction.", "KIP-890", func(c *Conversation) {
			t, g, h := c.Topic("orders", 1), c.Group("readers"), c.Group("writers")
			p := c.Payer(c.Conn("a"), "payer")
			p.offset(g, t, 0, 5)
			p.offset(h, t, 0, 6)
			p.end(5, true)
			committedNow(p.a, stable(9, g, t, 0))
			committedNow(p.a, stable(9, h, t, 0))
		}),
		must("txn.commit-offsets.unknown-topic", "Unknown topics and partitions are UNKNOWN_TOPIC_OR_PARTITION, unknown ids UNKNOWN_TOPIC_ID; the others are committed.", "KafkaApis.handleTxnOffsetCommitRequest", func(c *Conversation) {
			t, g, nowhere := c.Topic("orders", 1), c.Group("readers"), c.nowhere()
			p := offsetsPayer(c, g)
			for v := range int16(7) {
				req := p.commitOffset(v, g, t, 0, 5)
				req.Topics[0].Partitions = append(req.Topics[0].Partitions, p.commitOffset(v, g, t, 7, 5).Topics[0].Partitions[0], p.commitOffset(v, g, t, -1, 5).Topics[0].Partitions[0])
				req.Topics = append(req.Topics, p.commitOffset(v, g, nowhere, 0, 5).Topics[0])
				txnCommitNow(p.a, req)
			}
			p.end(4, true)
			committedNow(p.a, stable(9, g, t))
		}),
		must("txn.commit-offsets.unknown-topic-first", "Where nothing is left to commit, neither transaction nor group are looked at.", "KafkaApis.handleTxnOffsetCommitRequest", func(c *Conversation) {
			g, nowhere := c.Group("readers"), c.nowhere()
			p := c.Payer(c.Conn("a"), "payer").stranger()
			for v := range int16(7) {
				txnCommitNow(p.a, p.commitOffset(v, "", nowhere, 0, 5))
				req := p.commitOffset(v, g, nowhere, 0, 5)
				req.Topics = nil
				txnCommitNow(p.a, req)
			}
			p.described()
		}),
		must("txn.commit-offsets.zero-id", "The zero topic id is an unknown one.", "KafkaApis.handleTxnOffsetCommitRequest", func(c *Conversation) {
			g := c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			txnCommitNow(p.a, p.commitOffset(6, g, Topic{}, 0, 5))
		}),
		must("txn.commit-offsets.no-group", "The empty group id is INVALID_GROUP_ID, before the transaction is looked at.", "GroupCoordinatorService.commitTransactionalOffsets", func(c *Conversation) {
			t := c.Topic("orders", 1)
			c.Group("warm")
			p := c.Payer(c.Conn("a"), "payer").stranger()
			for v := range int16(7) {
				txnCommitNow(p.a, p.commitOffset(v, "", t, 0, 5))
			}
		}),
		must("txn.commit-offsets.fenced", "Another producer id is INVALID_PRODUCER_ID_MAPPING, another epoch INVALID_PRODUCER_EPOCH, a transactional id that was never initialized INVALID_PRODUCER_ID_MAPPING and the empty one INVALID_REQUEST.", "AddPartitionsToTxnManager", func(c *Conversation) {
			t, g := c.Topic("orders", 1), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			p.initNow()
			unknown, empty, q := *p, *p, p.stranger()
			unknown.id, empty.id = c.TransactionalID("forgotten"), ""
			for v := range int16(7) {
				for _, r := range []*payer{q, p.with(1), p.with(-1), &unknown, &empty} {
					txnCommitNow(p.a, r.commitOffset(v, g, t, 0, 5))
				}
			}
			p.described()
			committedNow(p.a, stable(9, g, t, 0))
		}),
		must("txn.commit-offsets.fenced-later", "Once the group's partition has the producer's open transaction the coordinator is not asked: an older epoch is INVALID_PRODUCER_EPOCH by the partition.", "UnifiedLog.analyzeAndValidateProducerState", func(c *Conversation) {
			t, g := c.Topic("orders", 1), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			p.initNow()
			p.offset(g, t, 0, 5)
			for _, v := range []int16{3, 4, 5} {
				txnCommitNow(p.a, p.with(-1).commitOffset(v, g, t, 0, 6))
				txnCommitNow(p.a, p.with(1).commitOffset(v, g, t, 0, 6))
			}
			other := *p
			other.id = c.TransactionalID("forgotten")
			txnCommitNow(p.a, other.commitOffset(5, g, t, 0, 7))
			p.end(5, true)
			committedNow(p.a, stable(9, g, t, 0))
		}),
		must("txn.commit-offsets.unknown-group", "A generation of a group that does not exist is ILLEGAL_GENERATION, from the version on that has it GROUP_ID_NOT_FOUND.", txnCommitSource, func(c *Conversation) {
			t, g := c.Topic("orders", 1), c.Group("nobody")
			p := c.Payer(c.Conn("a"), "payer")
			offsetsNow(p.a, p.addOffsets(3, g))
			for v := int16(3); v <= 6; v++ {
				req := p.commitOffset(v, g, t, 0, 5)
				req.Generation, req.MemberID = 1, "member"
				txnCommitNow(p.a, req)
			}
			described(p.a, g)
		}),
		must("txn.commit-offsets.member", "A member's id and generation are checked where they are given.", "KIP-447, ClassicGroup.validateOffsetCommit", func(c *Conversation) {
			t, g, b := c.Topic("orders", 1), c.Group("readers"), c.Conn("b")
			m := single(b, g)
			p := offsetsPayer(c, g)
			for _, who := range []struct {
				member     string
				generation int32
			}{{m, 1}, {m, 0}, {m, 2}, {m, -1}, {"who", 1}, {"who", -1}, {"", 1}, {"", -1}} {
				req := p.commitOffset(3, g, t, 0, 5)
				req.MemberID, req.Generation = who.member, who.generation
				txnCommitNow(p.a, req)
			}
		}),
		must("txn.commit-offsets.static-member", "A static member is known by its instance; another member id is FENCED_INSTANCE_ID and an unknown instance UNKNOWN_MEMBER_ID.", "KIP-447, ClassicGroup.validateMember", func(c *Conversation) {
			t, g, b := c.Topic("orders", 1), c.Group("readers"), c.Conn("b")
			m := joinNow(b, static(join(9, g, ""), "box-1")).MemberID
			s := sync(5, g, m, 1, m, "all")
			s.InstanceID = kmsg.StringPtr("box-1")
			syncNow(b, s)
			p := offsetsPayer(c, g)
			for _, who := range []struct{ member, instance string }{{m, "box-1"}, {"who", "box-1"}, {"", "box-1"}, {m, "box-2"}} {
				for _, v := range []int16{3, 5} {
					req := p.commitOffset(v, g, t, 0, 5)
					req.MemberID, req.InstanceID, req.Generation = who.member, &who.instance, 1
					txnCommitNow(p.a, req)
				}
			}
		}),
		must("txn.commit-offsets.member-refused-late", "A commit that the group refuses has added the group to the transaction by then.", "KIP-890", func(c *Conversation) {
			t, g := c.Topic("orders", 1), c.Group("readers")
			single(c.Conn("b"), g)
			p := c.Payer(c.Conn("a"), "payer")
			req := p.commitOffset(5, g, t, 0, 5)
			req.MemberID, req.Generation = "who", 1
			txnCommitNow(p.a, req)
			p.described()
			p.end(5, true)
			committedNow(p.a, stable(9, g, t, 0))
		}),
		must("txn.commit-offsets.rebalancing", "A rebalance in progress does not refuse a transaction's commit.", "ClassicGroup.validateOffsetCommit", func(c *Conversation) {
			t, g, b := c.Topic("orders", 1), c.Group("readers"), c.Conn("b")
			m := newMember(b, g)
			joinNow(b, join(9, g, m))
			memberCommit(b, g, m, 1, t, 5)
			p := offsetsPayer(c, g)
			req := p.commitOffset(3, g, t, 0, 6)
			req.MemberID, req.Generation = m, 1
			txnCommitNow(p.a, req)
			p.end(4, true)
			committedNow(p.a, stable(9, g, t, 0))
		}),
		must("txn.commit-offsets.simple-group", "A commit for no member makes a group of a group id that has none, before the transaction ends.", txnCommitSource, func(c *Conversation) {
			t, g := c.Topic("orders", 1), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			described(p.a, g)
			p.offset(g, t, 0, 5)
			described(p.a, g)
			ask[*kmsg.ListGroupsResponse](p.a, listGroups(5))
			p.end(5, false)
			described(p.a, g)
			ask[*kmsg.ListGroupsResponse](p.a, listGroups(5))
		}),
		must("txn.commit-offsets.metadata", "Metadata and leader epoch are kept; null is the empty text.", txnCommitSource, func(c *Conversation) {
			t, g := c.Topic("orders", 3), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			req := p.commitOffset(5, g, t, 0, 5)
			for i := range int32(2) {
				req.Topics[0].Partitions = append(req.Topics[0].Partitions, p.commitOffset(5, g, t, i+1, 6).Topics[0].Partitions[0])
			}
			parts := req.Topics[0].Partitions
			parts[0].Metadata, parts[0].LeaderEpoch = kmsg.StringPtr("where I was"), 7
			parts[1].Metadata, parts[1].LeaderEpoch = kmsg.StringPtr(""), 0
			txnCommitNow(p.a, req)
			p.end(5, true)
			committedNow(p.a, stable(9, g, t))
		}),
		must("txn.commit-offsets.odd-offsets", "Offsets are not judged: a negative one and one beyond the end are committed.", txnCommitSource, func(c *Conversation) {
			t, g := c.Topic("orders", 3), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			p.offset(g, t, 0, -1)
			p.offset(g, t, 1, -7)
			p.offset(g, t, 2, 1<<40)
			p.end(5, true)
			committedNow(p.a, stable(9, g, t))
		}),
		must("txn.commit-offsets.metadata-limit", "Metadata that is too long is OFFSET_METADATA_TOO_LARGE, and the others are committed.", txnCommitSource, func(c *Conversation) {
			t, g := c.Topic("orders", 2), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			for _, v := range []int16{0, 3, 6} {
				offsetsNow(p.a, p.addOffsets(3, g))
				req := p.commitOffset(v, g, t, 0, 5)
				req.Topics[0].Partitions = append(req.Topics[0].Partitions, p.commitOffset(v, g, t, 1, 6).Topics[0].Partitions[0])
				long := string(make([]byte, 4097))
				req.Topics[0].Partitions[0].Metadata = &long
				txnCommitNow(p.a, req)
				p.end(4, true)
			}
			committedNow(p.a, stable(9, g, t))
		}),
		must("txn.commit-offsets.same-partition-twice", "The last of several commits of a partition in a transaction counts.", txnCommitSource, func(c *Conversation) {
			t, g := c.Topic("orders", 1), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			p.offset(g, t, 0, 5)
			p.offset(g, t, 0, 9)
			req := p.commitOffset(5, g, t, 0, 3)
			req.Topics[0].Partitions = append(req.Topics[0].Partitions, p.commitOffset(5, g, t, 0, 2).Topics[0].Partitions[0])
			txnCommitNow(p.a, req)
			p.end(5, true)
			committedNow(p.a, stable(9, g, t, 0))
		}),
	}
}
