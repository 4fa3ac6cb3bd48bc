package main

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"sync"
	"syscall"
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

// applicationTest is one test as users write them: a broker, 100 records, and a
// group of two members that read them all.
func applicationTest(kind string) error {
	b, err := startInProcess(kind, broker.Topic{Name: topicName, Partitions: 2})
	if err != nil {
		return err
	}
	defer b.stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	producer, err := kgo.NewClient(kgo.SeedBrokers(b.addr), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return err
	}
	defer producer.Close()
	records := make([]*kgo.Record, 100)
	for i := range records {
		records[i] = &kgo.Record{Topic: topicName, Partition: int32(i % 2), Value: fmt.Appendf(nil, "%d", i)}
	}
	if err := producer.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return err
	}
	return readByTwo(ctx, b.addr, len(records))
}

// readByTwo reads n records with a group of two members, each of which must have read some.
func readByTwo(ctx context.Context, addr string, n int) error {
	reading, enough := context.WithCancel(ctx)
	defer enough()
	var mu sync.Mutex
	left := n
	var wg sync.WaitGroup
	errs := make(chan error, 2)
	for range 2 {
		member, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ConsumerGroup("readers"), kgo.ConsumeTopics(topicName),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		if err != nil {
			return err
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer member.CloseAllowingRebalance()
			for reading.Err() == nil {
				got := member.PollFetches(reading).NumRecords()
				mu.Lock()
				if left -= got; left <= 0 {
					enough()
				}
				mu.Unlock()
			}
		}()
	}
	wg.Wait()
	if ctx.Err() != nil {
		errs <- ctx.Err()
	}
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
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
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
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
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	go func() {
		c, err := l.Accept()
		if err == nil {
			answerEach(make([]byte, 60), nil)(c)
		}
	}()
	return l.Addr().String(), func() { l.Close() }, nil
}

// idle is what one broker costs that nobody talks to.
func idle(kind string) (bytes int64, goroutines int, err error) {
	const brokers = 100
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	had := runtime.NumGoroutine()
	var stops []func()
	for range brokers {
		b, err := startInProcess(kind)
		if err != nil {
			return 0, 0, err
		}
		stops = append(stops, b.stop)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	goroutines = (runtime.NumGoroutine() - had) / brokers
	used := int64(after.HeapAlloc) - int64(before.HeapAlloc) + int64(after.StackInuse) - int64(before.StackInuse)
	for _, stop := range stops {
		stop()
	}
	return used / brokers, goroutines, nil
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
