//go:build cgo

package peers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

func confluentDriver() driver {
	return driver{
		name:        "confluent",
		assignors:   []string{"range", "roundrobin", "cooperative-sticky"},
		cooperative: []string{"cooperative-sticky"},
		noBubble:    "librdkafka has threads and sockets of its own",
		idempotent:  true,
		modern:      true,
		join:        confluentJoin,
		produce:     confluentProduce,
		read:        confluentRead,
	}
}

// confluentPoll is how long one call of the C library waits for something to happen.
// It returns at once when something does.
const confluentPollMs = 100

func confluentConfig(at endpoint, more kafka.ConfigMap) *kafka.ConfigMap {
	config := kafka.ConfigMap{
		"bootstrap.servers":        at.addr,
		"broker.address.family":    "v4",
		"reconnect.backoff.ms":     50,
		"reconnect.backoff.max.ms": 500,
		"log_level":                0,
	}
	for k, v := range more {
		config[k] = v
	}
	return &config
}

func confluentJoin(t *testing.T, at endpoint, m memberConfig) member {
	more := kafka.ConfigMap{
		"client.id":                     m.clientID,
		"group.id":                      m.group,
		"partition.assignment.strategy": m.assignor,
		"session.timeout.ms":            int(m.session.Milliseconds()),
		"heartbeat.interval.ms":         int(m.heartbeat.Milliseconds()),
		"enable.auto.commit":            false,
		"auto.offset.reset":             "earliest",
		"fetch.wait.max.ms":             100,
	}
	if m.modern {
		modernize(more, m.assignor)
	}
	if m.instanceID != "" {
		more["group.instance.id"] = m.instanceID
	}
	consumer, err := kafka.NewConsumer(confluentConfig(at, more))
	if err != nil {
		t.Fatal(err)
	}
	err = consumer.Subscribe(m.topic, func(_ *kafka.Consumer, event kafka.Event) error {
		switch event := event.(type) {
		case kafka.AssignedPartitions:
			if ps := partitionsOf(event.Partitions); len(ps) > 0 {
				m.ledger.assigned(m.name, ps)
			}
		case kafka.RevokedPartitions:
			if ps := partitionsOf(event.Partitions); len(ps) > 0 {
				m.ledger.revoked(m.name, ps)
			}
		}
		return nil // the library assigns and unassigns itself, after this
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for ctx.Err() == nil {
			switch event := consumer.Poll(confluentPollMs).(type) {
			case *kafka.Message:
				at := event.TopicPartition
				m.ledger.record(m.name, at.Partition, int64(at.Offset), string(event.Value))
			case kafka.Error:
				if event.IsFatal() {
					m.ledger.fail(m.name, event)
					return // such a consumer cannot be closed: Close would wait forever
				}
			}
		}
		_ = consumer.Close()
	})
	return member{
		commit: func(_ context.Context, offsets map[int32]int64) error {
			var of []kafka.TopicPartition
			for p, offset := range offsets {
				of = append(of, kafka.TopicPartition{Topic: &m.topic, Partition: p, Offset: kafka.Offset(offset)})
			}
			_, err := consumer.CommitOffsets(of)
			return err
		},
		close: func() {
			cancel()
			running.Wait()
		},
	}
}

// modernize has a member use the consumer group protocol: what the broker decides then
// must not be set.
func modernize(config kafka.ConfigMap, assignor string) {
	for _, name := range []string{"partition.assignment.strategy", "session.timeout.ms", "heartbeat.interval.ms"} {
		delete(config, name)
	}
	config["group.protocol"], config["group.remote.assignor"] = "consumer", assignor
}

func partitionsOf(of []kafka.TopicPartition) []int32 {
	var ps []int32
	for _, p := range of {
		ps = append(ps, p.Partition)
	}
	slices.Sort(ps)
	return ps
}

func confluentProduce(ctx context.Context, at endpoint, p producerConfig, topic string, records []record) error {
	codec := p.codec
	if codec == "" {
		codec = "none"
	}
	producer, err := kafka.NewProducer(confluentConfig(at, kafka.ConfigMap{
		"compression.type":   codec,
		"enable.idempotence": p.idempotent,
		"linger.ms":          1,
	}))
	if err != nil {
		return err
	}
	defer producer.Close()
	delivered := make(chan kafka.Event, len(records))
	for _, r := range records {
		m := &kafka.Message{
			TopicPartition: kafka.TopicPartition{Topic: &topic, Partition: r.Partition},
			Value:          []byte(r.Value), Timestamp: r.Time,
		}
		if r.Key != "" {
			m.Key = []byte(r.Key)
		}
		for _, h := range r.Headers {
			m.Headers = append(m.Headers, kafka.Header{Key: h[0], Value: []byte(h[1])})
		}
		if err := producer.Produce(m, delivered); err != nil {
			return err
		}
	}
	for range records {
		select {
		case event := <-delivered:
			if m, ok := event.(*kafka.Message); ok && m.TopicPartition.Error != nil {
				return m.TopicPartition.Error
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func confluentRead(ctx context.Context, at endpoint, topic string, partition int32, from start, n int) ([]record, error) {
	consumer, err := kafka.NewConsumer(confluentConfig(at, kafka.ConfigMap{
		"group.id": "unused", "enable.auto.commit": false,
	}))
	if err != nil {
		return nil, err
	}
	defer consumer.Close()
	first := kafka.TopicPartition{Topic: &topic, Partition: partition, Offset: kafka.Offset(from.offset)}
	if !from.time.IsZero() {
		first.Offset = kafka.Offset(from.time.UnixMilli())
		found, err := consumer.OffsetsForTimes([]kafka.TopicPartition{first}, int(10*time.Second/time.Millisecond))
		if err != nil {
			return nil, err
		}
		first.Offset = found[0].Offset
	}
	if err := consumer.Assign([]kafka.TopicPartition{first}); err != nil {
		return nil, err
	}
	var out []record
	for len(out) < n {
		if err := ctx.Err(); err != nil {
			return out, fmt.Errorf("after %d of %d records: %w", len(out), n, err)
		}
		m, ok := consumer.Poll(confluentPollMs).(*kafka.Message)
		if !ok {
			continue
		}
		if m.TopicPartition.Error != nil {
			return out, errors.New(m.TopicPartition.String())
		}
		r := record{Partition: m.TopicPartition.Partition, Offset: int64(m.TopicPartition.Offset), Key: string(m.Key), Value: string(m.Value), Time: m.Timestamp}
		for _, h := range m.Headers {
			r.Headers = append(r.Headers, [2]string{h.Key, string(h.Value)})
		}
		out = append(out, r)
	}
	return out, nil
}
