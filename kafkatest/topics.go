package kafkatest

import (
	"iter"
	"slices"

	"klamm/broker"
)

// CreateTopic creates a topic with the given number of partitions. For configs use
// Config.Topics or a client.
func (c *Cluster) CreateTopic(name string, partitions int32) {
	c.t.Helper()
	if err := c.broker.CreateTopic(Topic{Name: name, Partitions: partitions}); err != nil {
		c.t.Fatalf("kafkatest: create: %v", err)
	}
}

// Topics are all topics, sorted by name, those included that the broker makes for
// itself, such as __consumer_offsets.
func (c *Cluster) Topics() []TopicView { return c.broker.Topics() }

// Values makes records without keys.
func Values(values ...string) []Record {
	records := make([]Record, len(values))
	for i, value := range values {
		records[i].Value = []byte(value)
	}
	return records
}

// Produce writes records to a partition without a client and returns the offset of
// the first one. Topic, partition and offset of the records are not looked at; a
// zero timestamp means now. A topic that does not exist is created as for a client.
func (c *Cluster) Produce(topic string, partition int32, records ...Record) (first int64) {
	c.t.Helper()
	first, err := c.broker.Append(TopicPartition{Topic: topic, Partition: partition}, records...)
	if err != nil {
		c.t.Fatalf("kafkatest: produce: %v", err)
	}
	return first
}

// Records are the records of a topic, partition by partition, in the order of their
// offsets, those of open and aborted transactions too. The end of each partition is where
// it is when the walk gets there.
//
//	for r := range k.Records("orders") {
//		t.Logf("%v %d: %s", r.TopicPartition, r.Offset, r.Value)
//	}
func (c *Cluster) Records(topic string) iter.Seq[Record] {
	c.t.Helper()
	view, ok := c.broker.Topic(topic)
	if !ok {
		c.t.Fatalf("kafkatest: records: topic %q does not exist\n%s", topic, c.dumpTopics())
	}
	return func(yield func(Record) bool) {
		for i := range view.Partitions {
			for r := range c.RecordsFrom(topic, int32(i), 0) {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// RecordsFrom are the records of one partition from an offset on. An offset before
// the first record means the first record.
func (c *Cluster) RecordsFrom(topic string, partition int32, offset int64) iter.Seq[Record] {
	tp := TopicPartition{Topic: topic, Partition: partition}
	return func(yield func(Record) bool) {
		c.t.Helper()
		for {
			records, err := c.broker.Read(tp, offset)
			if err != nil {
				c.t.Fatalf("kafkatest: records: %v\n%s", err, c.dumpTopics())
			}
			if len(records) == 0 {
				return
			}
			for _, r := range records {
				if !yield(r) {
					return
				}
				offset = r.Offset + 1
			}
		}
	}
}

// WaitRecords waits until a topic has at least n records and returns all that it
// has, in the order of Records. The topic need not exist yet.
func (c *Cluster) WaitRecords(topic string, n int) []Record {
	c.t.Helper()
	var got []Record
	c.wait(func() (bool, string) {
		view, ok := c.broker.Topic(topic)
		if !ok {
			return false, sprintf("%d records in topic %q, which does not exist", n, topic)
		}
		if count(view) < int64(n) {
			return false, sprintf("%d records in topic %q, which has %d", n, topic, count(view))
		}
		got = slices.Collect(c.Records(topic))
		return len(got) >= n, sprintf("%d records in topic %q, which has %d", n, topic, len(got))
	}, c.dumpTopics)
	return got
}

// count is at least as many as there are records in the topic: offsets may be missing.
func count(view broker.TopicView) (n int64) {
	for _, p := range view.Partitions {
		n += p.Records()
	}
	return n
}
