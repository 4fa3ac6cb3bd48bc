package broker

import (
	"sync"
	"sync/atomic"
	"testing"
)

func signalled(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

func TestChangesReachWhoWatches(t *testing.T) {
	var c changes
	c.notify()
	first, cancelFirst := c.subscribe()
	second, cancelSecond := c.subscribe()
	if signalled(first) {
		t.Error("told of a change before subscribe")
	}
	c.notify()
	c.notify()
	if !signalled(first) || signalled(first) {
		t.Error("two changes before a look must be one signal")
	}
	cancelFirst()
	c.notify()
	if signalled(first) {
		t.Error("told after cancel")
	}
	if !signalled(second) {
		t.Error("the other watcher was not told")
	}
	cancelSecond()
	cancelSecond()
	if n := c.watchers.Load(); n != 0 {
		t.Errorf("%d watchers left", n)
	}
}

// TestChangesMissNothing has watchers wait for a state that several owners bring
// about; a lost signal leaves one of them waiting for ever.
func TestChangesMissNothing(t *testing.T) {
	const owners, steps = 4, 500
	var (
		c     changes
		state atomic.Int64
		all   sync.WaitGroup
	)
	for range 8 {
		all.Go(func() {
			ch, cancel := c.subscribe()
			defer cancel()
			for state.Load() < owners*steps {
				<-ch
			}
		})
	}
	for range owners {
		all.Go(func() {
			for range steps {
				state.Add(1)
				c.notify()
			}
		})
	}
	all.Wait()
}
