package peers

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
)

func saramaDriver() driver {
	return driver{
		name:        "sarama",
		assignors:   []string{"range", "roundrobin", "sticky", "cooperative-sticky"},
		cooperative: []string{"cooperative-sticky"},
		noBubble:    "sarama holds a mutex while a fetch waits, and that stops the clock of a bubble",
		idempotent:  true,
		join:        saramaJoin,
		produce:     saramaProduce,
		read:        saramaRead,
	}
}

// saramaDialer is sarama's way to bring a dialer: a proxy.
type saramaDialer endpoint

func (d saramaDialer) Dial(network, addr string) (net.Conn, error) {
	return d.dial(context.Background(), network, addr)
}

func saramaConfig(at endpoint) *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	config.Net.Proxy.Enable = true
	config.Net.Proxy.Dialer = saramaDialer(at)
	config.Metadata.Retry.Backoff = 50 * time.Millisecond
	config.Consumer.Return.Errors = true
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Enable = false
	config.Consumer.Group.Rebalance.Retry.Backoff = 50 * time.Millisecond
	config.Consumer.Retry.Backoff = 50 * time.Millisecond
	config.Consumer.MaxWaitTime = 100 * time.Millisecond // heartbeats wait behind fetches on one connection
	return config
}

func saramaStrategy(name string) sarama.BalanceStrategy {
	switch name {
	case "range":
		return sarama.NewBalanceStrategyRange()
	case "roundrobin":
		return sarama.NewBalanceStrategyRoundRobin()
	case "sticky":
		return sarama.NewBalanceStrategySticky()
	case "cooperative-sticky":
		return sarama.NewBalanceStrategyCooperativeSticky()
	}
	panic("no strategy " + name)
}

// saramaHandler takes what a group hands out. A claim is a partition that is owned.
type saramaHandler struct {
	memberConfig
	mu      sync.Mutex
	session sarama.ConsumerGroupSession
}

func (h *saramaHandler) Setup(session sarama.ConsumerGroupSession) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.session = session
	return nil
}

func (h *saramaHandler) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (h *saramaHandler) ConsumeClaim(_ sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	own := []int32{claim.Partition()}
	h.ledger.assigned(h.name, own)
	defer h.ledger.revoked(h.name, own)
	for r := range claim.Messages() {
		h.ledger.record(h.name, r.Partition, r.Offset, string(r.Value))
	}
	return nil
}

func saramaJoin(t *testing.T, at endpoint, m memberConfig) member {
	config := saramaConfig(at)
	config.ClientID = m.clientID
	config.Consumer.Group.InstanceId = m.instanceID
	config.Consumer.Group.Session.Timeout = m.session
	config.Consumer.Group.Heartbeat.Interval = m.heartbeat
	config.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{saramaStrategy(m.assignor)}
	group, err := sarama.NewConsumerGroup([]string{at.addr}, m.group, config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	h := &saramaHandler{memberConfig: m}
	var running sync.WaitGroup
	running.Go(func() {
		for err := range group.Errors() {
			if errors.Is(err, sarama.ErrFencedInstancedId) {
				m.ledger.fail(m.name, err)
			}
		}
	})
	running.Go(func() {
		for ctx.Err() == nil {
			err := group.Consume(ctx, []string{m.topic}, h)
			if errors.Is(err, sarama.ErrFencedInstancedId) {
				m.ledger.fail(m.name, err)
				return
			}
			if errors.Is(err, sarama.ErrClosedConsumerGroup) {
				return
			}
		}
	})
	return member{
		commit: func(_ context.Context, offsets map[int32]int64) error {
			h.mu.Lock()
			defer h.mu.Unlock()
			for p, offset := range offsets {
				h.session.MarkOffset(m.topic, p, offset, "")
			}
			h.session.Commit()
			return nil // an error goes to the group's errors; the scenario asks the broker
		},
		close: func() {
			cancel()
			_ = group.Close() // of a member that crashed, this cannot reach the broker
			running.Wait()
		},
	}
}

func saramaProduce(_ context.Context, at endpoint, p producerConfig, topic string, records []record) error {
	codecs := map[string]sarama.CompressionCodec{
		"": sarama.CompressionNone, "none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP,
		"snappy": sarama.CompressionSnappy, "lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
	}
	config := saramaConfig(at)
	config.Producer.Partitioner = sarama.NewManualPartitioner
	config.Producer.Compression = codecs[p.codec]
	config.Producer.Return.Successes = true
	config.Producer.RequiredAcks = sarama.WaitForAll
	if p.idempotent {
		config.Producer.Idempotent = true
		config.Net.MaxOpenRequests = 1
	}
	producer, err := sarama.NewSyncProducer([]string{at.addr}, config)
	if err != nil {
		return err
	}
	var ms []*sarama.ProducerMessage
	for _, r := range records {
		m := &sarama.ProducerMessage{Topic: topic, Partition: r.Partition, Value: sarama.StringEncoder(r.Value), Timestamp: r.Time}
		if r.Key != "" {
			m.Key = sarama.StringEncoder(r.Key)
		}
		for _, h := range r.Headers {
			m.Headers = append(m.Headers, sarama.RecordHeader{Key: []byte(h[0]), Value: []byte(h[1])})
		}
		ms = append(ms, m)
	}
	return errors.Join(producer.SendMessages(ms), producer.Close())
}

func saramaRead(ctx context.Context, at endpoint, topic string, partition int32, from start, n int) ([]record, error) {
	client, err := sarama.NewClient([]string{at.addr}, saramaConfig(at))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	offset := from.offset
	if !from.time.IsZero() {
		if offset, err = client.GetOffset(topic, partition, from.time.UnixMilli()); err != nil {
			return nil, err
		}
	}
	consumer, err := sarama.NewConsumerFromClient(client)
	if err != nil {
		return nil, err
	}
	defer consumer.Close()
	reader, err := consumer.ConsumePartition(topic, partition, offset)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	var out []record
	for len(out) < n {
		select {
		case m := <-reader.Messages():
			r := record{Partition: m.Partition, Offset: m.Offset, Key: string(m.Key), Value: string(m.Value), Time: m.Timestamp}
			for _, h := range m.Headers {
				r.Headers = append(r.Headers, [2]string{string(h.Key), string(h.Value)})
			}
			out = append(out, r)
		case err := <-reader.Errors():
			return out, err
		case <-ctx.Done():
			return out, ctx.Err()
		}
	}
	return out, nil
}
