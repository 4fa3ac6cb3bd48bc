package broker

import (
	"sync"
	"time"
)

// retention looks for records that are to be deleted, at the times at which Kafka looks:
// log.initial.task.delay.ms after the start and then every log.retention.check.interval.ms.
// A look at which nothing can have expired is left out, so that there is no timer
// while there is nothing to wait for.
type retention struct {
	first    time.Time
	interval time.Duration

	mu    sync.Mutex // taken under the lock of a partition
	tick  func()
	timer *time.Timer
	armed time.Time // when the timer fires; zero: it does not
	ended bool
}

func newRetention(s *settings, started time.Time, tick func()) *retention {
	return &retention{
		first:    started.Add(s.duration("log.initial.task.delay.ms", time.Millisecond)),
		interval: s.duration("log.retention.check.interval.ms", time.Millisecond),
		tick:     tick,
	}
}

// arm sees to it that there is a look at or after due, and not before the next regular
// one. It returns when.
func (r *retention) arm(now, due time.Time) time.Time {
	at := r.first
	if due.Before(now) {
		due = now
	}
	if late := due.Sub(at); late > 0 {
		at = at.Add((late + r.interval - 1) / r.interval * r.interval)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended || !r.armed.IsZero() && !r.armed.After(at) {
		return at
	}
	r.armed = at
	if r.timer == nil {
		r.timer = time.AfterFunc(at.Sub(now), r.tick)
	} else {
		r.timer.Reset(at.Sub(now))
	}
	return at
}

// fired is the first thing that a look does; it tells whether there is one.
func (r *retention) fired() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.armed = time.Time{}
	return !r.ended
}

func (r *retention) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	if r.timer != nil {
		r.timer.Stop()
	}
}

// watch has a look at the partition planned for when records of it are to be deleted. The
// caller holds p.mu.
func (p *partition) watch(now time.Time) {
	due, ok := p.log.RetentionDue(now, p.cfg.Load())
	if !ok || p.deleted {
		return
	}
	if at := p.retention.arm(now, due); p.looked.IsZero() || at.Before(p.looked) {
		p.looked = at
	}
}

// applyDue deletes what has expired in the partitions for which a look was planned, and
// plans the next ones.
func (c *Cluster) applyDue() {
	if !c.retention.fired() {
		return
	}
	now := time.Now()
	for _, t := range c.image.Load().list {
		for _, p := range t.partitions {
			p.mu.Lock()
			switch {
			case p.looked.IsZero():
			case p.looked.After(now):
				c.retention.arm(now, p.looked)
			default:
				p.applyRetention(now)
			}
			p.mu.Unlock()
		}
	}
	c.changes.notify()
}

// applyRetention deletes what has expired. The caller holds p.mu.
func (p *partition) applyRetention(now time.Time) {
	p.looked = time.Time{}
	p.log.ApplyRetention(now, p.cfg.Load())
	p.watch(now)
}

// ApplyRetention deletes at once what retention.ms and retention.bytes let go of in topics
// with cleanup.policy=delete, and the segments that DeleteRecords has emptied. The broker
// does the same by itself every log.retention.check.interval.ms (5 minutes). As in Kafka
// whole segments go, so that a record outlives its time as long as a later one of its
// segment, or its segment is one of those that make retention.bytes full.
func (c *Cluster) ApplyRetention() {
	now := time.Now()
	for _, t := range c.image.Load().list {
		for _, p := range t.partitions {
			p.mu.Lock()
			p.applyRetention(now)
			p.mu.Unlock()
		}
	}
	c.changes.notify()
}
