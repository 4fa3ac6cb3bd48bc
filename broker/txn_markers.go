package broker

import (
	"cmp"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/broker/txncoord"
	"klamm/groupcoord"
	"klamm/partitions"
	"klamm/protocol"
)

// coordinatorEpoch is the epoch of every transaction coordinator: that of the leader of
// its partition, which never changes.
const coordinatorEpoch = 0

// HoldMarkers keeps the markers of transactions that end from now on from being written,
// so that what clients see of a transaction that is being completed lasts: other requests
// of its producer are answered with CONCURRENT_TRANSACTIONS, its records stay above the
// last stable offset, and the offsets that it committed stay pending. ReleaseMarkers
// writes them.
func (c *Cluster) HoldMarkers() { c.txns.held.Store(true) }

// ReleaseMarkers ends HoldMarkers and completes the transactions that waited.
func (c *Cluster) ReleaseMarkers() {
	c.txns.held.Store(false)
	now := time.Now()
	for _, t := range c.txns.all() {
		t.finish(now)
	}
}

// finish completes t's transaction, if that is still to be done.
func (t *transaction) finish(now time.Time) {
	if t.lock(now) {
		t.release()
	}
}

// complete writes the markers of a transaction whose outcome is decided, one partition
// after another, unless a test holds them; t is locked.
func (t *transaction) complete(now time.Time) {
	if t.markers == nil || t.cluster.txns.held.Load() {
		return
	}
	m := t.markers
	t.markers = nil
	refused := false
	for _, tp := range m.Partitions {
		code := t.cluster.writeMarker(now, tp, partitions.Marker{
			ProducerID: m.ProducerID, ProducerEpoch: m.ProducerEpoch, CoordinatorEpoch: coordinatorEpoch,
			Commit: m.Commit, EpochBump: m.EpochBump,
		})
		if code != protocol.None && code != protocol.UnknownTopicOrPartition {
			// Somebody else has written a marker, as WriteTxnMarkers allows, or none fits into
			// max.message.bytes. Kafka's coordinator takes itself for fenced in the one case,
			// gives up in the other, and leaves the transaction as it is.
			t.cluster.log.Warn("a marker was refused: the transaction stays as it is", "transactional id", t.id, "partition", tp, "error", code)
			refused = true
		}
	}
	if !refused {
		t.step(now, txncoord.MarkersWritten{})
	}
}

// writeMarker writes a marker to one partition, if it is there. One of __consumer_offsets
// ends what groups have pending there.
func (c *Cluster) writeMarker(now time.Time, tp txncoord.TopicPartition, m partitions.Marker) protocol.ErrorCode {
	p := c.image.Load().byName.get(tp.Topic).partition(tp.Partition)
	if p == nil {
		return protocol.UnknownTopicOrPartition
	}
	if tp.Topic != offsetsTopicName {
		_, code := p.appendMarker(now, m)
		return code
	}
	return c.writeOffsetsMarker(now, p, m)
}

// writeOffsetsMarker locks the groups whose offsets the marker decides on before it is
// written, so that nobody sees the one without the other.
func (c *Cluster) writeOffsetsMarker(now time.Time, p *partition, m partitions.Marker) protocol.ErrorCode {
	waiting := c.groups.takePending(pendingKey{p, m.ProducerID})
	for _, g := range waiting {
		g.mu.Lock()
	}
	offset, code := p.appendMarker(now, m)
	for _, g := range waiting {
		switch {
		case g.gone:
			g.mu.Unlock()
			continue
		case code == protocol.None:
			g.endTransaction(now, groupcoord.Record{Offset: offset, ProducerID: m.ProducerID, ProducerEpoch: m.ProducerEpoch, Outcome: outcomeOf(m)})
		default:
			c.groups.notePending(pendingKey{p, m.ProducerID}, g)
		}
		g.release()
	}
	return code
}

// requestedMarker is a marker of a WriteTxnMarkers request.
func requestedMarker(m *kmsg.WriteTxnMarkersRequestMarker) partitions.Marker {
	return partitions.Marker{
		ProducerID: m.ProducerID, ProducerEpoch: m.ProducerEpoch, CoordinatorEpoch: m.CoordinatorEpoch,
		Commit: m.Committed, EpochBump: m.TransactionVersion >= 2,
	}
}

func outcomeOf(m partitions.Marker) groupcoord.Outcome {
	if m.Commit {
		return groupcoord.Committed
	}
	return groupcoord.Aborted
}

// endTransaction applies a marker that has been written; g is locked.
func (g *group) endTransaction(now time.Time, marker groupcoord.Record) {
	g.machine.Apply(marker)
	g.arm(now)
}

// pendingKey is a producer whose transaction has committed offsets to a partition of
// __consumer_offsets.
type pendingKey struct {
	records    *partition
	producerID int64
}

// notePending notes that a group has offsets of an open transaction.
func (gs *groups) notePending(key pendingKey, g *group) {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	if gs.pending == nil {
		gs.pending = make(map[pendingKey][]*group)
	}
	if !slices.Contains(gs.pending[key], g) {
		gs.pending[key] = append(gs.pending[key], g)
	}
}

// takePending returns the groups that have offsets of a producer's transaction, in an
// order in which they can be locked, and forgets them.
func (gs *groups) takePending(key pendingKey) []*group {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	waiting := gs.pending[key]
	delete(gs.pending, key)
	slices.SortFunc(waiting, func(a, b *group) int {
		return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.life, b.life))
	})
	return waiting
}

// appendMarker ends a producer's transaction on the partition, and wakes who waits for
// committed records.
func (p *partition) appendMarker(now time.Time, m partitions.Marker) (offset int64, code protocol.ErrorCode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.deleted {
		return -1, protocol.UnknownTopicOrPartition
	}
	before, size := p.log.LastStableOffset(), p.log.Size()
	if offset, code = p.log.AppendMarker(now, p.cfg.Load(), m); code == protocol.None {
		p.wake(int(p.log.Size()-size), before)
		if p.cfg.Load().Compacted {
			p.watch(now) // what can be cleaned ends at the last stable offset
		}
	}
	return offset, code
}

// wake tells the parked fetches that n bytes have been appended; before is what the last
// stable offset was.
func (p *partition) wake(n int, before int64) {
	if len(p.waiters) == 0 {
		return
	}
	stable := p.log.SizeBetween(before, p.log.LastStableOffset())
	for i := range p.waiters {
		if p.waiters[i].committed {
			p.waiters[i].arrived(stable)
		} else {
			p.waiters[i].arrived(n)
		}
	}
}
