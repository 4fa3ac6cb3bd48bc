package groupcoord

import (
	"math"
	"time"
)

// farFuture is a time in ms that no clock reaches, and far enough from the end of
// int64 for sums. An offset that expires later, by a client's word, never does.
const farFuture = 1 << 60

// expiryRule says which offsets expire, and when: Kafka's OffsetExpirationCondition
// with the configuration that it is judged by. It changes with the group's state.
type expiryRule struct {
	exists  bool
	empty   bool  // state Empty: without offsets the group goes too
	expires bool  // offsets of topics that nobody is subscribed to may expire
	since   int64 // retention runs from here, ms; -1: from each commit
	began   int64 // when the group's state began, ms

	revision            int64 // changes with what the members subscribe to
	retention, interval int64 // ms; 0: never
}

// expiryDue is when something can expire first, and what that was computed for.
type expiryDue struct {
	known   bool
	rule    expiryRule
	soonest int64 // ms; MaxInt64: nothing can
}

func (g *Group) expiryRule() expiryRule {
	r := g.kind.expiry()
	r.exists = g.offsets.exists
	r.retention, r.interval = g.cfg.OffsetsRetention.Milliseconds(), g.cfg.OffsetsRetentionCheckInterval.Milliseconds()
	return r
}

// expiry is for kind (ClassicGroup.offsetExpirationCondition).
func (c *classic) expiry() expiryRule {
	r := expiryRule{empty: c.isEmpty(), since: -1, revision: int64(c.generation)}
	if !c.since.IsZero() {
		r.began = c.since.UnixMilli()
	}
	switch {
	case c.protocolType == "":
		r.expires = true // a simple group
	case r.empty:
		r.expires = true
		if r.began != 0 {
			r.since = r.began
		}
	case c.state == stable && c.usesConsumerProtocol():
		r.expires = true
	}
	return r
}

// observe notes the time of an event, unless a check is overdue, which stays due.
func (g *Group) observe(now time.Time) {
	ms := now.UnixMilli()
	if due := g.offsetsDue(); due == 0 || ms <= due {
		g.offsets.seen = max(g.offsets.seen, ms)
	}
}

// offsetsDeadline is when the next check for expired offsets will find something;
// the zero time means that none will, as things are. Checks happen each
// offsets.retention.check.interval.ms from the group's creation on.
func (g *Group) offsetsDeadline() time.Time {
	if due := g.offsetsDue(); due != 0 {
		return time.UnixMilli(due)
	}
	return time.Time{}
}

// offsetsDue is the deadline in ms; 0 means never. It may be early where newer
// commits have overtaken the oldest one: that costs one check per retention.
func (g *Group) offsetsDue() int64 {
	o, rule := &g.offsets, g.expiryRule()
	if !rule.exists || !rule.expires || rule.interval <= 0 {
		return 0
	}
	if !o.due.known || o.due.rule != rule {
		o.due = expiryDue{known: true, rule: rule, soonest: g.soonestExpiry(rule)}
	}
	if o.due.soonest > farFuture {
		return 0
	}
	return o.onGrid(max(o.due.soonest, rule.began, o.seen), rule.interval)
}

// soonestExpiry is when something can expire first, by what is known of the oldest
// commits. An Empty group without offsets can go at any time.
func (g *Group) soonestExpiry(rule expiryRule) int64 {
	soonest := int64(math.MaxInt64)
	if len(g.offsets.pending.open) > 0 {
		return soonest // what ends a transaction looks again
	}
	if len(g.offsets.topics) == 0 && rule.empty {
		return 0
	}
	for name, t := range g.offsets.topics {
		if !g.kind.subscribedTo(name) {
			soonest = min(soonest, t.soonest, rule.end(t.oldest))
		}
	}
	return soonest
}

// end is when an offset of that commit time expires; MaxInt64 for never.
func (r *expiryRule) end(timestamp int64) int64 {
	if r.retention <= 0 || timestamp == math.MaxInt64 {
		return math.MaxInt64
	}
	if r.since != -1 {
		timestamp = r.since
	}
	return timestamp + r.retention
}

// onGrid is the first check at ms or later. The first of all is one interval after
// the start of the grid.
func (o *offsets) onGrid(ms, interval int64) int64 {
	steps := max(1, (ms-o.anchor+interval-1)/interval)
	return o.anchor + steps*interval
}

// expireOffsets is a check for expired offsets, if one is due
// (GroupCoordinatorShard.cleanupGroupMetadata). With its last offset an Empty
// group goes as well.
func (g *Group) expireOffsets(now time.Time) []Effect {
	ms := now.UnixMilli()
	if due := g.offsetsDue(); due == 0 || ms < due {
		return nil
	}
	g.offsets.seen = max(g.offsets.seen, ms)
	g.offsets.due.known = false
	rule := g.expiryRule()
	var records []Record
	left := false
	for _, name := range g.offsets.topicNames() {
		if g.kind.subscribedTo(name) {
			left = true
			continue
		}
		t := g.offsets.topics[name]
		oldest, soonest := int64(math.MaxInt64), int64(math.MaxInt64)
		for _, partition := range t.partitionIDs() {
			c := t.partitions[partition]
			end, own := rule.end(c.timestamp), c.expires()
			if own != -1 {
				end = own
			}
			switch {
			case end <= ms && !g.offsets.pending.unstable(name, partition):
				records = append(records, g.offsetTombstone(name, partition))
				continue
			case own != -1:
				soonest = min(soonest, own)
			default:
				oldest = min(oldest, c.timestamp)
			}
			left = true
		}
		t.oldest, t.soonest = oldest, soonest
	}
	if !left && rule.empty && len(g.offsets.pending.open) == 0 {
		records = g.kind.tombstones(g, records)
	}
	return g.inBatches(records)
}
