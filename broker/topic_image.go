package broker

import (
	"iter"

	"klamm/groupcoord"
	"klamm/protocol"
)

// A topicImage is what groups learn of the topics: *topicImage is a groupcoord.TopicImage.

// Topic is for groupcoord.TopicImage.
func (i *topicImage) Topic(name string) (groupcoord.Topic, bool) { return i.byName.get(name).known() }

// TopicByID is for groupcoord.TopicImage.
func (i *topicImage) TopicByID(id protocol.UUID) (groupcoord.Topic, bool) {
	return i.byID.get(id).known()
}

// Created is for groupcoord.TopicImage.
func (i *topicImage) Created() int64 { return int64(i.made) }

// Topics is for groupcoord.TopicImage.
func (i *topicImage) Topics() iter.Seq[groupcoord.Topic] {
	return func(yield func(groupcoord.Topic) bool) {
		for _, t := range i.list {
			if known, _ := t.known(); !yield(known) {
				return
			}
		}
	}
}

// known is what a group may know of a topic; ok is false where t is nil.
func (t *topic) known() (known groupcoord.Topic, ok bool) {
	if t == nil {
		return groupcoord.Topic{}, false
	}
	return groupcoord.Topic{ID: t.id, Name: t.name, Partitions: int32(len(t.partitions))}, true
}
