package kafkatest_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"klamm/kafkatest"
)

// consumeOrders stands for a program that reads the topic "orders" in the group
// "shipping" and commits what it has read. How it ends is seen by what the group does.
func consumeOrders(ctx context.Context, addr, clientID string) {
	consume(ctx, new(net.Dialer).DialContext, addr, clientID, "shipping", "orders", 2)
}

// TestShipping is the test of the README.
func TestShipping(t *testing.T) {
	k := kafkatest.Start(t, kafkatest.Config{Topics: []kafkatest.Topic{{Name: "orders", Partitions: 2}}})
	go consumeOrders(t.Context(), k.Addr(), "worker-1") // your code, with any Kafka client
	go consumeOrders(t.Context(), k.Addr(), "worker-2")
	k.WaitGroupStable("shipping", 2)
	k.Crash("worker-1")
	k.WaitGroupStable("shipping", 1)
	k.Produce("orders", 0, kafkatest.Values("one", "two")...)
	k.WaitCommitted("shipping", "orders", 0, 2)
}

// TestWorkerDiesInABubble has a worker die without leaving. Its session of 45 s has
// to run out, which takes no time here.
func TestWorkerDiesInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.Start(t, kafkatest.Config{Network: kafkatest.Memory})
		k.CreateTopic("orders", 2)
		worker, kill := context.WithCancel(t.Context())
		go consume(worker, k.Dial, k.Addr(), "worker-1", "shipping", "orders", 2)
		go consume(t.Context(), k.Dial, k.Addr(), "worker-2", "shipping", "orders", 2)
		k.WaitGroupStable("shipping", 2)
		start := time.Now()
		kill()
		k.WaitGroupStable("shipping", 1)
		if waited := time.Since(start); waited < 44*time.Second {
			t.Errorf("the session ended after %v", waited)
		}
	})
}

// TestRecordsByHand reads what a program has written, without a client.
func TestRecordsByHand(t *testing.T) {
	k := kafkatest.Start(t, kafkatest.Config{
		Topics:  []kafkatest.Topic{{Name: "audit", Partitions: 1, Configs: map[string]string{"cleanup.policy": "compact"}}},
		Configs: map[string]string{"auto.create.topics.enable": "false"},
		Timeout: 5 * time.Second,
	})
	k.Produce("audit", 0, kafkatest.Record{ // stands for what the program does
		Key: []byte("order-1"), Value: []byte("shipped"),
		Headers: []kafkatest.Header{{Key: "by", Value: []byte("worker-1")}},
	})
	for _, r := range k.WaitRecords("audit", 1) {
		if got := fmt.Sprintf("%s=%s %s=%s", r.Key, r.Value, r.Headers[0].Key, r.Headers[0].Value); got != "order-1=shipped by=worker-1" {
			t.Errorf("record %v at offset %d: %s", r.TopicPartition, r.Offset, got)
		}
	}
}

// TestReadmeShowsTheExamples keeps the tests that the README shows those that are run.
func TestReadmeShowsTheExamples(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{
		"TestShipping":          "example_test.go",
		"TestShippingInABubble": "../conformance/peers/example_test.go",
	} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(source), "\nfunc "+name+"(")
		body, _, ok := strings.Cut(rest, "\n}\n")
		if example := "```go\nfunc " + name + "(" + body + "\n}\n```\n"; !ok || !strings.Contains(string(readme), example) {
			t.Errorf("the README does not show\n%s", example)
		}
	}
}
