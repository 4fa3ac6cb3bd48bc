package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net"
)

// The limits: what any broker must at least do. They read frames and answer
// fixed ones.

const storeChunk = 1 << 20

// listenLimit starts a limit: "limit" answers with a short frame, "storing" checks
// the batch of each Produce request and keeps it, "canned" answers with 1 MiB,
// "parked" answers a connection when another one wrote.
func listenLimit(kind string) (string, error) {
	var handle func(net.Conn)
	switch kind {
	case "limit":
		handle = answerEach(make([]byte, 60), keepNothing)
	case "storing":
		handle = answerEach(make([]byte, 60), func() func([]byte) { return new(store).keep })
	case "canned":
		canned := make([]byte, fetchSize)
		for i := range canned {
			canned[i] = byte(i)
		}
		handle = answerEach(canned, keepNothing)
	case "parked":
		handle = baton(make(chan struct{}, 1)).serve
	default:
		return "", fmt.Errorf("no server is called %q", kind)
	}
	l, err := listen(handle)
	if err != nil {
		return "", err
	}
	return l.Addr().String(), nil
}

// listen serves each connection in a goroutine of its own until the listener is closed.
func listen(handle func(net.Conn)) (net.Listener, error) {
	lc := net.ListenConfig{KeepAlive: -1} // which saves system calls
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go handle(c)
		}
	}()
	return l, nil
}

// keepNothing is for limits that do nothing with what they read.
func keepNothing() func([]byte) { return func([]byte) {} }

// answerEach reads each frame into a reused buffer, gives it to what use made for
// the connection, and answers with body; answers are flushed together when the input
// is drained.
func answerEach(body []byte, use func() func(frame []byte)) func(net.Conn) {
	answer := append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
	return func(c net.Conn) {
		defer c.Close()
		in, keep := frameReader{src: c}, use()
		pending := 0
		var out []byte
		for {
			if pending > 0 && (!in.ready() || pending*len(answer) >= 256<<10) {
				out = out[:0]
				if len(answer) < 1<<10 {
					for range pending {
						out = append(out, answer...)
					}
				}
				if err := writeAll(c, out, answer, pending); err != nil {
					return
				}
				pending = 0
			}
			frame, err := in.next()
			if err != nil {
				return
			}
			keep(frame)
			pending++
		}
	}
}

// writeAll writes the gathered short answers, or n long ones without gathering.
func writeAll(c net.Conn, gathered, answer []byte, n int) error {
	if len(gathered) > 0 {
		_, err := c.Write(gathered)
		return err
	}
	for range n {
		if _, err := c.Write(answer); err != nil {
			return err
		}
	}
	return nil
}

// store keeps the record batches of one connection in chunks, as cheaply as can be:
// no connection waits for another.
type store struct {
	chunks [][]byte
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// keep checks and copies the batch of a Produce frame.
func (s *store) keep(frame []byte) {
	at := produceBatchAt(frame)
	batch := frame[at:]
	size := 12 + int(binary.BigEndian.Uint32(batch[8:]))
	batch = batch[:size]
	if crc32.Checksum(batch[21:], castagnoli) != binary.BigEndian.Uint32(batch[17:]) {
		panic("the load sends a bad CRC")
	}
	last := len(s.chunks) - 1
	if last < 0 || len(s.chunks[last])+size > cap(s.chunks[last]) {
		s.chunks = append(s.chunks, make([]byte, 0, max(storeChunk, size)))
		last++
	}
	s.chunks[last] = append(s.chunks[last], batch...)
}

// baton wakes the connection that waits when another one writes: the limit of a
// parked fetch.
type baton chan struct{}

// serve answers a Fetch when another frame comes or has come, on whatever connection,
// and any other frame at once.
func (b baton) serve(c net.Conn) {
	defer c.Close()
	in := frameReader{src: c}
	answer := make([]byte, 64)
	binary.BigEndian.PutUint32(answer, 60)
	for {
		frame, err := in.next()
		if err != nil {
			return
		}
		if isFetch(frame) {
			<-b
		} else {
			b <- struct{}{}
		}
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}

func isFetch(frame []byte) bool { return binary.BigEndian.Uint16(frame) == 1 }

// frameReader reads size-prefixed frames into one buffer.
type frameReader struct {
	src  io.Reader
	buf  []byte
	r, w int
}

func (f *frameReader) ready() bool {
	return f.w-f.r >= 4 && f.w-f.r-4 >= int(binary.BigEndian.Uint32(f.buf[f.r:]))
}

func (f *frameReader) next() ([]byte, error) {
	if err := f.need(4); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint32(f.buf[f.r:]))
	if err := f.need(4 + n); err != nil {
		return nil, err
	}
	frame := f.buf[f.r+4 : f.r+4+n]
	f.r += 4 + n
	return frame, nil
}

func (f *frameReader) need(n int) error {
	for f.w-f.r < n {
		if f.r == f.w {
			f.r, f.w = 0, 0
		}
		if len(f.buf)-f.r < n || f.w == len(f.buf) {
			next := f.buf
			if len(f.buf) < n {
				next = make([]byte, max(64<<10, n+n/4))
			}
			f.w = copy(next, f.buf[f.r:f.w])
			f.r, f.buf = 0, next
		}
		m, err := f.src.Read(f.buf[f.w:])
		f.w += m
		if err != nil {
			return err
		}
	}
	return nil
}
