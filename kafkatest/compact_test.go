package kafkatest_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"klamm/kafkatest"
)

// keyed are records of "key:value"; without a ":" they are tombstones.
func keyed(texts ...string) (records []kafkatest.Record) {
	for _, text := range texts {
		key, value, whole := strings.Cut(text, ":")
		r := kafkatest.Record{Key: []byte(key)}
		if whole {
			r.Value = []byte(value)
		}
		records = append(records, r)
	}
	return records
}

// left is what there is in orders, as keyed has it.
func left(k *kafkatest.Cluster) string {
	var texts []string
	for r := range k.Records("orders") {
		text := string(r.Key)
		if r.Value != nil {
			text += ":" + string(r.Value)
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, " ")
}

func expect(t *testing.T, k *kafkatest.Cluster, want string) {
	t.Helper()
	if got := left(k); got != want {
		t.Fatalf("%q is left, want %q", got, want)
	}
}

func TestCompact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := startWithRetention(t, map[string]string{"cleanup.policy": "compact", "delete.retention.ms": "60000"})
		k.Produce("orders", 0, keyed("a:1", "b:1", "a:2")...)
		k.Produce("orders", 0, keyed("b", "c:1")...)
		k.Compact("orders")
		expect(t, k, "a:2 b c:1")
		time.Sleep(time.Minute)
		expect(t, k, "a:2 b c:1")
		k.Compact("orders")
		expect(t, k, "a:2 c:1")
		if v := viewOf(t, k, "orders"); v.Start != 0 || v.End != 5 {
			t.Fatalf("%+v", v)
		}
		offsets := []int64{}
		for r := range k.Records("orders") {
			offsets = append(offsets, r.Offset)
		}
		if !slices.Equal(offsets, []int64{2, 4}) {
			t.Fatalf("offsets %v", offsets)
		}
	})
}

// The cleaner looks every 15 s, at the segments that have been left, when more than half of
// a log is dirty.
func TestCompactionInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := startWithRetention(t, map[string]string{"cleanup.policy": "compact", "segment.ms": "1000"})
		begin := time.Now()
		k.Produce("orders", 0, keyed("a:1", "b:1", "a:2")...)
		time.Sleep(2 * time.Second)
		k.Produce("orders", 0, keyed("b:2")...)
		time.Sleep(time.Until(begin.Add(15*time.Second - time.Millisecond)))
		expect(t, k, "a:1 b:1 a:2 b:2")
		time.Sleep(2 * time.Millisecond)
		expect(t, k, "b:1 a:2 b:2")
		k.Produce("orders", 0, keyed("b:3", "b:4", "b:5")...)
		time.Sleep(2 * time.Second)
		k.Produce("orders", 0, keyed("c:1")...)
		time.Sleep(time.Until(begin.Add(30*time.Second - time.Millisecond)))
		expect(t, k, "b:1 a:2 b:2 b:3 b:4 b:5 c:1")
		time.Sleep(2 * time.Millisecond)
		expect(t, k, "a:2 b:5 c:1")
	})
}

// What is compacted and deleted is looked after by the cleaner, too.
func TestCompactedTopicsExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := startWithRetention(t, map[string]string{"cleanup.policy": "compact,delete", "retention.ms": "1000"})
		k.Produce("orders", 0, keyed("a:1")...)
		time.Sleep(15*time.Second - time.Millisecond)
		expect(t, k, "a:1")
		time.Sleep(2 * time.Millisecond)
		expect(t, k, "")
	})
}

func TestCompactSaysWhatIsWrong(t *testing.T) {
	for topic, want := range map[string]string{
		"orders": `topic "orders" is not compacted: its cleanup.policy is "delete"`,
		"bills":  `there is no topic "bills"`,
	} {
		said := failure(t, func(tb testing.TB) {
			k := kafkatest.Start(tb, kafkatest.Config{Network: kafkatest.Memory, Topics: []kafkatest.Topic{{Name: "orders"}}})
			k.Compact(topic)
		})
		if !strings.Contains(said.message, want) {
			t.Errorf("%q, want %q", said.message, want)
		}
	}
}
