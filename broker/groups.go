package broker

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/groupcoord"
	"klamm/protocol"
)

// groups is the table of all groups.
type groups struct {
	mu    sync.Mutex
	byID  map[string]*group
	ended uint64 // groups that left the table
	// pending are the groups that have offsets of open transactions, by who commits them.
	pending map[pendingKey][]*group
}

// group owns one groupcoord.Group: its mutex, its timer and the requests that
// wait for its replies. A group that nobody needs any more is gone: it left the
// table, and whoever still holds it looks again.
type group struct {
	cluster *Cluster
	id      string
	life    uint64     // tells groups of the same id apart that come one after another
	records *partition // where its records in __consumer_offsets go

	mu        sync.Mutex
	machine   *groupcoord.Group
	waiting   map[groupcoord.Token]chan kmsg.Response
	token     groupcoord.Token
	joins     uint64 // counts the random member ids
	timer     *time.Timer
	armed     time.Time           // when the timer fires at the earliest; zero: not armed
	shareTodo []groupcoord.Effect // what it wants of the share coordinator
	known     *settings           // that the machine is configured by
	gone      bool
}

// openGroup returns the group of an id, a fresh one if there is none, locked. An
// error says that there can be no groups, because their topic cannot be made.
func (c *Cluster) openGroup(id string) (*group, error) {
	for {
		g := c.groups.get(id)
		if g == nil {
			records, err := c.offsetsPartition(id)
			if err != nil {
				return nil, err
			}
			g = c.groups.put(c.newGroup(id, records))
		}
		g.mu.Lock()
		if !g.gone {
			return g, nil
		}
		g.mu.Unlock()
		c.groups.remove(g)
	}
}

func (c *Cluster) newGroup(id string, records *partition) *group {
	return &group{
		cluster: c,
		id:      id,
		records: records,
		machine: groupcoord.New(id, groupcoord.Config{}),
	}
}

// get returns a group, or nil.
func (gs *groups) get(id string) *group {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	return gs.byID[id]
}

// put adds g unless its id is taken, and returns the group that has the id.
func (gs *groups) put(g *group) *group {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	if old := gs.byID[g.id]; old != nil {
		return old
	}
	if gs.byID == nil {
		gs.byID = make(map[string]*group)
	}
	g.life = gs.ended
	gs.byID[g.id] = g
	return g
}

// remove takes a group that is gone out of the table.
func (gs *groups) remove(g *group) {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	if gs.byID[g.id] == g {
		delete(gs.byID, g.id)
		gs.ended++
	}
}

// all returns the groups of the moment.
func (gs *groups) all() []*group {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	all := make([]*group, 0, len(gs.byID))
	for _, g := range gs.byID {
		all = append(all, g)
	}
	return all
}

// close stops all timers.
func (gs *groups) close() {
	for _, g := range gs.all() {
		g.mu.Lock()
		g.end()
		g.mu.Unlock()
	}
}

// ask steps a group with the event that make returns and waits for the reply,
// which may be parked. Nil means that there is nothing to answer: the client went
// away meanwhile, or the connection is to be ended.
func (c *call) ask(groupID string, make func(*group, groupcoord.Token) groupcoord.Event) kmsg.Response {
	g, err := c.cluster.openGroup(groupID)
	if err != nil {
		c.hangUp = err
		return nil
	}
	g.token++
	to := g.token
	reply := g.step(c.now, make(g, to), to)
	if reply != nil {
		g.release()
		return reply
	}
	parked := g.park(to)
	g.release()
	reply, how := park(c.conn, parked, 0)
	switch {
	case how != woken:
		c.hangUp = errGone
		g.abandon(to)
	case reply == nil:
		c.hangUp = errUnloaded
	}
	return reply
}

// errUnloaded ends the connections of parked requests whose group is no more.
var errUnloaded = errors.New("the topic " + offsetsTopicName + " was deleted, and its groups with it")

// unloadGroups ends all groups, because the topic that they write to is gone: as
// in Kafka, members and offsets are lost. The next request makes the topic anew.
func (c *Cluster) unloadGroups() {
	for _, g := range c.groups.all() {
		g.mu.Lock()
		g.end()
		for to, parked := range g.waiting {
			delete(g.waiting, to)
			close(parked)
		}
		g.mu.Unlock()
		c.groups.remove(g)
	}
}

// end makes the group one that is gone; its lock is held.
func (g *group) end() {
	g.gone = true
	if g.timer != nil {
		g.timer.Stop()
	}
}

// tell steps a group with an event that has no reply.
func (g *group) tell(now time.Time, e groupcoord.Event) {
	g.mu.Lock()
	if g.gone {
		g.mu.Unlock()
		return
	}
	g.step(now, e, 0)
	g.release()
}

// park makes the channel that the reply to a token will come through.
func (g *group) park(to groupcoord.Token) chan kmsg.Response {
	if g.waiting == nil {
		g.waiting = make(map[groupcoord.Token]chan kmsg.Response)
	}
	ch := make(chan kmsg.Response, 1)
	g.waiting[to] = ch
	return ch
}

// abandon forgets a parked request whose client is gone. The machine is not told:
// to Kafka's coordinator a closed connection means nothing.
func (g *group) abandon(to groupcoord.Token) {
	g.mu.Lock()
	delete(g.waiting, to)
	if g.gone {
		g.mu.Unlock()
		return
	}
	g.release()
}

// step applies an event under the lock and carries out its effects, in their
// order. It returns the reply to the token of the caller's own request, if it came at once.
func (g *group) step(now time.Time, e groupcoord.Event, own groupcoord.Token) (reply kmsg.Response) {
	if s := g.cluster.settings.Load(); s != g.known {
		g.known = s
		g.carryOut(now, groupcoord.Configure{Config: s.groupConfig(g.id)}, 0)
	}
	reply = g.carryOut(now, e, own)
	g.arm(now)
	return reply
}

func (g *group) carryOut(now time.Time, e groupcoord.Event, own groupcoord.Token) (reply kmsg.Response) {
	for _, effect := range g.machine.Step(now, e) {
		switch effect := effect.(type) {
		case groupcoord.Reply:
			if effect.To == own {
				reply = effect.Resp
			} else if ch := g.waiting[effect.To]; ch != nil {
				delete(g.waiting, effect.To)
				ch <- effect.Resp
			}
		case groupcoord.Append:
			g.append(now, effect.Records)
		case groupcoord.InitializeShareState, groupcoord.DeleteShareState:
			g.shareTodo = append(g.shareTodo, effect)
		case groupcoord.Again:
			g.carryOut(now, groupcoord.Tick{}, 0)
		}
	}
	return reply
}

// release unlocks the group after a step; one that is vacant leaves the table.
func (g *group) release() {
	vacant := g.machine.Vacant() && len(g.waiting) == 0
	if vacant {
		g.end()
	}
	g.mu.Unlock()
	if vacant {
		g.cluster.groups.remove(g)
	}
	g.cluster.changes.notify()
}

// arm sees to it that the timer fires when the machine's deadline has come. A
// timer that would fire earlier is left alone: a Tick too early does nothing.
func (g *group) arm(now time.Time) {
	deadline := g.machine.Deadline()
	if deadline.IsZero() || (!g.armed.IsZero() && !g.armed.After(deadline)) {
		return
	}
	g.armed = deadline
	d := max(deadline.Sub(now), 0)
	if g.timer == nil {
		g.timer = time.AfterFunc(d, g.tick)
	} else {
		g.timer.Reset(d)
	}
}

func (g *group) tick() {
	g.mu.Lock()
	if g.gone {
		g.mu.Unlock()
		return
	}
	g.armed = time.Time{}
	g.step(time.Now(), groupcoord.Tick{}, 0)
	g.release()
}

// append writes records of the group to its partition of __consumer_offsets and
// applies them.
func (g *group) append(now time.Time, records []groupcoord.Record) {
	batch := make([]protocol.Record, len(records))
	for i, r := range records {
		batch[i] = protocol.Record{Key: r.Key, Value: r.Value}
	}
	first := records[0] // all are of one request, so of one transaction or of none
	base := g.records.appendCoordinated(now, batch, first.ProducerID, first.ProducerEpoch)
	if first.ProducerID >= 0 {
		g.cluster.groups.notePending(pendingKey{g.records, first.ProducerID}, g)
	}
	for i, r := range records {
		r.Offset = base + int64(i)
		g.machine.Apply(r)
	}
}

// offsetsPartition is the partition of __consumer_offsets that a group's records
// go to, chosen as GroupCoordinatorService.partitionFor does. The topic is made
// when the first group needs it.
func (c *Cluster) offsetsPartition(groupID string) (*partition, error) {
	t, err := c.internalTopic(offsetsTopicName)
	if err != nil {
		return nil, err
	}
	return t.coordinated(groupID), nil
}

// groupsTopicsDeleted tells all groups that topics are gone.
func (c *Cluster) groupsTopicsDeleted(names []string) {
	if slices.Contains(names, offsetsTopicName) {
		c.unloadGroups()
	}
	if slices.Contains(names, transactionTopicName) {
		c.txns.unload()
	}
	now := time.Now()
	for _, g := range c.groups.all() {
		g.tell(now, groupcoord.TopicsDeleted{Topics: names})
	}
	c.shareTopicsDeleted(now, slices.Contains(names, shareGroupTopicName))
}
