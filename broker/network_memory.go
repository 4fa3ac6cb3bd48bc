package broker

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
)

const (
	// memoryAddr is where a cluster in memory listens unless told otherwise. No
	// service has TCP port 1, so a client that forgot its dialer is refused
	// instead of talking to a Kafka that happens to run on this machine.
	memoryAddr = "127.0.0.1:1"
	// memoryBacklog is how many connections may wait to be accepted.
	memoryBacklog = 128
	// firstClientPort is where the ports of dialling clients begin, as Linux begins.
	firstClientPort = 32768
)

// memoryListener accepts connections that dial made in the same process.
// Everything that waits here or in a memoryConn waits on a channel or a
// sync.Cond, so that it blocks durably in a testing/synctest bubble.
type memoryListener struct {
	addr      netip.AddrPort
	advertise string // HOST:PORT that reaches this listener too; may be empty
	queue     chan *memoryConn
	dialled   atomic.Uint32 // clients so far: each has a port of its own
	done      chan struct{}
	once      sync.Once // closes done
}

// listenMemory listens at addr, an IP:PORT or localhost:PORT; empty, or a port of
// 0, means the port of memoryAddr.
func listenMemory(addr, advertise string) (*memoryListener, error) {
	if addr == "" {
		addr = memoryAddr
	}
	at, err := parseMemoryAddr(addr)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Err: err}
	}
	if at.Port() == 0 {
		at = netip.AddrPortFrom(at.Addr(), netip.MustParseAddrPort(memoryAddr).Port())
	}
	return &memoryListener{
		addr:      at,
		advertise: advertise,
		queue:     make(chan *memoryConn, memoryBacklog),
		done:      make(chan struct{}),
	}, nil
}

// parseMemoryAddr reads HOST:PORT without asking a resolver.
func parseMemoryAddr(addr string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return netip.AddrPort{}, err
	}
	switch host {
	case "localhost":
		addr = net.JoinHostPort("127.0.0.1", port)
	case "":
		addr = net.JoinHostPort("0.0.0.0", port)
	}
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("address %q: the in-memory network knows IP:PORT and localhost:PORT only", addr)
	}
	return at, nil
}

// Accept returns the next connection that was dialled.
func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case <-l.done: // looked at first: nothing is accepted once closed
		return nil, l.closedError()
	default:
	}
	select {
	case conn := <-l.queue:
		return conn, nil
	case <-l.done:
		return nil, l.closedError()
	}
}

func (l *memoryListener) closedError() error {
	return &net.OpError{Op: "accept", Net: "tcp", Addr: l.Addr(), Err: net.ErrClosed}
}

// Addr is a *net.TCPAddr, since clients take apart what they are told.
func (l *memoryListener) Addr() net.Addr { return net.TCPAddrFromAddrPort(l.addr) }

// Close refuses further clients and ends connections that nobody accepted.
func (l *memoryListener) Close() error {
	err := error(&net.OpError{Op: "close", Net: "tcp", Addr: l.Addr(), Err: net.ErrClosed})
	l.once.Do(func() {
		close(l.done)
		l.drain()
		err = nil
	})
	return err
}

// drain ends the connections in the queue. Whoever puts one in looks at done
// afterwards and drains too, so none is forgotten.
func (l *memoryListener) drain() {
	for {
		select {
		case conn := <-l.queue:
			conn.Close()
		default:
			return
		}
	}
}

// dial connects to addr. When the backlog is full it waits, as long as ctx lets it.
func (l *memoryListener) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	refuse := func(err error) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: dialledAddr(addr), Err: err}
	}
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return refuse(net.UnknownNetworkError(network))
	}
	local, ok := l.resolve(addr)
	if !ok {
		return refuse(fmt.Errorf("%w: the in-memory network has only %s", syscall.ECONNREFUSED, l.addr))
	}
	if err := ctx.Err(); err != nil {
		return refuse(err)
	}
	ephemeral := uint16(firstClientPort + l.dialled.Add(1)%(65536-firstClientPort))
	client, server := memoryPipe(
		net.TCPAddrFromAddrPort(netip.AddrPortFrom(local.Addr(), ephemeral)),
		net.TCPAddrFromAddrPort(local))
	select {
	case <-l.done:
		return refuse(syscall.ECONNREFUSED)
	default:
	}
	select {
	case l.queue <- server:
	case <-l.done:
		return refuse(syscall.ECONNREFUSED)
	case <-ctx.Done():
		return refuse(ctx.Err())
	}
	select {
	case <-l.done:
		l.drain()
		return refuse(syscall.ECONNREFUSED)
	default:
		return client, nil
	}
}

// resolve tells which address of the listener addr means, if it means any.
func (l *memoryListener) resolve(addr string) (netip.AddrPort, bool) {
	if addr == l.advertise {
		return l.addr, true
	}
	at, err := parseMemoryAddr(addr)
	if err != nil || at.Port() != l.addr.Port() {
		return netip.AddrPort{}, false
	}
	if l.addr.Addr().IsUnspecified() { // listens on every address
		return at, true
	}
	return l.addr, at == l.addr
}

// dialledAddr is an address as it was written, for errors.
type dialledAddr string

func (dialledAddr) Network() string  { return "tcp" }
func (a dialledAddr) String() string { return string(a) }
