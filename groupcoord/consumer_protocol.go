package groupcoord

import (
	"encoding/binary"
	"slices"
)

// What members of the classic protocol say of themselves, and are told, in the consumer
// protocol's own format (ConsumerProtocolSubscription, ConsumerProtocolAssignment).

// consumerSubscription is what a consumer says when it joins.
type consumerSubscription struct {
	version int16
	topics  []string
	owned   map[string][]int32 // by topic
	rack    *string
}

// readSubscription reads a subscription of any version; false when it is none.
func readSubscription(b []byte) (s consumerSubscription, ok bool) {
	r := fieldReader{buf: b}
	s.version = r.int16()
	for n := r.count(false); n > 0 && !r.bad; n-- {
		s.topics = append(s.topics, string(r.string()))
	}
	r.nullableBytes() // the member's own data
	if s.version >= 1 {
		s.owned = r.topicPartitions()
	}
	if s.version >= 2 {
		r.int32() // the generation in which it owned them
	}
	if s.version >= 3 {
		if s.rack = r.nullableText(false); s.rack != nil && *s.rack == "" {
			s.rack = nil
		}
	}
	return s, !r.bad && s.version >= 0
}

// topicPartitions is an array of topics with their partitions.
func (r *fieldReader) topicPartitions() map[string][]int32 {
	found := map[string][]int32{}
	for n := r.count(false); n > 0 && !r.bad; n-- {
		topic := string(r.string())
		for m := r.count(false); m > 0 && !r.bad; m-- {
			found[topic] = append(found[topic], r.int32())
		}
	}
	return found
}

// readAssignment reads an assignment; custom tells that an assignor has put data of its
// own beside it, ok is false when it is none.
func readAssignment(b []byte) (assigned map[string][]int32, custom, ok bool) {
	r := fieldReader{buf: b}
	version := r.int16()
	assigned = r.topicPartitions()
	custom = len(r.nullableBytes()) > 0
	return assigned, custom, !r.bad && version >= 0
}

// appendAssignment writes an assignment in a version; topics that do not exist are left out.
func appendAssignment(version int16, set partitionSet, image TopicImage) []byte {
	const highest = 3
	b := binary.BigEndian.AppendUint16(nil, uint16(min(version, highest)))
	var topics []Topic
	for _, id := range topicOrder(set) {
		if t, ok := image.TopicByID(id); ok {
			topics = append(topics, t)
		}
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(topics)))
	for _, t := range topics {
		b = appendText(b, t.Name)
		b = binary.BigEndian.AppendUint32(b, uint32(len(set[t.ID])))
		for _, p := range currentOrder(set[t.ID]) {
			b = binary.BigEndian.AppendUint32(b, uint32(p))
		}
	}
	return append(b, 0xff, 0xff, 0xff, 0xff) // no data of an assignor's own
}

// identified are partitions by the ids of the topics; those that do not exist are left out.
func identified(named map[string][]int32, image TopicImage, epoch int32) partitionSet {
	set := partitionSet{}
	for name, partitions := range named {
		if t, ok := image.Topic(name); ok {
			for _, p := range slices.Compact(slices.Sorted(slices.Values(partitions))) {
				set.add(t.ID, p, epoch)
			}
		}
	}
	return set
}
