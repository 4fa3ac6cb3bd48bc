package kafkatest

// ApplyRetention deletes at once what retention.ms and retention.bytes let go of, in the
// topics that are named or in all; the broker does so by itself every five minutes, in
// compacted topics every 15 s. Whole segments go, as in Kafka: with the default segment.ms
// and segment.bytes, all records of a partition when the newest one has expired. The test
// fails when there is no such topic. In a synctest bubble, let the time pass first:
//
//	time.Sleep(8 * 24 * time.Hour) // retention.ms is 7 days
//	k.ApplyRetention()
func (c *Cluster) ApplyRetention(topics ...string) {
	c.t.Helper()
	if err := c.broker.ApplyRetention(topics...); err != nil {
		c.t.Fatalf("kafkatest: apply retention: %v", err)
	}
}

// Compact compacts a topic at once: of each key only the last record is left. The broker by
// itself leaves the active segment alone, and waits until half of a log is dirty; this
// does not, so that it takes the records that a test has just written. Open transactions,
// min.compaction.lag.ms and delete.retention.ms count as ever: a tombstone is there until a
// second call a day later. The test fails when there is no such topic, or
// cleanup.policy has no compact.
func (c *Cluster) Compact(topic string) {
	c.t.Helper()
	if err := c.broker.Compact(topic); err != nil {
		c.t.Fatalf("kafkatest: compact: %v", err)
	}
}
