package broker

import (
	"slices"
	"sync"
	"time"

	"klamm/broker/sharecoord"
	"klamm/partitions"
	"klamm/protocol"
)

// sharePartitions is the table of the share partitions that are in use.
type sharePartitions struct {
	mu    sync.Mutex
	byKey map[sharecoord.Key]*sharePartition
}

// sharePartition owns one partitions.SharePartition: its mutex, its timer and the fetches
// that wait. One that is gone has left the table.
type sharePartition struct {
	cluster *Cluster
	key     sharecoord.Key
	source  *partition // what is read
	records *partition // where its state in __share_group_state goes

	mu      sync.Mutex
	machine *partitions.SharePartition
	epoch   int32 // leader epoch
	waiters []*waiter
	timer   *time.Timer
	armed   time.Time // when the timer fires at the earliest; zero: not armed
	gone    bool
}

// openSharePartition finds the share partition of a group on a partition, or begins it
// with the state that the share coordinator has.
func (c *Cluster) openSharePartition(now time.Time, k sharecoord.Key, source *partition) (*sharePartition, apiError) {
	if p := c.sharePartitions.get(k); p != nil {
		return p, apiError{}
	}
	records, err := c.shareStatePartition(k)
	if err != nil {
		return nil, apiError{code: protocol.CoordinatorNotAvailable}
	}
	p := &sharePartition{cluster: c, key: k, source: source, records: records}
	source.mu.Lock()
	p.epoch = source.log.LeaderEpoch()
	source.mu.Unlock()
	state, code := c.readShareState(now, k, records, p.epoch)
	switch code {
	case protocol.None:
	case protocol.InvalidRequest: // the group has no state of the partition
		return nil, apiError{code: protocol.UnknownServerError}
	default:
		return nil, apiError{code: code}
	}
	s := c.settings.Load()
	start := partitions.ShareState{StateEpoch: state.StateEpoch, StartOffset: state.StartOffset}
	if start.StartOffset == -1 {
		start.StartOffset = source.shareStart(now, s.shareReset(k.Group))
	}
	for _, b := range state.Batches {
		start.Batches = append(start.Batches, partitions.ShareBatch{
			First: b.First, Last: b.Last, State: partitions.RecordState(b.State), DeliveryCount: b.DeliveryCount,
		})
	}
	p.machine = partitions.NewSharePartition(s.shareConfig(k.Group), start)
	return c.sharePartitions.put(p), apiError{}
}

// shareStart is the offset that share.auto.offset.reset means.
func (p *partition) shareStart(now time.Time, reset shareReset) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case reset.earliest:
		return p.log.LogStartOffset()
	case reset.byDuration:
		if found, code := p.log.FindOffset(p.cfg.Load(), now.Add(-reset.duration).UnixMilli(), nil); code == protocol.None && found.Offset >= 0 {
			return found.Offset
		}
	}
	return p.log.HighWatermark()
}

func (ps *sharePartitions) get(k sharecoord.Key) *sharePartition {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return ps.byKey[k]
}

// put adds p unless its key is taken, and returns the one that has the key.
func (ps *sharePartitions) put(p *sharePartition) *sharePartition {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if old := ps.byKey[p.key]; old != nil {
		return old
	}
	if ps.byKey == nil {
		ps.byKey = make(map[sharecoord.Key]*sharePartition)
	}
	ps.byKey[p.key] = p
	return p
}

func (ps *sharePartitions) remove(p *sharePartition) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if ps.byKey[p.key] == p {
		delete(ps.byKey, p.key)
	}
}

// all returns the share partitions of the moment.
func (ps *sharePartitions) all() []*sharePartition {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	all := make([]*sharePartition, 0, len(ps.byKey))
	for _, p := range ps.byKey {
		all = append(all, p)
	}
	return all
}

// fence takes the share partition out of the table: what is acquired is forgotten, and
// who comes next begins with what was written.
func (p *sharePartition) fence() {
	p.mu.Lock()
	p.gone = true
	if p.timer != nil {
		p.timer.Stop()
	}
	p.wake()
	p.mu.Unlock()
	p.cluster.sharePartitions.remove(p)
}

func (p *sharePartition) wake() {
	for _, w := range p.waiters {
		w.now()
	}
}

// configured is the machine with the configuration of now; the lock is held.
func (p *sharePartition) configured() *partitions.SharePartition {
	p.machine.Configure(p.cluster.settings.Load().shareConfig(p.key.Group))
	return p.machine
}

// acknowledge takes in what a member says of records. What it changes can be acquired
// once commit is called.
func (p *sharePartition) acknowledge(now time.Time, member string, acks []partitions.Ack) *partitions.Refusal {
	p.mu.Lock()
	if p.gone {
		p.mu.Unlock()
		return notHosted()
	}
	batches, refusal := p.configured().Acknowledge(now, member, acks)
	var code protocol.ErrorCode
	if refusal == nil {
		if code = p.write(now, batches); code != protocol.None {
			refusal = &partitions.Refusal{Code: code, Message: code.Message()}
		}
	}
	p.arm(now)
	p.mu.Unlock()
	if code != protocol.None {
		p.fence()
	}
	return refusal
}

// notHosted refuses what is for a share partition that is not there.
func notHosted() *partitions.Refusal {
	return &partitions.Refusal{Code: protocol.UnknownTopicOrPartition, Message: protocol.UnknownTopicOrPartition.Message()}
}

// commit ends the changes that acknowledge has made.
func (p *sharePartition) commit() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.machine.Commit() {
		p.wake()
	}
}

// release gives back what a member has acquired, whose session has ended.
func (p *sharePartition) release(now time.Time, member string) {
	p.mu.Lock()
	code := protocol.None
	if !p.gone {
		if code = p.write(now, p.configured().Release(member)); p.machine.Commit() {
			p.wake()
		}
	}
	p.mu.Unlock()
	if code != protocol.None {
		p.fence()
	}
}

// write writes changes of the state. When that is refused, whoever holds the lock has to
// fence the share partition: its state is that of somebody else. Which error the client
// is told mirrors SharePartition.fetchPersisterError.
func (p *sharePartition) write(now time.Time, batches []partitions.ShareBatch) protocol.ErrorCode {
	if len(batches) == 0 {
		return protocol.None
	}
	w := sharecoord.Write{
		StateEpoch: p.machine.StateEpoch(), LeaderEpoch: p.epoch,
		StartOffset: p.machine.StartOffset(), DeliveryComplete: p.machine.DeliveryComplete(),
	}
	for _, b := range batches {
		w.Batches = append(w.Batches, sharecoord.Batch{First: b.First, Last: b.Last, State: int8(b.State), DeliveryCount: b.DeliveryCount})
	}
	switch code := p.cluster.writeShareState(now, p.key, p.records, &w); code {
	case protocol.FencedLeaderEpoch, protocol.FencedStateEpoch:
		return protocol.NotLeaderOrFollower
	case protocol.InvalidRequest:
		return protocol.UnknownServerError
	default:
		return code
	}
}

// arm sees to it that the timer fires when the machine's deadline has come. A timer that
// would fire earlier is left alone: a Tick too early does nothing.
func (p *sharePartition) arm(now time.Time) {
	deadline := p.machine.Deadline()
	if p.gone || deadline.IsZero() || !p.armed.IsZero() && !p.armed.After(deadline) {
		return
	}
	p.armed = deadline
	d := max(deadline.Sub(now), 0)
	if p.timer == nil {
		p.timer = time.AfterFunc(d, p.tick)
	} else {
		p.timer.Reset(d)
	}
}

func (p *sharePartition) tick() {
	now := time.Now()
	p.mu.Lock()
	code := protocol.None
	if !p.gone {
		p.armed = time.Time{}
		if code = p.write(now, p.configured().Tick(now)); p.machine.Commit() {
			p.wake()
		}
		p.arm(now)
	}
	p.mu.Unlock()
	if code != protocol.None {
		p.fence()
	}
}

// await registers a parked fetch, here and with the log.
func (p *sharePartition) await(w *waiter, committed bool) {
	p.mu.Lock()
	p.waiters = append(p.waiters, w)
	p.mu.Unlock()
	p.source.mu.Lock()
	p.source.waiters = append(p.source.waiters, waiting{w, 1 << 30, committed})
	p.source.mu.Unlock()
}

// forgo takes a parked fetch off both lists.
func (p *sharePartition) forgo(w *waiter) {
	p.mu.Lock()
	p.waiters = slices.DeleteFunc(p.waiters, func(other *waiter) bool { return other == w })
	p.mu.Unlock()
	p.source.forgo(w)
}
