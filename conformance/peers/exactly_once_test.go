package peers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"klamm/kafkatest"
)

// transformer reads a topic as a member of a group and writes what it makes of each record
// to another one, batch by batch, each in a transaction that has the offsets in it.
type transformer struct {
	name string
	skip string // why the library cannot be tried here; empty if it can
	// run goes on until ctx ends. When as many transactions as it says have been committed
	// it crashes in the middle of the next one, and returns errCrash.
	run func(ctx context.Context, addr, clientID string, crash crashPlan) error
}

// crashPlan says when and how a transformer crashes. The zero value is never.
type crashPlan struct {
	after int    // transactions
	now   func() // cuts it off, so that no word of it reaches the broker any more
}

// is tells whether it is time.
func (p crashPlan) is(committed int) bool { return p.now != nil && committed == p.after }

var errCrash = errors.New("crashed")

const (
	transformedTopic    = "input"
	transformedTo       = "output"
	transformers        = "transformers"
	transformedEach     = 2500 // records of each partition
	transformPartitions = 4
	transformBatch      = 500 // records of a transaction, at most
)

// TestExactlyOnce lets a transformer crash in the middle of a transaction, twice, and
// another one with the same transactional id take over. Of each record of the input there
// is one in the output for those that read what is committed.
func TestExactlyOnce(t *testing.T) {
	for _, tr := range []transformer{kgoTransformer(), saramaTransformer(), confluentTransformer()} {
		t.Run(tr.name, func(t *testing.T) {
			if tr.skip != "" {
				t.Skip(tr.skip)
			}
			t.Parallel()
			exactlyOnce(t, tr)
		})
	}
}

func exactlyOnce(t *testing.T, tr transformer) {
	k := kafkatest.Start(t, kafkatest.Config{Topics: []kafkatest.Topic{
		{Name: transformedTopic, Partitions: transformPartitions}, {Name: transformedTo, Partitions: transformPartitions},
	}, Timeout: limit})
	for p := range int32(transformPartitions) {
		var values []string
		for i := range transformedEach {
			values = append(values, fmt.Sprintf("%d-%d", p, i))
		}
		k.Produce(transformedTopic, p, kafkatest.Values(values...)...)
	}
	for i, after := range []int{3, 4} {
		client := fmt.Sprintf("transformer-%d", i)
		plan := crashPlan{after, func() { k.Crash(client) }}
		if err := tr.run(t.Context(), k.Addr(), client, plan); !errors.Is(err, errCrash) {
			t.Fatalf("a transformer that should have crashed: %v", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- tr.run(ctx, k.Addr(), "transformer-last", crashPlan{}) }()
	for p := range int32(transformPartitions) {
		k.WaitCommitted(transformers, transformedTopic, p, transformedEach)
	}
	cancel()
	if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	checkTransformed(t, k)
}

// checkTransformed reads the output as a consumer of committed records.
func checkTransformed(t *testing.T, k *kafkatest.Cluster) {
	client, err := kgo.NewClient(kgo.SeedBrokers(k.Addr()), kgo.ConsumeTopics(transformedTo),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	seen := map[string]int{}
	total := 0
	for total < transformPartitions*transformedEach {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("%v; %d records are read", err, total)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			seen[string(r.Value)]++
			total++
		})
	}
	var wrong []string
	for p := range transformPartitions {
		for i := range transformedEach {
			if value := fmt.Sprintf("out %d-%d", p, i); seen[value] != 1 {
				wrong = append(wrong, fmt.Sprintf("%q %d times", value, seen[value]))
			}
		}
	}
	if len(wrong) > 0 {
		slices.Sort(wrong)
		t.Errorf("%d of %d records are not there once: %v", len(wrong), total, wrong[:min(5, len(wrong))])
	}
}

func kgoTransformer() transformer {
	return transformer{name: "kgo", run: func(ctx context.Context, addr, clientID string, crash crashPlan) error {
		s, err := kgo.NewGroupTransactSession(kgo.SeedBrokers(addr), kgo.ClientID(clientID), kgo.TransactionalID("transformer"),
			kgo.ConsumerGroup(transformers), kgo.ConsumeTopics(transformedTopic), kgo.DefaultProduceTopic(transformedTo),
			kgo.FetchIsolationLevel(kgo.ReadCommitted()))
		if err != nil {
			return err
		}
		defer s.Close()
		for committed := 0; ; {
			fetches := s.PollRecords(ctx, transformBatch)
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := fetches.Err(); err != nil {
				return err
			}
			if err := s.Begin(); err != nil {
				return err
			}
			failed := kgo.AbortingFirstErrPromise(s.Client())
			fetches.EachRecord(func(r *kgo.Record) {
				s.Produce(ctx, &kgo.Record{Value: []byte("out " + string(r.Value))}, failed.Promise())
			})
			if crash.is(committed) {
				err := s.Client().Flush(ctx)
				crash.now()
				return errors.Join(errCrash, err)
			}
			ended, err := s.End(ctx, kgo.TransactionEndTry(failed.Err() == nil))
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case err != nil:
				return err
			case ended:
				committed++
			}
		}
	}}
}
