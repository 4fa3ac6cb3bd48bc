package partitions

import (
	"math"
	"sort"
	"time"
)

// ApplyRetention deletes whole segments: those below the log start offset, those that are
// too many for retention.bytes, and those of which every record has expired by
// retention.ms. The first two leave the active segment alone; when it has expired with all
// others, an empty one takes its place. It tells whether anything went.
// It mirrors org.apache.kafka.storage.internals.log.UnifiedLog.deleteOldSegments.
func (p *Partition) ApplyRetention(now time.Time, cfg *Config) (deleted bool) {
	if cfg.Compacted && p.uncleanable {
		return false
	}
	deleted = p.dropSegments(now, p.segments.below(p.start))
	if cfg.Deletes {
		deleted = p.dropSegments(now, p.segments.beyond(p.over(cfg))) || deleted
		deleted = p.dropSegments(now, p.segments.expired(now, cfg.RetentionMs)) || deleted
	}
	return deleted
}

// dropSegments deletes the first n segments.
func (p *Partition) dropSegments(now time.Time, n int) bool {
	if n == 0 {
		return false
	}
	for i := range p.segments[:n] {
		p.size -= p.segments[i].size
	}
	if n == len(p.segments) {
		p.segments.begin(now, p.end)
	}
	p.segments = append(segments(nil), p.segments[n:]...)
	p.moveStart(p.segments[0].base)
	return true
}

// RetentionDue is when ApplyRetention has something to delete, if nothing more is
// appended; ok is false when never.
func (p *Partition) RetentionDue(now time.Time, cfg *Config) (due time.Time, ok bool) {
	if cfg.Compacted && p.uncleanable {
		return time.Time{}, false
	}
	if p.segments.below(p.start) > 0 || cfg.Deletes && p.segments.canGo(0, p.over(cfg)) {
		return now, true
	}
	if !cfg.Deletes || cfg.RetentionMs < 0 || len(p.segments) == 0 || p.segments.lastAndEmpty(0) {
		return time.Time{}, false
	}
	largest := p.segments[0].largestMs()
	if largest > math.MaxInt64-1-cfg.RetentionMs {
		return time.Time{}, false
	}
	return time.UnixMilli(largest + cfg.RetentionMs + 1), true
}

// over is by how many bytes the log is larger than retention.bytes; negative: it is not.
func (p *Partition) over(cfg *Config) int64 {
	if cfg.RetentionBytes < 0 {
		return -1
	}
	return p.size - cfg.RetentionBytes
}

// below is how many segments end at or below start, the active one not counted.
func (s segments) below(start int64) int {
	if len(s) < 2 {
		return 0
	}
	return sort.Search(len(s)-1, func(i int) bool { return s[i+1].base > start })
}

// beyond is how many segments can go when the log is too large by over bytes.
func (s segments) beyond(over int64) (n int) {
	for s.canGo(n, over) {
		over -= s[n].size
		n++
	}
	return n
}

// canGo tells whether segment i can be deleted when the log from it on is too large by
// over bytes: what is left may not be smaller than what is to be kept.
func (s segments) canGo(i int, over int64) bool {
	return i < len(s) && over >= 0 && over >= s[i].size && !s.lastAndEmpty(i)
}

// expired is how many segments have only records that are older than ms.
func (s segments) expired(now time.Time, ms int64) (n int) {
	for ms >= 0 && n < len(s) && now.UnixMilli()-s[n].largestMs() > ms && !s.lastAndEmpty(n) {
		n++
	}
	return n
}

func (s segments) lastAndEmpty(i int) bool { return i == len(s)-1 && s[i].size == 0 }
