package peers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func kgoDriver() driver {
	return driver{
		name:        "kgo",
		assignors:   []string{"range", "roundrobin", "sticky", "cooperative-sticky"},
		cooperative: []string{"cooperative-sticky"},
		idempotent:  true,
		modern:      true,
		join:        kgoJoin,
		produce:     kgoProduce,
		read:        kgoRead,
	}
}

func kgoOptions(at endpoint, more ...kgo.Opt) []kgo.Opt {
	return append([]kgo.Opt{
		kgo.SeedBrokers(at.addr),
		kgo.Dialer(at.dial),
		kgo.RetryBackoffFn(func(int) time.Duration { return 50 * time.Millisecond }),
	}, more...)
}

func kgoBalancer(name string) kgo.GroupBalancer {
	switch name {
	case "range":
		return kgo.RangeBalancer()
	case "roundrobin":
		return kgo.RoundRobinBalancer()
	case "sticky", "uniform":
		return kgo.StickyBalancer()
	case "cooperative-sticky":
		return kgo.CooperativeStickyBalancer()
	}
	panic("no balancer " + name)
}

func kgoJoin(t *testing.T, at endpoint, m memberConfig) member {
	told := func(tell func(string, []int32)) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, topics map[string][]int32) {
			if ps := slices.Sorted(slices.Values(topics[m.topic])); len(ps) > 0 {
				tell(m.name, ps)
			}
		}
	}
	options := kgoOptions(at,
		kgo.ClientID(m.clientID),
		kgo.ConsumerGroup(m.group),
		kgo.ConsumeTopics(m.topic),
		kgo.Balancers(kgoBalancer(m.assignor)),
		kgo.SessionTimeout(m.session),
		kgo.HeartbeatInterval(m.heartbeat),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
		kgo.FetchMaxWait(time.Second),
		kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(told(m.ledger.assigned)),
		kgo.OnPartitionsRevoked(told(m.ledger.revoked)),
		kgo.OnPartitionsLost(told(m.ledger.revoked)),
	)
	if m.modern {
		options = append(options, kgo.ServerSideBalancer())
	}
	if m.instanceID != "" {
		options = append(options, kgo.InstanceID(m.instanceID))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var reading sync.WaitGroup
	reading.Go(func() {
		for ctx.Err() == nil {
			fetches := client.PollFetches(ctx)
			fetches.EachError(func(topic string, _ int32, err error) {
				if topic == "" && ctx.Err() == nil { // not of a partition: of the group
					m.ledger.fail(m.name, err)
				}
			})
			fetches.EachRecord(func(r *kgo.Record) {
				m.ledger.record(m.name, r.Partition, r.Offset, string(r.Value))
			})
			client.AllowRebalance()
		}
	})
	return member{
		commit: func(ctx context.Context, offsets map[int32]int64) error {
			return kgoCommit(ctx, client, m.topic, offsets)
		},
		close: func() {
			cancel()
			reading.Wait()
			client.CloseAllowingRebalance()
		},
	}
}

func kgoCommit(ctx context.Context, client *kgo.Client, topic string, offsets map[int32]int64) error {
	of := map[int32]kgo.EpochOffset{}
	for p, offset := range offsets {
		of[p] = kgo.EpochOffset{Epoch: -1, Offset: offset}
	}
	var failed error
	client.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{topic: of},
		func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
			if failed = err; err != nil {
				return
			}
			for _, t := range resp.Topics {
				for _, p := range t.Partitions {
					failed = errors.Join(failed, kerr.ErrorForCode(p.ErrorCode))
				}
			}
		})
	return failed
}

func kgoProduce(ctx context.Context, at endpoint, p producerConfig, topic string, records []record) error {
	codecs := map[string]kgo.CompressionCodec{
		"": kgo.NoCompression(), "none": kgo.NoCompression(), "gzip": kgo.GzipCompression(),
		"snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	options := kgoOptions(at,
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(codecs[p.codec]),
		kgo.AllowAutoTopicCreation(),
	)
	if !p.idempotent {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return err
	}
	defer client.Close()
	var rs []*kgo.Record
	for _, r := range records {
		k := &kgo.Record{Topic: topic, Partition: r.Partition, Value: []byte(r.Value), Timestamp: r.Time}
		if r.Key != "" {
			k.Key = []byte(r.Key)
		}
		for _, h := range r.Headers {
			k.Headers = append(k.Headers, kgo.RecordHeader{Key: h[0], Value: []byte(h[1])})
		}
		rs = append(rs, k)
	}
	return client.ProduceSync(ctx, rs...).FirstErr()
}

func kgoRead(ctx context.Context, at endpoint, topic string, partition int32, from start, n int) ([]record, error) {
	offset := kgo.NewOffset().At(from.offset)
	if !from.time.IsZero() {
		offset = kgo.NewOffset().AfterMilli(from.time.UnixMilli())
	}
	client, err := kgo.NewClient(kgoOptions(at,
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {partition: offset}}))...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	var out []record
	for len(out) < n {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return out, fmt.Errorf("after %d of %d records: %w", len(out), n, err)
		}
		fetches.EachRecord(func(k *kgo.Record) {
			r := record{Partition: k.Partition, Offset: k.Offset, Key: string(k.Key), Value: string(k.Value), Time: k.Timestamp}
			for _, h := range k.Headers {
				r.Headers = append(r.Headers, [2]string{h.Key, string(h.Value)})
			}
			out = append(out, r)
		})
	}
	return out[:n], nil
}
