package groupcoord

import (
	"bytes"
	"encoding/binary"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// The types of the records of __consumer_offsets that a classic group has: the
// first two bytes of a record's key (Kafka's CoordinatorRecordType).
const (
	legacyOffsetCommit = 0
	offsetCommit       = 1
	groupMetadata      = 2
)

// The versions of the values that Kafka 4.4.0 writes. An offset commit that brings
// its own expiry has it in version 1 only, and loses leader epoch and topic id.
const (
	offsetCommitVersion           = 4
	offsetCommitWithExpiryVersion = 1
	groupMetadataVersion          = 3
)

// recordKey is the key of a record; topic and partition are those of an offset commit.
type recordKey struct {
	kind         int16
	group, topic []byte
	partition    int32
	member       []byte // what the record is of in its group, such as a member; nil without it
}

func readRecordKey(key []byte) (recordKey, bool) {
	r := fieldReader{buf: key}
	k := recordKey{kind: r.int16()}
	switch k.kind {
	case legacyOffsetCommit, offsetCommit:
		k.group, k.topic, k.partition = r.string(), r.string(), r.int32()
	case groupMetadata:
		k.group = r.string()
	default:
		k.group = r.string()
		if len(r.buf) > 0 {
			k.member = r.string()
		}
	}
	return k, !r.bad
}

// Apply is the only writer of hard state: called for each appended record, and
// again, in order, on reload. What it cannot read, such as a record of a later
// Kafka or of another group, it ignores. Offsets that a transaction commits are
// pending until its marker comes.
func (g *Group) Apply(r Record) {
	if r.Outcome != 0 {
		g.offsets.endTransaction(r.ProducerID, r.Outcome)
		return
	}
	k, ok := readRecordKey(r.Key)
	if !ok || string(k.group) != g.id {
		return
	}
	if k.kind != offsetCommit && k.kind != legacyOffsetCommit {
		g.offsets.due.known = false
		g.kindFor(&k, r.Value).apply(g, &k, r.Value)
		return
	}
	if r.Value == nil {
		g.offsets.remove(k.topic, k.partition)
		g.offsets.pending.remove(k.topic, k.partition)
		return
	}
	v, ok := readOffsetValue(r.Value)
	if !ok {
		return
	}
	g.offsets.create(v.timestamp)
	g.offsets.stored = true
	if r.ProducerID < 0 {
		g.offsets.put(k.topic, k.partition, &v, r.Offset)
	} else {
		g.offsets.pending.put(r.ProducerID, k.topic, k.partition, v, r.Offset)
		g.offsets.due.known = false
	}
}

// kindFor is the membership that a record is of. A value of another kind than the group
// has now makes the group one of that kind: Kafka has written the tombstones before.
func (g *Group) kindFor(k *recordKey, value []byte) kind {
	if value != nil {
		switch k.kind {
		case groupMetadata:
			if _, same := g.kind.(*classic); !same {
				g.become(new(classic))
			}
			if c, ok := g.next.(*classic); ok {
				g.become(c)
				g.next = nil
			}
		default:
			if _, same := g.kind.(*consumer); !same && isConsumerRecord(k.kind) {
				g.become(newConsumer())
			}
			if c, ok := g.next.(*consumer); ok && isConsumerRecord(k.kind) {
				g.become(c)
				g.next = nil
			}
			if _, same := g.kind.(*share); !same && isShareRecord(k.kind) {
				g.become(newShare())
			}
		}
	}
	return g.kind
}

// apply keeps what the group was when its metadata was last written. With the tombstone
// the group is gone, and whoever comes next finds a new one.
func (c *classic) apply(g *Group, k *recordKey, value []byte) {
	if k.kind != groupMetadata {
		return
	}
	if value == nil {
		g.remove()
		return
	}
	if v := readGroupMetadata(value); v != nil {
		c.stored = v
		g.offsets.create(v.CurrentStateTimestamp)
		g.offsets.stored = true
	}
}

// remove makes the group one that does not exist, but for its offsets.
func (g *Group) remove() {
	g.become(new(classic))
	g.offsets.exists, g.offsets.stored = false, false
}

// Vacant tells that Kafka knows no such group: it has neither members nor offsets
// nor a record in __consumer_offsets, and the owner may forget it, as if it had
// never been. A group that has just lost its members or offsets is not vacant
// before the next check for expired offsets has taken it back.
func (g *Group) Vacant() bool {
	return !g.offsets.exists && len(g.offsets.topics) == 0 && len(g.offsets.pending.open) == 0
}

// Listed tells that DescribeGroups and ListGroups show the group. They read what has
// been written down: a group that a refused commit made, and of which there is no
// record, can be deleted, but is not shown (CoordinatorRuntime's read operations).
func (g *Group) Listed() bool { return g.offsets.stored }

// readOffsetValue reads an OffsetCommitValue of any version; the metadata aliases b.
func readOffsetValue(b []byte) (offsetValue, bool) {
	r := fieldReader{buf: b}
	version := r.int16()
	v := offsetValue{expires: -1, leaderEpoch: -1}
	if version < 0 || version > 4 {
		return v, false
	}
	v.offset = r.int64()
	if version >= 3 {
		v.leaderEpoch = r.int32()
	}
	if version >= 4 {
		v.metadata = r.compact()
	} else {
		v.metadata = r.string()
	}
	v.timestamp = r.int64()
	if version == 1 {
		v.expires = r.int64()
	}
	if version >= 4 {
		if id := r.skipTags(0); len(id) == len(v.topicID) {
			copy(v.topicID[:], id)
		}
	}
	return v, !r.bad
}

// readGroupMetadata reads a GroupMetadataValue of any version; nil for anything else.
func readGroupMetadata(b []byte) *kmsg.GroupMetadataValue {
	r := fieldReader{buf: bytes.Clone(b)}
	v := kmsg.NewGroupMetadataValue()
	v.Version = r.int16()
	if v.Version < 0 || v.Version > 4 {
		return nil
	}
	flexible := v.Version >= 4
	v.ProtocolType = r.text(flexible)
	v.Generation = r.int32()
	v.Protocol, v.Leader = r.nullableText(flexible), r.nullableText(flexible)
	if v.Version >= 2 {
		v.CurrentStateTimestamp = r.int64()
	}
	for n := r.count(flexible); n > 0 && !r.bad; n-- {
		v.Members = append(v.Members, r.member(v.Version))
	}
	if flexible {
		r.skipTags(-1)
	}
	if r.bad || !consistent(&v) {
		return nil
	}
	return &v
}

// consistent tells that the record is one that a coordinator can have written:
// members have a protocol, and each its own id and instance id.
func consistent(v *kmsg.GroupMetadataValue) bool {
	if len(v.Members) > 0 && v.Protocol == nil {
		return false
	}
	ids, instances := make(map[string]bool, len(v.Members)), map[string]bool{}
	for _, m := range v.Members {
		if ids[m.MemberID] || m.InstanceID != nil && instances[*m.InstanceID] {
			return false
		}
		ids[m.MemberID] = true
		if m.InstanceID != nil {
			instances[*m.InstanceID] = true
		}
	}
	return true
}

// member is one member of a GroupMetadataValue. Version 0 had no rebalance timeout:
// the session timeout served.
func (r *fieldReader) member(version int16) kmsg.GroupMetadataValueMember {
	flexible := version >= 4
	m := kmsg.NewGroupMetadataValueMember()
	m.MemberID = r.text(flexible)
	if version >= 3 {
		m.InstanceID = r.nullableText(flexible)
	}
	m.ClientID, m.ClientHost = r.text(flexible), r.text(flexible)
	m.RebalanceTimeoutMillis = -1
	if version >= 1 {
		m.RebalanceTimeoutMillis = r.int32()
	}
	m.SessionTimeoutMillis = r.int32()
	if m.RebalanceTimeoutMillis == -1 {
		m.RebalanceTimeoutMillis = m.SessionTimeoutMillis
	}
	if flexible {
		m.Subscription, m.Assignment = r.compact(), r.compact()
		r.skipTags(-1)
	} else {
		m.Subscription, m.Assignment = r.bytes(), r.bytes()
	}
	return m
}

// metadataRecord is the group's membership as Kafka stores it. The version of v is
// set to the one that Kafka 4.4.0 writes.
func (g *Group) metadataRecord(v *kmsg.GroupMetadataValue) Record {
	v.Version = groupMetadataVersion
	return newRecord(g.metadataKey(), v.AppendTo(nil))
}

// metadataTombstone takes the group's metadata back, and with it the group.
func (g *Group) metadataTombstone() Record { return newRecord(g.metadataKey(), nil) }

func (g *Group) metadataKey() []byte {
	return appendText(binary.BigEndian.AppendUint16(nil, groupMetadata), g.id)
}

func (g *Group) offsetTombstone(topic string, partition int32) Record {
	return newRecord(appendOffsetKey(nil, g.id, topic, partition), nil)
}

// batchTooLarge tells that the records do not fit a batch of __consumer_offsets, which
// Kafka refuses with RecordTooLargeException, and its coordinator with UNKNOWN_SERVER_ERROR.
func (g *Group) batchTooLarge(records []Record) bool {
	return g.fitting(records) < len(records)
}

// fitting is how many of the first records fit a batch of __consumer_offsets.
func (g *Group) fitting(records []Record) int {
	size := protocol.BatchOverhead
	for i := range records {
		key, value := len(records[i].Key), len(records[i].Value)
		body := 3 + varintSize(i) + varintSize(key) + key + varintSize(value) + value // no headers, one timestamp
		size += varintSize(body) + body
		if g.cfg.MaxBatchSize > 0 && size > g.cfg.MaxBatchSize {
			return i
		}
	}
	return len(records)
}

// inBatches writes records that need not stand together: any number of them, each
// small enough for a batch.
func (g *Group) inBatches(records []Record) (effects []Effect) {
	for len(records) > 0 {
		n := max(1, g.fitting(records))
		effects = append(effects, Append{Records: records[:n:n]})
		records = records[n:]
	}
	return effects
}

// varintSize is how many bytes n >= 0 takes as a signed varint.
func varintSize(n int) int {
	size := 1
	for n <<= 1; n >= 0x80; n >>= 7 {
		size++
	}
	return size
}

func newRecord(key, value []byte) Record {
	return Record{Key: key, Value: value, Offset: -1, ProducerID: -1, ProducerEpoch: -1}
}

// appendText appends a string of the old encoding: two bytes of length. Group ids
// and topics came as such strings, or were found to be as short.
func appendText(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

func appendOffsetKey(b []byte, group, topic string, partition int32) []byte {
	b = binary.BigEndian.AppendUint16(b, offsetCommit)
	b = appendText(appendText(b, group), topic)
	return binary.BigEndian.AppendUint32(b, uint32(partition))
}

// offsetWriter makes the records of one OffsetCommit request in one piece of memory.
type offsetWriter struct {
	group   string
	buf     []byte
	records []Record
}

// newOffsetWriter makes room for every partition of the request, none if it is refused.
func newOffsetWriter(group string, req *kmsg.OffsetCommitRequest, refused protocol.ErrorCode) offsetWriter {
	w := offsetWriter{group: group}
	if refused != protocol.None {
		return w
	}
	size, n := 0, 0
	for i := range req.Topics {
		t := &req.Topics[i]
		n += len(t.Partitions)
		for j := range t.Partitions {
			const fixed = 10 + 46 // key and value without their strings
			size += fixed + len(group) + len(t.Topic)
			if m := t.Partitions[j].Metadata; m != nil {
				size += len(*m)
			}
		}
	}
	w.buf, w.records = make([]byte, 0, size), make([]Record, 0, n)
	return w
}

// commit adds the record of one partition. expires is -1 without an expiry of its own.
func (w *offsetWriter) commit(t *kmsg.OffsetCommitRequestTopic, p *kmsg.OffsetCommitRequestTopicPartition, nowMs, expires int64) {
	v := kmsg.OffsetCommitValue{
		Version: offsetCommitVersion, Offset: p.Offset, LeaderEpoch: p.LeaderEpoch,
		CommitTimestamp: nowMs, ExpireTimestamp: expires, TopicID: t.TopicID,
	}
	if p.Metadata != nil {
		v.Metadata = *p.Metadata
	}
	if expires != -1 {
		v.Version = offsetCommitWithExpiryVersion
	}
	start := len(w.buf)
	w.buf = appendOffsetKey(w.buf, w.group, t.Topic, p.Partition)
	middle := len(w.buf)
	w.buf = v.AppendTo(w.buf)
	end := len(w.buf)
	w.records = append(w.records, newRecord(w.buf[start:middle:middle], w.buf[middle:end:end]))
}
