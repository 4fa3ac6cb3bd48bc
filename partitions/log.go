package partitions

import (
	"encoding/binary"
	"math"
	"sort"

	"klamm/protocol"
)

const (
	minChunk  = 1 << 10
	maxChunk  = 1 << 20
	ownChunk  = maxChunk / 4 // a batch larger than this does not share a chunk
	indexStep = 4 << 10      // bytes of log between two entries of the index
)

// log is the batches of a partition in memory: chunks that are only ever appended
// to, so that what a reader got from one stays what it was.
type log struct {
	chunks []chunk
	size   int64 // bytes of batches in chunks
}

// chunk is a stretch of the log. A batch never spans two.
type chunk struct {
	buf            []byte
	base           int64 // base offset of the first batch
	maxTimestampMs int64
	index          []indexEntry
}

// indexEntry says where one batch of a chunk stands. There is no entry for the
// first batch, and then one every indexStep bytes.
type indexEntry struct {
	delta    uint32 // base offset less the chunk's
	position uint32
}

// append copies a batch to the end of the log and returns the copy, for patching.
func (l *log) append(base int64, batch []byte, maxTimestampMs int64) []byte {
	c := l.last()
	if c == nil || cap(c.buf)-len(c.buf) < len(batch) || base-c.base > math.MaxUint32 {
		if c = l.grow(base, batch); len(c.buf) > 0 {
			c.maxTimestampMs = maxTimestampMs
			l.size += int64(len(batch))
			return c.buf
		}
	}
	at := len(c.buf)
	if at > 0 && at-c.lastIndexed() >= indexStep {
		c.index = append(c.index, indexEntry{delta: uint32(base - c.base), position: uint32(at)})
	}
	c.buf = append(c.buf, batch...)
	if at == 0 || maxTimestampMs > c.maxTimestampMs {
		c.maxTimestampMs = maxTimestampMs
	}
	l.size += int64(len(batch))
	return c.buf[at:]
}

// grow adds a chunk. One for a large batch is the copy of that batch, because to
// copy at once spares the memory from being zeroed first; any other is empty.
// A chunk is as large as all that is stored so far, within limits.
func (l *log) grow(base int64, batch []byte) *chunk {
	c := chunk{base: base}
	room := minChunk
	for room < maxChunk && int64(room) < l.size {
		room *= 2
	}
	if len(batch) > min(ownChunk, room/2) {
		c.buf = make([]byte, len(batch))
		copy(c.buf, batch)
		c.buf = c.buf[:len(batch):len(batch)]
	} else {
		c.buf = make([]byte, 0, room)
	}
	l.chunks = append(l.chunks, c)
	return l.last()
}

func (l *log) last() *chunk {
	if len(l.chunks) == 0 {
		return nil
	}
	return &l.chunks[len(l.chunks)-1]
}

func (c *chunk) lastIndexed() int {
	if len(c.index) == 0 {
		return 0
	}
	return int(c.index[len(c.index)-1].position)
}

// chunkOf is the number of the chunk that holds offset, which has to be in the log; where
// cleaning has left nothing so low, the first one.
func (l *log) chunkOf(offset int64) int {
	after := sort.Search(len(l.chunks), func(i int) bool { return l.chunks[i].base > offset })
	return max(after-1, 0)
}

// place is where a batch stands.
type place struct{ chunk, position int }

// seek finds the batch that holds offset, or the first one behind it where there is none.
func (l *log) seek(offset int64) place {
	i := l.chunkOf(offset)
	position := l.chunks[i].find(offset)
	if position == len(l.chunks[i].buf) { // a gap behind the last batch of the chunk
		return place{i + 1, 0}
	}
	return place{i, position}
}

// at is the log from a place on, up to the end of its chunk.
func (l *log) at(p place) []byte { return l.chunks[p.chunk].buf[p.position:] }

// find returns where the batch that holds offset stands in its chunk.
func (c *chunk) find(offset int64) (position int) {
	delta := offset - c.base
	after := sort.Search(len(c.index), func(i int) bool { return int64(c.index[i].delta) > delta })
	if after > 0 {
		position = int(c.index[after-1].position)
	}
	for position < len(c.buf) && lastOffset(c.buf[position:]) < offset {
		position += batchSize(c.buf[position:])
	}
	return position
}

// read appends slices of the log, one a chunk, from a batch on and below limit, where a
// batch begins. upTo is an offset that nothing of it reaches, as near as the index knows.
func (l *log) read(dst [][]byte, from place, limit int64, maxBytes int, minOne bool) (batches [][]byte, size int, upTo int64) {
	i, position := from.chunk, from.position
	first := batchSize(l.at(from))
	if first > maxBytes {
		if !minOne {
			return dst, 0, baseOffset(l.at(from))
		}
		maxBytes = first
	}
	for ; i < len(l.chunks) && size < maxBytes && l.chunks[i].base < limit; i++ {
		part := l.chunks[i].before(limit, l.endOf(i))[position:]
		part = part[:min(len(part), maxBytes-size)]
		dst = append(dst, part[:len(part):len(part)])
		size += len(part)
		upTo = l.chunks[i].indexedAfter(position+len(part), l.endOf(i))
		position = 0
	}
	return dst, size, upTo
}

// endOf is the base offset of the chunk behind chunk i, MaxInt64 behind the last.
func (l *log) endOf(i int) int64 {
	if i+1 < len(l.chunks) {
		return l.chunks[i+1].base
	}
	return math.MaxInt64
}

// before is the batches of the chunk that lie below limit; end is where the next chunk begins.
func (c *chunk) before(limit, end int64) []byte {
	if limit >= end {
		return c.buf
	}
	return c.buf[:c.find(limit)]
}

// indexedAfter is the first offset of the index at or behind a position, end where there is none.
func (c *chunk) indexedAfter(position int, end int64) int64 {
	i := sort.Search(len(c.index), func(i int) bool { return int(c.index[i].position) >= position })
	if i < len(c.index) {
		return c.base + int64(c.index[i].delta)
	}
	return end
}

// release drops the chunks of which all records are below start. The last chunk
// goes too when nothing is left of it.
func (l *log) release(start, end int64) {
	gone := 0
	for gone < len(l.chunks) {
		next := end
		if gone+1 < len(l.chunks) {
			next = l.chunks[gone+1].base
		}
		if next > start {
			break
		}
		l.size -= int64(len(l.chunks[gone].buf))
		gone++
	}
	if gone == len(l.chunks) {
		l.chunks = nil
		return
	}
	if gone > 0 {
		l.chunks = append([]chunk(nil), l.chunks[gone:]...)
	}
}

// batchSize, lastOffset and baseOffset read a batch of the log itself, which is known to be whole.
func batchSize(b []byte) int {
	return protocol.LogOverhead + int(binary.BigEndian.Uint32(b[8:]))
}

func baseOffset(b []byte) int64 { return int64(binary.BigEndian.Uint64(b)) }

func lastOffset(b []byte) int64 {
	return baseOffset(b) + int64(int32(binary.BigEndian.Uint32(b[23:])))
}
