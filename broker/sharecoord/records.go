package sharecoord

import (
	"encoding/binary"
)

// The types of the records of __share_group_state: the first two bytes of a record's key
// (org.apache.kafka.coordinator.share.generated.CoordinatorRecordType).
const (
	snapshotKind = 0
	updateKind   = 1
)

// ParseKey reads the key of a record of __share_group_state; ok is false when it is none.
func ParseKey(key []byte) (kind int16, k Key, ok bool) {
	r := reader{buf: key}
	kind = r.int16()
	k.Group = string(r.take(int(r.int16())))
	copy(k.Topic[:], r.take(len(k.Topic)))
	k.Partition = r.int32()
	return kind, k, !r.bad && (kind == snapshotKind || kind == updateKind)
}

func appendKey(b []byte, kind uint16, k Key) []byte {
	b = binary.BigEndian.AppendUint16(b, kind)
	b = append(binary.BigEndian.AppendUint16(b, uint16(len(k.Group))), k.Group...)
	b = append(b, k.Topic[:]...)
	return binary.BigEndian.AppendUint32(b, uint32(k.Partition))
}

// snapshotRecord is a ShareSnapshot record.
func snapshotRecord(k Key, s *State) Record {
	b := binary.BigEndian.AppendUint32([]byte{0, 0}, uint32(s.snapshotEpoch))
	b = binary.BigEndian.AppendUint32(b, uint32(s.stateEpoch))
	b = binary.BigEndian.AppendUint32(b, uint32(s.leaderEpoch))
	b = binary.BigEndian.AppendUint64(b, uint64(s.startOffset))
	b = binary.BigEndian.AppendUint64(b, uint64(s.createdMs))
	b = binary.BigEndian.AppendUint64(b, uint64(s.writtenMs))
	return Record{appendKey(nil, snapshotKind, k), appendComplete(appendBatches(b, s.batches), s.deliveryComplete)}
}

// updateRecord is a ShareUpdate record.
func updateRecord(k Key, s *State) Record {
	b := binary.BigEndian.AppendUint32([]byte{0, 0}, uint32(s.snapshotEpoch))
	b = binary.BigEndian.AppendUint32(b, uint32(s.leaderEpoch))
	b = binary.BigEndian.AppendUint64(b, uint64(s.startOffset))
	return Record{appendKey(nil, updateKind, k), appendComplete(appendBatches(b, s.batches), s.deliveryComplete)}
}

func appendBatches(b []byte, batches []Batch) []byte {
	b = binary.AppendUvarint(b, uint64(len(batches)+1))
	for _, one := range batches {
		b = binary.BigEndian.AppendUint64(b, uint64(one.First))
		b = binary.BigEndian.AppendUint64(b, uint64(one.Last))
		b = append(b, byte(one.State))
		b = append(binary.BigEndian.AppendUint16(b, uint16(one.DeliveryCount)), 0)
	}
	return b
}

// appendComplete appends the tagged field that both records have (KIP-1226).
func appendComplete(b []byte, complete int32) []byte {
	if complete == -1 {
		return append(b, 0)
	}
	return binary.BigEndian.AppendUint32(append(b, 1, 0, 4), uint32(complete))
}

func parseSnapshot(value []byte) (s State, ok bool) {
	r := reader{buf: value}
	if r.int16() != 0 {
		return s, false
	}
	s.snapshotEpoch, s.stateEpoch, s.leaderEpoch, s.startOffset = r.int32(), r.int32(), r.int32(), r.int64()
	s.createdMs, s.writtenMs = r.int64(), r.int64()
	s.batches = r.batches()
	s.deliveryComplete = r.complete()
	return s, !r.bad
}

func parseUpdate(value []byte) (s State, ok bool) {
	r := reader{buf: value}
	if r.int16() != 0 {
		return s, false
	}
	s.snapshotEpoch, s.leaderEpoch, s.startOffset = r.int32(), r.int32(), r.int64()
	s.batches = r.batches()
	s.deliveryComplete = r.complete()
	return s, !r.bad
}

// reader reads fields from bytes that may be anything: a read past the end sets bad.
type reader struct {
	buf []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.buf) {
		r.bad = true
		return nil
	}
	b := r.buf[:n]
	r.buf = r.buf[n:]
	return b
}

func (r *reader) int16() int16 {
	if b := r.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *reader) int32() int32 {
	if b := r.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

func (r *reader) int64() int64 {
	if b := r.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

func (r *reader) uvarint() int {
	v, n := binary.Uvarint(r.buf)
	if n <= 0 || n > 5 {
		r.bad = true
		return 0
	}
	r.buf = r.buf[n:]
	return int(v)
}

func (r *reader) batches() (out []Batch) {
	n := r.uvarint() - 1
	const least = 20 // bytes of a batch
	if n < 0 || n > len(r.buf)/least {
		r.bad = r.bad || n != 0
		return nil
	}
	for ; n > 0 && !r.bad; n-- {
		b := Batch{First: r.int64(), Last: r.int64()}
		if state := r.take(1); state != nil {
			b.State = int8(state[0])
		}
		b.DeliveryCount = r.int16()
		r.tags()
		out = append(out, b)
	}
	return out
}

// complete is the tagged field that both records end with.
func (r *reader) complete() int32 {
	if field := r.tags(); len(field) == 4 {
		return int32(binary.BigEndian.Uint32(field))
	}
	return -1
}

// tags passes over tagged fields and returns the one of tag 0.
func (r *reader) tags() (first []byte) {
	for n := r.uvarint(); n > 0 && !r.bad; n-- {
		tag := r.uvarint()
		field := r.take(r.uvarint())
		if tag == 0 {
			first = field
		}
	}
	return first
}
