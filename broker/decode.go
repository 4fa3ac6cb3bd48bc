package broker

import "encoding/binary"

// wire reads the primitives of a request body that protocol.CheckRequest has
// accepted. It serves the one request that is decoded by hand, Produce; all others
// are kmsg's. Past the end it gives zeros.
type wire struct {
	left     []byte
	flexible bool
}

func (w *wire) take(n int) []byte {
	if n < 0 || n > len(w.left) {
		w.left = nil
		return nil
	}
	b := w.left[:n:n]
	w.left = w.left[n:]
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
	if len(w.left) > 0 && w.left[0] < 0x80 {
		n := int(w.left[0])
		w.left = w.left[1:]
		return n
	}
	n, size := binary.Uvarint(w.left)
	w.take(max(size, 0))
	return int(n)
}

// count is the length of an array or of bytes; -1 stands for null.
func (w *wire) count() int {
	if w.flexible {
		return w.uvarint() - 1
	}
	return int(w.int32())
}

// bytes gives bytes that alias the request; nil stands for null.
func (w *wire) bytes() []byte {
	if n := w.count(); n >= 0 {
		return w.take(n)
	}
	return nil
}

// text gives the bytes of a string, like bytes.
func (w *wire) text() []byte {
	n := 0
	if w.flexible {
		n = w.uvarint() - 1
	} else {
		n = int(w.int16())
	}
	if n < 0 {
		return nil
	}
	return w.take(n)
}

// tags skips a tag section where the version has one.
func (w *wire) tags() {
	if !w.flexible {
		return
	}
	for range w.uvarint() {
		w.uvarint()
		w.take(w.uvarint())
	}
}
