package groupcoord

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestConsumerSimulation has members of a consumer group do as they like: come, go,
// crash, lose answers, lag behind and lie, while topics come, grow and go and time
// passes. After every step a checker of its own looks at the invariants.
func TestConsumerSimulation(t *testing.T) {
	for seed := range uint64(simulations) {
		r := rand.New(rand.NewPCG(seed, 848))
		ops := make([]byte, 3*(50+r.IntN(250)))
		for i := range ops {
			ops[i] = byte(r.UintN(256))
		}
		if failure := simulateConsumers(ops); failure != "" {
			t.Fatalf("seed %d: %s", seed, failure)
		}
	}
}

// simulations is how many seeds are tried.
const simulations = 20

// FuzzConsumerEvents reads bytes as what happens to a consumer group.
func FuzzConsumerEvents(f *testing.F) {
	for seed := range byte(8) {
		ops := make([]byte, 120)
		for i := range ops {
			ops[i] = byte(i)*31 + seed*17 + byte(i*i)
		}
		f.Add(ops)
	}
	f.Fuzz(func(t *testing.T, ops []byte) {
		const most = 3 * 600
		if failure := simulateConsumers(ops[:min(len(ops), most)]); failure != "" {
			t.Fatal(failure)
		}
	})
}

// consumerWorld is a consumer group, its clients and a shadow that gets the records only.
type consumerWorld struct {
	g, shadow *Group
	cfg       Config
	now       time.Time
	image     *testImage
	clients   []*consumerClient
	log       []Record
	checks    int
	epoch     int32 // of the group, the last time that somebody looked
	wrong     string
	reply     *kmsg.ConsumerGroupHeartbeatResponse
}

// consumerClient is a member as it sees itself.
type consumerClient struct {
	id, instance string
	epoch        int32
	joined       bool
	owned        partitionSet // what it reads
	wanted       partitionSet // what it was told to have; nil: it is told nothing new
}

func simulateConsumers(ops []byte) (failure string) {
	w := &consumerWorld{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), image: &testImage{topics: map[string]Topic{}}}
	w.cfg = newConsumerPlay().cfg
	w.cfg.ConsumerAssignmentInterval = time.Second
	w.g, w.shadow = New("g", w.cfg), New("g", w.cfg)
	w.image = w.image.with("t", 5).with("u", 2)
	for i := range 5 {
		c := &consumerClient{id: fmt.Sprintf("m%d", i)}
		if i >= 3 {
			c.instance = fmt.Sprintf("i%d", i)
		}
		w.clients = append(w.clients, c)
	}
	for ; len(ops) >= 3 && w.wrong == ""; ops = ops[3:] {
		w.act(ops[0], w.clients[int(ops[1])%len(w.clients)], ops[2])
	}
	if w.wrong == "" {
		w.settle()
	}
	return w.wrong
}

func (w *consumerWorld) act(kind byte, c *consumerClient, arg byte) {
	switch kind % 16 {
	case 0, 1:
		w.join(c, arg)
	case 2, 3, 4, 5, 6, 7:
		w.beat(c, true)
	case 8: // the answer is lost
		w.beat(c, false)
	case 9: // it lies
		if req := w.request(c); c.joined {
			req.MemberEpoch = int32(arg % 8)
			w.send(c, req, arg%2 == 0)
		}
	case 10:
		if c.joined {
			req := w.request(c)
			req.MemberEpoch = leaveEpoch
			if c.instance != "" && arg%2 == 0 {
				req.MemberEpoch = leaveStaticEpoch
			}
			w.send(c, req, true)
		}
		c.forget()
	case 11: // it crashes; a static one comes back with another id
		c.forget()
		c.id += "'"
	case 12:
		name := [...]string{"t", "u", "v"}[arg%3]
		if arg/3%16 == 0 {
			w.image = w.image.with(name, 0)
			w.step(TopicsDeleted{Topics: []string{name}})
			return
		}
		w.image = w.image.with(name, max(w.image.topics[name].Partitions, int32(1+arg/32)))
	case 13:
		w.pass(time.Duration(arg) * 100 * time.Millisecond)
	case 14:
		w.reload()
	case 15:
		w.step(OffsetCommit{To: 1, Req: w.commit(c, arg)})
	}
}

func (c *consumerClient) forget() { c.joined, c.owned, c.wanted, c.epoch = false, nil, nil, 0 }

func (w *consumerWorld) join(c *consumerClient, arg byte) {
	c.forget()
	req := w.request(c)
	req.RebalanceTimeoutMillis = 10_000
	req.Topics = []kmsg.ConsumerGroupHeartbeatRequestTopic{}
	req.SubscribedTopicNames = [][]string{{"t"}, {"t", "u"}, {"u", "v"}, {}}[arg%4]
	regex := [...]string{"", "", "[uv]", "t|v"}[arg/4%4]
	req.SubscribedTopicRegex = &regex
	assignor := [...]string{"uniform", "range"}[arg/16%2]
	req.ServerAssignor = &assignor
	w.send(c, req, true)
}

func (w *consumerWorld) request(c *consumerClient) *kmsg.ConsumerGroupHeartbeatRequest {
	req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	req.Version, req.Group, req.MemberID, req.MemberEpoch = 1, "g", c.id, c.epoch
	if c.instance != "" {
		req.InstanceID = &c.instance
	}
	return req
}

// beat is a heartbeat of a member that does what it is told: it gives up what it is not
// to have and says what it has.
func (w *consumerWorld) beat(c *consumerClient, heard bool) {
	if !c.joined {
		return
	}
	req := w.request(c)
	if c.wanted != nil {
		c.owned = c.wanted
		c.wanted = nil
	}
	req.Topics = []kmsg.ConsumerGroupHeartbeatRequestTopic{}
	for _, topic := range topicOrder(c.owned) {
		rt := kmsg.NewConsumerGroupHeartbeatRequestTopic()
		rt.TopicID, rt.Partitions = topic, currentOrder(c.owned[topic])
		req.Topics = append(req.Topics, rt)
	}
	w.send(c, req, heard)
}

// send has the group answer, and the client take the answer in if it gets it.
func (w *consumerWorld) send(c *consumerClient, req *kmsg.ConsumerGroupHeartbeatRequest, heard bool) {
	w.reply = nil
	w.step(ConsumerGroupHeartbeat{To: 1, Req: req, ClientID: "c", ClientHost: "/h", Topics: w.image})
	resp := w.reply
	switch {
	case resp == nil:
		w.fail("%s is not answered", c.id)
	case !heard || req.MemberEpoch < 0:
	case resp.ErrorCode != 0:
		c.forget()
	default:
		c.joined, c.epoch = true, resp.MemberEpoch
		if resp.Assignment != nil {
			c.wanted = partitionSet{}
			for _, t := range resp.Assignment.Topics {
				for _, p := range t.Partitions {
					c.wanted.add(t.TopicID, p, 0)
				}
			}
		}
	}
}

func (w *consumerWorld) commit(c *consumerClient, arg byte) *kmsg.OffsetCommitRequest {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Version, req.MemberID, req.Generation = 9, c.id, int32(arg%16)-1
	t := w.image.topics["t"]
	req.Topics = []kmsg.OffsetCommitRequestTopic{{Topic: "t", TopicID: t.ID, Partitions: []kmsg.OffsetCommitRequestTopicPartition{{Partition: int32(arg % 3), Offset: 1}}}}
	return req
}

func (w *consumerWorld) pass(d time.Duration) {
	end := w.now.Add(d)
	for n := 0; ; n++ {
		due := w.g.Deadline()
		if due.IsZero() || due.After(end) || w.wrong != "" {
			break
		}
		if due.After(w.now) {
			w.now = due
		}
		if w.step(Tick{}); n > 10_000 {
			w.fail("the deadline %v does not go away", due)
		}
	}
	w.now = end
}

// reload has another group take over from the records.
func (w *consumerWorld) reload() {
	w.g, w.shadow = replay(w.cfg, w.log), replay(w.cfg, w.log)
	w.step(Loaded{})
}

func (w *consumerWorld) step(e Event) {
	for _, effect := range w.g.Step(w.now, e) {
		switch effect := effect.(type) {
		case Append:
			for _, r := range effect.Records {
				r.Offset = int64(len(w.log))
				w.log = append(w.log, r)
				w.g.Apply(r)
				w.shadow.Apply(r)
			}
		case Reply:
			w.reply, _ = effect.Resp.(*kmsg.ConsumerGroupHeartbeatResponse)
		case Again:
			w.step(Tick{})
		}
	}
	if w.wrong == "" {
		w.check()
	}
}

func (w *consumerWorld) fail(format string, values ...any) {
	if w.wrong == "" {
		w.wrong = fmt.Sprintf(format, values...)
	}
}

// check looks at what must be true after every step.
func (w *consumerWorld) check() {
	if w.checks++; w.checks%4 != 0 {
		// printing all that there is takes most of the time
	} else if live, fed := hardState(w.g), hardState(w.shadow); live != fed {
		w.fail("the records make another group:\n%s\nand not\n%s", fed, live)
	}
	c, ok := w.g.kind.(*consumer)
	if !ok {
		w.epoch = 0
		return
	}
	if c.epoch < w.epoch || c.assignmentEpoch > c.epoch {
		w.fail("group epoch %d after %d, assignment epoch %d", c.epoch, w.epoch, c.assignmentEpoch)
	}
	w.epoch = c.epoch
	has := map[topicPartition]string{}
	for _, id := range sortedKeys(c.members) {
		m := c.members[id]
		for _, set := range [...]partitionSet{m.assigned, m.revoking} {
			for topic, partitions := range set {
				for p := range partitions {
					if other := has[topicPartition{topic, p}]; other != "" {
						w.fail("%s and %s have %x-%d", other, id, topic[:2], p)
					}
					has[topicPartition{topic, p}] = id
				}
			}
		}
	}
	w.checkClients(c, has)
}

// checkClients: nobody reads what the coordinator takes for somebody else's, as long as it
// is a member.
func (w *consumerWorld) checkClients(c *consumer, has map[topicPartition]string) {
	for _, client := range w.clients {
		if m := c.members[client.id]; m == nil || !client.joined || client.epoch != m.epoch {
			continue
		}
		for topic, partitions := range client.owned {
			for p := range partitions {
				if owner := has[topicPartition{topic, p}]; owner != "" && owner != client.id {
					w.fail("%s reads what was given to %s before it gave it up", client.id, owner)
				}
			}
		}
	}
}

// settle: with all clients well the group becomes Stable, each partition has an owner, and
// with all of them gone it is empty.
func (w *consumerWorld) settle() {
	for _, c := range w.clients {
		c.forget()
		c.id += "+"
	}
	w.pass(time.Minute) // whoever crashed is out
	for _, name := range []string{"t", "u"} {
		w.image = w.image.with(name, max(w.image.topics[name].Partitions, 1))
	}
	for _, c := range w.clients {
		w.join(c, 1)
	}
	for range 40 {
		w.pass(time.Second)
		for _, c := range w.clients {
			w.beat(c, true)
		}
	}
	c, ok := w.g.kind.(*consumer)
	if !ok || c.stateName() != "Stable" || len(c.members) != len(w.clients) {
		w.fail("the group does not settle: %v", hardState(w.g))
		return
	}
	owned := map[topicPartition]bool{}
	for _, client := range w.clients {
		for topic, partitions := range client.owned {
			for p := range partitions {
				owned[topicPartition{topic, p}] = true
			}
		}
	}
	for _, name := range []string{"t", "u"} {
		for p := range w.image.topics[name].Partitions {
			if !owned[topicPartition{w.image.topics[name].ID, p}] {
				w.fail("nobody reads %s-%d of a settled group; topics %v", name, p, slices.Sorted(maps.Keys(w.image.topics)))
			}
		}
	}
	w.pass(time.Minute)
	if len(c.members) > 0 {
		w.fail("nobody is there, but the group has %d members", len(c.members))
	}
}
