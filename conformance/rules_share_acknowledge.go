package conformance

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const shareAckSource = "KIP-932, SharePartition.acknowledge"

func shareAckRules() []Rule {
	return []Rule{
		must("share.acknowledge.accept", "What is accepted is not delivered again, and can not be acknowledged again.", shareAckSource, func(c *Conversation) {
			t, g := workedOn(c, "a b c")
			acquire(c.Conn("a"), shareOpen(2, g, "a", t, 0))
			for i, v := range []int16{1, 2} {
				acked(c.Conn("a"), shareAck(v, g, "a", int32(1+i), t, 0, int64(i), int64(i), ackAccept))
			}
			acked(c.Conn("a"), shareAck(2, g, "a", 3, t, 0, 0, 0, ackAccept))
			acked(c.Conn("a"), shareAck(2, g, "a", 4, t, 0, 2, 2, ackAccept))
			acked(c.Conn("a"), shareAck(2, g, "a", 5, t, 0, 2, 2, ackAccept))
			acquire(c.Conn("b"), brief(shareOpen(2, g, "b", t, 0)))
		}),
		must("share.acknowledge.release", "What is released is delivered again, with a higher delivery count.", shareAckSource, func(c *Conversation) {
			t, g := workedOn(c, "a b c")
			acquire(c.Conn("a"), shareOpen(2, g, "a", t, 0))
			acked(c.Conn("a"), shareAck(2, g, "a", 1, t, 0, 0, 2, ackRelease))
			acquire(c.Conn("b"), shareOpen(2, g, "b", t, 0))
			acked(c.Conn("b"), shareAck(2, g, "b", 1, t, 0, 1, 1, ackRelease))
			acquire(c.Conn("a"), shareNext(2, g, "a", 2))
		}),
		must("share.acknowledge.reject", "What is rejected is not delivered again.", shareAckSource, func(c *Conversation) {
			t, g := workedOn(c, "a b c")
			acquire(c.Conn("a"), shareOpen(2, g, "a", t, 0))
			acked(c.Conn("a"), shareAck(2, g, "a", 1, t, 0, 0, 2, ackReject))
			acquire(c.Conn("b"), brief(shareOpen(2, g, "b", t, 0)))
		}),
		must("share.acknowledge.each", "Each offset may have a type of its own.", shareAckSource, func(c *Conversation) {
			t, g := workedOn(c, "a b c d")
			acquire(c.Conn("a"), shareOpen(2, g, "a", t, 0))
			acked(c.Conn("a"), shareAck(2, g, "a", 1, t, 0, 0, 3, ackAccept, ackRelease, ackReject, ackGap))
			acquire(c.Conn("b"), shareOpen(2, g, "b", t, 0))
		}),
		must("share.acknowledge.ranges", "Several ranges are acknowledged together, or none of them.", shareAckSource, func(c *Conversation) {
			t, g := workedOn(c, "a b", "c d", "e f")
			acquire(c.Conn("a"), shareOpen(2, g, "a", t, 0))
			acked(c.Conn("a"), alsoAck(shareAck(2, g, "a", 1, t, 0, 0, 1, ackAccept), 9, 9, ackAccept))
			acked(c.Conn("a"), alsoAck(shareAck(2, g, "a", 2, t, 0, 0, 1, ackAccept), 3, 4, ackRelease))
			acquire(c.Conn("b"), shareOpen(2, g, "b", t, 0))
			acked(c.Conn("a"), alsoAck(shareAck(2, g, "a", 3, t, 0, 2, 2, ackAccept), 5, 5, ackAccept))
		}),
		must("share.acknowledge.not-owner", "Only the member that has acquired a record can acknowledge it.", shareAckSource, func(c *Conversation) {
			t, g := workedOn(c, "a b c")
			acquire(c.Conn("a"), shareOpen(2, g, "a", t, 0))
			acquire(c.Conn("b"), brief(shareOpen(2, g, "b", t, 0)))
			acked(c.Conn("b"), shareAck(2, g, "b", 1, t, 0, 0, 2, ackAccept))
			acked(c.Conn("b"), shareAck(2, g, "b", 2, t, 0, 1, 1, ackAccept))
			acked(c.Conn("a"), shareAck(2, g, "a", 1, t, 0, 1, 1, ackAccept))
			acked(c.Conn("b"), shareAck(2, g, "b", 3, t, 0, 0, 0, ackAccept))
		}),
		must("share.acknowledge.not-acquired", "What is not acquired can not be acknowledged.", shareAckSource, func(c *Conversation) {
			t, g := workedOn(c, "a b", "c")
			acquire(c.Conn("a"), brief(shareOpen(2, g, "a", t)))
			acked(c.Conn("a"), shareAck(2, g, "a", 1, t, 0, 0, 0, ackAccept))
			req := shareOpen(2, g, "a", t, 0)
			req.MaxRecords, req.ShareSessionEpoch = 1, 2
			acquire(c.Conn("a"), req)
			acked(c.Conn("a"), shareAck(2, g, "a", 3, t, 0, 2, 2, ackAccept))
			acked(c.Conn("a"), shareAck(2, g, "a", 4, t, 0, 1, 2, ackAccept))
			acked(c.Conn("a"), shareAck(2, g, "a", 5, t, 0, 0, 1, ackRelease))
			acked(c.Conn("a"), shareAck(2, g, "a", 6, t, 0, 0, 1, ackAccept))
			acked(c.Conn("a"), shareAck(2, g, "a", 7, t, 0, 0, 0, ackAccept))
		}),
		must("share.acknowledge.invalid", "Ranges that overlap, are empty, or have types of another number or kind, are INVALID_REQUEST.", "KafkaApis.validateAcknowledgementBatches", func(c *Conversation) {
			t, g := workedOn(c, "a b c d")
			acquire(c.Conn("a"), shareOpen(2, g, "a", t, 0))
			epoch := int32(0)
			say := func(version int16, first, last int64, types ...int8) *kmsg.ShareAcknowledgeRequest {
				epoch++
				return shareAck(version, g, "a", epoch, t, 0, first, last, types...)
			}
			acked(c.Conn("a"), say(2, 2, 1, ackAccept))
			acked(c.Conn("a"), say(2, 0, 1))
			acked(c.Conn("a"), say(2, 0, 1, ackAccept, ackAccept, ackAccept))
			acked(c.Conn("a"), say(2, 0, 1, 5))
			acked(c.Conn("a"), say(2, 0, 1, -1))
			acked(c.Conn("a"), say(1, 0, 1, ackRenew))
			acked(c.Conn("a"), say(2, 0, 1, ackRenew))
			acked(c.Conn("a"), alsoAck(say(2, 1, 2, ackAccept), 0, 0, ackAccept))
			acked(c.Conn("a"), alsoAck(say(2, 0, 1, ackAccept), 1, 2, ackAccept))
			acked(c.Conn("a"), say(2, -3, -1, ackAccept))
			acked(c.Conn("a"), say(2, 0, 3, ackAccept))
		}),
		must("share.acknowledge.unknown", "Topics and partitions that there are not, or that nobody reads, can not be acknowledged.", "KafkaApis.handleAcknowledgements", func(c *Conversation) {
			t, g := workedOn(c, "a")
			acquire(c.Conn("a"), brief(shareOpen(2, g, "a", t)))
			acked(c.Conn("a"), shareAck(2, g, "a", 1, Topic{ID: [16]byte{7}}, 0, 0, 0, ackAccept))
			acked(c.Conn("a"), shareAck(2, g, "a", 2, t, 4, 0, 0, ackAccept))
			acked(c.Conn("a"), shareAck(2, g, "a", 3, t, 0, 0, 0, ackAccept))
			req := shareAck(2, g, "a", 4, t, 0, 0, 0, ackAccept)
			req.Topics[0].Partitions[0].AcknowledgementBatches = nil
			acked(c.Conn("a"), req)
		}),
		must("share.acknowledge.in-fetch", "A share fetch can acknowledge what the one before has acquired.", "KIP-932", func(c *Conversation) {
			t, g := workedOn(c, "a b", "c d")
			req := shareOpen(2, g, "a", t, 0)
			req.MaxRecords = 2
			acquire(c.Conn("a"), req)
			acquire(c.Conn("a"), withAck(shareNext(2, g, "a", 1), t, 0, 0, 1, ackAccept))
			acquire(c.Conn("a"), withAck(brief(shareNext(2, g, "a", 2)), t, 0, 2, 3, ackAccept))
			acquire(c.Conn("a"), withAck(brief(shareNext(2, g, "a", 3)), t, 0, 2, 3, ackAccept))
		}),
		must("share.acknowledge.in-fetch-release", "What a share fetch gives back it can get again.", "KIP-932", func(c *Conversation) {
			t, g := workedOn(c, "a b")
			acquire(c.Conn("a"), shareOpen(2, g, "a", t, 0))
			acquire(c.Conn("a"), withAck(shareNext(2, g, "a", 1), t, 0, 0, 1, ackRelease))
		}),
		must("share.acknowledge.in-fetch-release-new", "A share fetch that gives records back gets those that are new first.", "KIP-932", func(c *Conversation) {
			t, g := workedOn(c, "a b", "c d")
			req := shareOpen(2, g, "a", t, 0)
			req.MaxRecords = 2
			acquire(c.Conn("a"), req)
			acquire(c.Conn("a"), withAck(shareNext(2, g, "a", 1), t, 0, 0, 1, ackRelease))
			acquire(c.Conn("a"), shareNext(2, g, "a", 2))
		}),
		must("share.acknowledge.in-fetch-errors", "Refused acknowledgements of a share fetch do not keep it from reading.", "KIP-932", func(c *Conversation) {
			t, g := workedOn(c, "a b")
			acquire(c.Conn("a"), brief(shareOpen(2, g, "a", t)))
			acquire(c.Conn("a"), withAck(shareNext(2, g, "a", 1), t, 0, 4, 3, ackAccept))
			acquire(c.Conn("a"), withAck(brief(shareNext(2, g, "a", 2)), Topic{ID: [16]byte{7}}, 0, 0, 0, ackAccept))
			acquire(c.Conn("a"), withAck(brief(shareNext(2, g, "a", 3)), t, 5, 0, 0, ackAccept))
		}),
		must("share.acknowledge.in-final-fetch", "The last fetch of a session acknowledges, and gives back the rest.", "KIP-932", func(c *Conversation) {
			t, g := workedOn(c, "a b")
			acquire(c.Conn("a"), shareOpen(2, g, "a", t, 0))
			acquire(c.Conn("a"), withAck(shareNext(2, g, "a", -1), t, 0, 0, 0, ackAccept))
			acquire(c.Conn("b"), shareOpen(2, g, "b", t, 0))
		}),
		must("share.acknowledge.delivery-limit", "A record that was delivered share.delivery.count.limit times is not delivered again.", sharePartitionSource, func(c *Conversation) {
			t, g := configured(c, []string{"share.delivery.count.limit", "2"}, "a")
			acquire(c.Conn("a"), shareOpen(2, g, "a", t, 0))
			acked(c.Conn("a"), shareAck(2, g, "a", 1, t, 0, 0, 0, ackRelease))
			acquire(c.Conn("a"), shareNext(2, g, "a", 2))
			acked(c.Conn("a"), shareAck(2, g, "a", 3, t, 0, 0, 0, ackRelease))
			acquire(c.Conn("a"), brief(shareNext(2, g, "a", 4)))
			ask[*kmsg.DescribeShareGroupOffsetsResponse](c.Conn("a"), shareOffsets(g, t))
		}),
		must("share.acknowledge.throttled", "Records that were delivered often are delivered with fewer others, and for the last time alone.", sharePartitionSource, func(c *Conversation) {
			t, g := workedOn(c, "a b c d e f g h")
			acquire(c.Conn("a"), shareOpen(2, g, "a", t, 0))
			for epoch := int32(1); epoch < 7; epoch += 2 {
				acked(c.Conn("a"), shareAck(2, g, "a", epoch, t, 0, 0, 7, ackRelease))
				acquire(c.Conn("a"), shareNext(2, g, "a", epoch+1))
			}
		}),
		must("share.acknowledge.renew", "An acquisition is renewed by a request for nothing else.", "KIP-1222", func(c *Conversation) {
			t, g := workedOn(c, "a b")
			acquire(c.Conn("a"), shareOpen(2, g, "a", t, 0))
			req := shareAck(2, g, "a", 1, t, 0, 0, 1, ackRenew)
			req.IsRenewAck = true
			acked(c.Conn("a"), req)
			req = shareAck(2, g, "a", 2, t, 0, 0, 1, ackAccept, ackRenew)
			req.IsRenewAck = true
			acked(c.Conn("a"), req)
			f := withAck(shareNext(2, g, "a", 3), t, 0, 1, 1, ackRenew)
			f.IsRenewAck, f.MaxBytes = true, 0
			acquire(c.Conn("a"), f)
			f.MinBytes, f.MaxRecords, f.MaxWaitMillis = 0, 0, 0
			acquire(c.Conn("a"), f)
			acked(c.Conn("a"), shareAck(2, g, "a", 4, t, 0, 1, 1, ackAccept))
		}),
		must("share.acknowledge.renew-off", "Without share.renew.acknowledge.enable nothing is renewed.", "KIP-1222", func(c *Conversation) {
			t, g := configured(c, []string{"share.renew.acknowledge.enable", "false"}, "a b")
			acquire(c.Conn("a"), shareOpen(2, g, "a", t, 0))
			req := shareAck(2, g, "a", 1, t, 0, 0, 1, ackRenew)
			req.IsRenewAck = true
			acked(c.Conn("a"), req)
		}),
		{
			ID: "share.acknowledge.lock-expires", Says: "What is not acknowledged in time is delivered again, and is lost to the member.", Source: sharePartitionSource,
			Severity: Timing, Timed: true, Run: func(c *Conversation) {
				t, g := configured(c, []string{"share.record.lock.duration.ms", "15000"}, "a b")
				acquire(c.Conn("a"), shareOpen(2, g, "a", t, 0))
				acked(c.Conn("a"), shareAck(2, g, "a", 1, t, 0, 0, 0, ackAccept))
				c.Wait(17 * time.Second)
				acked(c.Conn("a"), shareAck(2, g, "a", 2, t, 0, 1, 1, ackAccept))
				acquire(c.Conn("b"), shareOpen(2, g, "b", t, 0))
			},
		},
	}
}
