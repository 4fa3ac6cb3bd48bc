package peers

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

func kafkaGoDriver() driver {
	return driver{
		name:      "kafka-go",
		assignors: []string{"range", "roundrobin", "rack-affinity"},
		noStatic:  "kafka-go has no static members",
		join:      kafkaGoJoin,
		produce:   kafkaGoProduce,
		read:      kafkaGoRead,
	}
}

func kafkaGoDialer(at endpoint, clientID string) *kafka.Dialer {
	return &kafka.Dialer{ClientID: clientID, DialFunc: at.dial, Timeout: 10 * time.Second}
}

func kafkaGoBalancer(name string) kafka.GroupBalancer {
	switch name {
	case "range":
		return kafka.RangeGroupBalancer{}
	case "roundrobin":
		return kafka.RoundRobinGroupBalancer{}
	case "rack-affinity":
		return kafka.RackAffinityGroupBalancer{}
	}
	panic("no balancer " + name)
}

// kafkaGoMember follows a group from generation to generation.
type kafkaGoMember struct {
	memberConfig
	at  endpoint
	mu  sync.Mutex
	now *kafka.Generation
}

func kafkaGoJoin(t *testing.T, at endpoint, m memberConfig) member {
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID:                m.group,
		Brokers:           []string{at.addr},
		Dialer:            kafkaGoDialer(at, m.clientID),
		Topics:            []string{m.topic},
		GroupBalancers:    []kafka.GroupBalancer{kafkaGoBalancer(m.assignor)},
		SessionTimeout:    m.session,
		HeartbeatInterval: m.heartbeat,
		JoinGroupBackoff:  50 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	k := &kafkaGoMember{memberConfig: m, at: at}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			generation, err := group.Next(ctx)
			if ctx.Err() != nil || errors.Is(err, kafka.ErrGroupClosed) {
				return
			}
			if err != nil {
				continue // the library joins again
			}
			k.follow(generation)
		}
	})
	return member{
		commit: func(_ context.Context, offsets map[int32]int64) error {
			k.mu.Lock()
			defer k.mu.Unlock()
			of := map[int]int64{}
			for p, offset := range offsets {
				of[int(p)] = offset
			}
			return k.now.CommitOffsets(map[string]map[int]int64{m.topic: of})
		},
		close: func() {
			cancel()
			_ = group.Close()
			running.Wait()
		},
	}
}

// follow reads every partition that a generation assigns, until it ends. The library
// joins again only when all readers have ended.
func (k *kafkaGoMember) follow(generation *kafka.Generation) {
	k.mu.Lock()
	k.now = generation
	k.mu.Unlock()
	for _, assigned := range generation.Assignments[k.topic] {
		generation.Start(func(ctx context.Context) {
			own := []int32{int32(assigned.ID)}
			k.ledger.assigned(k.name, own)
			defer k.ledger.revoked(k.name, own)
			k.readPartition(ctx, assigned)
		})
	}
}

func (k *kafkaGoMember) readPartition(ctx context.Context, assigned kafka.PartitionAssignment) {
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers: []string{k.at.addr}, Dialer: kafkaGoDialer(k.at, k.clientID),
		Topic: k.topic, Partition: assigned.ID, MaxWait: 100 * time.Millisecond,
	})
	defer reader.Close()
	if err := reader.SetOffset(assigned.Offset); err != nil {
		k.ledger.fail(k.name, err)
		return
	}
	for {
		m, err := reader.ReadMessage(ctx)
		if err != nil {
			if ctx.Err() == nil {
				k.ledger.fail(k.name, err)
			}
			return
		}
		k.ledger.record(k.name, int32(m.Partition), m.Offset, string(m.Value))
	}
}

func kafkaGoProduce(ctx context.Context, at endpoint, p producerConfig, topic string, records []record) error {
	codecs := map[string]kafka.Compression{
		"gzip": kafka.Gzip, "snappy": kafka.Snappy, "lz4": kafka.Lz4, "zstd": kafka.Zstd,
	}
	transport := &kafka.Transport{Dial: at.dial}
	defer transport.CloseIdleConnections()
	writer := &kafka.Writer{
		Addr: kafka.TCP(at.addr), Topic: topic, Transport: transport,
		Balancer:     kafka.BalancerFunc(func(m kafka.Message, _ ...int) int { return m.Partition }),
		Compression:  codecs[p.codec],
		RequiredAcks: kafka.RequireAll,
		BatchTimeout: 10 * time.Millisecond,

		AllowAutoTopicCreation: true,
	}
	var ms []kafka.Message
	for _, r := range records {
		m := kafka.Message{Partition: int(r.Partition), Value: []byte(r.Value), Time: r.Time}
		if r.Key != "" {
			m.Key = []byte(r.Key)
		}
		for _, h := range r.Headers {
			m.Headers = append(m.Headers, kafka.Header{Key: h[0], Value: []byte(h[1])})
		}
		ms = append(ms, m)
	}
	err := writer.WriteMessages(ctx, ms...)
	for errors.Is(err, kafka.UnknownTopicOrPartition) && ctx.Err() == nil {
		// The library leaves it to its user to ask again for a topic that Kafka is about
		// to create. Nothing was written yet.
		err = writer.WriteMessages(ctx, ms...)
	}
	return errors.Join(err, writer.Close())
}

func kafkaGoRead(ctx context.Context, at endpoint, topic string, partition int32, from start, n int) ([]record, error) {
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers: []string{at.addr}, Dialer: kafkaGoDialer(at, "reader"),
		Topic: topic, Partition: int(partition), MaxWait: 100 * time.Millisecond,
	})
	defer reader.Close()
	err := reader.SetOffset(from.offset)
	if !from.time.IsZero() {
		err = reader.SetOffsetAt(ctx, from.time)
	}
	if err != nil {
		return nil, err
	}
	var out []record
	for len(out) < n {
		m, err := reader.ReadMessage(ctx)
		if err != nil {
			return out, err
		}
		r := record{Partition: int32(m.Partition), Offset: m.Offset, Key: string(m.Key), Value: string(m.Value), Time: m.Time}
		for _, h := range m.Headers {
			r.Headers = append(r.Headers, [2]string{h.Key, string(h.Value)})
		}
		out = append(out, r)
	}
	return out, nil
}
