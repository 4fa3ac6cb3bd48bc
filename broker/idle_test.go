package broker

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A client that never takes its answers is idle, and is gone after twice
// connections.max.idle.ms, once for what its buffers took and once for nothing.
func TestUnreadAnswersEndTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, cl, answer := withLargeAnswer(t)
		began := time.Now()
		cl.send(fetchOf("t", 0, 0))
		time.Sleep(time.Minute)
		if n := connections(c); n != 1 {
			t.Fatalf("after a minute there are %d connections", n)
		}
		time.Sleep(21 * time.Minute)
		synctest.Wait()
		if n := connections(c); n != 0 {
			t.Fatalf("%d connections live %v after the answer", n, time.Since(began))
		}
		if got, err := io.ReadAll(cl.nc); err != nil || len(got) >= answer {
			t.Errorf("%d bytes and %v were left to read", len(got), err)
		}
	})
}

// One who takes a little now and then gets all of it, however long that is.
func TestSlowReadersGetTheirAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cl, answer := withLargeAnswer(t)
		cl.send(fetchOf("t", 0, 0))
		var got bytes.Buffer
		for got.Len() < answer {
			time.Sleep(9 * time.Minute)
			if _, err := io.CopyN(&got, cl.nc, int64(min(answer-got.Len(), 100_000))); err != nil {
				t.Fatalf("after %d bytes: %v", got.Len(), err)
			}
		}
	})
}

// While a request is parked, a connection whose client has said so much that nobody
// listens any more ends at last, too.
func TestDeafParkedConnectionsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startTest(t, Config{Network: Memory, Topics: oneTopic})
		cl := dialTest(t, c)
		cl.send(fetchOf("t", 0, 24*time.Hour))
		cl.nc.SetWriteDeadline(time.Now().Add(time.Second))
		if n, err := cl.nc.Write(make([]byte, 3*keptBuffer)); err == nil {
			t.Fatalf("%d bytes were read while the fetch waits", n)
		}
		cl.nc.Close()
		time.Sleep(11 * time.Minute)
		synctest.Wait()
		if n := connections(c); n != 0 {
			t.Errorf("%d connections live on", n)
		}
	})
}

// withLargeAnswer is a cluster whose topic holds more than a connection buffers, and
// how many bytes a fetch of it is answered with at least.
func withLargeAnswer(t *testing.T) (*Cluster, *client, int) {
	c := startTest(t, Config{Network: Memory, Topics: oneTopic})
	cl := dialTest(t, c)
	produce := produceOf("t", strings.Repeat("x", 900_000))
	cl.send(produce)
	cl.receive(produce)
	return c, cl, 900_000
}

func connections(c *Cluster) int {
	c.connsMu.Lock()
	defer c.connsMu.Unlock()
	return len(c.conns)
}
