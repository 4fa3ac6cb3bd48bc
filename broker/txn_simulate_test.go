package broker

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/broker/txncoord"
	"klamm/protocol"
)

// Producers of which some share a transactional id write, commit, abort, fence each other
// and fall silent, markers are held and released, and coordinators crash. A consumer of
// committed records sees what was committed, all of it and nothing else; so does a group
// that asks for its offsets.
func TestTransactionSimulation(t *testing.T) {
	seeds := uint64(100)
	if testing.Short() {
		seeds = 4
	}
	committed := 0
	for seed := range seeds {
		synctest.Test(t, func(t *testing.T) {
			w := newTxnWorld(t, seed)
			w.run(400)
			committed += len(w.committed[0]) + len(w.committed[1]) + len(w.committed[2])
		})
	}
	if committed < 20*int(seeds) {
		t.Errorf("only %d records were committed in %d runs", committed, seeds)
	}
}

// txnWorld is a broker, its producers, and what consumers of committed records must see.
type txnWorld struct {
	t         *testing.T
	c         *Cluster
	r         *rand.Rand
	producers []*txnActor
	committed [3]map[int64]string // records by partition and offset
	offset    groupOffset
	written   int
	what      string // the last event
}

// txnActor is a producer with what it has written in the transaction that it has open.
type txnActor struct {
	*txnClient
	open    [3]map[int64]string
	offset  groupOffset // committed in the transaction
	started bool
}

// groupOffset is an offset of the group and when it was committed: of two transactions, the
// one that has committed later counts, whichever ends first. The zero value is none.
type groupOffset struct {
	at, offset int64
}

func newTxnWorld(t *testing.T, seed uint64) *txnWorld {
	w := &txnWorld{
		t: t, r: rand.New(rand.NewPCG(seed, 7)),
		c: startTest(t, Config{Network: Memory, Seed: seed + 1, Topics: []Topic{{Name: "t", Partitions: 3}}}),
	}
	for i := range w.committed {
		w.committed[i] = map[int64]string{}
	}
	for i := range 4 {
		a := &txnActor{txnClient: dialTxn(t, w.c)}
		a.name = fmt.Sprintf("tx%d", max(i, 1)) // the first two share one
		a.forget()
		w.producers = append(w.producers, a)
	}
	return w
}

func (a *txnActor) forget() {
	for i := range a.open {
		a.open[i] = map[int64]string{}
	}
	a.offset = groupOffset{}
}

func (w *txnWorld) run(events int) {
	for range events {
		w.event(w.producers[w.r.IntN(len(w.producers))])
	}
	w.c.ReleaseMarkers()
	w.what = "the end"
	for _, a := range w.producers { // ends what is open
		a.initialize()
	}
	w.check()
	offset, code := w.producers[0].fetched()
	if code != protocol.None || w.offset.at > 0 && offset != w.offset.offset || w.offset.at == 0 && offset != -1 {
		w.t.Fatalf("the group's offset is %d, %s, want %+v", offset, code, w.offset)
	}
}

func (w *txnWorld) event(a *txnActor) {
	switch n := w.r.IntN(100); {
	case !a.started || n < 3:
		w.what = "init"
		a.initialize()
	case n < 55:
		w.what = "produce"
		w.produce(a)
	case n < 62:
		w.what = "offset"
		offset := int64(w.r.IntN(1000))
		if a.commitOffset(offset) == protocol.None {
			w.written++
			a.offset = groupOffset{int64(w.written), offset}
		}
	case n < 82:
		w.what = "end"
		w.end(a, w.r.IntN(3) > 0)
	case n < 88:
		w.what = "pass"
		<-time.After(time.Duration(w.r.IntN(40)) * time.Second) // of the bubble's time
	case n < 89:
		w.c.HoldMarkers()
	case n < 95:
		w.c.ReleaseMarkers()
	case n < 97:
		w.what = "crash"
		w.crash()
	default:
		w.check()
	}
}

// initialize asks until what was open has been ended. Whoever had the id before is
// fenced and will find out.
func (a *txnActor) initialize() {
	a.forget()
	for range 3 {
		if a.started = a.init() == protocol.None; a.started {
			return
		}
	}
}

func (w *txnWorld) produce(a *txnActor) {
	partition := w.r.Int32N(3)
	w.written++
	value := fmt.Sprintf("%s-%d", a.name, w.written)
	code, offset := a.produceTo(partition, value)
	switch code {
	case protocol.None:
		a.open[partition][offset] = value
	case protocol.ConcurrentTransactions: // markers are held
	default:
		a.started = false
	}
}

func (w *txnWorld) end(a *txnActor, commit bool) {
	code := a.end(commit)
	if code == protocol.ConcurrentTransactions {
		return
	}
	if code == protocol.None && commit {
		for p := range a.open {
			maps.Copy(w.committed[p], a.open[p])
		}
		if a.offset.at > w.offset.at {
			w.offset = a.offset
		}
	}
	a.forget()
	if code != protocol.None && code != protocol.InvalidTxnState { // there was nothing to commit
		a.started = false
	}
}

// crash lets each coordinator begin anew from its records, which may have been compacted
// before, and compares.
func (w *txnWorld) crash() {
	if len(w.c.txns.all()) > 0 && w.r.IntN(2) == 0 {
		if err := w.c.Compact(transactionTopicName); err != nil {
			w.t.Fatal(err)
		}
	}
	for _, t := range w.c.txns.all() {
		t.mu.Lock()
		fresh := txncoord.New(t.id, w.c.txnConfig(w.c.settings.Load()))
		for _, r := range t.records.log.Records(0, 1<<20) {
			fresh.Apply(txncoord.Record{Key: r.Key, Value: r.Value})
		}
		if was, is := fmt.Sprintf("%+v", t.machine.Describe()), fmt.Sprintf("%+v", fresh.Describe()); was != is {
			w.t.Errorf("after a crash %q is %s, was %s", t.id, is, was)
		}
		t.machine = fresh
		if m, pending := fresh.Pending(); pending != (t.markers != nil) {
			w.t.Errorf("after a crash markers of %q are pending: %v", t.id, pending)
		} else if pending {
			t.markers = &m
		}
		t.mu.Unlock()
	}
}

// check reads the topic as a consumer of committed records.
func (w *txnWorld) check() {
	w.t.Helper()
	for p, want := range w.committed {
		seen, stable := w.read(int32(p))
		for offset, value := range seen {
			if want[offset] != value {
				w.t.Fatalf("after %s: %d-%d %q is read, and was not committed", w.what, p, offset, value)
			}
		}
		for offset, value := range want {
			if _, ok := seen[offset]; !ok && offset < stable {
				w.t.Fatalf("after %s: %d-%d %q was committed and is not read, below %d", w.what, p, offset, value, stable)
			}
		}
	}
}

// read is what a consumer makes of the batches and aborted transactions that it is given.
func (w *txnWorld) read(partition int32) (seen map[int64]string, stable int64) {
	p := w.c.image.Load().byName.get("t").partition(partition)
	seen = map[int64]string{}
	for offset := int64(0); ; {
		got := w.fetch(partition, offset)
		stable = got.LastStableOffset
		if len(got.RecordBatches) == 0 {
			if end := p.view().End; offset < min(end, stable) {
				w.t.Fatalf("after %s: nothing is read at %d, below %d", w.what, offset, stable)
			}
			return seen, stable
		}
		offset = readCommittedBatches(w.t, got, seen)
	}
}

func (w *txnWorld) fetch(partition int32, offset int64) kmsg.FetchResponseTopicPartition {
	req := kmsg.NewPtrFetchRequest()
	req.Version, req.MaxBytes, req.IsolationLevel, req.SessionEpoch = 12, 1<<20, 1, -1
	t := kmsg.NewFetchRequestTopic()
	t.Topic = "t"
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes, p.CurrentLeaderEpoch = partition, offset, 600, -1
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return w.producers[0].ask(req).(*kmsg.FetchResponse).Topics[0].Partitions[0]
}

// readCommittedBatches leaves out what was aborted, as
// org.apache.kafka.clients.consumer.internals.CompletedFetch does, and returns the offset
// to go on with.
func readCommittedBatches(t *testing.T, got kmsg.FetchResponseTopicPartition, seen map[int64]string) (next int64) {
	aborted := slices.Clone(got.AbortedTransactions)
	slices.SortFunc(aborted, func(a, b kmsg.FetchResponseTopicPartitionAbortedTransaction) int {
		return int(a.FirstOffset - b.FirstOffset)
	})
	dropping := map[int64]bool{}
	for rest := got.RecordBatches; ; {
		h, ok := protocol.ParseBatchHeader(rest)
		if !ok || h.Size() > len(rest) {
			return next
		}
		for len(aborted) > 0 && aborted[0].FirstOffset <= h.LastOffset() {
			dropping[aborted[0].ProducerID] = true
			aborted = aborted[1:]
		}
		records, after, err := protocol.DecodeBatch(nil, rest, nil)
		if err != nil {
			t.Fatal(err)
		}
		rest, next = after, h.LastOffset()+1
		switch {
		case h.Control():
			if _, kind, _ := protocol.ParseControlKey(records[0].Key); kind == protocol.ControlAbort {
				delete(dropping, h.ProducerID)
			}
		case !h.Transactional() || !dropping[h.ProducerID]:
			for _, r := range records {
				seen[r.Offset] = string(bytes.Clone(r.Value))
			}
		}
	}
}
