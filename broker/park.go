package broker

import (
	"errors"
	"os"
	"time"
)

// outcome is how the wait of a parked request ended.
type outcome int

const (
	woken outcome = iota
	timedOut
	gone // the connection or the cluster ended: there is nobody to answer
)

// park waits for wake, at most for limit (0: without limit), or until the
// connection or the cluster ends. Answers to earlier requests are written first:
// their client may be waiting for them.
//
// As in Kafka, a connection is idle while its request waits, and is gone after
// connections.max.idle.ms.
func park[T any](cn *conn, wake <-chan T, limit time.Duration) (got T, how outcome) {
	if cn.flush() != nil {
		return got, gone
	}
	cn.watch()
	var timeout <-chan time.Time
	atLimit := timedOut
	if idle := cn.out.idle; idle > 0 && (limit == 0 || idle < limit) {
		limit, atLimit = idle, gone
	}
	if limit > 0 {
		timeout = cn.startTimer(limit)
		defer cn.timer.Stop()
	}
	select {
	case got = <-wake:
		return got, woken
	case <-timeout:
		return got, atLimit
	case <-cn.gone:
		return got, gone
	case <-cn.cluster.done:
		return got, gone
	}
}

func (cn *conn) startTimer(d time.Duration) <-chan time.Time {
	if cn.timer == nil {
		cn.timer = time.NewTimer(d)
	} else {
		cn.timer.Reset(d)
	}
	return cn.timer.C
}

// turn says which of the two goroutines of a connection that has a parked request goes on
// with it: the one that serves the request, or its watch.
const (
	parked      int32 = iota // the request is not answered, and the watch has nothing to serve yet
	due                      // the next request is there, or the watch has ended: the other one takes the connection back
	interrupted              // the other one takes it back now: the watch is to end
	answered                 // the request is answered: the watch serves from now on
)

// watch reads ahead while a request is parked, which shows the end of the connection as
// soon as it comes. When the request has been answered, the watch is the one that waits
// for the next, and serves it.
func (cn *conn) watch() {
	if cn.watching || cn.isGone() {
		return
	}
	if cn.watched == nil {
		cn.watched = make(chan struct{}, 1)
		cn.gone = make(chan struct{})
	}
	cn.watching = true
	cn.turn.Store(parked)
	if cn.in.ready() { // it came together with the request that is parked
		cn.turn.Store(due)
	}
	cn.cluster.running.Add(1)
	go func(idle time.Duration) {
		defer cn.cluster.running.Done()
		if !cn.lookAhead(idle) {
			cn.watched <- struct{}{}
			return
		}
		cn.watching = false
		if cn.in.ready() { // else the loop looks at the clock when the request is there
			cn.now = time.Now()
		}
		cn.serve()
	}(cn.out.idle)
}

// lookAhead reads what arrives while a request is parked. It returns true when the
// connection is to be served by whoever called it, and false when there is no more to
// read or somebody else is to.
func (cn *conn) lookAhead(idle time.Duration) bool {
	for {
		full, err := cn.in.readAhead()
		if errors.Is(err, os.ErrDeadlineExceeded) && cn.turn.Load() != answered {
			if cn.turn.Load() != interrupted { // a connection is not idle while its request is parked
				cn.nc.SetReadDeadline(time.Now().Add(idle))
			}
			if cn.turn.Load() == interrupted { // also when the deadline of that was just overwritten
				return false
			}
			continue
		}
		ended := full || err != nil
		if ended || cn.in.ready() {
			cn.turn.CompareAndSwap(parked, due)
		}
		if cn.turn.Load() == answered {
			return true // also to find out again that the connection has ended
		}
		if err != nil {
			close(cn.gone)
		}
		if ended {
			return false
		}
	}
}

// isGone tells that an earlier watch saw the connection end. Requests that came
// before its end are still served, but there is nothing left to watch for.
func (cn *conn) isGone() bool {
	select {
	case <-cn.gone:
		return true
	default:
		return false
	}
}

// handOver leaves the connection to its watch when a parked request has been answered and
// there is nothing to serve yet. Else it interrupts the watch and waits until that has
// ended, so that the caller goes on alone.
func (cn *conn) handOver() (left bool) {
	if cn.turn.CompareAndSwap(parked, answered) {
		return true
	}
	cn.unwatch()
	return false
}

func (cn *conn) unwatch() {
	cn.turn.Store(interrupted)
	cn.nc.SetReadDeadline(aLongTimeAgo)
	<-cn.watched
	cn.watching = false
	cn.nc.SetReadDeadline(time.Time{})
	cn.idle, cn.now = time.Time{}, time.Now()
}

// aLongTimeAgo is a deadline that has passed in any clock, a bubble's too.
var aLongTimeAgo = time.Unix(1, 0)
