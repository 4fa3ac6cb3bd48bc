package broker

import (
	"encoding/binary"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/partitions"
	"klamm/protocol"
)

// produceRequest is a decoded Produce request. It lives with its connection and
// is used again, so that a request costs no allocation; names and records alias
// the frame.
type produceRequest struct {
	version       int16
	transactional bool // it has a transactional id
	// transactionalID is set where it has one.
	transactionalID string
	acks            int16
	nulls           bool // the records of some partition are null
	topics          []producedTopic
	partitions      []producedPartition // of all topics, one after another
}

type producedTopic struct {
	name       []byte        // before v13
	id         protocol.UUID // since v13
	partitions int           // how many of produceRequest.partitions are its own
}

type producedPartition struct {
	index   int32
	records []byte
	spoiled protocol.ErrorCode  // of other records for the partition: what to answer in any case
	done    partitions.Appended // the answer
}

// read decodes a body, or says why it cannot be read. Hardly any body has to be
// walked twice for that, once by the check and once here.
func (r *produceRequest) read(version int16, body []byte) error {
	w := wire{buf: body, flexible: version >= 9}
	if r.decode(version, &w); !w.odd {
		return nil
	}
	body, err := protocol.CheckRequest(int16(kmsg.Produce), version, body)
	if err != nil {
		return err
	}
	w = wire{buf: body, flexible: version >= 9, checked: true}
	r.decode(version, &w)
	return nil
}

// decode reads until the end or until something is odd.
func (r *produceRequest) decode(version int16, w *wire) {
	r.version = version
	id := w.text()
	if r.transactional = id != nil; r.transactional || r.transactionalID != "" {
		r.transactionalID = string(id)
	}
	r.acks = w.int16()
	w.int32() // the timeout: nothing here waits for replicas
	r.topics, r.partitions, r.nulls = r.topics[:0], r.partitions[:0], false
	for range w.count() {
		if w.odd {
			return
		}
		var t producedTopic
		if version >= 13 {
			copy(t.id[:], w.take(len(t.id)))
		} else if t.name = w.text(); t.name == nil {
			w.doubt()
		}
		t.partitions = w.count()
		for range t.partitions {
			if w.odd {
				return
			}
			p := r.addPartition()
			p.index, p.records = w.int32(), w.bytes()
			r.nulls = r.nulls || p.records == nil
			w.tags()
		}
		w.tags()
		r.topics = append(r.topics, t)
	}
	w.tags()
}

// addPartition makes place for another partition, which is empty. It is filled in where it
// stands: to copy it would cost as much as to read it.
func (r *produceRequest) addPartition() *producedPartition {
	r.partitions = append(r.partitions, producedPartition{})
	return &r.partitions[len(r.partitions)-1]
}

// drop lets go of the frame's memory and of a request larger than usual.
func (r *produceRequest) drop() {
	const usual = 1024
	if cap(r.partitions) > usual {
		*r = produceRequest{}
		return
	}
	for i := range r.partitions {
		r.partitions[i].records, r.partitions[i].done.Refusal = nil, nil
	}
	for i := range r.topics {
		r.topics[i].name = nil
	}
}

// appendResponse encodes the body of the answer, v3 to v13.
func (r *produceRequest) appendResponse(b []byte) []byte {
	flexible := r.version >= 9
	b = appendArrayLen(b, len(r.topics), flexible)
	next := 0
	for i := range r.topics {
		t := &r.topics[i]
		if r.version >= 13 {
			b = append(b, t.id[:]...)
		} else {
			b = appendString(b, t.name, flexible)
		}
		b = appendArrayLen(b, t.partitions, flexible)
		for range t.partitions {
			b = r.partitions[next].appendTo(b, r.version)
			next++
		}
		b = appendNoTags(b, flexible)
	}
	b = binary.BigEndian.AppendUint32(b, 0) // throttle time
	return appendNoTags(b, flexible)
}

func (p *producedPartition) appendTo(b []byte, version int16) []byte {
	flexible := version >= 9
	b = binary.BigEndian.AppendUint32(b, uint32(p.index))
	b = binary.BigEndian.AppendUint16(b, uint16(p.done.Refusal.ErrorCode()))
	b = binary.BigEndian.AppendUint64(b, uint64(p.done.BaseOffset))
	b = binary.BigEndian.AppendUint64(b, uint64(p.done.LogAppendTimeMs))
	if version >= 5 {
		b = binary.BigEndian.AppendUint64(b, uint64(p.done.LogStartOffset))
	}
	if version >= 8 {
		b = appendRefusal(b, p.done.Refusal, flexible)
	}
	return appendNoTags(b, flexible)
}

// appendRefusal appends what is said of a refusal beside its code (KIP-467).
func appendRefusal(b []byte, r *partitions.Refusal, flexible bool) []byte {
	if r == nil {
		return appendNullableString(appendArrayLen(b, 0, flexible), "", flexible)
	}
	b = appendArrayLen(b, len(r.Records), flexible)
	for _, e := range r.Records {
		b = binary.BigEndian.AppendUint32(b, uint32(e.Index))
		b = appendNullableString(b, e.Message, flexible)
		b = appendNoTags(b, flexible)
	}
	return appendNullableString(b, r.Message, flexible)
}
