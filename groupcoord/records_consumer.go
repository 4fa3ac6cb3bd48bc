package groupcoord

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// The types of the records of a consumer group (CoordinatorRecordType), whose values
// all have version 0.
const (
	consumerGroupMetadata                 = 3
	consumerGroupPartitionMetadata        = 4 // written before 4.1 only
	consumerGroupMemberMetadata           = 5
	consumerGroupTargetAssignmentMetadata = 6
	consumerGroupTargetAssignmentMember   = 7
	consumerGroupCurrentMemberAssignment  = 8
	consumerGroupRegularExpression        = 16
)

func isConsumerRecord(kind int16) bool {
	return kind >= consumerGroupMetadata && kind <= consumerGroupCurrentMemberAssignment ||
		kind == consumerGroupRegularExpression
}

// key is the key of a record of the group; of, where it is not empty, is the member, or
// the regular expression, that it is of.
func (g *Group) key(kind uint16, of ...string) []byte {
	b := appendText(binary.BigEndian.AppendUint16(nil, kind), g.id)
	for _, s := range of {
		b = appendText(b, s)
	}
	return b
}

// version0 begins the value of a record.
func version0() []byte { return []byte{0, 0} }

func (g *Group) groupEpochRecord(epoch int32, hash uint64) Record {
	v := binary.BigEndian.AppendUint32(version0(), uint32(epoch))
	return newRecord(g.key(consumerGroupMetadata), appendTag64(v, hash))
}

func (g *Group) assignmentEpochRecord(epoch int32, ms int64) Record {
	v := binary.BigEndian.AppendUint32(version0(), uint32(epoch))
	return newRecord(g.key(consumerGroupTargetAssignmentMetadata), appendTag64(v, uint64(ms)))
}

func (g *Group) consumerMemberRecord(m *consumerMember) Record {
	v := appendNullable(appendNullable(version0(), m.instance), m.rack)
	v = appendCompact(appendCompact(v, m.clientID), m.clientHost)
	v = appendCompactTexts(v, m.topics)
	v = appendNullable(v, &m.regex)
	v = binary.BigEndian.AppendUint32(v, uint32(m.rebalanceTimeoutMs))
	v = appendNullable(v, m.assignor)
	return newRecord(g.key(consumerGroupMemberMetadata, m.id), m.classic.appendTo(v))
}

// appendTo appends the tagged field of a member that speaks the classic protocol.
func (p *classicPart) appendTo(b []byte) []byte {
	if p == nil {
		return appendTag(b, []byte{0}) // Kafka writes that there is none
	}
	field := binary.BigEndian.AppendUint32([]byte{1}, uint32(p.sessionTimeoutMs)) // 1: not null
	field = appendUvarint(field, len(p.protocols)+1)
	for _, a := range p.protocols {
		field = append(appendCompactBytes(appendCompact(field, a.name), a.metadata), 0)
	}
	return appendTag(b, append(field, 0))
}

func (g *Group) targetRecord(id string, target partitionSet) Record {
	v := appendUvarint(version0(), len(target)+1)
	for _, topic := range topicOrder(target) {
		v = append(appendInt32s(append(v, topic[:]...), targetOrder(target[topic])), 0)
	}
	return newRecord(g.key(consumerGroupTargetAssignmentMember, id), append(v, 0))
}

func (g *Group) currentRecord(m *consumerMember) Record {
	v := binary.BigEndian.AppendUint32(version0(), uint32(m.epoch))
	v = append(binary.BigEndian.AppendUint32(v, uint32(m.previousEpoch)), byte(m.state))
	v = appendAssigned(appendAssigned(v, m.assigned), m.revoking)
	return newRecord(g.key(consumerGroupCurrentMemberAssignment, m.id), append(v, 0))
}

func appendAssigned(b []byte, set partitionSet) []byte {
	b = appendUvarint(b, len(set)+1)
	for _, topic := range topicOrder(set) {
		partitions := currentOrder(set[topic])
		epochs := make([]int32, len(partitions))
		for i, p := range partitions {
			epochs[i] = set[topic][p]
		}
		b = appendInt32s(append(b, topic[:]...), partitions)
		b = appendTag(b, appendInt32s(nil, epochs))
	}
	return b
}

func (g *Group) regexRecord(regex string, r *resolvedRegex) Record {
	v := appendCompactTexts(version0(), slices.Sorted(r.names()))
	v = binary.BigEndian.AppendUint64(v, uint64(r.version))
	v = binary.BigEndian.AppendUint64(v, uint64(r.ms))
	return newRecord(g.key(consumerGroupRegularExpression, regex), append(v, 0))
}

// memberTombstones take a member back.
func (g *Group) memberTombstones(id string) []Record {
	return []Record{
		newRecord(g.key(consumerGroupCurrentMemberAssignment, id), nil),
		newRecord(g.key(consumerGroupTargetAssignmentMember, id), nil),
		newRecord(g.key(consumerGroupMemberMetadata, id), nil),
	}
}

// readConsumerMember takes what the record says of a member into m; false when it cannot be read.
func readConsumerMember(value []byte, m *consumerMember) bool {
	r := fieldReader{buf: bytes.Clone(value)}
	if r.int16() != 0 {
		return false
	}
	m.instance, m.rack = r.nullableText(true), r.nullableText(true)
	m.clientID, m.clientHost = r.text(true), r.text(true)
	m.topics = sortedNames(r.texts())
	m.regex = ""
	if regex := r.nullableText(true); regex != nil {
		m.regex = *regex
	}
	m.rebalanceTimeoutMs = r.int32()
	m.assignor = r.nullableText(true)
	m.classic = nil
	if field := r.skipTags(0); len(field) > 0 && field[0] == 1 {
		f := fieldReader{buf: field[1:]}
		m.classic = f.classicPart()
		r.bad = r.bad || f.bad || len(m.classic.protocols) == 0
	}
	return !r.bad
}

func (r *fieldReader) classicPart() *classicPart {
	p := &classicPart{sessionTimeoutMs: r.int32()}
	for n := r.count(true); n > 0 && !r.bad; n-- {
		p.protocols = append(p.protocols, assignor{r.text(true), r.compact()})
		r.skipTags(-1)
	}
	r.skipTags(-1)
	return p
}

// readCurrent takes a current assignment into m; false when it cannot be read.
func readCurrent(value []byte, m *consumerMember) bool {
	r := fieldReader{buf: value}
	if r.int16() != 0 {
		return false
	}
	m.epoch, m.previousEpoch = r.int32(), r.int32()
	switch m.state = memberState(r.int8()); m.state {
	case memberStable, unrevokedPartitions, unreleasedPartitions:
	default:
		m.state = unknownMemberState
	}
	m.assigned, m.revoking = r.assigned(m.epoch), r.assigned(m.epoch)
	r.skipTags(-1)
	return !r.bad
}

// assigned is a current assignment. Before 4.4 partitions had no epochs of their own:
// that of the member served.
func (r *fieldReader) assigned(memberEpoch int32) partitionSet {
	set := partitionSet{}
	for n := r.count(true); n > 0 && !r.bad; n-- {
		topic, partitions := r.uuid(), r.int32s()
		f := fieldReader{buf: r.skipTags(0)}
		epochs := f.int32s()
		for i, p := range partitions {
			epoch := max(memberEpoch, 0)
			if len(epochs) == len(partitions) {
				epoch = epochs[i]
			}
			set.add(topic, p, epoch)
		}
	}
	return set
}

func readTarget(value []byte) (partitionSet, bool) {
	r := fieldReader{buf: value}
	if r.int16() != 0 {
		return nil, false
	}
	set := partitionSet{}
	for n := r.count(true); n > 0 && !r.bad; n-- {
		topic := r.uuid()
		for _, p := range r.int32s() {
			set.put(topic, p)
		}
		r.skipTags(-1)
	}
	r.skipTags(-1)
	return set, !r.bad
}

// readEpoch is a group epoch or an assignment epoch, with the tagged number beside it.
func readEpoch(value []byte) (epoch int32, tagged uint64, ok bool) {
	r := fieldReader{buf: value}
	if r.int16() != 0 {
		return 0, 0, false
	}
	epoch, tagged = r.int32(), r.tag64()
	return epoch, tagged, !r.bad
}

func readRegex(value []byte) (*resolvedRegex, bool) {
	r := fieldReader{buf: bytes.Clone(value)}
	if r.int16() != 0 {
		return nil, false
	}
	resolved := &resolvedRegex{topics: map[string]bool{}}
	for _, name := range r.texts() {
		resolved.topics[name] = true
	}
	resolved.version, resolved.ms = r.int64(), r.int64()
	r.skipTags(-1)
	return resolved, !r.bad
}

// apply is for kind (GroupMetadataManager.replay).
func (c *consumer) apply(g *Group, k *recordKey, value []byte) {
	if !isConsumerRecord(k.kind) {
		return // the tombstone of the classic group that this one was before
	}
	if value == nil {
		c.applyTombstone(g, k)
		return
	}
	id := string(k.member)
	switch k.kind {
	case consumerGroupMetadata:
		if epoch, hash, ok := readEpoch(value); ok {
			c.epoch, c.hash = epoch, hash
		}
	case consumerGroupPartitionMetadata:
		c.oldMetadata = true
	case consumerGroupMemberMetadata:
		if m := c.memberCopy(id); readConsumerMember(value, m) {
			c.setMember(m)
		}
	case consumerGroupTargetAssignmentMetadata:
		if epoch, ms, ok := readEpoch(value); ok {
			c.setAssignmentEpoch(epoch, int64(ms))
		}
	case consumerGroupTargetAssignmentMember:
		if target, ok := readTarget(value); ok {
			c.setTarget(id, target)
		}
	case consumerGroupCurrentMemberAssignment:
		if m := c.memberCopy(id); readCurrent(value, m) {
			c.setMember(m)
		}
	case consumerGroupRegularExpression:
		if r, ok := readRegex(value); ok {
			c.setResolved(id, r)
		}
	}
	g.offsets.create(0)
	g.offsets.stored = true
}

func (c *consumer) applyTombstone(g *Group, k *recordKey) {
	id := string(k.member)
	switch k.kind {
	case consumerGroupMetadata:
		g.remove()
	case consumerGroupPartitionMetadata:
		c.oldMetadata = false
	case consumerGroupMemberMetadata:
		c.removeMember(id)
	case consumerGroupTargetAssignmentMetadata:
		c.setAssignmentEpoch(-1, 0)
	case consumerGroupTargetAssignmentMember:
		c.setTarget(id, nil)
	case consumerGroupCurrentMemberAssignment:
		if m := c.members[id]; m != nil {
			gone := *m
			gone.epoch, gone.previousEpoch, gone.assigned, gone.revoking = leaveEpoch, leaveEpoch, nil, nil
			c.setMember(&gone)
		}
	case consumerGroupRegularExpression:
		c.setResolved(id, nil)
	}
}

// memberCopy is a member to be changed: that of the id, or a new one.
func (c *consumer) memberCopy(id string) *consumerMember {
	if m := c.members[id]; m != nil {
		next := *m
		return &next
	}
	return newConsumerMember(id)
}

// sortedNames are the names in order, each once; what it is given is not changed.
func sortedNames(names []string) []string {
	sorted := slices.Clone(names)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}
