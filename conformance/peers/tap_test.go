package peers

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// tap is a proxy between one client and the broker, for clients that take no
// dialer. It tells the client that every node lives at the tap, so that nothing goes
// around it, and it can be cut for good: the client has crashed, as far as a broker
// can see. With KLAMM_WIRE=1 in the environment it prints all but record data.
type tap struct {
	name   string
	broker endpoint
	listen net.Listener
	host   string
	port   int32

	mu    sync.Mutex
	cuts  bool
	conns map[net.Conn]bool
}

// newTap starts a tap that ends with the test.
func newTap(t *testing.T, name string, broker endpoint) *tap {
	t.Helper()
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(listen.Addr().String())
	number, _ := strconv.Atoi(port)
	p := &tap{name: name, broker: broker, listen: listen, host: host, port: int32(number), conns: map[net.Conn]bool{}}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			client, err := listen.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { p.serve(client) })
		}
	})
	t.Cleanup(func() {
		listen.Close()
		p.cut()
		serving.Wait()
	})
	return p
}

// endpoint is where the client finds the tap.
func (p *tap) endpoint() endpoint {
	return endpoint{addr: p.listen.Addr().String(), dial: new(net.Dialer).DialContext}
}

// cut closes all connections of the client, and every one that it opens from now on.
func (p *tap) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cuts = true
	for c := range p.conns {
		c.Close()
	}
}

// keep remembers a connection to be cut; it closes the connection and says no when that has happened.
func (p *tap) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cuts {
		c.Close()
		return false
	}
	p.conns[c] = true
	return true
}

func (p *tap) drop(c net.Conn) {
	c.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

// asked is a request whose answer is on its way.
type asked struct {
	key, version int16
}

func (p *tap) serve(client net.Conn) {
	if !p.keep(client) {
		return
	}
	defer p.drop(client)
	broker, err := p.broker.dial(context.Background(), "tcp", p.broker.addr)
	if err != nil || !p.keep(broker) {
		return
	}
	defer p.drop(broker)
	pending := make(chan asked, 1000)
	var up sync.WaitGroup
	up.Go(func() {
		defer close(pending)
		defer broker.Close()
		from := bufio.NewReader(client)
		for {
			frame, err := readFrame(from)
			if err != nil || len(frame) < 12 {
				return
			}
			be := binary.BigEndian
			a := asked{int16(be.Uint16(frame[4:])), int16(be.Uint16(frame[6:]))}
			p.print("→", a, frame)
			pending <- a
			if _, err := broker.Write(frame); err != nil {
				return
			}
		}
	})
	from := bufio.NewReader(broker)
	for {
		frame, err := readFrame(from)
		if err != nil {
			break
		}
		a, ok := <-pending
		if !ok {
			break
		}
		frame = p.redirect(a, frame)
		p.print("←", a, frame)
		if _, err := client.Write(frame); err != nil {
			break
		}
	}
	client.Close()
	for range pending {
	}
	up.Wait()
}

// readFrame reads one frame with its size.
func readFrame(r io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	frame := make([]byte, 4+binary.BigEndian.Uint32(size[:]))
	copy(frame, size[:])
	_, err := io.ReadFull(r, frame[4:])
	return frame, err
}

// redirect puts the tap in the place of every node that an answer names.
func (p *tap) redirect(a asked, frame []byte) []byte {
	resp, header := responseOf(a)
	if resp == nil || len(frame) < 4+header || resp.ReadFrom(frame[4+header:]) != nil {
		return frame
	}
	switch resp := resp.(type) {
	case *kmsg.MetadataResponse:
		for i := range resp.Brokers {
			resp.Brokers[i].Host, resp.Brokers[i].Port = p.host, p.port
		}
	case *kmsg.FindCoordinatorResponse:
		resp.Host, resp.Port = p.host, p.port
		for i := range resp.Coordinators {
			resp.Coordinators[i].Host, resp.Coordinators[i].Port = p.host, p.port
		}
	case *kmsg.DescribeClusterResponse:
		for i := range resp.Brokers {
			resp.Brokers[i].Host, resp.Brokers[i].Port = p.host, p.port
		}
	default:
		return frame
	}
	out := resp.AppendTo(frame[: 4+header : 4+header])
	binary.BigEndian.PutUint32(out, uint32(len(out)-4))
	return out
}

// responseOf is an empty response to a request, and the size of its header.
func responseOf(a asked) (kmsg.Response, int) {
	resp := kmsg.ResponseForKey(a.key)
	if resp == nil {
		return nil, 0
	}
	resp.SetVersion(a.version)
	if resp.IsFlexible() && a.key != int16(kmsg.ApiVersions) {
		return resp, 5
	}
	return resp, 4
}

// printed turns the tap's log on.
var printed = os.Getenv("KLAMM_WIRE") != ""

func (p *tap) print(arrow string, a asked, frame []byte) {
	if !printed {
		return
	}
	text := ""
	switch key := kmsg.Key(a.key); key {
	case kmsg.Produce, kmsg.Fetch, kmsg.ApiVersions:
	default:
		var body any
		if resp, header := responseOf(a); arrow == "←" && resp != nil && resp.ReadFrom(frame[4+header:]) == nil {
			body = resp
		} else if req := kmsg.RequestForKey(a.key); arrow == "→" && req != nil {
			req.SetVersion(a.version)
			rest := frame[12:]
			if n := int16(binary.BigEndian.Uint16(rest)); n >= 0 {
				rest = rest[n:]
			}
			rest = rest[2:]
			if req.IsFlexible() {
				rest = rest[1:]
			}
			if req.ReadFrom(rest) == nil {
				body = req
			}
		}
		b, _ := json.Marshal(body)
		text = string(b)
	}
	fmt.Fprintf(os.Stderr, "%s %-10s %s %s v%d corr %d, %d bytes %s\n", time.Now().Format("05.000"), p.name, arrow,
		kmsg.NameForKey(a.key), a.version, correlation(arrow, frame), len(frame), text)
}

func correlation(arrow string, frame []byte) int32 {
	if arrow == "→" {
		return int32(binary.BigEndian.Uint32(frame[8:]))
	}
	return int32(binary.BigEndian.Uint32(frame[4:]))
}
