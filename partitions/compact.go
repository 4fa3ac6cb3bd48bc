package partitions

import (
	"math"
	"time"

	"klamm/protocol"
)

// Cleaning is one round of the cleaner over a log: of the records below its end the last one of
// each key is kept. It works on what BeginCleaning has seen, in a copy of its own, so that
// the log can go on growing meanwhile; FinishCleaning puts the copy in the place of the old
// segments. It mirrors org.apache.kafka.storage.internals.log.Cleaner.
type Cleaning struct {
	now       time.Time
	cfg       *Config
	dirty     int64 // first dirty offset
	end       int64 // first offset that stays as it is
	high      int64 // high watermark
	old       []chunk
	segments  segments // that lie below end
	aborted   []AbortedTxn
	producers map[int64]lastBatch // what to keep for whom
	keys      map[string]int64    // last offset of each key, of those that are dirty

	txns    cleanedTxns
	into    *segment
	cleaned log
	rebuilt segments
	unread  bool // a batch could not be read

	// What is used again from batch to batch.
	unpack     protocol.Decompressor
	pack       protocol.Compressor
	views      []protocol.RecordView
	plain, buf []byte
}

// lastBatch is what the log has to keep of a producer (org.apache.kafka.storage.internals.log.LastRecord).
type lastBatch struct {
	lastOffset int64 // of its last batch; -1: its epoch has none, and a marker tells of it
	epoch      int16
}

// is tells whether the batch is the one to keep.
func (l lastBatch) is(h *protocol.BatchHeader) bool {
	if l.lastOffset >= 0 {
		return h.LastOffset() == l.lastOffset
	}
	return h.Control() && h.ProducerEpoch == l.epoch
}

// Roll begins a new active segment, so that all that is in the log can be cleaned.
func (p *Partition) Roll(now time.Time) {
	if len(p.segments) > 0 {
		p.segments.begin(now, p.end)
	}
}

// BeginCleaning is the first part of a cleaning, whether it is due or not; nil where there
// is no segment that can be cleaned. Nothing else may begin a cleaning of the log or apply
// retention to it before it is finished.
func (p *Partition) BeginCleaning(now time.Time, cfg *Config) *Cleaning {
	if !cfg.Compacted || p.uncleanable || len(p.segments) == 0 {
		return nil
	}
	end := max(p.cleanableEnd(now, cfg), p.segments[p.segments.holding(p.firstDirty())].base)
	below := 0
	for below < len(p.segments) && p.segments[below].base < end {
		below++
	}
	if below == 0 {
		return nil
	}
	c := &Cleaning{now: now, cfg: cfg, dirty: p.firstDirty(), end: end, high: p.HighWatermark(), producers: p.lastBatches()}
	c.segments = append(c.segments, p.segments[:below]...)
	c.aborted = append(c.aborted, p.txns.aborted...)
	for i := 0; i < len(p.log.chunks) && p.log.chunks[i].base < end; i++ {
		c.old = append(c.old, p.log.chunks[i])
	}
	return c
}

// lastBatches are those of the producers that the log remembers.
func (p *Partition) lastBatches() map[int64]lastBatch {
	last := make(map[int64]lastBatch, len(p.producers))
	for id, s := range p.producers {
		offset := InvalidOffset
		if s.count > 0 {
			newest := &s.recent[s.count-1]
			offset = newest.baseOffset + int64((newest.lastSequence-newest.firstSequence)&0x7fffffff)
		}
		last[id] = lastBatch{offset, s.epoch}
	}
	return last
}

// Run does the work of a cleaning. It touches nothing but c.
func (c *Cleaning) Run() {
	c.findKeys()
	segments := c.segments
	c.txns = newCleanedTxns(c.aborted, 0)
	batches := batches{chunks: c.old}
	for _, n := range segments.groups(c.cfg, c.end) {
		end := c.end
		if n < len(segments) {
			end = segments[n].base
		}
		c.rebuilt.begin(segments[n-1].grown, segments[0].base)
		c.into = &c.rebuilt[len(c.rebuilt)-1]
		for !c.unread && batches.next(end) {
			c.clean(&batches.header, batches.batch)
		}
		c.into.grown = segments[n-1].grown
		segments = segments[n:]
	}
}

// findKeys notes where the last record of each key is that is dirty (Cleaner.buildOffsetMap).
func (c *Cleaning) findKeys() {
	c.keys = map[string]int64{}
	txns := newCleanedTxns(c.aborted, c.dirty)
	batches := batches{chunks: c.old}
	for !c.unread && batches.next(c.end) {
		h := &batches.header
		if h.LastOffset() < c.dirty || txns.discards(h, batches.batch) || h.Control() {
			continue
		}
		records := c.records(h, batches.batch)
		var v protocol.RecordView
		for records.Next(&v) {
			if offset := h.BaseOffset + int64(v.OffsetDelta); v.Key != nil && offset >= c.dirty {
				c.keys[string(v.Key)] = offset
			}
		}
		c.unread = c.unread || records.Err() != nil
	}
}

// records reads those of a batch.
func (c *Cleaning) records(h *protocol.BatchHeader, batch []byte) protocol.RecordReader {
	payload, err := c.unpack.Decompress(h.Codec(), batch[protocol.BatchOverhead:])
	c.unread = c.unread || err != nil
	reader := protocol.ReadRecords(payload, h.NumRecords)
	if h.Codec() != protocol.CodecNone && checkSizes(c.cfg, reader) != nil {
		c.unread = true // until the limit is raised again
	}
	return reader
}

// clean copies what is to be kept of a batch (Cleaner.cleanInto, MemoryRecords.filterTo).
func (c *Cleaning) clean(h *protocol.BatchHeader, batch []byte) {
	discard := c.txns.discards(h, batch)
	drop, emptyMarker := discard, discard && h.Control()
	if horizon, ok := h.DeleteHorizonMs(); h.Control() {
		drop = discard && ok && horizon <= c.now.UnixMilli()
	}
	last, known := c.producers[h.ProducerID]
	keep := h.HasProducer() && known && last.is(h) || h.LastOffset()+1 == c.high // else the end would be lost
	if drop && !keep {
		return
	}
	kept := c.filter(h, batch, drop)
	count := int32(len(kept.records))
	if c.unread || count == 0 && !keep {
		return
	}
	_, hasHorizon := h.DeleteHorizonMs()
	switch setHorizon := (kept.tombstones || emptyMarker) && !hasHorizon; {
	case count == 0:
		c.keep(h, emptied(h), TimestampOffset{h.MaxTimestampMs, InvalidOffset, h.PartitionLeaderEpoch})
	case count == h.NumRecords && !setHorizon:
		c.keep(h, batch, kept.newest)
	default:
		if setHorizon {
			kept.baseMs = c.now.UnixMilli() + c.cfg.DeleteRetentionMs
		}
		c.keep(h, c.rebuild(h, &kept, setHorizon || hasHorizon), kept.newest)
	}
}

// keep appends a batch to the new segment.
func (c *Cleaning) keep(h *protocol.BatchHeader, batch []byte, newest TimestampOffset) {
	c.cleaned.append(h.BaseOffset, batch, newest.TimestampMs)
	c.into.note(c.now, c.cfg, int64(len(batch)), newest)
}

// FinishCleaning puts what a cleaning has made in the place of the segments that it has
// read, whose memory it lets go. A log of which a batch cannot be read stays as it is and is
// never cleaned again, as in Kafka.
func (p *Partition) FinishCleaning(c *Cleaning) {
	if c.unread {
		p.uncleanable = true
		return
	}
	p.log = c.cleaned.followedBy(&p.log, c.end)
	rest := p.segments[p.segments.holding(c.end):]
	p.segments = append(c.rebuilt, rest...)
	p.size = p.segments.sizeBelow(math.MaxInt64)
	for _, a := range p.txns.aborted {
		if a.lastOffset >= c.end {
			c.txns.marked = append(c.txns.marked, a)
		}
	}
	p.txns.aborted = c.txns.marked
	p.dirty = c.end
	p.log.release(p.start, p.end) // which may have moved meanwhile
	p.txns.trim(p.start)
}
