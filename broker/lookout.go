package broker

import (
	"sync"
	"sync/atomic"
	"time"
)

// lookout looks after logs at the times at which Kafka does: first at some time after the
// start, and then in fixed intervals. A look at which there can be nothing to do is left
// out, so that there is no timer while there is nothing to wait for.
type lookout struct {
	first    time.Time
	interval atomic.Int64 // nanoseconds
	tick     func()

	mu    sync.Mutex // taken under the lock of a partition
	timer *time.Timer
	armed time.Time // when the timer fires; zero: it does not
	ended bool
}

// newLookout is one that waits until a first look is planned.
func newLookout(first time.Time, interval time.Duration, tick func()) *lookout {
	l := &lookout{first: first, tick: tick}
	l.setInterval(interval)
	return l
}

// setInterval counts for the looks that are planned from now on.
func (l *lookout) setInterval(interval time.Duration) {
	l.interval.Store(int64(max(interval, time.Millisecond)))
}

// next is when the first regular look at or after due is, and not before now.
func (l *lookout) next(now, due time.Time) time.Time {
	at := l.first
	if due.Before(now) {
		due = now
	}
	if late := due.Sub(at); late > 0 {
		interval := time.Duration(l.interval.Load())
		looks := late / interval
		if late%interval > 0 {
			looks++
		}
		at = at.Add(looks * interval)
	}
	return at
}

// arm sees to it that there is a look at that time at the latest.
func (l *lookout) arm(now, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended || !l.armed.IsZero() && !l.armed.After(at) {
		return
	}
	l.armed = at
	if l.timer == nil {
		l.timer = time.AfterFunc(at.Sub(now), l.tick)
	} else {
		l.timer.Reset(at.Sub(now))
	}
}

// fired is the first thing that a look does; it tells whether there is one.
func (l *lookout) fired() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.armed = time.Time{}
	return !l.ended
}

func (l *lookout) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	if l.timer != nil {
		l.timer.Stop()
	}
}
