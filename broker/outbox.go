package broker

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"time"
)

// outbox gathers the answers of a connection until they are flushed together.
// Log bytes, if not short, are not copied into it but spliced in, and go out by a vectored write.
type outbox struct {
	dst     net.Conn
	idle    time.Duration // how long the client may take nothing; 0 or less is for ever
	buf     []byte
	splices []splice
	spliced int
	parts   net.Buffers
}

// splice says that data belongs behind the first at bytes of outbox.buf.
type splice struct {
	at   int
	data []byte
}

const (
	flushAt  = 256 << 10 // pending bytes that are not worth gathering further
	keptSend = 64 << 10  // a larger encoding buffer is given back after its flush
	copied   = 1 << 10   // bytes of the log that are copied and not spliced, at most
)

// begin starts a frame and returns where it began, for end.
func (o *outbox) begin() (start int) {
	start = len(o.buf)
	o.buf = append(o.buf, 0, 0, 0, 0)
	return start
}

// end fills in the size of the frame that begin started, with the spliced bytes
// that came since, of which there were before at the beginning.
func (o *outbox) end(start, before int) {
	size := len(o.buf) - start - 4 + o.spliced - before
	binary.BigEndian.PutUint32(o.buf[start:], uint32(size))
}

// splice puts data behind what was appended so far, without copying it, unless it is so
// short that one more part of a vectored write costs more than the copy.
func (o *outbox) splice(data []byte) {
	if len(data) <= copied {
		o.buf = append(o.buf, data...)
		return
	}
	o.splices = append(o.splices, splice{len(o.buf), data})
	o.spliced += len(data)
}

// pending is the number of bytes that wait to be written.
func (o *outbox) pending() int { return len(o.buf) + o.spliced }

// flush writes all that is pending.
func (o *outbox) flush() error {
	if len(o.buf) == 0 {
		return nil
	}
	err := o.write()
	clear(o.splices)
	o.splices = o.splices[:0]
	o.spliced = 0
	o.buf = o.buf[:0]
	if cap(o.buf) > keptSend {
		o.buf = nil
	}
	return err
}

// extend gives the client another idle time to take what is written to it.
func (o *outbox) extend() {
	if o.idle > 0 {
		o.dst.SetWriteDeadline(time.Now().Add(o.idle))
	}
}

// goesOn tells whether a write that stopped is to go on: the time is up, but the client
// has taken something. To Kafka, too, only a client that takes nothing at all is idle.
func (o *outbox) goesOn(n int64, err error) bool {
	if n == 0 || o.idle <= 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	o.extend()
	return true
}

func (o *outbox) write() error {
	if len(o.splices) == 0 {
		return o.writePlain()
	}
	parts, at := o.parts[:0], 0
	for _, s := range o.splices {
		if s.at > at {
			parts = append(parts, o.buf[at:s.at])
			at = s.at
		}
		parts = append(parts, s.data)
	}
	if at < len(o.buf) {
		parts = append(parts, o.buf[at:])
	}
	o.parts = parts
	n, err := parts.WriteTo(o.dst)
	for o.goesOn(n, err) {
		n, err = parts.WriteTo(o.dst)
	}
	clear(o.parts[:cap(o.parts)])
	return err
}

func (o *outbox) writePlain() error {
	n, err := o.dst.Write(o.buf)
	for rest := o.buf[n:]; o.goesOn(int64(n), err); rest = rest[n:] {
		n, err = o.dst.Write(rest)
	}
	return err
}
