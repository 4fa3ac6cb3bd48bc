//go:build cgo

package peers

import (
	"context"
	"errors"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

func confluentTransformer() transformer {
	return transformer{name: "confluent", run: func(ctx context.Context, addr, clientID string, crash crashPlan) error {
		at := endpoint{addr: addr}
		producer, err := kafka.NewProducer(confluentConfig(at, kafka.ConfigMap{
			"client.id": clientID, "transactional.id": "transformer", "linger.ms": 1, "go.delivery.reports": false,
		}))
		if err != nil {
			return err
		}
		defer producer.Close()
		consumer, err := kafka.NewConsumer(confluentConfig(at, kafka.ConfigMap{
			"client.id": clientID, "group.id": transformers, "enable.auto.commit": false, "auto.offset.reset": "earliest",
			"isolation.level": "read_committed", "heartbeat.interval.ms": 100,
		}))
		if err != nil {
			return err
		}
		defer consumer.Close()
		if err := producer.InitTransactions(ctx); err != nil {
			return err
		}
		if err := consumer.Subscribe(transformedTopic, nil); err != nil {
			return err
		}
		for committed := 0; ; committed++ {
			messages, err := confluentPoll(ctx, consumer)
			if err != nil {
				return err
			}
			plan := crashPlan{}
			if crash.is(committed) {
				plan = crash
			}
			if err := confluentTransform(ctx, producer, consumer, messages, plan); err != nil {
				return err
			}
		}
	}}
}

// confluentPoll waits for a record and takes what stands ready behind it.
func confluentPoll(ctx context.Context, consumer *kafka.Consumer) (messages []*kafka.Message, err error) {
	for len(messages) < transformBatch {
		wait := 0
		if len(messages) == 0 {
			wait = 100
		}
		switch e := consumer.Poll(wait).(type) {
		case nil:
			if err := ctx.Err(); err != nil || len(messages) > 0 {
				return messages, err
			}
		case *kafka.Message:
			messages = append(messages, e)
		case kafka.Error:
			if e.IsFatal() {
				return nil, e
			}
		}
	}
	return messages, nil
}

func confluentTransform(ctx context.Context, producer *kafka.Producer, consumer *kafka.Consumer, messages []*kafka.Message, crash crashPlan) error {
	if err := producer.BeginTransaction(); err != nil {
		return err
	}
	topic, next := transformedTo, map[int32]kafka.TopicPartition{}
	for _, m := range messages {
		if err := producer.Produce(&kafka.Message{
			TopicPartition: kafka.TopicPartition{Topic: &topic, Partition: kafka.PartitionAny}, Value: append([]byte("out "), m.Value...),
		}, nil); err != nil {
			return err
		}
		tp := m.TopicPartition
		tp.Offset++
		next[tp.Partition] = tp
	}
	var offsets []kafka.TopicPartition
	for _, tp := range next {
		offsets = append(offsets, tp)
	}
	metadata, err := consumer.GetConsumerGroupMetadata()
	if err != nil {
		return err
	}
	if err := producer.SendOffsetsToTransaction(ctx, offsets, metadata); err != nil {
		return err
	}
	if crash.now != nil {
		if left := producer.Flush(10_000); left > 0 {
			return errors.New("the records of the last transaction are not written")
		}
		crash.now()
		return errCrash
	}
	return producer.CommitTransaction(ctx)
}
