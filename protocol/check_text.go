package protocol

import (
	"encoding/binary"
	"slices"
)

// edit puts other bytes into the place of a part of the body.
type edit struct {
	from, until int
	with        []byte
}

// repair notes what stands for a string of n bytes that is not UTF-8 and whose length
// begins at start. It fails where that is too long for a string: Kafka reads it then,
// and cannot say it again.
func (c *checker) repair(start, n int) bool {
	text := JavaText(string(c.buf[c.pos-n : c.pos]))
	if len(text) > maxString {
		c.fail(ReasonStringTooLong, int64(len(text)))
		return false
	}
	var with []byte
	if c.flexible {
		with = binary.AppendUvarint(nil, uint64(len(text))+1)
	} else {
		with = binary.BigEndian.AppendUint16(nil, uint16(len(text)))
	}
	c.insertEdit(len(c.edits), edit{start, c.pos, append(with, text...)})
	return true
}

// insertEdit keeps the edits in the order of the body.
func (c *checker) insertEdit(at int, e edit) {
	c.edits = slices.Insert(c.edits, at, e)
	c.grown += len(e.with) - (e.until - e.from)
}

// edited is the body after its edits.
func (c *checker) edited() []byte {
	if len(c.edits) == 0 {
		return c.buf
	}
	b, at := make([]byte, 0, len(c.buf)+c.grown), 0
	for _, e := range c.edits {
		b = append(append(b, c.buf[at:e.from]...), e.with...)
		at = e.until
	}
	return append(b, c.buf[at:]...)
}
