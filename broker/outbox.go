package broker

import (
	"encoding/binary"
	"net"
)

// outbox gathers the answers of a connection until they are flushed together.
// Log bytes are not copied into it but spliced in, and go out by a vectored write.
type outbox struct {
	dst     net.Conn
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

// splice puts data behind what was appended so far, without copying it.
func (o *outbox) splice(data []byte) {
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

func (o *outbox) write() error {
	if len(o.splices) == 0 {
		_, err := o.dst.Write(o.buf)
		return err
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
	_, err := parts.WriteTo(o.dst)
	clear(o.parts[:cap(o.parts)])
	return err
}
