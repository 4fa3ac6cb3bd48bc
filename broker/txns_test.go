package broker

import "testing"

// The partitions are those of Kafka's Utils.abs(id.hashCode()) % 50, as a JVM computes them.
func TestCoordinatedPartition(t *testing.T) {
	topic := &topic{partitions: make([]*partition, 50)}
	for i := range topic.partitions {
		topic.partitions[i] = &partition{index: int32(i)}
	}
	for id, want := range map[string]int32{
		"":                   0,
		"readers":            28,
		"payments":           13,
		"orders":             31, // a negative hash
		"shipping":           8,
		"polygenelubricants": 0, // the hash is the smallest number that there is
		"consumer-group-7":   26,
		"\u00fcber":          5,
	} {
		if got := topic.coordinated(id).index; got != want {
			t.Errorf("%q: partition %d, want %d", id, got, want)
		}
	}
}
