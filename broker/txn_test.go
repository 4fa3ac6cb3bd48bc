package broker

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// txnClient is a transactional producer that speaks the raw protocol.
type txnClient struct {
	*client
	name  string // transactional id
	id    int64
	epoch int16
	next  [3]int32 // sequence, by partition
}

func (c *txnClient) ask(req kmsg.Request) kmsg.Response {
	c.t.Helper()
	c.send(req)
	return c.receive(req)
}

// init asks for a producer id and returns the error.
func (c *txnClient) init() protocol.ErrorCode {
	c.t.Helper()
	req := kmsg.NewPtrInitProducerIDRequest()
	req.Version, req.TransactionalID, req.TransactionTimeoutMillis = 5, kmsg.StringPtr(c.name), 60_000
	got := c.ask(req).(*kmsg.InitProducerIDResponse)
	c.id, c.epoch, c.next = got.ProducerID, got.ProducerEpoch, [3]int32{}
	return protocol.ErrorCode(got.ErrorCode)
}

// produce writes one record to partition 0 of "t", as a part of the transaction.
func (c *txnClient) produce() protocol.ErrorCode {
	c.t.Helper()
	code, _ := c.produceTo(0, "v")
	return code
}

// produceTo writes one record to a partition of "t", and returns its offset.
func (c *txnClient) produceTo(partition int32, value string) (protocol.ErrorCode, int64) {
	c.t.Helper()
	h := protocol.PlainBatch()
	h.Attributes, h.ProducerID, h.ProducerEpoch, h.BaseSequence = protocol.AttrTransactional, c.id, c.epoch, c.next[partition]
	batch, err := protocol.AppendBatch(nil, h, nil, []protocol.Record{{TimestampMs: time.Now().UnixMilli(), Value: []byte(value)}})
	if err != nil {
		c.t.Fatal(err)
	}
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.TransactionID, req.Acks = 12, kmsg.StringPtr(c.name), -1
	t := kmsg.NewProduceRequestTopic()
	t.Topic = "t"
	p := kmsg.NewProduceRequestTopicPartition()
	p.Partition, p.Records = partition, batch
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	done := c.ask(req).(*kmsg.ProduceResponse).Topics[0].Partitions[0]
	if done.ErrorCode == 0 {
		c.next[partition]++
	}
	return protocol.ErrorCode(done.ErrorCode), done.BaseOffset
}

// commitOffset commits an offset of group "g" in the transaction.
func (c *txnClient) commitOffset(offset int64) protocol.ErrorCode {
	c.t.Helper()
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.Version, req.TransactionalID, req.Group, req.ProducerID, req.ProducerEpoch = 5, c.name, "g", c.id, c.epoch
	req.Generation = -1
	t := kmsg.NewTxnOffsetCommitRequestTopic()
	t.Topic = "t"
	p := kmsg.NewTxnOffsetCommitRequestTopicPartition()
	p.Offset = offset
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return protocol.ErrorCode(c.ask(req).(*kmsg.TxnOffsetCommitResponse).Topics[0].Partitions[0].ErrorCode)
}

// end commits or aborts, and takes the epoch that it is given.
func (c *txnClient) end(commit bool) protocol.ErrorCode {
	c.t.Helper()
	req := kmsg.NewPtrEndTxnRequest()
	req.Version, req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit = 5, c.name, c.id, c.epoch, commit
	got := c.ask(req).(*kmsg.EndTxnResponse)
	if got.ErrorCode == 0 {
		c.id, c.epoch, c.next = got.ProducerID, got.ProducerEpoch, [3]int32{}
	}
	return protocol.ErrorCode(got.ErrorCode)
}

// fetched is the committed offset of group "g", where only a stable one will do.
func (c *txnClient) fetched() (int64, protocol.ErrorCode) {
	c.t.Helper()
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Version, req.RequireStable = 8, true
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group = "g"
	t := kmsg.NewOffsetFetchRequestGroupTopic()
	t.Topic, t.Partitions = "t", []int32{0}
	g.Topics = append(g.Topics, t)
	req.Groups = append(req.Groups, g)
	p := c.ask(req).(*kmsg.OffsetFetchResponse).Groups[0].Topics[0].Partitions[0]
	return p.Offset, protocol.ErrorCode(p.ErrorCode)
}

// readable is how many bytes a consumer of committed records gets from the start, waiting
// for them at most for wait, and the last stable offset that it is told.
func (c *txnClient) readable(wait time.Duration) (size int, stable int64) {
	c.t.Helper()
	req := kmsg.NewPtrFetchRequest()
	req.Version, req.MaxWaitMillis, req.MinBytes, req.MaxBytes, req.IsolationLevel, req.SessionEpoch = 12, int32(wait.Milliseconds()), 1, 1<<20, 1, -1
	t := kmsg.NewFetchRequestTopic()
	t.Topic = "t"
	p := kmsg.NewFetchRequestTopicPartition()
	p.PartitionMaxBytes, p.CurrentLeaderEpoch = 1<<20, -1
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	got := c.ask(req).(*kmsg.FetchResponse).Topics[0].Partitions[0]
	return len(got.RecordBatches), got.LastStableOffset
}

func dialTxn(t *testing.T, c *Cluster) *txnClient {
	return &txnClient{client: dialTest(t, c), name: "tx"}
}

func expectCode(t *testing.T, what string, got, want protocol.ErrorCode) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: %s, want %s", what, got, want)
	}
}

// While markers are held, clients see a transaction that is being completed; afterwards
// all of it is there at once, and a consumer that waits is woken.
func TestHeldMarkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startTest(t, Config{Network: Memory, Topics: oneTopic})
		p, other := dialTxn(t, c), dialTxn(t, c)
		expectCode(t, "init", p.init(), protocol.None)
		expectCode(t, "produce", p.produce(), protocol.None)
		expectCode(t, "commit of an offset", p.commitOffset(1), protocol.None)
		c.HoldMarkers()
		expectCode(t, "commit", p.end(true), protocol.None)
		expectCode(t, "produce while markers are held", p.produce(), protocol.ConcurrentTransactions)
		expectCode(t, "init while markers are held", other.init(), protocol.ConcurrentTransactions)
		if offset, code := p.fetched(); offset != -1 || code != protocol.UnstableOffsetCommit {
			t.Fatalf("the group's offset is %d, %s", offset, code)
		}
		if size, stable := p.readable(0); size != 0 || stable != 0 {
			t.Fatalf("%d bytes can be read, up to %d", size, stable)
		}
		woken := make(chan int)
		go func() {
			size, _ := other.readable(time.Hour)
			woken <- size
		}()
		synctest.Wait()
		began := time.Now()
		c.ReleaseMarkers()
		if size := <-woken; size == 0 || time.Since(began) > 0 {
			t.Errorf("the consumer that waited has %d bytes after %v", size, time.Since(began))
		}
		if offset, code := p.fetched(); offset != 1 || code != protocol.None {
			t.Errorf("the group's offset is %d, %s", offset, code)
		}
		expectCode(t, "produce in the next transaction", p.produce(), protocol.None)
	})
}

// A transaction that is open too long is aborted, and its producer fenced.
func TestTransactionTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startTest(t, Config{Network: Memory, Topics: oneTopic})
		p := dialTxn(t, c)
		p.init()
		expectCode(t, "produce", p.produce(), protocol.None)
		if size, _ := p.readable(2 * time.Minute); size == 0 {
			t.Error("after two minutes the transaction is still open")
		}
		expectCode(t, "produce after the time-out", p.produce(), protocol.InvalidProducerEpoch)
		expectCode(t, "commit after the time-out", p.end(true), protocol.InvalidTxnState)
		expectCode(t, "init", p.init(), protocol.None)
	})
}

// What consumers read of a transaction does not depend on who ends it: the next producer
// with the same transactional id aborts what is open.
func TestFencedTransaction(t *testing.T) {
	c := startTest(t, Config{Network: Memory, Topics: oneTopic})
	p, next := dialTxn(t, c), dialTxn(t, c)
	p.init()
	expectCode(t, "produce", p.produce(), protocol.None)
	expectCode(t, "commit of an offset", p.commitOffset(1), protocol.None)
	expectCode(t, "init of the next", next.init(), protocol.ConcurrentTransactions)
	expectCode(t, "init of the next again", next.init(), protocol.None)
	expectCode(t, "produce of the one before", p.produce(), protocol.InvalidProducerEpoch)
	expectCode(t, "commit of the one before", p.end(true), protocol.ProducerFenced)
	if offset, code := next.fetched(); offset != -1 || code != protocol.None {
		t.Errorf("the offset of an aborted transaction: %d, %s", offset, code)
	}
	if _, stable := next.readable(0); stable != 2 {
		t.Errorf("last stable offset %d, want 2", stable)
	}
}
