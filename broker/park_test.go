package broker

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// client speaks the raw protocol in tests.
type client struct {
	t  testing.TB
	nc net.Conn
}

func dialTest(t testing.TB, c *Cluster) *client {
	t.Helper()
	nc, err := c.Dial(t.Context(), "tcp", c.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return &client{t, nc}
}

func (c *client) send(req kmsg.Request) {
	c.t.Helper()
	frame := kmsg.NewRequestFormatter(kmsg.FormatterClientID("test")).AppendRequest(nil, req, 7)
	if _, err := c.nc.Write(frame); err != nil {
		c.t.Fatal(err)
	}
}

// receive reads the answer to req.
func (c *client) receive(req kmsg.Request) kmsg.Response {
	c.t.Helper()
	var size [4]byte
	if _, err := io.ReadFull(c.nc, size[:]); err != nil {
		c.t.Fatalf("no answer to %T: %v", req, err)
	}
	body := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(c.nc, body); err != nil {
		c.t.Fatal(err)
	}
	resp := req.ResponseKind()
	head := 4
	if resp.IsFlexible() {
		head = 5
	}
	if err := resp.ReadFrom(body[head:]); err != nil {
		c.t.Fatalf("answer to %T: %v", req, err)
	}
	return resp
}

func fetchOf(topic string, offset int64, wait time.Duration) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.Version, req.MinBytes, req.MaxBytes = 12, 1, 1<<20
	req.MaxWaitMillis = int32(wait.Milliseconds())
	req.SessionEpoch = -1
	t := kmsg.NewFetchRequestTopic()
	t.Topic = topic
	p := kmsg.NewFetchRequestTopicPartition()
	p.FetchOffset, p.PartitionMaxBytes = offset, 1<<20
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return req
}

func produceOf(topic string, values ...string) *kmsg.ProduceRequest {
	var records []protocol.Record
	for _, v := range values {
		records = append(records, protocol.Record{TimestampMs: time.Now().UnixMilli(), Value: []byte(v)})
	}
	batch, err := protocol.AppendBatch(nil, protocol.PlainBatch(), nil, records)
	if err != nil {
		panic(err)
	}
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks = 9, -1
	t := kmsg.NewProduceRequestTopic()
	t.Topic = topic
	p := kmsg.NewProduceRequestTopicPartition()
	p.Records = batch
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return req
}

var oneTopic = []Topic{{Name: "t", Partitions: 1}}

// A fetch of an empty partition waits as long as it was told, and no longer.
func TestFetchWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startTest(t, Config{Network: Memory, Topics: oneTopic})
		cl := dialTest(t, c)
		began := time.Now()
		req := fetchOf("t", 0, 700*time.Millisecond)
		cl.send(req)
		cl.receive(req)
		if waited := time.Since(began); waited != 700*time.Millisecond {
			t.Errorf("the fetch waited %v, asked for were 700ms", waited)
		}
	})
}

// Data wakes a parked fetch at once.
func TestProduceWakesFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startTest(t, Config{Network: Memory, Topics: oneTopic})
		reader, writer := dialTest(t, c), dialTest(t, c)
		began := time.Now()
		fetch, produce := fetchOf("t", 0, time.Hour), produceOf("t", "hello")
		reader.send(fetch)
		synctest.Wait()
		writer.send(produce)
		got := reader.receive(fetch).(*kmsg.FetchResponse).Topics[0].Partitions[0]
		if len(got.RecordBatches) == 0 || got.HighWatermark != 1 {
			t.Errorf("the woken fetch got %d bytes, high watermark %d", len(got.RecordBatches), got.HighWatermark)
		}
		if waited := time.Since(began); waited != 0 {
			t.Errorf("the wake-up took %v", waited)
		}
	})
}

// A parked request ends with its connection: nothing of it is left in the bubble
// when the test ends, although it asked for weeks.
func TestParkedFetchEndsWithItsConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startTest(t, Config{Network: Memory, Topics: oneTopic})
		cl := dialTest(t, c)
		cl.send(fetchOf("t", 0, 24*24*time.Hour))
		synctest.Wait()
		cl.nc.Close()
		synctest.Wait()
		p := c.image.Load().byName.get("t").partition(0)
		p.mu.Lock()
		defer p.mu.Unlock()
		if len(p.waiters) != 0 {
			t.Error("the fetch still waits for data, and its client is gone")
		}
		if c.connections() != 0 {
			t.Error("the connection is still served")
		}
	})
}

// The end of a connection is seen although much was sent behind the parked request.
func TestParkedFetchEndsWithAFullConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startTest(t, Config{Network: Memory, Topics: oneTopic})
		cl := dialTest(t, c)
		cl.send(fetchOf("t", 0, 24*24*time.Hour))
		if _, err := cl.nc.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
		cl.nc.Close()
		synctest.Wait()
		if c.connections() != 0 {
			t.Error("the connection is still served")
		}
	})
}

// connections counts the connections that are served.
func (c *Cluster) connections() int {
	c.connsMu.Lock()
	defer c.connsMu.Unlock()
	return len(c.conns)
}

// Close does not wait for parked requests.
func TestCloseEndsParkedRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startTest(t, Config{Network: Memory, Topics: oneTopic})
		cl := dialTest(t, c)
		cl.send(fetchOf("t", 0, 24*24*time.Hour))
		synctest.Wait()
		began := time.Now()
		c.Close()
		if _, err := io.ReadAll(cl.nc); err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("after Close the client reads %v", err)
		}
		if waited := time.Since(began); waited != 0 {
			t.Errorf("Close took %v", waited)
		}
	})
}

// Requests that come while one is parked are answered after it, in order.
func TestPipelinedBehindParked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startTest(t, Config{Network: Memory, Topics: oneTopic})
		cl := dialTest(t, c)
		parked, next := fetchOf("t", 0, time.Second), produceOf("t", "a")
		cl.send(parked)
		cl.send(next)
		cl.send(next)
		if got := cl.receive(parked).(*kmsg.FetchResponse); len(got.Topics[0].Partitions[0].RecordBatches) != 0 {
			t.Error("the fetch saw what was produced behind it on the same connection")
		}
		for want := range int64(2) {
			if got := cl.receive(next).(*kmsg.ProduceResponse).Topics[0].Partitions[0].BaseOffset; got != want {
				t.Errorf("base offset %d, want %d", got, want)
			}
		}
	})
}

// Whoever of the two goroutines of a connection reads the request behind a parked one, and
// in however many pieces: it is served, and so is the next that is parked.
func TestNextRequestWhileParked(t *testing.T) {
	for name, part := range map[string]int{"behind its answer": 0, "in two pieces": 1, "before its answer": 2} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				next := produceOf("other", "hello")
				frame := kmsg.NewRequestFormatter(kmsg.FormatterClientID("test")).AppendRequest(nil, next, 7)
				cut := len(frame) * part / 2
				c := startTest(t, Config{Network: Memory, Topics: []Topic{{Name: "t", Partitions: 1}, {Name: "other", Partitions: 1}}})
				cl := dialTest(t, c)
				for want := range int64(3) {
					parked := fetchOf("t", 0, time.Second)
					cl.send(parked)
					synctest.Wait()
					cl.nc.Write(frame[:cut])
					cl.receive(parked)
					synctest.Wait()
					cl.nc.Write(frame[cut:])
					if got := cl.receive(next).(*kmsg.ProduceResponse).Topics[0].Partitions[0].BaseOffset; got != want {
						t.Errorf("base offset %d, want %d", got, want)
					}
				}
			})
		})
	}
}

// A connection is idle from its last request on, also when that was parked for longer than
// its connection may be idle otherwise.
func TestIdleAfterParked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startTest(t, Config{Network: Memory, Topics: oneTopic, Configs: map[string]string{"connections.max.idle.ms": "60000"}})
		cl := dialTest(t, c)
		for range 3 {
			parked := fetchOf("t", 0, 50*time.Second)
			cl.send(parked)
			cl.receive(parked)
		}
		cl.nc.SetReadDeadline(time.Now().Add(59 * time.Second))
		if _, err := cl.nc.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("within the idle time: %v", err)
		}
		cl.nc.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := cl.nc.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("after the idle time: %v, want the end of the connection", err)
		}
	})
}

// A connection that says nothing for connections.max.idle.ms is ended.
func TestIdleConnectionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startTest(t, Config{Network: Memory, Configs: map[string]string{"connections.max.idle.ms": "60000"}})
		cl := dialTest(t, c)
		cl.nc.SetReadDeadline(time.Now().Add(59 * time.Second))
		if _, err := cl.nc.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("within the idle time: %v", err)
		}
		cl.nc.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := cl.nc.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("after the idle time: %v, want the end of the connection", err)
		}
	})
}

// A connection may end while one request after another is parked: each of them
// finds it gone.
func TestConnectionEndsWithMoreParked(t *testing.T) {
	client, server := net.Pipe()
	cn := newConn(&Cluster{}, server)
	cn.in.buf = make([]byte, 0, 64)
	client.Close()
	for range 2 {
		cn.watch()
		<-cn.gone
		if cn.watching {
			cn.unwatch()
		}
	}
}

// Of what arrives in a partition a parked fetch counts no more than it would take
// from there: its min_bytes can be out of reach.
func TestFetchCountsWhatItWouldTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startTest(t, Config{Network: Memory, Topics: oneTopic})
		reader, writer := dialTest(t, c), dialTest(t, c)
		fetch, produce := fetchOf("t", 0, time.Minute), produceOf("t", "a value that is longer than the fetch's limit")
		fetch.MinBytes = 150
		fetch.Topics[0].Partitions[0].PartitionMaxBytes = 100
		began := time.Now()
		reader.send(fetch)
		for range 3 {
			synctest.Wait()
			writer.send(produce)
			writer.receive(produce)
		}
		reader.receive(fetch)
		if waited := time.Since(began); waited != time.Minute {
			t.Errorf("the fetch waited %v: it takes 100 bytes at most and wants 150", waited)
		}
	})
}
