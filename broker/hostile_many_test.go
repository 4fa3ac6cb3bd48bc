package broker

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Ten thousand requests at once, of which no answer is read: each way for the client
// to go ends the connection.
func TestPipelineAndGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startTest(t, Config{Network: Memory, Topics: oneTopic})
		one := kmsg.NewPtrMetadataRequest()
		one.Version = 9
		all := bytes.Repeat(kmsg.NewRequestFormatter().AppendRequest(nil, one, 1), 10_000)
		cl := dialTest(t, c)
		cl.nc.SetWriteDeadline(time.Now().Add(time.Second))
		if n, err := cl.nc.Write(all); err == nil {
			t.Errorf("all of %d bytes are read, and no answer is", n)
		}
		cl.nc.Close()
		synctest.Wait()
		if n := connections(c); n != 0 {
			t.Errorf("%d connections live on", n)
		}
	})
}

// Thousands of clients that have begun a request and go no further: others are served,
// and connections.max.idle.ms ends them.
func TestHalfSentRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startTest(t, Config{Network: Memory, Topics: oneTopic})
		const many = 3_000
		for i := range many {
			nc, err := c.Dial(t.Context(), "tcp", c.Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			if _, err := nc.Write([]byte{0, 0, 1, 0, 0, 3}[:i%7]); err != nil {
				t.Fatal(err)
			}
		}
		askHonestly(t, c)
		time.Sleep(12 * time.Minute)
		synctest.Wait()
		if n := connections(c); n != 0 {
			t.Errorf("%d of %d connections live on", n, many)
		}
		askHonestly(t, c)
	})
}
