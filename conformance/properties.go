package conformance

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"klamm/protocol"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// A property is a rule about many requests at once: what was said differs from run to
// run, what must be true of it does not. Its transcript has the seed and the verdict,
// and when it is broken the witness: what was seen that must not be.

// holds puts the verdict on a property into the transcript; witness is empty when it is kept.
func (c *Conversation) holds(property, witness string) {
	if witness == "" {
		c.say("kept: %s", property)
		return
	}
	c.say("broken: %s\n    %s", property, witness)
}

// seeded is the randomness of a property, by a seed that the transcript names.
func (c *Conversation) seeded(seed uint64) *rand.Rand {
	c.say("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// together lets workers talk to the target at the same time, each with connections of
// its own, of which nothing stands in the transcript, and waits for all of them. A
// worker that is not answered is a broken property.
func (c *Conversation) together(workers ...func(w *Conversation)) {
	crew := make([]*Conversation, len(workers))
	done := make(chan struct{})
	for i, work := range workers {
		crew[i] = newConversation(c.ctx, c.target)
		crew[i].tag = c.tag
		go func() {
			crew[i].hold(Rule{Run: work})
			for _, a := range append(crew[i].conns, crew[i].setup) {
				a.drop()
			}
			done <- struct{}{}
		}()
	}
	for range crew {
		<-done
	}
	for i, w := range crew {
		if w.err != nil {
			c.fail(w.err)
		}
		if w.out.Len() > 0 {
			c.holds("every request is answered", fmt.Sprintf("worker %d: %s", i+1, w.out.String()))
			panic(ended{})
		}
	}
}

// fresh is a new connection that leaves no trace in the transcript.
func (c *Conversation) fresh(name string) *Conn {
	a := &Conn{c: c, name: name, silent: true}
	c.conns = append(c.conns, a)
	return a
}

// logged is one record as a fetch gave it.
type logged struct {
	offset, timestamp int64
	value             string
}

// readAll reads a partition from an offset up to its high watermark, without a session.
func readAll(a *Conn, t Topic, partition int32, from int64) (all []logged) {
	for tries := 0; tries < 10_000; tries++ {
		p := get(a, fetch(12, t, partition, from)).Topics[0].Partitions[0]
		if p.ErrorCode != 0 || from >= p.HighWatermark {
			return all
		}
		for _, r := range recordsOf(p.RecordBatches) {
			if r.offset >= from {
				all = append(all, r)
				from = r.offset + 1
			}
		}
	}
	return all
}

// recordsOf reads uncompressed batches; what cannot be read ends them.
func recordsOf(raw []byte) (all []logged) {
	for len(raw) >= batchHeadSize {
		size := atLength + 4 + int(int32(binary.BigEndian.Uint32(raw[atLength:])))
		if size < batchHeadSize || size > len(raw) {
			return all
		}
		base, first := int64(binary.BigEndian.Uint64(raw)), int64(binary.BigEndian.Uint64(raw[27:]))
		for rest := raw[batchHeadSize:size]; len(rest) > 0; {
			n, w := binary.Varint(rest)
			if w <= 0 || n < 1 || n > int64(len(rest)-w) {
				return all
			}
			r := recordReader{data: rest[w+1 : w+int(n)]} // without the attributes
			timestamp, offset := first+r.varint(), base+r.varint()
			r.bytes() // the key
			all = append(all, logged{offset, timestamp, string(r.bytes())})
			rest = rest[w+int(n):]
		}
		raw = raw[size:]
	}
	return all
}

// written is a batch that a target has acknowledged.
type written struct {
	partition int32
	base      int64
	values    []string
}

// write produces values and returns what was acknowledged; an error of the target is an
// unacknowledged batch, which ok tells.
func write(a *Conn, acks int16, t Topic, partition int32, batch []byte, values []string) (done written, code protocol.ErrorCode) {
	p := ask[*kmsg.ProduceResponse](a, produce(9, acks, t, partition, batch)).Topics[0].Partitions[0]
	return written{partition, p.BaseOffset, values}, protocol.ErrorCode(p.ErrorCode)
}

// numbered are n values of a writer, from a number on.
func numbered(writer string, from, n int) []string {
	vs := make([]string, n)
	for i := range vs {
		vs[i] = fmt.Sprintf("%s-%d", writer, from+i)
	}
	return vs
}
