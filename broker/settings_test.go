package broker

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/groupcoord"
	"klamm/partitions"
	"klamm/protocol"
)

func TestSettingsAreKafkasButForTheDifferences(t *testing.T) {
	s, err := newSettings(nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.numPartitions != 1 || !s.autoCreateTopics || !s.deleteTopics || s.offsetsTopicPartitions != 50 ||
		s.fetchMaxBytes != 57671680 || s.fetchSessionSlots != 1000 || s.socketRequestMaxBytes != 104857600 ||
		s.connectionsMaxIdle != 10*time.Minute || s.producerIDExpiration != 24*time.Hour {
		t.Errorf("not the defaults of Kafka: %+v", s)
	}
	want := groupcoord.Config{
		MinSessionTimeout: 6 * time.Second, MaxSessionTimeout: 30 * time.Minute, InitialRebalanceDelay: 0,
		MaxSize: 1<<31 - 1, OffsetMetadataMaxSize: 4096, MaxBatchSize: 1_048_588, OffsetsRetention: 7 * 24 * time.Hour,
		OffsetsRetentionCheckInterval: 10 * time.Minute,
		ShareMaxSize:                  200,
		ConsumerMaxSize:               1<<31 - 1, ConsumerAssignors: []string{"uniform", "range"}, ConsumerUpgrade: true, ConsumerDowngrade: true,
	}
	if diff := cmp.Diff(want, s.group); diff != "" {
		t.Errorf("group configs (-want +got):\n%s", diff)
	}
	for _, d := range defaultDifferences {
		if def := brokerConfigs.find(d.name); def == nil || def.def == d.value || s.value(d.name) != d.value {
			t.Errorf("%s=%s is not a difference from Kafka", d.name, d.value)
		}
	}
}

func TestSettingsRefuseWhatKafkaDoes(t *testing.T) {
	for _, test := range []struct{ name, value, want string }{
		{"num.partition", "1", "did you mean num.partitions?"},
		{"no.such.thing.at.all", "1", "such as num.partitions"},
		{"num.partitions", "0", "Value must be at least 1"},
		{"num.partitions", "many", "Not a number of type INT"},
		{"auto.create.topics.enable", "yes", "Expected value to be either true or false"},
		{"log.cleanup.policy", "forget", "String must be one of: compact, delete"},
		{"listeners", "PLAINTEXT://:9092", "set Config.Listen"},
		{"node.id", "2", "the only node is 1"},
	} {
		_, err := newSettings(map[string]string{test.name: test.value})
		if err == nil || !strings.Contains(err.Error(), test.name) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s=%s: %v, want an error with %q", test.name, test.value, err, test.want)
		}
	}
}

func TestPartitionConfigFollowsTopicThenBroker(t *testing.T) {
	s, err := newSettings(map[string]string{"message.max.bytes": "5000", "log.message.timestamp.type": "LogAppendTime", "compression.type": "zstd"})
	if err != nil {
		t.Fatal(err)
	}
	got := partitionConfig(map[string]string{"cleanup.policy": "delete, compact", "message.timestamp.after.max.ms": " +5 ", "compression.zstd.level": "-7"}, s)
	want := partitions.Config{MaxMessageBytes: 5000, LogAppendTime: true, TimestampBeforeMaxMs: 1<<63 - 1,
		Recompress: true, Compression: protocol.Compression{Codec: protocol.CodecZstd, Level: -7}, MaxDecompressed: protocol.LargestRecord,
		TimestampAfterMaxMs: 5, Compacted: true, ProducerIDExpiration: 24 * time.Hour, ProducerIDCheck: 10 * time.Minute, SegmentBytes: 1 << 30, SegmentMs: 7 * 24 * 3_600_000,
		SegmentIndexBytes: 10 << 20, IndexIntervalBytes: 4096, Deletes: true, RetentionMs: 7 * 24 * 3_600_000, RetentionBytes: -1,
		MaxCompactionLagMs: 1<<63 - 1, MinCleanableRatio: 0.5, DeleteRetentionMs: 24 * 3_600_000}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// alter sets one config, or with an empty value deletes it.
func alter(t *testing.T, cn *conn, kind kmsg.ConfigResourceType, resource, name, value string) {
	t.Helper()
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	cfg := kmsg.IncrementalAlterConfigsRequestResourceConfig{Name: name, Value: &value}
	if value == "" {
		cfg.Op, cfg.Value = kmsg.IncrementalAlterConfigOpDelete, nil
	}
	req.Resources = []kmsg.IncrementalAlterConfigsRequestResource{{ResourceType: kind, ResourceName: resource,
		Configs: []kmsg.IncrementalAlterConfigsRequestResourceConfig{cfg}}}
	resp := ask(t, cn, req, 1).(*kmsg.IncrementalAlterConfigsResponse)
	if r := resp.Resources[0]; r.ErrorCode != 0 {
		t.Fatalf("%s=%s: error code %d", name, value, r.ErrorCode)
	}
}

func TestAlteredConfigsReachPartitions(t *testing.T) {
	cn := testBroker(t, nil)
	createMany(t, cn.cluster, "t", 2)
	limit := func(topic string) int {
		return cn.cluster.image.Load().byName.get(topic).partition(0).cfg.Load().MaxMessageBytes
	}
	const own, other = "t0", "t1"
	for _, step := range []struct {
		kind            kmsg.ConfigResourceType
		resource, name  string
		value           string
		inOwn, inOthers int
	}{
		{kmsg.ConfigResourceTypeTopic, own, "max.message.bytes", "100", 100, 1048588},
		{kmsg.ConfigResourceTypeBroker, "", "message.max.bytes", "200", 100, 200},
		{kmsg.ConfigResourceTypeBroker, "1", "message.max.bytes", "300", 100, 300},
		{kmsg.ConfigResourceTypeTopic, own, "max.message.bytes", "", 300, 300},
		{kmsg.ConfigResourceTypeBroker, "1", "message.max.bytes", "", 200, 200},
		{kmsg.ConfigResourceTypeBroker, "", "message.max.bytes", "", 1048588, 1048588},
	} {
		alter(t, cn, step.kind, step.resource, step.name, step.value)
		if limit(own) != step.inOwn || limit(other) != step.inOthers {
			t.Fatalf("after %s=%q of %q: limits %d and %d, want %d and %d", step.name, step.value, step.resource,
				limit(own), limit(other), step.inOwn, step.inOthers)
		}
	}
}

func TestTopicsOfConfigAreJudgedAsByKafka(t *testing.T) {
	for _, test := range []struct {
		topics []Topic
		want   string
	}{
		{[]Topic{{Name: "a b"}}, "contains one or more characters other than"},
		{[]Topic{{Name: "a"}, {Name: "a"}}, "Topic 'a' already exists."},
		{[]Topic{{Name: "a.b"}, {Name: "a_b"}}, "collides with existing topic: a.b"},
		{[]Topic{{Name: "a", Partitions: -2}}, "invalid non-positive value"},
		{[]Topic{{Name: "a", Configs: map[string]string{"retention": "1"}}}, "Unknown topic config name: retention"},
	} {
		c, err := Start(Config{Network: Memory, Topics: test.topics})
		if err == nil {
			c.Close()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v, want an error with %q", test.topics, err, test.want)
		}
	}
}

func TestTableOfConfigsIsSorted(t *testing.T) {
	for _, table := range []configTable{brokerConfigs, topicConfigs, groupConfigs, metricsConfigs} {
		for i := range table {
			if table.find(table[i].name) != &table[i] {
				t.Errorf("%s is not where it belongs", table[i].name)
			}
			if name := table.ranked()[table[i].rank]; name != table[i].name {
				t.Errorf("%s and %s have one rank", name, table[i].name)
			}
		}
	}
	for i := range internalGroupConfigs {
		if internalGroupConfigs.find(internalGroupConfigs[i].name) != &internalGroupConfigs[i] {
			t.Errorf("%s is not where it belongs", internalGroupConfigs[i].name)
		}
	}
	for _, name := range topicConfigOrder {
		if topicConfig(name) == nil {
			t.Errorf("there is no topic config %s", name)
		}
	}
	if len(topicConfigOrder) != len(topicConfigs)+1 {
		t.Errorf("%d topic configs in order, %d in the table", len(topicConfigOrder), len(topicConfigs))
	}
}
