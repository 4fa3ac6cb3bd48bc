package peers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/IBM/sarama"
)

func saramaTransformer() transformer {
	return transformer{name: "sarama", run: func(ctx context.Context, addr, clientID string, crash crashPlan) error {
		at := endpoint{addr: addr, dial: new(net.Dialer).DialContext}
		config := saramaConfig(at)
		config.ClientID = clientID
		config.Consumer.Offsets.Initial = sarama.OffsetOldest
		config.Consumer.Offsets.AutoCommit.Enable = false
		config.Consumer.IsolationLevel = sarama.ReadCommitted
		config.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{sarama.NewBalanceStrategyRange()}
		config.Producer.Idempotent = true
		config.Producer.RequiredAcks = sarama.WaitForAll
		config.Producer.Return.Successes = true
		config.Producer.Transaction.ID = "transformer"
		config.Producer.Transaction.Retry.Backoff = 10 * time.Millisecond
		config.Net.MaxOpenRequests = 1
		producer, err := sarama.NewSyncProducer([]string{addr}, config)
		if err != nil {
			return fmt.Errorf("producer: %w", err)
		}
		defer producer.Close()
		group, err := sarama.NewConsumerGroup([]string{addr}, transformers, config)
		if err != nil {
			return fmt.Errorf("group: %w", err)
		}
		defer group.Close()
		h := &saramaTransform{producer: producer, turn: make(chan struct{}, 1), crash: crash}
		for ctx.Err() == nil {
			if err := group.Consume(ctx, []string{transformedTopic}, h); err != nil || h.err != nil {
				return errors.Join(err, h.err)
			}
		}
		return ctx.Err()
	}}
}

// saramaTransform handles the partitions of one member, one at a time: a producer has one
// transaction.
type saramaTransform struct {
	producer  sarama.SyncProducer
	turn      chan struct{}
	crash     crashPlan
	committed int
	err       error
}

func (h *saramaTransform) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (h *saramaTransform) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (h *saramaTransform) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case m, ok := <-claim.Messages():
			if !ok {
				return nil
			}
			if err := h.transform(m, claim); err != nil {
				return err
			}
		case <-session.Context().Done():
			return nil
		}
	}
}

// transform takes a record and what stands ready behind it through one transaction.
func (h *saramaTransform) transform(first *sarama.ConsumerMessage, claim sarama.ConsumerGroupClaim) error {
	h.turn <- struct{}{}
	defer func() { <-h.turn }()
	if h.err != nil {
		return h.err
	}
	h.err = h.inTransaction(first, claim)
	return h.err
}

func (h *saramaTransform) inTransaction(first *sarama.ConsumerMessage, claim sarama.ConsumerGroupClaim) error {
	if err := h.producer.BeginTxn(); err != nil {
		return err
	}
	next := first.Offset
	var out []*sarama.ProducerMessage
	for m := first; m != nil; {
		out = append(out, &sarama.ProducerMessage{Topic: transformedTo, Value: sarama.StringEncoder("out " + string(m.Value))})
		next = m.Offset + 1
		if m = nil; len(out) == transformBatch {
			break
		}
		select {
		case m = <-claim.Messages(): // nil at the end of the claim
		default:
		}
	}
	if err := h.producer.SendMessages(out); err != nil {
		return err
	}
	offsets := map[string][]*sarama.PartitionOffsetMetadata{first.Topic: {{Partition: first.Partition, Offset: next}}}
	if err := h.producer.AddOffsetsToTxn(offsets, transformers); err != nil {
		return err
	}
	if h.crash.is(h.committed) {
		h.crash.now()
		return errCrash
	}
	h.committed++
	return h.producer.CommitTxn()
}
