package kafkatest_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"klamm/kafkatest"
)

func startWithRetention(t *testing.T, configs map[string]string) *kafkatest.Cluster {
	return kafkatest.Start(t, kafkatest.Config{
		Network: kafkatest.Memory, Topics: []kafkatest.Topic{{Name: "orders", Partitions: 1, Configs: configs}},
	})
}

func viewOf(t *testing.T, k *kafkatest.Cluster, topic string) kafkatest.PartitionView {
	for _, v := range k.Topics() {
		if v.Name == topic {
			return v.Partitions[0]
		}
	}
	t.Fatalf("no topic %q", topic)
	return kafkatest.PartitionView{}
}

func TestApplyRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := startWithRetention(t, map[string]string{"retention.ms": "1000"})
		k.Produce("orders", 0, kafkatest.Values("one", "two")...)
		time.Sleep(time.Second)
		k.ApplyRetention()
		if v := viewOf(t, k, "orders"); v.Start != 0 {
			t.Fatalf("records of one second are gone: %+v", v)
		}
		time.Sleep(time.Millisecond)
		k.ApplyRetention()
		if v := viewOf(t, k, "orders"); v.Start != 2 || v.End != 2 {
			t.Fatalf("expired records are there: %+v", v)
		}
		if first := k.Produce("orders", 0, kafkatest.Values("three")...); first != 2 {
			t.Fatalf("offset %d", first)
		}
		if got := slices.Collect(k.Records("orders")); len(got) != 1 || string(got[0].Value) != "three" {
			t.Fatal(got)
		}
	})
}

// The broker looks 30 s after its start and then every five minutes.
func TestRetentionInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := startWithRetention(t, map[string]string{"retention.ms": "1000"})
		begin := time.Now()
		for _, look := range []time.Duration{30 * time.Second, 5*time.Minute + 30*time.Second, 15*time.Minute + 30*time.Second} {
			time.Sleep(time.Until(begin.Add(look - 2*time.Second)))
			k.Produce("orders", 0, kafkatest.Values("v")...)
			time.Sleep(2*time.Second - time.Millisecond)
			if v := viewOf(t, k, "orders"); v.Records() != 1 {
				t.Fatalf("before %v: %+v", look, v)
			}
			time.Sleep(2 * time.Millisecond)
			if v := viewOf(t, k, "orders"); v.Records() != 0 {
				t.Fatalf("after %v: %+v", look, v)
			}
		}
	})
}

func TestRetentionBySize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := startWithRetention(t, map[string]string{"retention.bytes": "150", "segment.ms": "1"})
		for range 4 {
			time.Sleep(2 * time.Millisecond)
			k.Produce("orders", 0, kafkatest.Values("v")...) // a batch of 69 bytes, in a segment of its own
		}
		time.Sleep(30 * time.Second)
		if v := viewOf(t, k, "orders"); v.Start != 1 || v.End != 4 {
			t.Fatalf("%+v", v)
		}
	})
}
