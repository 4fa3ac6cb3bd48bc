package broker

import (
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// canned is the server's end of a connection whose client sends one frame again
// and again and throws the answers away: what is left to measure is the broker.
type canned struct {
	net.Conn
	frame []byte
	at    int // in frame
	left  int // frames to send
}

func (c *canned) Read(p []byte) (n int, err error) {
	for n < len(p) && c.left > 0 {
		m := copy(p[n:], c.frame[c.at:])
		n += m
		if c.at += m; c.at == len(c.frame) {
			c.at = 0
			c.left--
		}
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (c *canned) Write(p []byte) (int, error) { return len(p), nil }
func (c *canned) Close() error                { return nil }
func (c *canned) RemoteAddr() net.Addr        { return new(net.TCPAddr) }
func (c *canned) SetDeadline(time.Time) error { return nil }

// serveCanned serves n times the same request, for its topic "bench".
func serveCanned(b *testing.B, c *Cluster, req kmsg.Request, n int) {
	b.Helper()
	frame := kmsg.NewRequestFormatter(kmsg.FormatterClientID("bench")).AppendRequest(nil, req, 1)
	cn := newConn(c, &canned{frame: frame, left: n})
	if err := cn.loop(); err != io.EOF {
		b.Fatal(err)
	}
}

func startBench(b *testing.B) *Cluster {
	b.Helper()
	c, err := Start(Config{Topics: []Topic{{Name: "bench", Partitions: 1}}, Network: Memory})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	return c
}

func benchBatch(b *testing.B, records int) []byte {
	b.Helper()
	batch := make([]protocol.Record, records)
	for i := range batch {
		batch[i] = protocol.Record{TimestampMs: time.Now().UnixMilli(), Value: make([]byte, 100)}
	}
	bytes, err := protocol.AppendBatch(nil, protocol.PlainBatch(), nil, batch)
	if err != nil {
		b.Fatal(err)
	}
	return bytes
}

func produceRequestOf(batch []byte) *kmsg.ProduceRequest {
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks, req.TimeoutMillis = 9, -1, 10_000
	t := kmsg.NewProduceRequestTopic()
	t.Topic = "bench"
	p := kmsg.NewProduceRequestTopicPartition()
	p.Records = batch
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return req
}

// BenchmarkProduce is a Produce request of one batch, from the bytes of the
// request to those of the answer. The log is emptied now and then.
func BenchmarkProduce(b *testing.B) {
	for _, records := range []int{1, 10, 147, 9000} {
		b.Run(fmt.Sprintf("records=%d", records), func(b *testing.B) {
			c := startBench(b)
			batch := benchBatch(b, records)
			req := produceRequestOf(batch)
			log := c.image.Load().byName.get("bench").partition(0)
			b.SetBytes(int64(len(batch)))
			b.ReportAllocs()
			each := max(1, 64<<20/len(batch))
			for left := b.N; left > 0; left -= each {
				serveCanned(b, c, req, min(left, each))
				log.mu.Lock()
				log.log.DeleteRecords(-1)
				log.mu.Unlock()
			}
		})
	}
}
