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
}

// segments are those of a log that has batches, in order; the last one is the active one.
type segments []segment

// append counts a batch, in a new segment where the active one is to be left
// (org.apache.kafka.storage.internals.log.LogSegment.shouldRoll).
func (s *segments) append(now time.Time, cfg *Config, base int64, size int, h *protocol.BatchHeader) {
	if n := len(*s); n == 0 || (*s)[n-1].full(now, cfg, size, base+int64(h.LastOffsetDelta), h.MaxTimestampMs) {
		*s = append(*s, segment{base: base, firstMs: h.MaxTimestampMs, began: now})
	}
	(*s)[len(*s)-1].size += int64(size)
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
	case cfg.SegmentMs > 0 && waited > cfg.SegmentMs:
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

// release forgets the segments of which all records are below start.
func (s *segments) release(start, end int64) {
	gone := 0
	for gone+1 < len(*s) && (*s)[gone+1].base <= start {
		gone++
	}
	if gone+1 == len(*s) && end <= start {
		gone++
	}
	*s = append(segments(nil), (*s)[gone:]...)
}
