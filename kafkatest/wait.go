package kafkatest

import (
	"fmt"
	"testing"
	"time"
)

const (
	defaultTimeout = 30 * time.Second
	bubbleTimeout  = 10 * time.Minute
	// grace is what is left of the test's own time when a wait gives up, so that
	// its message is seen instead of a dump of all goroutines.
	grace = time.Second
)

func sprintf(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// wait looks, and looks again at each change, until look finds what is waited for,
// which it puts into words. When the time is up, the test fails and instead says
// what there is.
func (c *Cluster) wait(look func() (found bool, what string), instead func() string) {
	c.t.Helper()
	limit := c.limit()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	changed, stop := c.broker.Watch()
	defer stop()
	for {
		found, what := look()
		if found {
			return
		}
		select {
		case <-changed:
			continue
		case <-timer.C:
		case <-c.broker.Done():
			c.t.Fatalf("kafkatest: the cluster was closed while the test waited for %s", what)
		}
		if found, what = look(); !found {
			c.t.Fatalf("kafkatest: waited %v for %s\n%s", limit, what, instead())
		}
		return
	}
}

// limit is how long a wait may take.
func (c *Cluster) limit() time.Duration {
	if c.timeout > 0 {
		return c.timeout
	}
	deadline, inBubble := testDeadline(c.t)
	if inBubble {
		return bubbleTimeout
	}
	if deadline.IsZero() {
		return defaultTimeout
	}
	return max(min(defaultTimeout, time.Until(deadline)-grace), 0)
}

// testDeadline is when the test is killed; zero means never. A test in a synctest
// bubble refuses to tell, by a panic: that is how it is known to be in one.
func testDeadline(t testing.TB) (deadline time.Time, inBubble bool) {
	timed, ok := t.(interface{ Deadline() (time.Time, bool) })
	if !ok {
		return time.Time{}, false
	}
	defer func() { inBubble = recover() != nil }()
	deadline, _ = timed.Deadline()
	return deadline, false
}
