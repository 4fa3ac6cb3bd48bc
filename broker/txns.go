package broker

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"klamm/broker/txncoord"
	"klamm/protocol"
)

// transactions is the table of all transactional ids.
type transactions struct {
	mu   sync.Mutex
	byID map[string]*transaction
	held atomic.Bool // markers are not to be written for now
}

// transaction owns one txncoord.Transaction: its mutex, its timer and the markers that
// are not written yet. One that is gone left the table, and whoever still holds it looks
// again. Its lock is taken before those of groups and partitions.
type transaction struct {
	cluster *Cluster
	id      string
	records *partition // where its records in __transaction_state go

	mu      sync.Mutex
	machine *txncoord.Transaction
	cfg     *settings         // that the machine has
	markers *txncoord.Markers // to be written; nil: none
	timer   *time.Timer
	armed   time.Time // when the timer fires at the earliest; zero: not armed
	gone    bool
}

// openTransaction returns a transactional id, a fresh one if it is not known, locked, and
// with the markers of its last transaction written unless a test holds them. An error
// says that there can be none, because their topic cannot be made.
func (c *Cluster) openTransaction(now time.Time, id string) (*transaction, error) {
	for {
		t := c.txns.get(id)
		if t == nil {
			records, err := c.transactionPartition(id)
			if err != nil {
				return nil, err
			}
			t = c.txns.put(&transaction{cluster: c, id: id, records: records, machine: txncoord.New(id, txncoord.Config{})})
		}
		if t.lock(now) {
			return t, nil
		}
		c.txns.remove(t)
	}
}

// knownTransaction is a transactional id that is known, locked as by openTransaction; nil
// where it is not.
func (c *Cluster) knownTransaction(now time.Time, id string) *transaction {
	if t := c.txns.get(id); t != nil && t.lock(now) {
		return t
	}
	return nil
}

// lock locks t and completes what it has to complete. It is false, and t not locked,
// when t is gone.
func (t *transaction) lock(now time.Time) bool {
	t.mu.Lock()
	if t.gone {
		t.mu.Unlock()
		return false
	}
	if s := t.cluster.settings.Load(); s != t.cfg {
		t.cfg = s
		t.machine.Step(now, txncoord.Configure{Config: t.cluster.txnConfig(s)})
	}
	t.complete(now)
	return true
}

func (c *Cluster) txnConfig(s *settings) txncoord.Config {
	cfg := s.txn
	cfg.Began = c.started
	for f := range protocol.Kafka440().Features() {
		if f.Name == transactionVersion {
			cfg.Version = s.level(f)
		}
	}
	return cfg
}

// get returns a transactional id, or nil.
func (ts *transactions) get(id string) *transaction {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	return ts.byID[id]
}

// put adds t unless its id is taken, and returns the one that has the id.
func (ts *transactions) put(t *transaction) *transaction {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if old := ts.byID[t.id]; old != nil {
		return old
	}
	if ts.byID == nil {
		ts.byID = make(map[string]*transaction)
	}
	ts.byID[t.id] = t
	return t
}

func (ts *transactions) remove(t *transaction) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.byID[t.id] == t {
		delete(ts.byID, t.id)
	}
}

// all returns the transactional ids of the moment.
func (ts *transactions) all() []*transaction {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	all := make([]*transaction, 0, len(ts.byID))
	for _, t := range ts.byID {
		all = append(all, t)
	}
	return all
}

// unload ends all transactional ids, because the topic that they write to is gone, or
// the cluster closes.
func (ts *transactions) unload() {
	for _, t := range ts.all() {
		t.mu.Lock()
		t.end()
		t.mu.Unlock()
		ts.remove(t)
	}
}

func (t *transaction) end() {
	t.gone = true
	if t.timer != nil {
		t.timer.Stop()
	}
}

// step applies an event under the lock and carries out its effects, in their order. It
// returns the answer, where the event is a request.
func (t *transaction) step(now time.Time, e txncoord.Event) (reply txncoord.Reply) {
	for _, effect := range t.machine.Step(now, e) {
		switch effect := effect.(type) {
		case txncoord.Reply:
			reply = effect
		case txncoord.Append:
			t.records.appendInternal(now, []protocol.Record{{Key: effect.Record.Key, Value: effect.Record.Value}})
			t.machine.Apply(effect.Record)
		case txncoord.WriteMarkers:
			t.markers = &effect.Markers
		}
	}
	t.arm(now)
	return reply
}

// release unlocks t after a step; one that is not known leaves the table.
func (t *transaction) release() {
	vacant := t.machine.Vacant()
	if vacant {
		t.end()
	}
	t.mu.Unlock()
	if vacant {
		t.cluster.txns.remove(t)
	}
	t.cluster.changes.notify()
}

// arm sees to it that the timer fires when the machine's deadline has come. A timer that
// would fire earlier is left alone: a Tick too early does nothing.
func (t *transaction) arm(now time.Time) {
	deadline := t.machine.Deadline()
	if deadline.IsZero() || !t.armed.IsZero() && !t.armed.After(deadline) {
		return
	}
	t.armed = deadline
	d := max(deadline.Sub(now), 0)
	if t.timer == nil {
		t.timer = time.AfterFunc(d, t.tick)
	} else {
		t.timer.Reset(d)
	}
}

func (t *transaction) tick() {
	now := time.Now()
	if !t.lock(now) {
		return
	}
	t.armed = time.Time{}
	t.step(now, txncoord.Tick{Fresh: t.freshID(txncoord.Tick{})})
	t.complete(now)
	t.release()
}

// freshID is an unused producer id, where e needs one.
func (t *transaction) freshID(e txncoord.Event) int64 {
	if !t.machine.NeedsProducerID(e) {
		return -1
	}
	return t.cluster.producerID.Add(1) - 1
}

// transactionPartition is the partition of __transaction_state that the records of a
// transactional id go to (TransactionStateManager.partitionFor). The topic is made when
// the first one needs it.
func (c *Cluster) transactionPartition(id string) (*partition, error) {
	t, err := c.internalTopic(transactionTopicName)
	if err != nil {
		return nil, err
	}
	return t.coordinated(id), nil
}

// coordinated is the partition of a coordinator's topic that the records of an id go to,
// which other programs can compute as well.
func (t *topic) coordinated(id string) *partition {
	hash := int(protocol.JavaHash(id))
	switch {
	case hash == math.MinInt32:
		hash = 0 // as in Utils.abs: 32 bits have no positive number for it
	case hash < 0:
		hash = -hash
	}
	return t.partitions[hash%len(t.partitions)]
}

// internalTopic is one of the topics that coordinators write to, created when it is
// needed first. That can fail: by a config that one node cannot fulfil, or a topic with
// a colliding name.
func (c *Cluster) internalTopic(name string) (*topic, error) {
	if t := c.image.Load().byName.get(name); t != nil {
		return t, nil
	}
	t, refused := c.autoCreate(name)
	if t == nil {
		return nil, fmt.Errorf("topic %q cannot be created: %s", name, refused.text())
	}
	return t, nil
}
