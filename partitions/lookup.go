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
// batches are looked into with d, which may be nil; the code is InvalidRecord when a record
// of one is larger than cfg.MaxDecompressed allows by now. It mirrors
// org.apache.kafka.storage.internals.log.UnifiedLog.fetchOffsetByTimestamp.
func (p *Partition) FindOffset(cfg *Config, timestampMs int64, d *protocol.Decompressor) (TimestampOffset, protocol.ErrorCode) {
	switch timestampMs {
	case LatestTimestamp:
		return TimestampOffset{-1, p.HighWatermark(), p.epoch}, protocol.None
	case EarliestTimestamp, EarliestLocalTimestamp:
		return TimestampOffset{-1, p.start, p.epochOf(p.start)}, protocol.None
	case LatestTieredTimestamp, EarliestPendingUploadTimestamp:
		return noOffset, protocol.None // nothing is in tiered storage
	}
	if d == nil {
		d = new(protocol.Decompressor)
	}
	search := lookup{p: p, d: d, maxRecordBytes: cfg.recordLimit()}
	if timestampMs != MaxTimestamp {
		found := search.timestamp(timestampMs)
		return found, search.code
	}
	// Kafka keeps this with the segment, which outlives records that DeleteRecords
	// took from it, so that the offset may be below the log start offset.
	newest := p.segments.newest()
	if newest.Offset < 0 {
		return noOffset, protocol.None // cleaning has left its batch without records
	}
	if search.maxRecordBytes > 0 {
		search.timestamp(newest.TimestampMs) // only for what stands in the way
	}
	if search.code != protocol.None {
		return noOffset, search.code
	}
	return newest, protocol.None
}

// lookup looks for a record by its time.
type lookup struct {
	p              *Partition
	d              *protocol.Decompressor
	maxRecordBytes int
	code           protocol.ErrorCode // InvalidRecord: a record was too large to look on
}

// timestamp finds the first record that is not older than timestampMs.
func (s *lookup) timestamp(timestampMs int64) TimestampOffset {
	p := s.p
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
			if found, ok := s.inBatch(&h, c.buf[at:at+h.Size()], timestampMs); ok || s.code != protocol.None {
				return found
			}
		}
	}
	return noOffset
}

// inBatch looks for the first record of a batch that is not older, and not below the log
// start offset.
func (s *lookup) inBatch(h *protocol.BatchHeader, batch []byte, timestampMs int64) (TimestampOffset, bool) {
	payload, err := s.d.Decompress(h.Codec(), batch[protocol.BatchOverhead:])
	if err != nil {
		return noOffset, false // it was readable when it was appended
	}
	reader := protocol.SkimRecords(payload, h.NumRecords)
	limited := s.maxRecordBytes > 0 && h.Codec() != protocol.CodecNone
	var v protocol.RecordView
	for {
		if limited && reader.NextSize() > s.maxRecordBytes {
			s.code = protocol.InvalidRecord
			return noOffset, false
		}
		if !reader.Next(&v) {
			return noOffset, false
		}
		found := TimestampOffset{h.BaseTimestampMs + v.TimestampDelta, h.BaseOffset + int64(v.OffsetDelta), h.PartitionLeaderEpoch}
		if h.LogAppendTime() {
			found.TimestampMs = h.MaxTimestampMs
		}
		if found.TimestampMs >= timestampMs && found.Offset >= s.p.start {
			return found, true
		}
	}
}
