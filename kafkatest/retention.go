package kafkatest

// ApplyRetention deletes at once what retention.ms and retention.bytes let go of, which the
// broker does by itself every five minutes. Whole segments go, as in Kafka: with the
// default segment.ms and segment.bytes, all records of a partition when the newest one has
// expired. In a synctest bubble, let the time pass first:
//
//	time.Sleep(8 * 24 * time.Hour) // retention.ms is 7 days
//	k.ApplyRetention()
func (c *Cluster) ApplyRetention() { c.broker.ApplyRetention() }
