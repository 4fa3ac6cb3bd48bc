package broker

import (
	"encoding/binary"
	"errors"
	"io"
	"net"

	"klamm/protocol"
)

// frames reads size-prefixed frames from a connection into one buffer that is
// used again and again. A frame that it gave is valid until the next one is asked for.
type frames struct {
	src  net.Conn
	buf  []byte
	r, w int // buf[r:w] is read and not yet given
}

const (
	firstRead     = 1 << 10  // what an idle connection costs
	readAheadSize = 64 << 10 // how much is read at once when a client sends a lot
	keptBuffer    = 2 << 20  // a larger buffer is given back after its frame
)

// next returns the next frame without its size prefix. io.EOF means that the
// client closed the connection between two frames.
func (f *frames) next(limit int32) ([]byte, error) {
	if f.r == f.w && cap(f.buf) > keptBuffer {
		f.buf = nil
		f.r, f.w = 0, 0
	}
	if err := f.need(protocol.FrameSizeLen); err != nil {
		return nil, err
	}
	size, err := protocol.FrameSize(f.buf[f.r:], limit)
	if err != nil {
		return nil, err
	}
	if err := f.need(protocol.FrameSizeLen + size); err != nil {
		return nil, unexpected(err)
	}
	frame := f.buf[f.r+protocol.FrameSizeLen : f.r+protocol.FrameSizeLen+size : f.r+protocol.FrameSizeLen+size]
	f.r += protocol.FrameSizeLen + size
	return frame, nil
}

// ready tells whether a whole frame has been read already.
func (f *frames) ready() bool {
	if f.w-f.r < 4 {
		return false
	}
	size := int32(binary.BigEndian.Uint32(f.buf[f.r:]))
	return size < 0 || f.w-f.r-4 >= int(size)
}

// need reads until n bytes are there. Memory grows as bytes arrive, never by
// the length that was promised.
func (f *frames) need(n int) error {
	for f.w-f.r < n {
		f.makeRoom(n)
		m, err := f.src.Read(f.buf[f.w:cap(f.buf)])
		f.w += m
		f.buf = f.buf[:f.w]
		if err != nil && f.w-f.r < n {
			if f.w > f.r {
				err = unexpected(err)
			}
			return err
		}
	}
	return nil
}

// makeRoom sees to it that there is space to read into, on the way to n bytes.
func (f *frames) makeRoom(n int) {
	full := f.w == cap(f.buf)
	if full && f.w > 0 {
		n = max(n, readAheadSize) // the client sends a lot
	}
	if f.r == f.w {
		f.r, f.w = 0, 0
		f.buf = f.buf[:0]
	}
	have := f.w - f.r
	switch {
	case !full && (cap(f.buf)-f.r >= n || cap(f.buf) < n):
		return // what is there has to be filled before it grows
	case cap(f.buf) >= n:
		copy(f.buf[:have], f.buf[f.r:f.w])
		f.buf = f.buf[:have]
	default:
		grown := make([]byte, have, f.grownSize(n))
		copy(grown, f.buf[f.r:f.w])
		f.buf = grown
	}
	f.r, f.w = 0, have
}

func (f *frames) grownSize(n int) int {
	size := max(firstRead, 2*cap(f.buf))
	if cap(f.buf) >= firstRead && size < readAheadSize {
		size = readAheadSize
	}
	// The last step is about exact, so that a large frame does not double its memory.
	if rounded := (n/readAheadSize + 1) * readAheadSize; n > readAheadSize && size > rounded {
		size = rounded
	}
	return size
}

// readAhead reads once of what arrives while a request is parked. What the parked request
// may still use stays where it is: a buffer that is full is left, not changed. full tells
// that it has read as much as one should keep for later, and has not read again.
func (f *frames) readAhead() (full bool, err error) {
	if f.w == cap(f.buf) {
		have := f.w - f.r
		if have >= keptBuffer {
			return true, nil
		}
		grown := make([]byte, have, max(readAheadSize, 2*have))
		copy(grown, f.buf[f.r:f.w])
		f.buf, f.r, f.w = grown, 0, have
	}
	n, err := f.src.Read(f.buf[f.w:cap(f.buf)])
	f.w += n
	f.buf = f.buf[:f.w]
	return false, err
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
