package groupcoord

import (
	"iter"

	"klamm/protocol"
)

// Topic is what a group may know of a topic.
type Topic struct {
	ID         protocol.UUID
	Name       string
	Partitions int32
}

// TopicImage is the topics of the cluster at one moment. It never changes: a change of
// topics makes another image. It comes with the heartbeats of the protocols in which
// the coordinator assigns, and two images that are equal (==) are the same moment.
type TopicImage interface {
	// Topic is the topic of a name; ok is false where there is none.
	Topic(name string) (t Topic, ok bool)
	// TopicByID is the topic of an id; ok is false where there is none.
	TopicByID(id protocol.UUID) (t Topic, ok bool)
	// Created is how many topics were ever created: more than before means that there
	// may be names that no regular expression has seen.
	Created() int64
	// Topics are all topics, internal ones too.
	Topics() iter.Seq[Topic]
}

// noTopics is the image that there is without one.
type noTopics struct{}

func (noTopics) Topic(string) (t Topic, ok bool)            { return t, false }
func (noTopics) TopicByID(protocol.UUID) (t Topic, ok bool) { return t, false }
func (noTopics) Created() int64                             { return 0 }
func (noTopics) Topics() iter.Seq[Topic]                    { return func(func(Topic) bool) {} }

// orNone is image, or one without topics.
func orNone(image TopicImage) TopicImage {
	if image == nil {
		return noTopics{}
	}
	return image
}
