package broker

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// pipeCapacity is how many bytes one direction of a memoryConn holds before its
// writer waits. The buffer grows up to it: an idle connection has none.
const pipeCapacity = 64 << 10

// memoryConn is one end of a connection in memory. It keeps what net.Conn
// promises and behaves as TCP does: bytes are buffered, a Write is not mixed
// with another, and what was written before Close can still be read.
type memoryConn struct {
	in, out       *pipe
	local, remote *net.TCPAddr
}

// memoryPipe returns the two ends of a new connection.
func memoryPipe(clientAddr, serverAddr *net.TCPAddr) (client, server *memoryConn) {
	up, down := newPipe(), newPipe()
	client = &memoryConn{in: down, out: up, local: clientAddr, remote: serverAddr}
	server = &memoryConn{in: up, out: down, local: serverAddr, remote: clientAddr}
	return client, server
}

// Read reads what the peer wrote; io.EOF comes once the peer has closed and all is read.
func (c *memoryConn) Read(b []byte) (int, error) {
	n, err := c.in.read(b)
	return n, c.wrap("read", err)
}

// Write returns when all of b is in the buffer.
func (c *memoryConn) Write(b []byte) (int, error) {
	n, err := c.out.write(b)
	return n, c.wrap("write", err)
}

// Close ends both directions: the peer reads what is buffered and then io.EOF.
func (c *memoryConn) Close() error {
	if !c.in.closeReader() {
		return c.wrap("close", net.ErrClosed)
	}
	c.out.closeWriter()
	return nil
}

// LocalAddr is the address of this end, a *net.TCPAddr.
func (c *memoryConn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is the address of the peer, a *net.TCPAddr.
func (c *memoryConn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets the deadlines of Read and Write.
func (c *memoryConn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline sets until when Read waits; the zero time means for ever.
func (c *memoryConn) SetReadDeadline(t time.Time) error {
	return c.wrap("set", c.in.setDeadline(&c.in.reader, t))
}

// SetWriteDeadline sets until when Write waits; the zero time means for ever.
func (c *memoryConn) SetWriteDeadline(t time.Time) error {
	return c.wrap("set", c.out.setDeadline(&c.out.writer, t))
}

// wrap makes err look as net's connections make it; io.EOF stays as it is.
func (c *memoryConn) wrap(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}

// pipe is one direction of a connection: a ring of bytes with one reading and
// one writing end. Waiting is done on the condition only, which gives up mu.
type pipe struct {
	mu             sync.Mutex
	changed        sync.Cond
	ring           []byte // its length is 0 or a power of two
	start, size    int    // the bytes that are buffered
	writing        bool   // a Write is under way: others wait for their turn
	reader, writer pipeEnd
}

// pipeEnd is what a pipe knows of its reader or of its writer.
type pipeEnd struct {
	closed  bool
	expired bool        // the deadline has passed
	timer   *time.Timer // armed while a deadline lies ahead
	set     int         // deadlines set so far: a late timer finds that it is not the last
}

func newPipe() *pipe {
	p := new(pipe)
	p.changed.L = &p.mu
	return p
}

func (p *pipe) read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.reader.closed:
			return 0, net.ErrClosed
		case p.reader.expired:
			return 0, os.ErrDeadlineExceeded
		case len(b) == 0:
			return 0, nil
		case p.size > 0:
			n := p.take(b)
			p.changed.Broadcast()
			return n, nil
		case p.writer.closed:
			return 0, io.EOF
		}
		p.changed.Wait()
	}
}

func (p *pipe) write(b []byte) (n int, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.writing {
		if err := p.writable(); err != nil {
			return 0, err
		}
		p.changed.Wait()
	}
	p.writing = true
	for {
		if err = p.writable(); err != nil {
			break
		}
		if put := p.put(b[n:]); put > 0 {
			n += put
			p.changed.Broadcast()
		}
		if n == len(b) {
			break
		}
		p.changed.Wait()
	}
	p.writing = false
	p.changed.Broadcast()
	return n, err
}

// writable tells why nothing can be written, if so.
func (p *pipe) writable() error {
	switch {
	case p.writer.closed:
		return net.ErrClosed
	case p.writer.expired:
		return os.ErrDeadlineExceeded
	case p.reader.closed:
		return syscall.EPIPE
	}
	return nil
}

// take moves bytes from the ring to b.
func (p *pipe) take(b []byte) int {
	n := 0
	for n < len(b) && p.size > 0 {
		run := copy(b[n:], p.ring[p.start:min(p.start+p.size, len(p.ring))])
		n += run
		p.size -= run
		p.start = (p.start + run) & (len(p.ring) - 1)
	}
	if p.size == 0 {
		p.start = 0
	}
	return n
}

// put moves as much of b to the ring as fits.
func (p *pipe) put(b []byte) int {
	b = b[:min(len(b), pipeCapacity-p.size)]
	p.grow(p.size + len(b))
	for rest := b; len(rest) > 0; {
		end := (p.start + p.size) & (len(p.ring) - 1)
		run := copy(p.ring[end:], rest) // never reaches start: there is room for all of b
		p.size += run
		rest = rest[run:]
	}
	return len(b)
}

// grow makes the ring hold at least n bytes, n being at most pipeCapacity.
func (p *pipe) grow(n int) {
	if n <= len(p.ring) {
		return
	}
	length := max(1<<10, len(p.ring))
	for length < n {
		length *= 2
	}
	ring := make([]byte, length)
	p.size = p.take(ring)
	p.ring, p.start = ring, 0
}

// closeReader drops what is buffered and lets nothing more in. It tells whether
// the end was open.
func (p *pipe) closeReader() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	open := !p.reader.closed
	p.reader.close()
	p.ring, p.start, p.size = nil, 0, 0
	p.changed.Broadcast()
	return open
}

// closeWriter leaves what is buffered for the reader.
func (p *pipe) closeWriter() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writer.close()
	p.changed.Broadcast()
}

func (e *pipeEnd) close() {
	e.closed = true
	e.disarm()
}

func (e *pipeEnd) disarm() {
	e.set++
	if e.timer != nil {
		e.timer.Stop()
		e.timer = nil
	}
}

// setDeadline sets the deadline of e, an end of p. A deadline in the past stops
// what is waiting now.
func (p *pipe) setDeadline(e *pipeEnd, t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.closed {
		return net.ErrClosed
	}
	e.disarm()
	left := time.Until(t)
	e.expired = !t.IsZero() && left <= 0
	if e.expired {
		p.changed.Broadcast()
	}
	if t.IsZero() || e.expired {
		return nil
	}
	set := e.set
	e.timer = time.AfterFunc(left, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if e.set == set {
			e.expired = true
			p.changed.Broadcast()
		}
	})
	return nil
}
