package conformance

import (
	"math"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func idempotentRules() []Rule {
	return []Rule{
		must("produce.idempotent.init", "Every version of InitProducerId gives a fresh producer id of epoch 0.", "ProducerIdManager", func(c *Conversation) {
			for v := range int16(6) {
				ask[*kmsg.InitProducerIDResponse](c.Conn("a"), initProducer(v))
			}
		}),
		must("produce.idempotent.init-with-id", "An idempotent producer that names its old id and epoch gets a fresh id; one without the other is INVALID_REQUEST.", "KIP-360, TransactionCoordinator.handleInitProducerId", func(c *Conversation) {
			a := c.Conn("a")
			pid := newProducer(a)
			for _, e := range []int16{0, 5, -1} {
				req := initProducer(4)
				req.ProducerID, req.ProducerEpoch = pid, e
				a.Send(req).Answer()
			}
			req := initProducer(4)
			req.ProducerEpoch = 3
			a.Send(req).Answer()
		}),
		must("produce.idempotent.sequence", "Batches in sequence are appended.", "ProducerStateManager", func(c *Conversation) {
			t, a, pid := idempotentTopic(c)
			put(a, t, 0, idempotent(pid, 0, 0, "a", "b"))
			put(a, t, 0, idempotent(pid, 0, 2, "c"))
			put(a, t, 0, idempotent(pid, 0, 3, "d"))
			get(a, fetch(12, t, 0, 0))
		}),
		must("produce.idempotent.duplicate", "One of the last five batches sent again is answered with its old offset and not appended.", "ProducerStateEntry.findDuplicateBatch", func(c *Conversation) {
			t, a, pid := idempotentTopic(c)
			for i := range int32(7) {
				put(a, t, 0, idempotent(pid, 0, i, "v"))
			}
			for i := range int32(7) {
				put(a, t, 0, idempotent(pid, 0, i, "v"))
			}
		}),
		must("produce.idempotent.duplicate-other-size", "An old sequence with another number of records is no duplicate.", "ProducerAppendInfo.checkSequence", func(c *Conversation) {
			t, a, pid := idempotentTopic(c)
			put(a, t, 0, idempotent(pid, 0, 0, "a", "b"))
			put(a, t, 0, idempotent(pid, 0, 0, "a"))
			put(a, t, 0, idempotent(pid, 0, 0, "a", "b", "c"))
			put(a, t, 0, idempotent(pid, 0, 1, "b"))
		}),
		must("produce.idempotent.gap", "A gap in the sequence is OUT_OF_ORDER_SEQUENCE_NUMBER.", "ProducerAppendInfo.checkSequence", func(c *Conversation) {
			t, a, pid := idempotentTopic(c)
			put(a, t, 0, idempotent(pid, 0, 0, "a"))
			put(a, t, 0, idempotent(pid, 0, 2, "c"))
			put(a, t, 0, idempotent(pid, 0, 1, "b"))
		}),
		must("produce.idempotent.first-not-zero", "A partition that does not know the producer takes any first sequence.", "ProducerAppendInfo.checkSequence", func(c *Conversation) {
			t, a, pid := idempotentTopic(c)
			put(a, t, 0, idempotent(pid, 0, 5, "a"))
			put(a, t, 0, idempotent(pid, 0, 6, "b"))
			put(a, t, 0, idempotent(pid, 0, 0, "b"))
		}),
		must("produce.idempotent.unknown-id", "A producer id that was never given out is taken.", "ProducerStateManager", func(c *Conversation) {
			t, a, pid := idempotentTopic(c)
			put(a, t, 0, idempotent(pid+1_000_000_000, 3, 0, "a"))
		}),
		must("produce.idempotent.new-epoch", "A new epoch starts at sequence 0.", "ProducerAppendInfo.checkSequence", func(c *Conversation) {
			t, a, pid := idempotentTopic(c)
			put(a, t, 0, idempotent(pid, 0, 0, "a"))
			put(a, t, 0, idempotent(pid, 1, 1, "b"))
			put(a, t, 0, idempotent(pid, 1, 0, "b"))
			put(a, t, 0, idempotent(pid, 1, 0, "b"))
		}),
		must("produce.idempotent.old-epoch", "An epoch before the newest is INVALID_PRODUCER_EPOCH.", "ProducerAppendInfo.checkProducerEpoch", func(c *Conversation) {
			t, a, pid := idempotentTopic(c)
			put(a, t, 0, idempotent(pid, 2, 0, "a"))
			put(a, t, 0, idempotent(pid, 1, 0, "b"))
			put(a, t, 0, idempotent(pid, 1, 1, "b"))
			put(a, t, 0, idempotent(pid, 2, 1, "b"))
		}),
		must("produce.idempotent.sequence-wraps", "Sequences wrap from the highest 32-bit number to 0.", "DefaultRecordBatch.incrementSequence", func(c *Conversation) {
			t, a, pid := idempotentTopic(c)
			put(a, t, 0, idempotent(pid, 0, math.MaxInt32-1, "a"))
			put(a, t, 0, idempotent(pid, 0, math.MaxInt32, "b", "c"))
			put(a, t, 0, idempotent(pid, 0, 1, "d"))
			other := newProducer(a)
			put(a, t, 0, idempotent(other, 0, math.MaxInt32, "e"))
			put(a, t, 0, idempotent(other, 0, 0, "f"))
		}),
		must("produce.idempotent.old-records", "A producer of old records is not forgotten at once.", "ProducerStateManager.isProducerExpired", func(c *Conversation) {
			t, a, pid := idempotentTopic(c)
			for _, sequence := range []int32{0, 1, 3, 1} {
				b := newBatch()
				b.ProducerID, b.ProducerEpoch, b.FirstSequence = pid, 0, sequence
				put(a, t, 0, seal(b, codecNone, values("v")...))
			}
		}),
		must("produce.idempotent.per-partition", "Each partition has a sequence of its own.", "ProducerStateManager", func(c *Conversation) {
			t, a, pid := idempotentTopic(c)
			put(a, t, 0, idempotent(pid, 0, 0, "a"))
			put(a, t, 1, idempotent(pid, 0, 0, "a"))
			put(a, t, 0, idempotent(pid, 0, 1, "b"))
			put(a, t, 1, idempotent(pid, 0, 2, "c"))
		}),
		must("produce.idempotent.half-set", "With a producer id a sequence is needed; without one, epoch and sequence are not looked at.", "LogValidator.validateBatch", func(c *Conversation) {
			t, a, pid := idempotentTopic(c)
			for _, half := range []struct {
				id       int64
				epoch    int16
				sequence int32
			}{{pid, -1, 0}, {pid, 0, -1}, {-1, 0, 0}, {-1, -1, 0}, {-1, 0, -1}, {-2, 0, 0}} {
				a.Send(produce(9, -1, t, 0, idempotent(half.id, half.epoch, half.sequence, "v"))).Answer()
			}
		}),
		must("produce.idempotent.duplicate-after-delete", "A duplicate is recognised after its records were deleted.", "ProducerStateManager", func(c *Conversation) {
			t, a, pid := idempotentTopic(c)
			put(a, t, 0, idempotent(pid, 0, 0, "a", "b"))
			ask[*kmsg.DeleteRecordsResponse](a, deleteRecords(2, t.Name, 0, -1))
			put(a, t, 0, idempotent(pid, 0, 0, "a", "b"))
			put(a, t, 0, idempotent(pid, 0, 2, "c"))
		}),
		must("produce.transactional-batch", "A transactional batch of a request without transactional id is refused.", "KafkaApis.handleProduceRequest", func(c *Conversation) {
			t, a, pid := idempotentTopic(c)
			b := newBatch()
			b.ProducerID, b.ProducerEpoch, b.FirstSequence, b.Attributes = pid, 0, 0, 0x10
			a.Send(produce(9, -1, t, 0, seal(b, codecNone, values("v")...))).Answer()
		}),
		must("produce.transactional-id-unknown", "A transactional batch of a transactional id that no coordinator knows is INVALID_PRODUCER_ID_MAPPING.", "TransactionStateManager, KIP-890", func(c *Conversation) {
			t, a, pid := idempotentTopic(c)
			b := newBatch()
			b.ProducerID, b.ProducerEpoch, b.FirstSequence, b.Attributes = pid, 0, 0, 0x10
			c.TransactionalID("payer")
			for _, v := range []int16{9, 11, 12} {
				req := produce(v, -1, t, 0, seal(b, codecNone, values("v")...))
				req.TransactionID = kmsg.StringPtr(c.Name("payer"))
				a.Send(req).Answer()
			}
		}),
		must("produce.transactional-id-plain-batch", "A request with a transactional id may hold a batch that is not transactional.", "KafkaApis.handleProduceRequest", func(c *Conversation) {
			t, a, _ := idempotentTopic(c)
			req := produce(9, -1, t, 0, batchOf("v"))
			req.TransactionID = kmsg.StringPtr(c.Name("payer"))
			a.Send(req).Answer()
		}),
	}
}

func idempotentTopic(c *Conversation) (Topic, *Conn, int64) {
	t, a := c.Topic("orders", 2), c.Conn("a")
	return t, a, newProducer(a)
}
