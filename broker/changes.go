package broker

import (
	"sync"
	"sync/atomic"
)

// changes tells whoever watches that something in the cluster has changed: a
// record was appended, a group was stepped, a topic came or went. The owners call
// notify after each change, so it costs one atomic load while nobody watches.
type changes struct {
	watchers atomic.Int32
	mu       sync.Mutex
	channels map[chan struct{}]struct{}
}

// notify tells all watchers. It is called with no lock held, after the change can be seen.
func (c *changes) notify() {
	if c.watchers.Load() == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for ch := range c.channels {
		select {
		case ch <- struct{}{}:
		default: // it has been told already, and has not looked yet
		}
	}
}

// subscribe returns a channel that holds one signal from the first change on that
// comes after the call. Whoever looks at the cluster after subscribe, and again
// after each signal, misses nothing. cancel ends it.
func (c *changes) subscribe() (ch <-chan struct{}, cancel func()) {
	own := make(chan struct{}, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.channels == nil {
		c.channels = make(map[chan struct{}]struct{})
	}
	c.channels[own] = struct{}{}
	c.watchers.Store(int32(len(c.channels)))
	return own, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.channels, own)
		c.watchers.Store(int32(len(c.channels)))
	}
}
