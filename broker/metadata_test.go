package broker

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// createMany creates n topics of one partition, called prefix0 and so on.
func createMany(tb testing.TB, c *Cluster, prefix string, n int) {
	tb.Helper()
	for from := 0; from < n; from += 1000 {
		var plans []*topicPlan
		for i := from; i < min(from+1000, n); i++ {
			plans = append(plans, &topicPlan{name: fmt.Sprintf("%s%d", prefix, i), numPartitions: 1, replicationFactor: 1})
		}
		c.mu.Lock()
		refused := c.carryOut(plans, false)
		c.mu.Unlock()
		if refused.code != protocol.None {
			tb.Fatal(refused)
		}
	}
}

// allTopics is the answer to a Metadata request for all topics.
func allTopics(t *testing.T, cn *conn, version int16) map[string]int {
	t.Helper()
	req := kmsg.NewPtrMetadataRequest()
	resp := ask(t, cn, req, version).(*kmsg.MetadataResponse)
	partitions := make(map[string]int)
	for _, topic := range resp.Topics {
		partitions[*topic.Topic] = len(topic.Partitions)
	}
	return partitions
}

func TestMetadataOfAllTopicsFollowsEachChange(t *testing.T) {
	cn := testBroker(t, nil)
	for version := range int16(14) {
		name := fmt.Sprintf("v%d", version)
		want := map[string]int{}
		if got := allTopics(t, cn, version); len(got) != 0 {
			t.Fatalf("v%d: %v before the first topic", version, got)
		}
		createMany(t, cn.cluster, name, 2)
		want[name+"0"], want[name+"1"] = 1, 1
		if diff := cmp.Diff(want, allTopics(t, cn, version)); diff != "" {
			t.Fatalf("v%d: after creation (-want +got):\n%s", version, diff)
		}
		grow := kmsg.NewPtrCreatePartitionsRequest()
		grow.Topics = []kmsg.CreatePartitionsRequestTopic{{Topic: name + "1", Count: 3}}
		grow.TimeoutMillis = 1000
		ask(t, cn, grow, 3)
		want[name+"1"] = 3
		if diff := cmp.Diff(want, allTopics(t, cn, version)); diff != "" {
			t.Fatalf("v%d: with more partitions (-want +got):\n%s", version, diff)
		}
		remove := kmsg.NewPtrDeleteTopicsRequest()
		remove.TopicNames = []string{name + "0", name + "1"}
		remove.TimeoutMillis = 1000
		ask(t, cn, remove, 5)
	}
}

func TestMetadataCreatesTopicsThatServeWithTheNextRequest(t *testing.T) {
	cn := testBroker(t, map[string]string{"num.partitions": "3"})
	req := kmsg.NewPtrMetadataRequest()
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = kmsg.StringPtr("made")
	req.Topics = append(req.Topics, topic)
	req.AllowAutoTopicCreation = true
	resp := ask(t, cn, req, 13).(*kmsg.MetadataResponse)
	if got := resp.Topics[0]; got.ErrorCode != int16(protocol.UnknownTopicOrPartition) || len(got.Partitions) != 0 {
		t.Errorf("got %+v, want a topic that is unknown as yet", got)
	}
	resp = ask(t, cn, req, 13).(*kmsg.MetadataResponse)
	if got := resp.Topics[0]; got.ErrorCode != 0 || len(got.Partitions) != 3 || got.TopicID == [16]byte{} {
		t.Errorf("got %+v, want a topic of three partitions", got)
	}
}

// BenchmarkMetadataOfAllTopics asks for all of 10,000 topics.
func BenchmarkMetadataOfAllTopics(b *testing.B) {
	cn := benchBroker(b)
	createMany(b, cn.cluster, "topic", 10_000)
	req := kmsg.NewPtrMetadataRequest()
	req.SetVersion(13)
	body := req.AppendTo(nil)
	for b.Loop() {
		cn.serveOnce(b, req, body)
	}
}

// BenchmarkCreateTopic creates one topic beside 10,000.
func BenchmarkCreateTopic(b *testing.B) {
	cn := benchBroker(b)
	createMany(b, cn.cluster, "topic", 10_000)
	for i := 0; b.Loop(); i++ {
		if _, refused := cn.cluster.autoCreate(fmt.Sprintf("more%d", i)); refused.code != protocol.None {
			b.Fatal(refused)
		}
	}
}

func benchBroker(b *testing.B) *conn {
	c, err := Start(Config{Network: Memory, Advertise: "127.0.0.1:9092", Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	return &conn{cluster: c}
}

// serveOnce serves a request and forgets the answer.
func (cn *conn) serveOnce(b *testing.B, req kmsg.Request, body []byte) {
	cn.call = call{cluster: cn.cluster, conn: cn, now: time.Time{},
		header: protocol.RequestHeader{Key: req.Key(), Version: req.GetVersion()}}
	if err := cn.call.serve(body); err != nil {
		b.Fatal(err)
	}
	cn.out.buf, cn.out.splices, cn.out.spliced = cn.out.buf[:0], cn.out.splices[:0], 0
}
