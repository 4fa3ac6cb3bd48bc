package groupcoord

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"

	"klamm/protocol"
)

// The types of the records of a share group (CoordinatorRecordType), whose values all
// have version 0.
const (
	shareGroupMemberMetadata           = 10
	shareGroupMetadata                 = 11
	shareGroupTargetAssignmentMetadata = 12
	shareGroupTargetAssignmentMember   = 13
	shareGroupCurrentMemberAssignment  = 14
	shareGroupStatePartitionMetadata   = 15
)

func isShareRecord(kind int16) bool {
	return kind >= shareGroupMemberMetadata && kind <= shareGroupStatePartitionMetadata
}

func (g *Group) shareEpochRecord(epoch int32, hash uint64) Record {
	v := binary.BigEndian.AppendUint32(version0(), uint32(epoch))
	return newRecord(g.key(shareGroupMetadata), append(binary.BigEndian.AppendUint64(v, hash), 0))
}

func (g *Group) shareAssignmentEpochRecord(epoch int32, ms int64) Record {
	v := binary.BigEndian.AppendUint32(version0(), uint32(epoch))
	return newRecord(g.key(shareGroupTargetAssignmentMetadata), appendTag64(v, uint64(ms)))
}

func (g *Group) shareMemberRecord(m *shareMember) Record {
	v := appendCompact(appendCompact(appendNullable(version0(), m.rack), m.clientID), m.clientHost)
	return newRecord(g.key(shareGroupMemberMetadata, m.id), append(appendCompactTexts(v, m.topics), 0))
}

func (g *Group) shareTargetRecord(id string, target partitionSet) Record {
	return newRecord(g.key(shareGroupTargetAssignmentMember, id), append(appendShared(version0(), target), 0))
}

func (g *Group) shareCurrentRecord(m *shareMember) Record {
	v := binary.BigEndian.AppendUint32(version0(), uint32(m.epoch))
	v = append(binary.BigEndian.AppendUint32(v, uint32(m.previousEpoch)), byte(memberStable))
	return newRecord(g.key(shareGroupCurrentMemberAssignment, m.id), append(appendShared(v, m.assigned), 0))
}

func appendShared(b []byte, set partitionSet) []byte {
	b = appendUvarint(b, len(set)+1)
	for _, topic := range topicOrder(set) {
		b = append(appendInt32s(append(b, topic[:]...), currentOrder(set[topic])), 0)
	}
	return b
}

// shareStateRecord says of which partitions the share coordinator keeps the state.
func (g *Group) shareStateRecord(initializing, initialized map[protocol.UUID]sharedTopic, deleting map[protocol.UUID]string) Record {
	v := version0()
	for _, set := range [...]map[protocol.UUID]sharedTopic{initializing, initialized} {
		v = appendUvarint(v, len(set)+1)
		for _, topic := range topicOrder(set) {
			v = appendCompact(append(v, topic[:]...), set[topic].name)
			v = append(appendInt32s(v, slices.Sorted(maps.Keys(set[topic].partitions))), 0)
		}
	}
	v = appendUvarint(v, len(deleting)+1)
	for _, topic := range topicOrder(deleting) {
		v = append(appendCompact(append(v, topic[:]...), deleting[topic]), 0)
	}
	return newRecord(g.key(shareGroupStatePartitionMetadata), append(v, 0))
}

// apply is for kind (GroupMetadataManager.replay).
func (c *share) apply(g *Group, k *recordKey, value []byte) {
	if !isShareRecord(k.kind) {
		return
	}
	id := string(k.member)
	if value == nil {
		c.applyTombstone(g, k.kind, id)
		return
	}
	r := fieldReader{buf: bytes.Clone(value)}
	if r.int16() != 0 {
		return
	}
	c.applyValue(k.kind, id, &r)
	g.offsets.create(0)
	g.offsets.stored = true
}

// applyValue takes in a record, or nothing of it when it cannot be read.
func (c *share) applyValue(kind int16, id string, r *fieldReader) {
	switch kind {
	case shareGroupMemberMetadata:
		m := c.memberCopy(id)
		m.rack, m.clientID, m.clientHost, m.topics = r.nullableText(true), r.text(true), r.text(true), sortedNames(r.texts())
		if !r.bad {
			c.setMember(m)
		}
	case shareGroupMetadata:
		if epoch, hash := r.int32(), uint64(r.int64()); !r.bad {
			c.epoch, c.hash = epoch, hash
		}
	case shareGroupTargetAssignmentMetadata:
		if epoch, ms := r.int32(), r.tag64(); !r.bad {
			c.assignmentEpoch, c.assignedMs = epoch, int64(ms)
		}
	case shareGroupTargetAssignmentMember:
		if target := r.shared(); !r.bad {
			c.target[id] = target
		}
	case shareGroupCurrentMemberAssignment:
		m := c.memberCopy(id)
		m.epoch, m.previousEpoch = r.int32(), r.int32()
		r.int8() // the state of a member is Stable, always
		if m.assigned = r.shared(); !r.bad {
			c.setMember(m)
		}
	case shareGroupStatePartitionMetadata:
		initializing, initialized, deleting := r.sharedTopics(), r.sharedTopics(), r.topicNames()
		if !r.bad {
			c.initializing, c.initialized, c.deleting = initializing, initialized, deleting
		}
	}
}

func (c *share) applyTombstone(g *Group, kind int16, id string) {
	switch kind {
	case shareGroupMemberMetadata:
		c.removeMember(id)
	case shareGroupMetadata:
		g.remove()
	case shareGroupTargetAssignmentMetadata:
		c.assignmentEpoch, c.assignedMs = -1, 0
	case shareGroupTargetAssignmentMember:
		delete(c.target, id)
	case shareGroupCurrentMemberAssignment:
		if m := c.members[id]; m != nil {
			gone := *m
			gone.epoch, gone.previousEpoch, gone.assigned = leaveEpoch, leaveEpoch, nil
			c.setMember(&gone)
		}
	case shareGroupStatePartitionMetadata:
		c.initializing, c.initialized, c.deleting = map[protocol.UUID]sharedTopic{}, map[protocol.UUID]sharedTopic{}, map[protocol.UUID]string{}
	}
}

// memberCopy is a member to be changed: that of the id, or a new one.
func (c *share) memberCopy(id string) *shareMember {
	if m := c.members[id]; m != nil {
		next := *m
		return &next
	}
	return &shareMember{id: id, previousEpoch: -1}
}

func (r *fieldReader) shared() partitionSet {
	set := partitionSet{}
	for n := r.count(true); n > 0 && !r.bad; n-- {
		topic := r.uuid()
		for _, p := range r.int32s() {
			set.put(topic, p)
		}
		r.skipTags(-1)
	}
	return set
}

func (r *fieldReader) sharedTopics() map[protocol.UUID]sharedTopic {
	set := map[protocol.UUID]sharedTopic{}
	for n := r.count(true); n > 0 && !r.bad; n-- {
		topic := r.uuid()
		t := sharedTopic{name: r.text(true), partitions: map[int32]bool{}}
		for _, p := range r.int32s() {
			t.partitions[p] = true
		}
		set[topic] = t
		r.skipTags(-1)
	}
	return set
}

func (r *fieldReader) topicNames() map[protocol.UUID]string {
	names := map[protocol.UUID]string{}
	for n := r.count(true); n > 0 && !r.bad; n-- {
		topic := r.uuid()
		names[topic] = r.text(true)
		r.skipTags(-1)
	}
	return names
}
