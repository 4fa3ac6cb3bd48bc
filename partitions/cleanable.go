package partitions

import (
	"math"
	"sort"
	"time"
)

// CleaningDue is when the log has enough to clean, if nothing more is appended; ok is false
// when never. Of what can be cleaned, more than min.cleanable.dirty.ratio of the log has to be
// dirty, or something older than max.compaction.lag.ms. It mirrors
// org.apache.kafka.storage.internals.log.LogCleanerManager.grabFilthiestCompactedLog.
func (p *Partition) CleaningDue(now time.Time, cfg *Config) (due time.Time, ok bool) {
	if !cfg.Compacted || p.uncleanable || len(p.segments) == 0 {
		return time.Time{}, false
	}
	clean, dirty := p.segments.sizeBelow(p.firstDirty()), int64(0)
	at := now.UnixMilli() // when all segments so far are old enough
	atMost, late := p.tooOldAt(cfg)
	first, end := p.dirtySegments()
	for i := first; i < end; i++ {
		old, ever := p.segments[i].oldEnoughAt(cfg)
		if !ever {
			break
		}
		at = max(at, old)
		dirty += p.segments[i].size
		if dirty == 0 {
			continue
		}
		if late && (!ok || max(at, atMost) < due.UnixMilli()) {
			due, ok = time.UnixMilli(max(at, atMost)), true
		}
		if float64(dirty)/float64(clean+dirty) > cfg.MinCleanableRatio {
			if !ok || at < due.UnixMilli() {
				due, ok = time.UnixMilli(at), true
			}
			break // later segments are not due sooner
		}
	}
	return due, ok
}

// firstDirty is the first offset that no cleaning has seen (LogCleanerManager.cleanableOffsets).
func (p *Partition) firstDirty() int64 { return max(p.dirty, p.start) }

// dirtySegments are the segments from the one of the first dirty offset on that can be
// cleaned when they are old enough: not the active one, and none that reaches the last
// stable offset.
func (p *Partition) dirtySegments() (first, end int) {
	return p.segments.holding(p.firstDirty()), p.segments.holding(p.LastStableOffset())
}

// cleanableEnd is the offset below which the log can be cleaned now: the first one of a segment.
func (p *Partition) cleanableEnd(now time.Time, cfg *Config) int64 {
	first, end := p.dirtySegments()
	for i := first; i < end; i++ {
		if old, ever := p.segments[i].oldEnoughAt(cfg); !ever || old > now.UnixMilli() {
			end = i
		}
	}
	return p.segments[end].base
}

// tooOldAt is when the oldest dirty segment is older than max.compaction.lag.ms, by its
// first batch (LogCleanerManager.maxCompactionDelay); ok is false when never.
func (p *Partition) tooOldAt(cfg *Config) (ms int64, ok bool) {
	oldest := int64(math.MaxInt64)
	for i := p.segments.holding(p.firstDirty()); i < len(p.segments)-1; i++ {
		if first := p.segments[i].firstMs; first > 0 {
			oldest = min(oldest, first)
		}
	}
	if oldest > math.MaxInt64-1-cfg.MaxCompactionLagMs {
		return 0, false
	}
	return oldest + cfg.MaxCompactionLagMs + 1, true
}

// oldEnoughAt is when all records of the segment are as old as min.compaction.lag.ms; ok is false when never.
func (s *segment) oldEnoughAt(cfg *Config) (ms int64, ok bool) {
	if cfg.MinCompactionLagMs <= 0 {
		return math.MinInt64, true
	}
	if s.largestMs() > math.MaxInt64-cfg.MinCompactionLagMs {
		return 0, false
	}
	return s.largestMs() + cfg.MinCompactionLagMs, true
}

// holding is the number of the segment that holds offset; the first one where it is below all.
func (s segments) holding(offset int64) int {
	return max(sort.Search(len(s), func(i int) bool { return s[i].base > offset })-1, 0)
}

// sizeBelow is that of the segments that begin below offset, in bytes.
func (s segments) sizeBelow(offset int64) (size int64) {
	for i := 0; i < len(s) && s[i].base < offset; i++ {
		size += s[i].size
	}
	return size
}

// groups are how many of the segments each become one: as many as segment.bytes and
// segment.index.bytes allow (org.apache.kafka.storage.internals.log.Cleaner.groupSegmentsBySize).
func (s segments) groups(cfg *Config, end int64) (counts []int) {
	for len(s) > 0 {
		sum, n := s[0], 1
		index, times := s[0].indexSizes()
		for ; n < len(s); n++ {
			next := end
			if n+1 < len(s) {
				next = s[n+1].base
			}
			i, t := s[n].indexSizes()
			sum.size, index, times = sum.size+s[n].size, index+i, times+t
			if over(sum.size, cfg.SegmentBytes) || over(index, cfg.SegmentIndexBytes) || over(times, cfg.SegmentIndexBytes) ||
				s[n].size > 0 && next-1-s[0].base > math.MaxInt32 {
				break
			}
		}
		counts = append(counts, n)
		s = s[n:]
	}
	return counts
}

// over compares with a limit; 0 is none.
func over(size, limit int64) bool { return limit > 0 && size > limit }

// indexSizes are those of the indexes of a segment that is not active, in bytes. When it was
// left, the time of its newest record got an entry.
func (s *segment) indexSizes() (offsets, times int64) {
	times = s.timeEntries
	if s.newest.TimestampMs > s.lastEntryMs {
		times++
	}
	return s.entries * offsetEntry, times * timeEntry
}
