package groupcoord

import (
	"maps"
	"math"
	"slices"

	"klamm/protocol"
)

// offsets are the committed offsets of a group, and whether there is a group at
// all: hard state, written by Apply.
type offsets struct {
	topics map[string]*topicOffsets // never with an empty topic in it
	exists bool                     // Kafka's coordinator knows a group of this id
	stored bool                     // ... and so do its readers: a record says so
	anchor int64                    // ms: when it came to be; the grid of expiry checks starts here
	seen   int64                    // ms: the last time that the expiry rules saw
	due    expiryDue                // kept until something changes

	pending pendingOffsets // of open transactions
}

// topicOffsets are the committed offsets of one topic. An offset costs about 60
// bytes, so that half a million of them are no burden; what few commits have is
// in a struct of its own.
type topicOffsets struct {
	id         protocol.UUID // the first topic id that a commit named
	partitions map[int32]committed
	oldest     int64 // no commit without an expiry of its own is older, ms
	soonest    int64 // no expiry that a commit brought is sooner, ms
}

// committed is one committed offset (Kafka's OffsetAndMetadata).
type committed struct {
	offset      int64
	timestamp   int64 // of the commit, ms
	record      int64 // offset of the record in __consumer_offsets
	leaderEpoch int32 // -1: not given
	named       bool  // the commit came by topic id, and it is the topic's
	more        *committedMore
}

// committedMore is never changed once it is made: answers point into it.
type committedMore struct {
	metadata string
	expires  int64         // ms; -1: the group's retention decides
	topicID  protocol.UUID // when it is not the topic's
}

// offsetValue is a committed offset as its record says it.
type offsetValue struct {
	offset, timestamp int64
	expires           int64 // ms; -1: none
	leaderEpoch       int32
	metadata          []byte
	topicID           protocol.UUID
}

// expires is when the commit ends by its own word; -1 when it says nothing.
func (c *committed) expires() int64 {
	if c.more == nil {
		return -1
	}
	return c.more.expires
}

// topicID is the topic that the commit was made for; zero if it came by name.
func (t *topicOffsets) topicID(c *committed) protocol.UUID {
	switch {
	case c.named:
		return t.id
	case c.more != nil:
		return c.more.topicID
	}
	return protocol.UUID{}
}

// create makes the group one that Kafka's coordinator knows, if it is not
// (GroupMetadataManager.getOrMaybeCreateClassicGroup): it can be deleted, and will
// be when it has been Empty and without offsets for a while.
func (o *offsets) create(ms int64) {
	if !o.exists {
		o.exists = true
		o.anchor = min(max(ms, 0), farFuture)
		o.due.known = false
	}
}

// put stores what a record says; record is the record's own offset.
func (o *offsets) put(topic []byte, partition int32, v *offsetValue, record int64) {
	t := o.topics[string(topic)]
	if t == nil {
		t = &topicOffsets{partitions: map[int32]committed{}, oldest: math.MaxInt64, soonest: math.MaxInt64}
		if o.topics == nil {
			o.topics = map[string]*topicOffsets{}
		}
		o.topics[string(topic)] = t
	}
	if t.id == (protocol.UUID{}) {
		t.id = v.topicID
	}
	c := committed{offset: v.offset, timestamp: v.timestamp, record: record, leaderEpoch: v.leaderEpoch}
	c.named = v.topicID == t.id && v.topicID != protocol.UUID{}
	more := committedMore{expires: v.expires}
	if !c.named {
		more.topicID = v.topicID
	}
	if len(v.metadata) > 0 || more != (committedMore{expires: -1}) {
		// A client commits the same metadata again and again: keep the first copy.
		if old := t.partitions[partition].more; old != nil && old.metadata == string(v.metadata) &&
			old.expires == more.expires && old.topicID == more.topicID {
			c.more = old
		} else {
			more.metadata = string(v.metadata)
			c.more = &more
		}
	}
	t.partitions[partition] = c
	switch {
	case v.expires != -1 && v.expires < t.soonest:
		t.soonest = v.expires
	case v.expires == -1 && v.timestamp < t.oldest:
		t.oldest = v.timestamp
	default:
		return
	}
	o.due.known = false
}

// remove forgets one offset, if there is one.
func (o *offsets) remove(topic []byte, partition int32) {
	t := o.topics[string(topic)]
	if t == nil {
		return
	}
	delete(t.partitions, partition)
	if len(t.partitions) == 0 {
		delete(o.topics, string(topic))
	}
	o.due.known = false
}

// has tells whether there is an offset of the partition.
func (o *offsets) has(topic string, partition int32) bool {
	t := o.topics[topic]
	if t == nil {
		return false
	}
	_, ok := t.partitions[partition]
	return ok
}

// topicNames are the topics in order, so that one history gives one answer.
func (o *offsets) topicNames() []string { return slices.Sorted(maps.Keys(o.topics)) }

// partitionIDs are the partitions with an offset, in order.
func (t *topicOffsets) partitionIDs() []int32 {
	ids := make([]int32, 0, len(t.partitions))
	for id := range t.partitions {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
