package broker

import (
	"encoding/binary"
	"unicode/utf8"
)

// wire reads the primitives of the one request body that is decoded by hand,
// Produce; all others are kmsg's, behind protocol.CheckRequest. A body of nothing
// but the usual is read in one pass, without the check. At anything else odd is set,
// and what has been read is void: the check decides, and then a wire that is told
// so (checked) reads the same body again.
type wire struct {
	buf      []byte
	at       int
	flexible bool
	checked  bool
	odd      bool
}

// usualCount is the longest array that is read without the check.
const usualCount = 1000

// doubt leaves a body to the check.
func (w *wire) doubt() {
	if !w.checked {
		w.odd = true
	}
}

func (w *wire) take(n int) []byte {
	if n < 0 || n > len(w.buf)-w.at {
		w.odd = true
		return nil
	}
	b := w.buf[w.at : w.at+n : w.at+n]
	w.at += n
	return b
}

func (w *wire) int16() int16 {
	if b := w.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (w *wire) int32() int32 {
	if b := w.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (w *wire) uvarint() int {
	if w.at < len(w.buf) && w.buf[w.at] < 0x80 {
		w.at++
		return int(w.buf[w.at-1])
	}
	n, size := binary.Uvarint(w.buf[w.at:])
	if size <= 0 || size > 4 {
		w.doubt()
	}
	w.at += max(size, 0)
	return int(n)
}

// length is that of an array or of bytes; -1 stands for null.
func (w *wire) length() int {
	if w.flexible {
		return w.uvarint() - 1
	}
	return int(w.int32())
}

// count is the length of an array that cannot be null.
func (w *wire) count() int {
	n := w.length()
	if n < 0 || n > usualCount {
		w.doubt()
	}
	return n
}

// bytes gives bytes that alias the request; nil stands for null.
func (w *wire) bytes() []byte { return w.nullable(w.length()) }

// text gives the bytes of a string, like bytes.
func (w *wire) text() []byte {
	n := 0
	if w.flexible {
		n = w.uvarint() - 1
	} else {
		n = int(w.int16())
	}
	if n > 1<<15-1 {
		w.doubt()
	}
	b := w.nullable(n)
	if !utf8.Valid(b) {
		w.doubt()
	}
	return b
}

func (w *wire) nullable(n int) []byte {
	if n < 0 {
		if n < -1 {
			w.doubt()
		}
		return nil
	}
	return w.take(n)
}

// tags skips a tag section where the version has one.
func (w *wire) tags() {
	if !w.flexible {
		return
	}
	n := w.uvarint()
	if n == 0 {
		return
	}
	w.doubt()
	for range n {
		if w.odd {
			return
		}
		w.uvarint()
		w.take(w.uvarint())
	}
}
