package broker

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"klamm/protocol"
)

// conn is one connection of a client. One goroutine serves it, one request at a
// time; a second one watches for the end of the connection while a request is parked, and
// serves it from then on.
type conn struct {
	cluster *Cluster
	nc      net.Conn
	in      frames
	out     outbox
	call    call
	ending  []*transaction // whose markers are to be written once the answers have left
	now     time.Time      // when the request that is served was read
	idle    time.Time      // when the deadlines were set last

	host   string                 // of the client, once it was asked for
	client atomic.Pointer[string] // client id of the last request, for who looks from outside
	ended  chan struct{}          // closed when the connection has no effect any more

	produce produceScratch
	fetch   fetchScratch
	share   *shareSession // that began here last

	watching bool          // the watch runs: cn.in is its own
	turn     atomic.Int32  // which goroutine goes on; only while watching
	watched  chan struct{} // the watch has ended
	gone     chan struct{} // closed when the watch found the connection ended
	timer    *time.Timer   // of parked requests
}

// errGone ends a connection whose client went away while a request was parked.
var errGone = errors.New("the client went away")

func newConn(c *Cluster, nc net.Conn) *conn {
	cn := &conn{cluster: c, nc: nc, ended: make(chan struct{}), now: time.Now()}
	cn.in.src = nc
	cn.out.dst = nc
	return cn
}

// errHandedOver ends the work of a goroutine on a connection that another one serves now.
var errHandedOver = errors.New("the connection is served by its watch")

// serve answers requests until the connection ends, by the client, by Close or
// because of something that cannot be read, or until it is handed over.
func (cn *conn) serve() {
	err := cn.loop()
	if errors.Is(err, errHandedOver) {
		return
	}
	defer cn.cluster.forget(cn)
	cn.settle()
	cn.cluster.shareDisconnected(cn)
	cn.nc.Close()
	if cn.watching {
		<-cn.watched
	}
	if !errors.Is(err, io.EOF) && !errors.Is(err, errGone) && !cn.cluster.isClosed() {
		cn.logEnd(err)
	}
}

func (cn *conn) loop() error {
	for {
		drained := cn.watching || !cn.in.ready()
		if drained {
			if cn.watching { // its request has waited
				cn.now = time.Now()
				cn.expectWithin(cn.cluster.settings.Load().connectionsMaxIdle)
			}
			if err := cn.flush(); err != nil {
				return err
			}
		}
		if cn.watching && cn.handOver() {
			return errHandedOver
		}
		s := cn.cluster.settings.Load()
		if drained {
			cn.expectWithin(s.connectionsMaxIdle)
		}
		frame, err := cn.in.next(int32(s.socketRequestMaxBytes))
		if err != nil {
			return err
		}
		if drained { // requests that came together share a time: a look at the clock is not for free
			cn.now = time.Now()
		}
		if err := cn.handle(frame); err != nil {
			cn.flush() // what was answered before the bad request is owed
			return err
		}
		if cn.out.pending() >= flushAt {
			if err := cn.flush(); err != nil {
				return err
			}
		}
	}
}

// flush writes the answers that wait, and then the markers of transactions that were ended
// by them.
func (cn *conn) flush() error {
	err := cn.out.flush()
	cn.settle()
	return err
}

// settle completes the transactions that were ended over this connection.
func (cn *conn) settle() {
	if len(cn.ending) == 0 {
		return
	}
	now := time.Now()
	for _, t := range cn.ending {
		t.finish(now)
	}
	clear(cn.ending)
	cn.ending = cn.ending[:0]
}

// expectWithin ends the connection when nothing arrives for idle after the last
// request (connections.max.idle.ms), or nothing of an answer is taken, and up to a
// tenth later: setting the deadlines at each request would cost more than most requests.
func (cn *conn) expectWithin(idle time.Duration) {
	if cn.out.idle = idle; idle > 0 && cn.now.Sub(cn.idle) > idle/10 {
		cn.idle = cn.now
		cn.nc.SetDeadline(cn.idle.Add(idle + idle/10))
	}
}

// handle serves one request. An error ends the connection.
func (cn *conn) handle(frame []byte) error {
	h, body, err := protocol.ParseRequestHeader(frame, cn.call.header.ClientID)
	if err != nil {
		return err
	}
	if known := cn.client.Load(); known == nil || *known != h.ClientID {
		id := h.ClientID
		cn.client.Store(&id) // before refused is read: whoever refuses it next finds it
	}
	if refused := cn.cluster.refused.Load(); refused != nil && (*refused)[h.ClientID] {
		return errRefused
	}
	cn.call = call{cluster: cn.cluster, conn: cn, header: h, now: cn.now}
	return cn.call.serve(body)
}

// errRefused ends a connection whose client id a test has crashed.
var errRefused = errors.New("the client id is refused until it is revived")

func (cn *conn) logEnd(err error) {
	level := slog.LevelWarn
	var netErr net.Error
	if errors.As(err, &netErr) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errRefused) {
		level = slog.LevelInfo
	}
	cn.cluster.log.Log(context.Background(), level, "connection ended", "client", cn.nc.RemoteAddr().String(), "reason", err)
}

// advertised is the address that this client is told to reach the broker by: the
// one that it used, unless Config.Advertise says otherwise.
func (cn *conn) advertised() (host string, port int32) {
	addr := cn.cluster.cfg.Advertise
	if addr == "" {
		addr = cn.nc.LocalAddr().String()
	}
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return addr, 0
	}
	n, _ := strconv.ParseInt(text, 10, 32)
	return host, int32(n)
}

// clientHost is the address of the client as Kafka shows it in group descriptions.
func (cn *conn) clientHost() string {
	if cn.host == "" {
		host, _, err := net.SplitHostPort(cn.nc.RemoteAddr().String())
		if err != nil {
			host = cn.nc.RemoteAddr().String()
		}
		cn.host = "/" + host
	}
	return cn.host
}
