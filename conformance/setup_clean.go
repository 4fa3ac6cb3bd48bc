package conformance

import (
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// compaction is a rule that waits for the cleaner.
func compaction(id, says, source string, run func(c *Conversation)) Rule {
	return Rule{ID: "logs.compaction." + id, Says: says, Source: source, Timed: true, Profile: "quick-cleaner", Run: run}
}

// compacted is a topic of one partition that is cleaned only by clean.
func compacted(c *Conversation, configs ...string) Topic {
	return c.Topic("orders", 1, append([]string{
		"cleanup.policy", "compact", "segment.ms", "1000", "min.cleanable.dirty.ratio", "1.0", "delete.retention.ms", "3600000",
	}, configs...)...)
}

// clean lets a topic be cleaned, outside the transcript: once, so that it does not matter
// when the target looks while batches are laid.
func clean(c *Conversation, t Topic) { cleanBy(c, t, "0.0") }

// cleanBy lets it be cleaned if more than a share of it is dirty.
func cleanBy(c *Conversation, t Topic, ratio string) {
	alterNow(c, t, "min.cleanable.dirty.ratio", ratio)
	lookForDirty(c)
	alterNow(c, t, "min.cleanable.dirty.ratio", "1.0")
}

// step is the time of the nth batch of a topic in which segments last a second: each
// begins a new one.
func step(n int64) int64 { return baseTime + n*5000 }

// soon is such a time for what has to be of now, in a topic in which segments last ten minutes.
func soon(n int64) int64 { return time.Now().UnixMilli() + n*11*60_000 }

const soonSegments = "600000"

// pairs are records of "key=value", a millisecond apart; without a "=" they are tombstones.
func pairs(texts ...string) []kmsg.Record {
	records := values(texts...)
	for i, text := range texts {
		key, value, whole := strings.Cut(text, "=")
		records[i].Key, records[i].Value = []byte(key), []byte(value)
		if !whole {
			records[i].Value = nil
		}
	}
	return records
}

// pairsAt is one batch of them.
func pairsAt(ms int64, codec int16, texts ...string) []byte {
	b := newBatch()
	b.FirstTimestamp = ms
	return seal(b, codec, pairs(texts...)...)
}

// lay appends a batch of pairs, outside the transcript.
func lay(c *Conversation, t Topic, ms int64, texts ...string) {
	layBatch(c, t, pairsAt(ms, codecNone, texts...))
}

// layBatch appends one batch, outside the transcript.
func layBatch(c *Conversation, t Topic, batch []byte) {
	if resp := ask[*kmsg.ProduceResponse](c.setup, produce(12, -1, t, 0, batch)); resp.Topics[0].Partitions[0].ErrorCode != 0 {
		c.say("%s takes no batch: %d", c.names.text(t.Name), resp.Topics[0].Partitions[0].ErrorCode)
	}
}

// pay appends a batch of pairs to the producer's transaction.
func (p *payer) pay(t Topic, sequence int32, ms int64, texts ...string) {
	b := newBatch()
	b.FirstTimestamp = ms
	b.ProducerID, b.ProducerEpoch, b.FirstSequence, b.Attributes = p.pid, p.epoch, sequence, transactional
	req := produce(12, -1, t, 0, seal(b, codecNone, pairs(texts...)...))
	req.TransactionID = &p.id
	ask[*kmsg.ProduceResponse](p.a, req)
}

// marks are the topic by which lookForDirty sees the cleaner at work, and how many
// records of one key it has.
type marks struct {
	Topic
	n int64
}

// lookForDirty waits, outside the transcript, until the target has cleaned all that is
// dirty enough. The cleaner takes the dirtiest log first, so that one that is hardly dirty
// is cleaned last.
func lookForDirty(c *Conversation) {
	if c.marks.Name == "" {
		c.marks.Topic = c.Topic("marks", 1, "cleanup.policy", "compact", "segment.ms", "1000", "min.cleanable.dirty.ratio", "0")
		lay(c, c.marks.Topic, step(0), "bulk="+strings.Repeat("x", 500_000))
		for range 2 {
			c.marks.n++
			lay(c, c.marks.Topic, step(c.marks.n), "mark=")
		}
	}
	for range 2 {
		c.marks.n++
		lay(c, c.marks.Topic, step(c.marks.n), "mark=")
		gone := c.marks.n - 2 // a record of that key that is clean and not the last one
		_, ok := tried(c, looks, fetch(12, c.marks.Topic, 0, gone), func(resp *kmsg.FetchResponse) bool {
			var b kmsg.RecordBatch
			return b.ReadFrom(resp.Topics[0].Partitions[0].RecordBatches) == nil && b.FirstOffset > gone
		})
		if !ok {
			c.say("nothing is cleaned")
		}
	}
}
