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

// watch reads ahead while a request is parked, which shows the end of the
// connection as soon as it comes. It goes on until the answer is written, so that
// a wake-up does not wait for it.
func (cn *conn) watch() {
	if cn.watching || cn.isGone() {
		return
	}
	if cn.watched == nil {
		cn.watched = make(chan struct{}, 1)
		cn.gone = make(chan struct{})
	}
	cn.watching = true
	cn.nc.SetReadDeadline(time.Time{})
	go func() {
		if err := cn.in.readAhead(); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			close(cn.gone)
		}
		cn.watched <- struct{}{}
	}()
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

// unwatch interrupts the watch and waits until it has ended, so that the
// connection's own goroutine reads on alone.
func (cn *conn) unwatch() {
	cn.nc.SetReadDeadline(aLongTimeAgo)
	<-cn.watched
	cn.watching = false
	cn.nc.SetReadDeadline(time.Time{})
	cn.idle, cn.now = time.Time{}, time.Now()
}

// aLongTimeAgo is a deadline that has passed in any clock, a bubble's too.
var aLongTimeAgo = time.Unix(1, 0)
