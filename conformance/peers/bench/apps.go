package main

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/broker"
)

// inProcess is a broker in this process, as a test of an application has it.
type inProcess struct {
	addr string
	stop func()
}

// startInProcess starts a broker with the defaults of its test package: for Klamm
// those of kafkatest.
func startInProcess(kind string, topics ...broker.Topic) (inProcess, error) {
	if kind == "klamm" {
		c, err := broker.Start(broker.Config{
			Topics:  topics,
			Configs: map[string]string{"group.initial.rebalance.delay.ms": "10"},
		})
		if err != nil {
			return inProcess{}, err
		}
		return inProcess{c.Addr(), func() { c.Close() }}, nil
	}
	opts := []kfake.Opt{kfake.NumBrokers(1)}
	for _, t := range topics {
		opts = append(opts, kfake.SeedTopics(t.Partitions, t.Name))
	}
	c, err := kfake.NewCluster(opts...)
	if err != nil {
		return inProcess{}, err
	}
	return inProcess{c.ListenAddrs()[0], c.Close}, nil
}

// applicationTest is one test as users write them: a broker, a group of two
// members that share a topic, and 100 records that they read between them.
func applicationTest(kind string) error {
	b, err := startInProcess(kind, broker.Topic{Name: topicName, Partitions: 2})
	if err != nil {
		return err
	}
	defer b.stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r := readers{left: 100, shared: make(chan struct{}), enough: make(chan struct{}), owned: make([]int, 2)}
	var wg sync.WaitGroup
	defer wg.Wait()
	for i := range r.owned {
		member, err := r.member(i, b.addr)
		if err != nil {
			return err
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			r.read(ctx, member)
		}()
	}
	if err := await(ctx, r.shared); err != nil {
		return fmt.Errorf("the members do not share the topic: %w", err)
	}
	if err := produceHundred(ctx, b.addr); err != nil {
		return err
	}
	return await(ctx, r.enough)
}

func await(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// readers are the members of a group that read a number of records together.
type readers struct {
	mu     sync.Mutex
	owned  []int // partitions of each member
	left   int
	shared chan struct{} // closed when each member has one partition
	enough chan struct{} // closed when all records have been read
	once   sync.Once
}

func (r *readers) member(i int, addr string) (*kgo.Client, error) {
	owns := func(change int) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, moved map[string][]int32) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.owned[i] += change * len(moved[topicName])
			if r.owned[0] == 1 && r.owned[1] == 1 {
				r.once.Do(func() { close(r.shared) })
			}
		}
	}
	return kgo.NewClient(kgo.SeedBrokers(addr), kgo.ConsumerGroup("readers"), kgo.ConsumeTopics(topicName),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.OnPartitionsAssigned(owns(1)), kgo.OnPartitionsRevoked(owns(-1)), kgo.OnPartitionsLost(owns(-1)))
}

// read polls until all records have been read, by whichever member.
func (r *readers) read(ctx context.Context, member *kgo.Client) {
	defer member.CloseAllowingRebalance()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		await(ctx, r.enough)
		cancel()
	}()
	for ctx.Err() == nil {
		got := member.PollFetches(ctx).NumRecords()
		r.mu.Lock()
		if r.left -= got; r.left <= 0 && got > 0 {
			close(r.enough)
		}
		r.mu.Unlock()
	}
}

func produceHundred(ctx context.Context, addr string) error {
	producer, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return err
	}
	defer producer.Close()
	records := make([]*kgo.Record, 100)
	for i := range records {
		records[i] = &kgo.Record{Topic: topicName, Partition: int32(i % 2), Value: fmt.Appendf(nil, "%d", i)}
	}
	return producer.ProduceSync(ctx, records...).FirstErr()
}

// parallelTests runs n application tests, all at once, and returns the CPU time of one.
func parallelTests(kind string, n int) (time.Duration, error) {
	before := ownCPU()
	var wg sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			errs[i] = applicationTest(kind)
		}()
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return 0, err
		}
	}
	return (ownCPU() - before) / time.Duration(n), nil
}

func ownCPU() time.Duration {
	cpu, _ := processUsage()
	return cpu
}

// firstAnswer measures from the start of a broker to its first Metadata answer;
// "bare" is a listener that answers with a fixed frame.
func firstAnswer(kind string) (time.Duration, error) {
	req := kmsg.NewPtrMetadataRequest()
	req.Version = 9
	frame := frameOf(req, 1)
	began := time.Now()
	addr, stop, err := startAnswering(kind)
	if err != nil {
		return 0, err
	}
	defer stop()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if _, err := c.Write(frame); err != nil {
		return 0, err
	}
	if _, err := readFrame(c); err != nil {
		return 0, err
	}
	return time.Since(began), nil
}

func startAnswering(kind string) (addr string, stop func(), err error) {
	if kind != "bare" {
		b, err := startInProcess(kind)
		return b.addr, b.stop, err
	}
	l, err := listen(answerEach(make([]byte, 60), keepNothing))
	if err != nil {
		return "", nil, err
	}
	return l.Addr().String(), func() { l.Close() }, nil
}

// idle is what one broker costs that nobody talks to, of n in a fresh process.
func idle(kind string, n int) (bytes int64, goroutines int, err error) {
	err = withServer(fmt.Sprintf("%s*%d", kind, n), func(s *server) error {
		u, err := s.usage()
		bytes, goroutines = u.Held/int64(n), u.Goroutines/n
		return err
	})
	return bytes, goroutines, err
}

// startMany starts the brokers that idle looks at.
func startMany(kind string, n int) error {
	for range n {
		if _, err := startInProcess(kind); err != nil {
			return err
		}
	}
	return nil
}

// metadataOfAll measures Metadata of all of n topics, once it has been asked before.
func metadataOfAll(kind string, n int) (time.Duration, error) {
	topics := make([]broker.Topic, n)
	for i := range topics {
		topics[i] = broker.Topic{Name: fmt.Sprintf("topic-%05d", i), Partitions: 1}
	}
	b, err := startInProcess(kind, topics...)
	if err != nil {
		return 0, err
	}
	defer b.stop()
	c, err := net.Dial("tcp", b.addr)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	req := kmsg.NewPtrMetadataRequest()
	req.Version = 9
	frame := frameOf(req, 1)
	var took time.Duration
	for range 2 {
		began := time.Now()
		if _, err := c.Write(frame); err != nil {
			return 0, err
		}
		if _, err := readFrame(c); err != nil {
			return 0, err
		}
		took = time.Since(began)
	}
	return took, nil
}
