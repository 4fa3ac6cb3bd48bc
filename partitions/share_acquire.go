package partitions

import (
	"time"
)

// Acquire asks for records of what was read from an offset.
type Acquire struct {
	Member      string
	RecordLimit bool  // the acquire mode of KIP-1206: never more than MaxRecords, even of one batch
	BatchSize   int   // records of one acquired range, about
	MaxRecords  int   // of all ranges, about
	From        int64 // the offset that was read from: NextFetchOffset
	Read        []LogBatch
	Aborted     []AbortedTxn // of read_committed: batches of these are skipped
}

// Acquired is a range of offsets that a member has acquired, with how often they were delivered.
type Acquired struct {
	First, Last   int64
	DeliveryCount int16
}

// acquisition is an Acquire on its way.
type acquisition struct {
	*SharePartition
	Acquire
	now   time.Time
	limit int // records to acquire
	last  int64
	got   []Acquired
	count int
}

// Acquire acquires records for a member and returns their offsets, in order, and about how
// many they are: offsets that have no record are acquired as well.
func (s *SharePartition) Acquire(now time.Time, req Acquire) ([]Acquired, int) {
	if len(req.Read) == 0 || req.MaxRecords <= 0 || req.Read[len(req.Read)-1].Last < s.start {
		return nil, 0
	}
	req.BatchSize = max(req.BatchSize, 1)
	a := acquisition{SharePartition: s, Acquire: req, now: now}
	if a.limit, a.last = s.room(req.From, req.MaxRecords, req.Read[len(req.Read)-1].Last); a.limit <= 0 {
		return nil, 0
	}
	base := req.Read[0].Base
	s.archiveStale(req.From, base)
	switch at := s.floor(base); {
	case at < 0:
		base = max(base, s.start)
	case s.batches[at].last >= base:
		base = s.batches[at].first
	}
	known := append([]*inFlightBatch(nil), s.within(min(req.Read[0].Base, base), a.last)...)
	if len(known) == 0 {
		a.acquireNew(base, a.last, a.limit)
	} else if a.acquireKnown(known, base); len(a.got) > 0 {
		s.closeGaps(a.got[len(a.got)-1].Last + 1)
	}
	if len(a.got) > 0 && len(req.Aborted) > 0 {
		a.skipAborted()
	}
	return a.got, a.count
}

// room is how many records may be acquired, and up to which offset
// (SharePartition.lastOffsetAndMaxRecordsToAcquire).
func (s *SharePartition) room(from int64, maxRecords int, last int64) (int, int64) {
	limit := min(maxRecords, s.cfg.MaxLocks-s.inFlightRecords())
	if limit <= 0 && from <= s.end {
		// What is in flight already may be delivered again.
		return min(maxRecords, int(s.end-from+1)), min(last, s.end)
	}
	return limit, last
}

// archiveStale gives up what can be acquired between the offset that was asked for and
// what came: those records are no more (SharePartition.maybeArchiveStaleBatches).
func (s *SharePartition) archiveStale(from, base int64) {
	if len(s.batches) == 0 || from >= base {
		return
	}
	low := from
	if at := s.floor(from); at >= 0 && s.batches[at].last >= from {
		low = s.batches[at].first
	}
	if s.archive(from, base-1, s.within(low, base-1), RecordAvailable, true) {
		s.research = true
	}
}

// archive gives up all records of a state between two offsets.
func (s *SharePartition) archive(first, last int64, batches []*inFlightBatch, state RecordState, counts bool) (any bool) {
	for _, b := range batches {
		if b.first > last {
			break
		}
		if b.each == nil {
			if b.whole.state != state {
				continue
			}
			if b.inside(first, last) {
				b.whole.archive()
				any = true
				if counts {
					s.complete += b.size()
				}
				continue
			}
			b.split()
		}
		for offset := max(first, b.first); offset <= min(last, b.last); offset++ {
			if f := b.at(offset); f.state == state {
				f.archive()
				any = true
				if counts {
					s.complete++
				}
			}
		}
	}
	return any
}

// acquireKnown goes through batches that were in flight before, and then to what is new.
func (a *acquisition) acquireKnown(known []*inFlightBatch, base int64) {
	gap := base
	for _, b := range known {
		if a.count >= a.limit {
			break
		}
		if a.gapsOpen() {
			if gap < b.first {
				a.acquireNew(gap, b.first-1, a.limit-a.count)
			}
			if gap = b.last + 1; a.count >= a.limit {
				break
			}
		}
		if a.acquireBatch(b) {
			return
		}
	}
	if end := known[len(known)-1].last; a.count < a.limit && end < a.last {
		a.acquireNew(end+1, a.last, a.limit-a.count)
	}
}

// acquireBatch acquires what can be acquired of a batch. It ends the acquisition at a
// batch that was delivered so often already that there may be a bad record in it, which
// is then delivered with few others.
func (a *acquisition) acquireBatch(b *inFlightBatch) (enough bool) {
	first := a.Read[0].Base
	throttled := a.throttles(b, first)
	if throttled && a.count > 0 {
		return true
	}
	tooMany := a.RecordLimit && b.size() > a.limit-a.count
	if b.each == nil {
		if !b.whole.acquirable() {
			return false
		}
		if b.inside(first, a.last) && !tooMany && !throttled {
			b.whole.acquire(a.Member, a.lock(a.now, b.first, b.last))
			a.got = append(a.got, Acquired{b.first, b.last, b.whole.count})
			a.count += b.size()
			return false
		}
		b.split()
	}
	n := a.acquireSome(b, first, a.limit-a.count)
	a.count += n
	return throttled && n > 0
}

// throttleAt is the delivery count from which on fewer records are delivered at a time.
func (s *SharePartition) throttleAt() int { return max(2, (s.cfg.DeliveryLimit+1)/2) }

// throttles tells whether a batch has something to acquire that was delivered often.
func (a *acquisition) throttles(b *inFlightBatch, first int64) bool {
	if b.each == nil {
		return b.whole.acquirable() && int(b.whole.count) >= a.throttleAt()
	}
	for offset := max(first, b.first); offset <= min(a.last, b.last); offset++ {
		if f := b.at(offset); f.acquirable() && int(f.count) >= a.throttleAt() {
			return true
		}
	}
	return false
}

// acquireSome acquires single records of a batch (SharePartition.acquireSubsetBatchRecords).
// One that is delivered for the last time is delivered alone.
func (a *acquisition) acquireSome(b *inFlightBatch, first int64, limit int) (n int) {
	most := 0 // of a batch that is throttled
	var got []Acquired
	for offset := max(first, b.first); offset <= min(a.last, b.last); offset++ {
		f := b.at(offset)
		if !f.acquirable() {
			continue
		}
		count := int(f.count)
		if a.cfg.DeliveryLimit > 2 && count == a.cfg.DeliveryLimit-1 && n > 0 {
			break
		}
		if count >= a.throttleAt() && most == 0 {
			most = max(1, len(b.each)>>min(count-a.throttleAt()+1, 62))
		}
		f.acquire(a.Member, a.lock(a.now, offset, offset))
		got = append(got, Acquired{offset, offset, f.count})
		n++
		if int(f.count) == a.cfg.DeliveryLimit && a.cfg.DeliveryLimit > 2 || a.RecordLimit && n == limit || n == most {
			break
		}
	}
	a.got = joinAcquired(a.got, got)
	return n
}

// joinAcquired adds ranges, those that follow each other with one delivery count as one.
func joinAcquired(dst, ranges []Acquired) []Acquired {
	for i, r := range ranges {
		if last := len(dst) - 1; i > 0 && dst[last].Last+1 == r.First && dst[last].DeliveryCount == r.DeliveryCount {
			dst[last].Last = r.Last
		} else {
			dst = append(dst, r)
		}
	}
	return dst
}

// acquireNew acquires offsets that were never acquired before, about limit of them: to
// the end of a batch of the log, unless the limit is a strict one.
func (a *acquisition) acquireNew(first, last int64, limit int) {
	if len(a.batches) == 0 && a.end > first {
		first = a.end
	}
	if first > last {
		return // what was in flight there is no more in the log
	}
	if int64(limit) < last-first+1 {
		until := a.endOfBatch(first + int64(limit) - 1)
		if !a.gapsOpen() || until < last {
			last = until
		}
	}
	ranges := a.ranges(first, last)
	if r := &ranges[0]; a.RecordLimit && r.Last-r.First+1 > int64(limit) {
		a.acquireFront(r, limit)
	} else {
		for _, r := range ranges {
			a.put(&inFlightBatch{first: r.First, last: r.Last, whole: inFlight{
				state: RecordAcquired, count: 1, member: a.Member, until: a.lock(a.now, r.First, r.Last),
			}})
		}
	}
	if a.batches[0].first == first {
		a.start = first
	}
	a.end = max(a.end, last)
	if a.RecordLimit {
		last = ranges[0].Last
	}
	a.closeGaps(last + 1)
	a.got = append(a.got, ranges...)
	a.count += int(last - first + 1)
}

// endOfBatch is the last offset of the batch that holds offset, offset itself between batches.
func (a *acquisition) endOfBatch(offset int64) int64 {
	for _, b := range a.Read {
		if b.Base <= offset && offset <= b.Last {
			return b.Last
		}
	}
	return offset
}

// ranges cuts new offsets where batches of the log begin, at least BatchSize of them together.
func (a *acquisition) ranges(first, last int64) (out []Acquired) {
	if !a.RecordLimit && last-first+1 > int64(a.BatchSize) {
		for _, b := range a.Read {
			if b.Base > last {
				break
			}
			if b.Base-first >= int64(a.BatchSize) {
				out = append(out, Acquired{first, b.Base - 1, 1})
				first = b.Base
			}
		}
	}
	return append(out, Acquired{first, last, 1})
}

// acquireFront puts a range in flight of which only the first limit records are acquired.
func (a *acquisition) acquireFront(r *Acquired, limit int) {
	b := &inFlightBatch{first: r.First, last: r.Last}
	b.split()
	r.Last = r.First + int64(limit) - 1
	until := a.lock(a.now, r.First, r.Last)
	for offset := r.First; offset <= r.Last; offset++ {
		*b.at(offset) = inFlight{state: RecordAcquired, count: 1, member: a.Member, until: until}
	}
	a.research = true
	a.put(b)
}
