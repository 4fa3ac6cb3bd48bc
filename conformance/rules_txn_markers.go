package conformance

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

const txnMarkerSource = "ProducerAppendInfo.appendEndTxnMarker"

func txnMarkerRules() []Rule {
	return []Rule{
		must("txn.markers.every-version", "Every version of WriteTxnMarkers ends what a producer has open on a partition; the coordinator does not hear of it.", "KafkaApis.handleWriteTxnMarkersRequest", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			for i, commit := range verdicts {
				for v := int16(1); v <= 2; v++ {
					p.put(t, 0, int32(2*i)+int32(v)-1, "v")
					markersNow(p.a, writeMarkers(v, p.marker(commit, 100, t, 0)))
				}
			}
			p.described()
			get(p.a, committedFetch(12, t, 0, 0))
		}),
		must("txn.markers.none", "No markers are answered with none.", "KafkaApis.handleWriteTxnMarkersRequest", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			for v := int16(1); v <= 2; v++ {
				markersNow(p.a, writeMarkers(v))
				markersNow(p.a, writeMarkers(v, p.marker(true, 100, t)))
			}
		}),
		must("txn.markers.unknown-topic", "Unknown topics and partitions are UNKNOWN_TOPIC_OR_PARTITION, the others get their marker.", "KafkaApis.handleWriteTxnMarkersRequest", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "v")
			m := p.marker(true, 100, t, 0, 7, -1)
			m.Topics = append(m.Topics, p.marker(true, 100, c.nowhere(), 0).Topics...)
			markersNow(p.a, writeMarkers(1, m))
			markersNow(p.a, writeMarkers(2, p.marker(true, 100, c.nowhere(), 0)))
			get(p.a, committedFetch(12, t, 0, 0))
		}),
		must("txn.markers.several", "Markers of several producers, and several of one, are answered by producer.", "KafkaApis.handleWriteTxnMarkersRequest", func(c *Conversation) {
			t := c.Topic("orders", 3)
			p, q := c.Payer(c.Conn("a"), "payer"), c.Payer(c.Conn("a"), "other-payer")
			p.put(t, 0, 0, "p")
			p.put(t, 1, 0, "p")
			q.put(t, 1, 0, "q")
			markersNow(p.a, writeMarkers(1, p.marker(true, 100, t, 0), q.marker(false, 100, t, 1, 2), p.marker(false, 100, t, 1)))
			for part := range int32(3) {
				get(p.a, committedFetch(12, t, part, 0))
			}
		}),
		must("txn.markers.nothing-open", "A marker of a producer that has nothing open is appended all the same, and of one that was never seen too.", txnMarkerSource, func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			markersNow(p.a, writeMarkers(1, p.marker(true, 100, t, 0)))
			markersNow(p.a, writeMarkers(1, p.marker(false, 100, t, 0)))
			p.a.Send(describeProducers(t.Name, 0)).Answer()
			get(p.a, committedFetch(12, t, 0, 0))
		}),
		must("txn.markers.coordinator-epoch", "A marker of an older coordinator than the last is TRANSACTION_COORDINATOR_FENCED.", "ProducerAppendInfo.checkCoordinatorEpoch", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p, q := c.Payer(c.Conn("a"), "payer"), c.Payer(c.Conn("a"), "other-payer")
			for _, epoch := range []int32{105, 104, 105, 106, 105, -1} {
				markersNow(p.a, writeMarkers(1, p.marker(true, epoch, t, 0)))
			}
			c.Note("which is known for each producer")
			markersNow(p.a, writeMarkers(1, q.marker(true, 101, t, 0)))
			p.a.Send(describeProducers(t.Name, 0)).Answer()
		}),
		must("txn.markers.coordinator-fenced", "A coordinator whose marker is refused so gives up: its transaction stays as it was prepared, and the partition's open.", "TransactionMarkerRequestCompletionHandler", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			markersNow(p.a, writeMarkers(1, p.marker(true, 105, t, 0)))
			p.put(t, 0, 0, "v")
			endNow(p.a, p.endTxn(5, true))
			p.described()
			get(p.a, committedFetch(12, t, 0, 0))
			p.initNow()
			endNow(p.a, p.endTxn(5, true))
			endNow(p.a, p.endTxn(5, false))
		}),
		must("txn.markers.old-epoch", "A marker of an epoch that is older than the producer's last on the partition is INVALID_PRODUCER_EPOCH.", "ProducerAppendInfo.checkProducerEpoch", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.initNow()
			p.put(t, 0, 0, "v")
			for v := int16(1); v <= 2; v++ {
				markersNow(p.a, writeMarkers(v, p.with(-1).marker(false, 100, t, 0)))
			}
			get(p.a, committedFetch(12, t, 0, 0))
		}),
		must("txn.markers.new-epoch", "A marker of a newer epoch ends the transaction, and the producer is known by that epoch.", txnMarkerSource, func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "v")
			markersNow(p.a, writeMarkers(1, p.with(3).marker(true, 100, t, 0)))
			p.a.Send(describeProducers(t.Name, 0)).Answer()
			p.put(t, 0, 1, "late")
			get(p.a, committedFetch(12, t, 0, 0))
		}),
		must("txn.markers.version-2-same-epoch", "A marker of transaction version 2 must have a newer epoch than what is open: the same one is INVALID_PRODUCER_EPOCH.", "KIP-1228, ProducerAppendInfo.checkProducerEpoch", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "v")
			for _, tv := range []int8{2, 1, 0} {
				m := p.marker(true, 100, t, 0)
				m.TransactionVersion = tv
				markersNow(p.a, writeMarkers(2, m))
			}
			get(p.a, committedFetch(12, t, 0, 0))
		}),
		must("txn.markers.version-2-repeated", "The same marker of transaction version 2 again is appended again; one of an older epoch is INVALID_PRODUCER_EPOCH.", "KIP-1228, ProducerAppendInfo.checkProducerEpoch", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "v")
			for _, off := range []int16{1, 1, 0, 2} {
				m := p.with(off).marker(true, 100, t, 0)
				m.TransactionVersion = 2
				markersNow(p.a, writeMarkers(2, m))
			}
			get(p.a, fetch(12, t, 0, 0))
		}),
		must("txn.markers.odd-versions", "A transaction version above 2 is as good as 2, and one below 0 is an error that the broker did not foresee.", txnMarkerSource, func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "v")
			for _, tv := range []int8{7, 127, -1, -2} {
				m := p.with(1).marker(true, 100, t, 0)
				m.TransactionVersion = tv
				markersNow(p.a, writeMarkers(2, m))
			}
			get(p.a, fetch(12, t, 0, 0))
		}),
		must("txn.markers.written-after", "After such a marker the producer may go on writing: the coordinator still has its transaction, which ends once more.", "KIP-890", func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "a")
			markersNow(p.a, writeMarkers(1, p.marker(false, 0, t, 0)))
			p.put(t, 0, 1, "b")
			p.end(5, true)
			get(p.a, committedFetch(12, t, 0, 0))
		}),
		must("txn.markers.idempotent", "A marker of an idempotent producer that has no transaction leaves its sequences.", "ProducerStateManager", func(c *Conversation) {
			t, a, pid := idempotentTopic(c)
			put(a, t, 0, idempotent(pid, 0, 0, "a"))
			p := &payer{c: c, a: a, pid: pid}
			markersNow(a, writeMarkers(1, p.marker(true, 100, t, 0)))
			put(a, t, 0, idempotent(pid, 0, 1, "b"))
			put(a, t, 0, idempotent(pid, 0, 0, "a"))
			a.Send(describeProducers(t.Name, 0)).Answer()
			get(a, fetch(12, t, 0, 0))
		}),
		must("txn.markers.new-epoch-sequences", "After a marker of a newer epoch the producer writes from sequence 0.", "ProducerStateManager", func(c *Conversation) {
			t, a, pid := idempotentTopic(c)
			put(a, t, 0, idempotent(pid, 0, 0, "a"))
			p := &payer{c: c, a: a, pid: pid, epoch: 4}
			markersNow(a, writeMarkers(1, p.marker(true, 100, t, 0)))
			put(a, t, 0, idempotent(pid, 0, 1, "old"))
			put(a, t, 0, idempotent(pid, 4, 1, "gap"))
			put(a, t, 0, idempotent(pid, 4, 0, "b"))
			put(a, t, 0, idempotent(pid, 4, 1, "c"))
			a.Send(describeProducers(t.Name, 0)).Answer()
		}),
		must("txn.markers.odd-producers", "Producer ids and epochs below 0 are not refused as such.", txnMarkerSource, func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			for _, p := range []*payer{{c: c, a: a, pid: newProducer(c.setup), epoch: -1}, {c: c, a: a, pid: -1, epoch: 0}, {c: c, a: a, pid: -1, epoch: -1}} {
				a.Send(writeMarkers(1, p.marker(true, 100, t, 0))).Answer()
			}
			get(a, fetch(12, t, 0, 0))
		}),
		must("txn.markers.compacted", "A marker has no key, and a compacted topic takes it.", txnMarkerSource, func(c *Conversation) {
			t := c.Topic("orders", 1, "cleanup.policy", "compact")
			p := c.Payer(c.Conn("a"), "payer")
			markersNow(p.a, writeMarkers(1, p.marker(true, 100, t, 0)))
			get(p.a, fetch(12, t, 0, 0))
		}),
		must("txn.markers.log-append-time", "Markers carry the broker's time, of the kind that the topic's batches have.", txnMarkerSource, func(c *Conversation) {
			t := c.Topic("orders", 1, "message.timestamp.type", "LogAppendTime")
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "v")
			p.end(5, true)
			get(p.a, fetch(12, t, 0, 0))
		}),
		must("txn.markers.offsets", "A marker in the offsets topic commits or drops a producer's offsets.", "GroupCoordinatorService.completeTransaction", func(c *Conversation) {
			t, g := c.Topic("orders", 1), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			internal := Topic{Name: offsetsTopic}
			partition, _ := c.logOf(offsetsTopic, g)
			for i, commit := range verdicts {
				p.offset(g, t, 0, 5+int64(i))
				resp := ask[*kmsg.WriteTxnMarkersResponse](c.setup, writeMarkers(1, p.marker(commit, 0, internal, partition)))
				c.say("a marker of the coordinator: %v", errorNames(resp))
				committedNow(p.a, stable(9, g, t, 0))
			}
		}),
		must("txn.markers.offsets-fenced", "A marker of an older coordinator or an older epoch is refused by the offsets topic too.", "GroupCoordinatorService.completeTransaction", func(c *Conversation) {
			t, g := c.Topic("orders", 1), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			p.initNow()
			p.offset(g, t, 0, 5)
			internal := Topic{Name: offsetsTopic}
			partition, _ := c.logOf(offsetsTopic, g)
			for _, m := range []kmsg.WriteTxnMarkersRequestMarker{p.with(-1).marker(true, 0, internal, partition), p.marker(false, 1<<30, internal, partition), p.marker(true, 5, internal, partition)} {
				resp := ask[*kmsg.WriteTxnMarkersResponse](c.setup, writeMarkers(1, m))
				c.say("a marker of the coordinator: %v", errorNames(resp))
				committedNow(p.a, stable(9, g, t, 0))
			}
		}),
	}
}
