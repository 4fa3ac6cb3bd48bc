package kafkatest

import (
	"context"
	"maps"
	"net"
	"testing"
	"time"

	"klamm/broker"
)

// What the broker's own package defines, under the names that tests use.
type (
	// Topic is a topic to create: a name, a number of partitions, configs.
	Topic = broker.Topic
	// Record is one record, to produce or as it was read.
	Record = broker.Record
	// Header is one header of a record.
	Header = broker.Header
	// TopicPartition names a partition.
	TopicPartition = broker.TopicPartition
	// TopicView is a topic with where its partitions begin and end.
	TopicView = broker.TopicView
	// PartitionView is where a partition begins and ends.
	PartitionView = broker.PartitionView
	// Group is a consumer group: state, generation, members, committed offsets.
	Group = broker.Group
	// Member is a member of a group, with its assignment.
	Member = broker.Member
	// Commit is a committed offset, with its lag.
	Commit = broker.Commit
	// Network is what clients reach the broker over.
	Network = broker.Network
)

// The networks.
const (
	// TCP listens on a free port of 127.0.0.1.
	TCP = broker.TCP
	// Memory has no sockets: clients connect through Cluster.Dial, and may live in
	// a testing/synctest bubble together with the broker.
	Memory = broker.Memory
)

// Config is how a broker for a test starts. The zero value is good for most tests.
type Config struct {
	// Topics exist when Start returns. Others are created when a client asks for
	// them, as Kafka does unless auto.create.topics.enable is false.
	Topics []Topic
	// Configs are broker configs by Kafka's names. Unlike a broker of its own,
	// a test's has group.initial.rebalance.delay.ms=10 unless this says otherwise:
	// members that start together then form one generation.
	Configs map[string]string
	// Network is TCP unless told otherwise.
	Network Network
	// Timeout is how long a wait may take. Zero means 30 s, or less when the
	// test's own deadline comes before; in a synctest bubble it means ten minutes,
	// which cost nothing.
	Timeout time.Duration
	// Seed makes random choices, such as member ids, repeatable. Zero means a random seed.
	Seed uint64
}

// initialRebalanceDelayMs is long enough for the members that a test starts one
// after another, and too short to notice.
const initialRebalanceDelayMs = "10"

// Cluster is a broker that belongs to a test. Its methods fail the test instead
// of returning errors.
type Cluster struct {
	t       testing.TB
	broker  *broker.Cluster
	timeout time.Duration // 0: the default of the moment
}

// Start starts a broker that ends with the test t. When it cannot start, the test fails.
//
//	k := kafkatest.Start(t, kafkatest.Config{
//		Topics:  []kafkatest.Topic{{Name: "orders", Partitions: 4}},
//		Configs: map[string]string{"auto.create.topics.enable": "false"},
//	})
//	client, err := kgo.NewClient(kgo.SeedBrokers(k.Addr()))
func Start(t testing.TB, cfg Config) *Cluster {
	t.Helper()
	configs := map[string]string{"group.initial.rebalance.delay.ms": initialRebalanceDelayMs}
	maps.Copy(configs, cfg.Configs)
	log := newTestLog()
	b, err := broker.Start(broker.Config{
		Topics:  cfg.Topics,
		Configs: configs,
		Network: cfg.Network,
		Seed:    cfg.Seed,
		Logger:  log.logger(),
	})
	if err != nil {
		t.Fatalf("kafkatest: the broker does not start: %v", err)
	}
	t.Cleanup(func() {
		b.Close()
		if text := log.String(); t.Failed() && text != "" {
			t.Logf("kafkatest: log of the broker:\n%s", text)
		}
	})
	return &Cluster{t: t, broker: b, timeout: cfg.Timeout}
}

// Addr is the HOST:PORT to give to a client.
func (c *Cluster) Addr() string { return c.broker.Addr() }

// Addrs are the HOST:PORT of all nodes.
func (c *Cluster) Addrs() []string { return c.broker.Addrs() }

// Dial connects to the broker over the network that it has. It is what to give to
// a client that takes a dialer, and what a client in a bubble must be given.
func (c *Cluster) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	return c.broker.Dial(ctx, network, addr)
}

// Close ends the broker before the test ends. Clients then find nobody at its address.
func (c *Cluster) Close() { c.broker.Close() }

// Within is the same cluster with another limit for its waits:
//
//	k.Within(time.Second).WaitRecords("orders", 10)
func (c *Cluster) Within(timeout time.Duration) *Cluster {
	other := *c
	other.timeout = timeout
	return &other
}
