package partitions

import (
	"klamm/protocol"
)

// keptRecords is what is left of a batch.
type keptRecords struct {
	records    []protocol.RecordView // valid until the next batch is read
	tombstones bool
	baseMs     int64           // base timestamp of the batch that is made of them
	newest     TimestampOffset // the first of them with the largest timestamp
}

// filter chooses the records of a batch to keep; none where all are to be dropped
// (Cleaner.shouldRetainRecord).
func (c *Cleaning) filter(h *protocol.BatchHeader, batch []byte, drop bool) (kept keptRecords) {
	kept.records = c.views[:0]
	if drop {
		return kept
	}
	horizon, hasHorizon := h.DeleteHorizonMs()
	tombstonesGo := hasHorizon && c.now.UnixMilli() >= horizon
	records := c.records(h, batch)
	var v protocol.RecordView
	for records.Next(&v) {
		offset := h.BaseOffset + int64(v.OffsetDelta)
		if !h.Control() {
			last, dirty := c.keys[string(v.Key)]
			if v.Key == nil || dirty && last > offset || v.Value == nil && tombstonesGo {
				continue
			}
		}
		at := h.BaseTimestampMs + v.TimestampDelta
		if h.LogAppendTime() {
			at = h.MaxTimestampMs
		}
		if len(kept.records) == 0 || at > kept.newest.TimestampMs {
			kept.newest = TimestampOffset{at, offset, h.PartitionLeaderEpoch}
		}
		if len(kept.records) == 0 {
			kept.baseMs = at
		}
		kept.tombstones = kept.tombstones || v.Value == nil
		kept.records = append(kept.records, v)
	}
	if hasHorizon {
		kept.baseMs = horizon
	}
	c.views = kept.records
	c.unread = c.unread || records.Err() != nil
	return kept
}

// rebuild makes a batch of the records to keep, of the same codec and with the offsets that
// they had; the batch reaches as far as it did, so that the producer's last sequence stays.
func (c *Cleaning) rebuild(was *protocol.BatchHeader, kept *keptRecords, horizon bool) []byte {
	h := *was
	h.Attributes &= protocol.AttrCodec | protocol.AttrLogAppendTime | protocol.AttrTransactional | protocol.AttrControl
	if horizon {
		h.Attributes |= protocol.AttrDeleteHorizon
	}
	h.NumRecords, h.BaseTimestampMs, h.MaxTimestampMs = int32(len(kept.records)), kept.baseMs, kept.newest.TimestampMs
	plain := c.plain[:0]
	for i := range kept.records {
		v := &kept.records[i]
		v.TimestampDelta += was.BaseTimestampMs - h.BaseTimestampMs
		if was.LogAppendTime() {
			v.TimestampDelta = was.MaxTimestampMs - h.BaseTimestampMs
		}
		plain = protocol.AppendRecordView(plain, v)
	}
	c.plain = plain
	out, err := c.pack.Append(h.Append(c.buf[:0]), h.Codec(), plain)
	if err != nil {
		panic("partitions: " + err.Error()) // the codec is one that could be read
	}
	protocol.SealBatch(out)
	c.buf = out
	return out
}

// emptied is a batch without its records, which keeps offsets and sequences
// (DefaultRecordBatch.writeEmptyHeader).
func emptied(h *protocol.BatchHeader) []byte {
	e := *h
	e.Attributes &= protocol.AttrLogAppendTime | protocol.AttrTransactional | protocol.AttrControl
	e.BaseTimestampMs, e.NumRecords = protocol.NoTimestampMs, 0
	batch := e.Append(nil)
	protocol.SealBatch(batch)
	return batch
}

// batches walks over the batches of chunks.
type batches struct {
	chunks   []chunk
	position int // in the first chunk
	header   protocol.BatchHeader
	batch    []byte
}

// next goes to the next batch below an offset, and tells whether there is one.
func (b *batches) next(below int64) bool {
	for len(b.chunks) > 0 && b.position == len(b.chunks[0].buf) {
		b.chunks, b.position = b.chunks[1:], 0
	}
	if len(b.chunks) == 0 {
		return false
	}
	rest := b.chunks[0].buf[b.position:]
	if baseOffset(rest) >= below {
		return false
	}
	b.batch = rest[:batchSize(rest)]
	b.header, _ = protocol.ParseBatchHeader(b.batch)
	b.position += len(b.batch)
	return true
}

// followedBy is l and behind it what is in old from the offset end on, where a batch begins.
// Whole chunks are taken over; of the one in which end lies, the batches are copied, so that
// nothing holds on to the rest of it.
func (l *log) followedBy(old *log, end int64) log {
	for i := range old.chunks {
		c := &old.chunks[i]
		if c.base >= end {
			l.chunks = append(l.chunks, *c)
			l.size += int64(len(c.buf))
			continue
		}
		if old.endOf(i) <= end {
			continue
		}
		for rest := c.buf[c.find(end):]; len(rest) > 0; {
			h, _ := protocol.ParseBatchHeader(rest)
			l.append(h.BaseOffset, rest[:h.Size()], h.MaxTimestampMs)
			rest = rest[h.Size():]
		}
	}
	return *l
}
