package broker

import (
	"sync"
	"sync/atomic"
	"time"

	"klamm/partitions"
	"klamm/protocol"
)

// partition owns one partitions.Partition: the mutex, and the fetches that wait
// for data.
type partition struct {
	topic  string
	index  int32
	cfg    atomic.Pointer[partitions.Config] // what records are checked by, before the lock
	upkeep *upkeep                           // the cluster's
	large  *sync.Mutex                       // the cluster's, held while a large batch is decompressed

	mu      sync.Mutex
	log     *partitions.Partition
	waiters []waiting
	looked  time.Time // when it is looked after next; zero: it does not
	deleted bool
	expired time.Time // when producers were last looked through
}

// waiter is one parked fetch. It is registered with every partition that it
// reads; each takes the bytes that arrived off missing, and whoever brings it to
// zero wakes the fetch.
type waiter struct {
	missing atomic.Int64
	wake    chan struct{} // holds one
}

// waiting is a parked fetch as one partition sees it: of what arrives here, it
// would take no more than room (DelayedFetch counts up to the partition's limit).
type waiting struct {
	*waiter
	room      int
	committed bool // it reads below the last stable offset only
}

// arrived counts n bytes that were appended.
func (w *waiting) arrived(n int) {
	n = min(n, w.room)
	w.room -= n
	w.take(n)
}

// take counts n bytes that the fetch would get.
func (w *waiter) take(n int) {
	if w.missing.Add(-int64(n)) <= 0 {
		w.now()
	}
}

// now wakes the fetch, whatever is missing.
func (w *waiter) now() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// append validates and appends the records of a Produce request, and fills in done. d is
// the connection's own. Batch and answer are handed on in place: what it costs to pass them
// by value shows in small requests.
func (p *partition) append(done *partitions.Appended, now time.Time, d *protocol.Decompressor, in *partitions.Produced) {
	var batch partitions.Batch
	if refused := p.validate(&batch, now, d, in); refused != nil {
		*done = p.refuseRecords(refused)
		return
	}
	p.appendBatch(done, now, &batch)
}

// usualPlain is how many bytes the records of most batches decompress to at most.
const usualPlain = 4 << 20

// validate checks the records of a Produce request. A small batch can decompress to
// 100 MiB, so of larger than usual ones only one is in memory at a time, whatever
// number of clients sends them.
func (p *partition) validate(batch *partitions.Batch, now time.Time, d *protocol.Decompressor, in *partitions.Produced) *partitions.Refusal {
	cfg := p.cfg.Load()
	if d == nil {
		return batch.Validate(cfg, nil, now, in)
	}
	d.Limit, d.Exceeded = usualPlain, false
	if refused := batch.Validate(cfg, d, now, in); !d.Exceeded {
		return refused
	}
	return p.validateLarge(batch, now, d, in)
}

func (p *partition) validateLarge(batch *partitions.Batch, now time.Time, d *protocol.Decompressor, in *partitions.Produced) *partitions.Refusal {
	p.large.Lock()
	defer p.large.Unlock()
	d.Limit = 0
	return batch.Validate(p.cfg.Load(), d, now, in)
}

func (p *partition) appendBatch(done *partitions.Appended, now time.Time, batch *partitions.Batch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.deleted {
		*done = refusedAppend(protocol.UnknownTopicOrPartition)
		return
	}
	p.expireProducers(now)
	before, segments := p.log.LastStableOffset(), p.log.Segments()
	cfg := p.cfg.Load()
	p.log.Append(now, cfg, batch, done)
	if cfg.Deletes && (p.looked.IsZero() || cfg.RetentionBytes >= 0) || cfg.Compacted && p.log.Segments() != segments {
		p.watch(now)
	}
	if len(p.waiters) > 0 && done.Refusal == nil && !done.Duplicate {
		p.wake(len(batch.Bytes), before)
	}
}

// expireProducers forgets producers that were silent for producer.id.expiration.ms. Only
// appends and descriptions can tell that they are forgotten, so it is time enough to look
// then.
func (p *partition) expireProducers(now time.Time) {
	switch {
	case p.log.Producers() == 0:
	case p.expired.IsZero():
		p.expired = now
	case now.Sub(p.expired) >= p.cfg.Load().ProducerIDCheck:
		p.expired = now
		p.log.ExpireProducers(now, p.cfg.Load().ProducerIDExpiration)
	}
}

// refuseRecords is the answer to records that are not valid. Where Kafka's log
// refuses them, it tells where it starts.
func (p *partition) refuseRecords(r *partitions.Refusal) partitions.Appended {
	done := refusedWith(r)
	if r.ByLog {
		p.mu.Lock()
		done.LogStartOffset = p.log.LogStartOffset()
		p.mu.Unlock()
	}
	return done
}

func refusedAppend(code protocol.ErrorCode) partitions.Appended {
	return refusedWith(&partitions.Refusal{Code: code})
}

func refusedWith(r *partitions.Refusal) partitions.Appended {
	return partitions.Appended{BaseOffset: -1, LogAppendTimeMs: -1, LogStartOffset: -1, Refusal: r}
}

// forgo takes a parked fetch off the list.
func (p *partition) forgo(w *waiter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.waiters {
		if p.waiters[i].waiter == w {
			last := len(p.waiters) - 1
			p.waiters[i], p.waiters[last] = p.waiters[last], waiting{}
			p.waiters = p.waiters[:last]
			return
		}
	}
}

// close marks the partition as deleted: appends are refused and parked fetches
// wake to find it gone.
func (p *partition) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deleted = true
	for _, w := range p.waiters {
		w.now()
	}
}

// appendInternal appends records that the broker itself writes, and returns the
// offset of the first one. The records carry the time now.
func (p *partition) appendInternal(now time.Time, records []protocol.Record) (base int64) {
	return p.appendCoordinated(now, records, protocol.NoProducerID, protocol.NoProducerEpoch)
}

// appendCoordinated is appendInternal, where there is a producer as a part of its transaction.
func (p *partition) appendCoordinated(now time.Time, records []protocol.Record, producerID int64, epoch int16) (base int64) {
	for i := range records {
		records[i].TimestampMs = now.UnixMilli()
	}
	header := protocol.PlainBatch()
	if producerID >= 0 {
		header.Attributes, header.ProducerID, header.ProducerEpoch = protocol.AttrTransactional, producerID, epoch
		header.BaseSequence = 0 // which nobody looks at
	}
	bytes, err := protocol.AppendBatch(nil, header, nil, records)
	if err != nil {
		panic("broker: " + err.Error()) // nothing is compressed and the records are there
	}
	header, _ = protocol.ParseBatchHeader(bytes)
	var done partitions.Appended
	p.appendBatch(&done, now, &partitions.Batch{Header: header, Bytes: bytes, Coordinated: true})
	return done.BaseOffset
}
