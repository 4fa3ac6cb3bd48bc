package broker

import (
	"sync"

	"klamm/partitions"
	"klamm/protocol"
)

// topic is one topic. It is immutable but for what its partitions hold: a change
// of partitions or configs makes a new topic value in a new image.
type topic struct {
	name       string
	id         protocol.UUID
	internal   bool
	configs    map[string]string // what was set for this topic, by Kafka's names
	partitions []*partition
}

// partition returns partition i, or nil where there is none.
func (t *topic) partition(i int32) *partition {
	if t == nil || i < 0 || int(i) >= len(t.partitions) {
		return nil
	}
	return t.partitions[i]
}

// topicImage is an immutable view of all topics, replaced as a whole.
type topicImage struct {
	byName map[string]*topic
	byID   map[protocol.UUID]*topic
}

// partition owns one partitions.Partition: the mutex and the fetches that wait for data.
type partition struct {
	mu  sync.Mutex
	log *partitions.Partition
}
