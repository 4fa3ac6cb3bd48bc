package partitions

import (
	"klamm/protocol"
)

// The timestamps of ListOffsets that are none (org.apache.kafka.common.requests.ListOffsetsRequest).
const (
	LatestTimestamp                int64 = -1
	EarliestTimestamp              int64 = -2
	MaxTimestamp                   int64 = -3 // KIP-734
	EarliestLocalTimestamp         int64 = -4 // KIP-405
	LatestTieredTimestamp          int64 = -5 // KIP-1005
	EarliestPendingUploadTimestamp int64 = -6 // KIP-1023
)

// TimestampOffset is an answer of ListOffsets. Offset is -1 where there is no such
// record, and TimestampMs is -1 where Kafka does not tell it.
type TimestampOffset struct {
	TimestampMs int64
	Offset      int64
	LeaderEpoch int32
}

// noOffset is the answer when nothing was found.
var noOffset = TimestampOffset{TimestampMs: -1, Offset: -1, LeaderEpoch: -1}

// TimestampKnown tells whether ListOffsets of that version has such a timestamp; for
// one that it has not, Kafka answers UNSUPPORTED_VERSION.
func TimestampKnown(version int16, timestampMs int64) bool {
	switch timestampMs {
	case MaxTimestamp:
		return version >= 7
	case EarliestLocalTimestamp:
		return version >= 8
	case LatestTieredTimestamp:
		return version >= 9
	case EarliestPendingUploadTimestamp:
		return version >= 11
	}
	return timestampMs > EarliestPendingUploadTimestamp
}

// FindOffset answers ListOffsets: for one of the timestamps that are none what its
// name says, and for any other the first record that is not older. Compressed
// batches are looked into with d, which may be nil. It mirrors
// org.apache.kafka.storage.internals.log.UnifiedLog.fetchOffsetByTimestamp.
func (p *Partition) FindOffset(timestampMs int64, d *protocol.Decompressor) TimestampOffset {
	switch timestampMs {
	case LatestTimestamp:
		return TimestampOffset{-1, p.HighWatermark(), p.epoch}
	case EarliestTimestamp, EarliestLocalTimestamp:
		return TimestampOffset{-1, p.start, p.epochOf(p.start)}
	case LatestTieredTimestamp, EarliestPendingUploadTimestamp:
		return noOffset // nothing is in tiered storage
	case MaxTimestamp:
		// Kafka keeps this with the segment, which outlives records that DeleteRecords
		// took from it, so that the offset may be below the log start offset.
		if newest := p.segments.newest(); newest.Offset >= 0 {
			return newest
		}
		return noOffset // cleaning has left its batch without records
	}
	return p.findTimestamp(timestampMs, d)
}

// findTimestamp finds the first record that is not older than timestampMs.
func (p *Partition) findTimestamp(timestampMs int64, d *protocol.Decompressor) TimestampOffset {
	first := 0
	for first < len(p.segments) && p.segments[first].largestMs() < timestampMs {
		first++
	}
	if first == len(p.segments) {
		return noOffset
	}
	// Kafka looks no further than the first segment that has a record so new, even if
	// that record is below the log start offset.
	base, end := p.segments[first].base, p.segments.endOf(p.segments[first].base)
	for i := range p.log.chunks {
		c := &p.log.chunks[i]
		if c.maxTimestampMs < timestampMs || c.base >= end {
			continue
		}
		for at := 0; at < len(c.buf); at += batchSize(c.buf[at:]) {
			h, _ := protocol.ParseBatchHeader(c.buf[at:])
			if h.MaxTimestampMs < timestampMs || h.LastOffset() < p.start || h.BaseOffset < base || h.BaseOffset >= end {
				continue
			}
			if found, ok := p.findInBatch(&h, c.buf[at:at+h.Size()], timestampMs, d); ok {
				return found
			}
		}
	}
	return noOffset
}

// findInBatch looks for the first record of a batch that is not older, and not
// below the log start offset.
func (p *Partition) findInBatch(h *protocol.BatchHeader, batch []byte, timestampMs int64, d *protocol.Decompressor) (TimestampOffset, bool) {
	if d == nil {
		d = new(protocol.Decompressor)
	}
	payload, err := d.Decompress(h.Codec(), batch[protocol.BatchOverhead:])
	if err != nil {
		return noOffset, false // it was readable when it was appended
	}
	reader := protocol.SkimRecords(payload, h.NumRecords)
	var v protocol.RecordView
	for reader.Next(&v) {
		found := TimestampOffset{h.BaseTimestampMs + v.TimestampDelta, h.BaseOffset + int64(v.OffsetDelta), h.PartitionLeaderEpoch}
		if h.LogAppendTime() {
			found.TimestampMs = h.MaxTimestampMs
		}
		if found.TimestampMs >= timestampMs && found.Offset >= p.start {
			return found, true
		}
	}
	return noOffset, false
}
