package partitions

import (
	"math"
	"sort"
	"time"

	"klamm/protocol"
)

// segment is a stretch of the log that Kafka keeps in one file. Here it is a mark in the
// log and no more, but a client sees where one ends: no read goes beyond it.
type segment struct {
	base    int64
	size    int64 // bytes of batches
	firstMs int64 // max timestamp of its first batch
	began   time.Time
	grown   time.Time       // when its last batch came
	newest  TimestampOffset // the first record with the largest timestamp

	sinceEntry  int64 // bytes since the last entry of the index
	entries     int64 // of the offset index
	timeEntries int64 // of the time index: none where no newer record has come
	lastEntryMs int64
}

// The sizes of entries of Kafka's indexes, in bytes (OffsetIndex, TimeIndex).
const (
	offsetEntry = 8
	timeEntry   = 12
)

// segments are those of a log that has batches, in order; the last one is the active one.
type segments []segment

// append counts a batch, in a new segment where the active one is to be left
// (org.apache.kafka.storage.internals.log.LogSegment.shouldRoll).
func (s *segments) append(now time.Time, cfg *Config, base int64, size int, h *protocol.BatchHeader, newest TimestampOffset) {
	if n := len(*s); n == 0 || (*s)[n-1].full(now, cfg, size, base+int64(h.LastOffsetDelta), h.MaxTimestampMs) {
		s.begin(now, base)
	}
	(*s)[len(*s)-1].note(now, cfg, int64(size), newest)
}

// begin makes a new active segment. An empty one that begins there as well gives way.
func (s *segments) begin(now time.Time, base int64) {
	if n := len(*s); n > 0 && (*s)[n-1].base == base {
		*s = (*s)[:n-1]
	}
	*s = append(*s, segment{base: base, firstMs: protocol.NoTimestampMs, began: now, grown: now, newest: noOffset, lastEntryMs: protocol.NoTimestampMs})
}

// note counts a batch, and an entry of the indexes where Kafka makes one in front of it
// (LogSegment.append).
func (s *segment) note(now time.Time, cfg *Config, size int64, newest TimestampOffset) {
	if s.size == 0 {
		s.firstMs, s.newest = newest.TimestampMs, newest
	}
	if newest.TimestampMs > s.newest.TimestampMs {
		s.newest = newest
	}
	if s.sinceEntry > cfg.IndexIntervalBytes {
		s.entries++
		if s.newest.TimestampMs > s.lastEntryMs {
			s.timeEntries++
			s.lastEntryMs = s.newest.TimestampMs
		}
		s.sinceEntry = 0
	}
	s.sinceEntry += size
	s.size += size
	s.grown = now
}

// largestMs is the time by which a segment expires: that of its newest record, or of its
// last append where no record has a time.
func (s *segment) largestMs() int64 {
	if s.newest.TimestampMs >= 0 {
		return s.newest.TimestampMs
	}
	return s.grown.UnixMilli()
}

// newest is the first record with the largest timestamp of all segments.
func (s segments) newest() TimestampOffset {
	if len(s) == 0 {
		return noOffset
	}
	found := s[0].newest // also where none has a time
	for i := range s {
		if n := s[i].newest; n.TimestampMs > found.TimestampMs {
			found = n
		}
	}
	return found
}

// full tells whether a batch is to go to a new segment.
func (s *segment) full(now time.Time, cfg *Config, size int, lastOffset, maxTimestampMs int64) bool {
	waited := maxTimestampMs - s.firstMs
	if s.firstMs < 0 {
		waited = now.Sub(s.began).Milliseconds()
	}
	switch {
	case cfg.SegmentBytes > 0 && s.size > cfg.SegmentBytes-int64(size):
		return true
	case cfg.SegmentMs > 0 && s.size > 0 && waited > cfg.SegmentMs:
		return true
	case cfg.SegmentIndexBytes > 0 && (s.entries >= cfg.SegmentIndexBytes/offsetEntry || s.timeEntries >= cfg.SegmentIndexBytes/timeEntry-1):
		return true
	}
	return lastOffset-s.base > math.MaxInt32
}

// endOf is where the segment that holds offset ends: the base offset of the next one,
// MaxInt64 in the active one.
func (s segments) endOf(offset int64) int64 {
	if len(s) < 2 {
		return math.MaxInt64
	}
	next := sort.Search(len(s), func(i int) bool { return s[i].base > offset })
	if next == len(s) {
		return math.MaxInt64
	}
	return s[next].base
}

// InOlderSegment tells whether an offset lies in a segment before that of another offset.
func (p *Partition) InOlderSegment(offset, other int64) bool {
	return offset < other && p.segments.endOf(offset) <= other && p.segments.endOf(offset) < p.end
}
