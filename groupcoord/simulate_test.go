package groupcoord

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// op is one thing that happens in a simulated world: a kind, a client, an argument.
// Any bytes are an op, so that the fuzzer can write worlds, and any ops can be left
// out of a world, so that one that fails can be shrunk.
type op struct {
	kind, who byte
	arg       uint16
}

// ops are the kinds of what can happen, and how often the simulation takes them: in
// quiet times, when a group can settle, and in wild ones.
var ops = [...]struct {
	name        string
	quiet, wild int
	do          func(w *world, c *client, arg uint16)
}{
	{"round", 400, 10, func(w *world, c *client, arg uint16) { w.round() }},
	{"receive", 100, 30, func(w *world, c *client, arg uint16) { c.receive() }},
	{"act", 100, 30, func(w *world, c *client, arg uint16) { c.act() }},
	{"beat", 50, 5, func(w *world, c *client, arg uint16) { c.beat() }},
	{"commit", 150, 8, func(w *world, c *client, arg uint16) { c.commit(arg) }},
	{"leave", 3, 2, func(w *world, c *client, arg uint16) { c.leave() }},
	{"crash", 3, 2, func(w *world, c *client, arg uint16) { c.crash() }},
	{"again", 20, 4, func(w *world, c *client, arg uint16) { c.again() }},
	{"lie", 20, 6, func(w *world, c *client, arg uint16) { c.lie(arg) }},
	{"usurp", 60, 20, func(w *world, c *client, arg uint16) { c.usurp() }},
	{"subscribe", 3, 1, func(w *world, c *client, arg uint16) { c.revision = byte(arg); c.strange = arg%64 == 0 }},
	{"pass", 200, 10, func(w *world, c *client, arg uint16) { w.pass(w.now.Add(time.Duration(arg%2000) * time.Millisecond)) }},
	{"jump", 1, 1, func(w *world, c *client, arg uint16) { w.pass(w.now.Add(time.Duration(arg%400) * time.Second)) }},
	{"stall", 1, 1, func(w *world, c *client, arg uint16) { w.now = w.now.Add(time.Duration(arg%60_000) * time.Millisecond) }},
	{"tick", 10, 2, func(w *world, c *client, arg uint16) { w.step(Tick{}) }},
	{"delete-topic", 1, 1, func(w *world, c *client, arg uint16) {
		w.step(TopicsDeleted{Topics: []string{w.topics[int(arg)%len(w.topics)], "nosuch"}})
	}},
	{"reload", 1, 1, func(w *world, c *client, arg uint16) { w.reload() }},
	{"rebalance", 1, 1, func(w *world, c *client, arg uint16) { w.step(ForceRebalance{Reason: "simulated"}) }},
	{"expire", 1, 1, func(w *world, c *client, arg uint16) { w.step(ExpireMember{MemberID: c.id}) }},
	{"delete-group", 1, 1, func(w *world, c *client, arg uint16) {
		w.send(nil, "", func(to Token) Event { return DeleteGroup{To: to} })
	}},
	{"delete-offsets", 1, 1, func(w *world, c *client, arg uint16) { w.deleteOffsets(arg) }},
	{"configure", 1, 1, func(w *world, c *client, arg uint16) { w.configure(arg) }},
}

func (w *world) deleteOffsets(arg uint16) {
	req := kmsg.NewPtrOffsetDeleteRequest()
	req.Topics = []kmsg.OffsetDeleteRequestTopic{{
		Topic:      w.topics[int(arg>>8)%len(w.topics)],
		Partitions: []kmsg.OffsetDeleteRequestTopicPartition{{Partition: int32(arg) % simulatedPartitions}},
	}}
	w.send(nil, "", func(to Token) Event { return OffsetDelete{To: to, Req: req} })
}

func (w *world) configure(arg uint16) {
	w.cfg.OffsetsRetention = time.Duration(1+arg%5) * 20 * time.Minute
	w.cfg.OffsetsRetentionCheckInterval = time.Duration(1+arg>>8%4) * 5 * time.Minute
	w.step(Configure{Config: w.cfg})
}

func (o op) String() string { return fmt.Sprintf("%s c%d %d", ops[o.kind].name, o.who, o.arg) }

// scenario is a whole simulated run. It ends with its ops, or after so many events,
// if events is not 0: an op can be none or several.
type scenario struct {
	variant byte
	clients int
	events  int
	ops     []op
}

// simulated makes the scenario of a seed.
func simulated(seed uint64, events int) scenario {
	r := rand.New(rand.NewPCG(seed, 1))
	s := scenario{variant: byte(r.Uint32()), clients: 1 + int(seed%8), events: events, ops: make([]op, 2*events)}
	wild := false
	for i := range s.ops {
		if r.IntN(200) == 0 {
			wild = !wild
		}
		s.ops[i] = op{pickOp(r, wild), byte(r.IntN(s.clients)), uint16(r.Uint32())}
	}
	return s
}

// pickOp draws a kind by its weight.
func pickOp(r *rand.Rand, wild bool) byte {
	weight := func(kind int) int {
		if wild {
			return ops[kind].wild
		}
		return ops[kind].quiet
	}
	total := 0
	for kind := range ops {
		total += weight(kind)
	}
	n, kind := r.IntN(total), 0
	for n >= weight(kind) {
		n -= weight(kind)
		kind++
	}
	return byte(kind)
}

// round lets each client read its answer and go on.
func (w *world) round() {
	for _, c := range w.clients {
		c.receive()
		c.act()
	}
}

// run lets the scenario happen, then sees the faults off and the group settle, then
// everybody gone and the group empty. It tells what was wrong first, and after how
// many ops; the empty string if nothing was.
func (s scenario) run(trace func(string, ...any)) (failure string, after int) {
	w := newWorld(s.variant, s.clients)
	w.trace = trace
	defer func() {
		if r := recover(); r != nil {
			failure = fmt.Sprint(r)
			if _, known := r.(wrong); !known {
				failure = "panic: " + failure
			}
		}
	}()
	for i, o := range s.ops {
		if s.events > 0 && w.steps >= s.events {
			break
		}
		after = i + 1
		if trace != nil {
			trace("%s", o)
		}
		ops[o.kind].do(w, w.clients[int(o.who)%len(w.clients)], o.arg)
	}
	w.settle()
	w.drain()
	return "", after
}

// settle: with the faults off, all clients become members of one Stable generation,
// and each partition has an owner.
func (w *world) settle() {
	w.cfg.MaxSize = 0
	w.step(Configure{Config: w.cfg})
	g := w.g.classic()
	foreign := g.protocolType != "consumer" || g.protocol != nil && *g.protocol != "range"
	for _, c := range w.clients {
		c.strange, c.revision = false, 0
		if foreign {
			// Who stays in a group of another type keeps all others out; so does, after a
			// reload, who was stored with a protocol that the others do not have.
			c.crash()
		}
	}
	end := w.now.Add(newMemberTimeout + w.longestTimeout())
	for w.now.Before(end) {
		w.round()
		if w.settled() {
			return
		}
		w.pass(w.now.Add(time.Second))
	}
	w.fail("the group is not settled but %s with %d members of %d clients", w.g.classic().state, len(w.g.classic().members), len(w.clients))
}

func (w *world) settled() bool {
	if w.g.classic().state != stable || len(w.g.classic().members) != len(w.clients) {
		return false
	}
	var owned []byte
	for _, c := range w.clients {
		if c.phase != hasAssignment || c.generation != w.g.classic().generation {
			return false
		}
		owned = append(owned, c.owned...)
	}
	slices.Sort(owned)
	if string(owned) != "\x00\x01\x02\x03\x04\x05" {
		w.fail("the partitions owned in a Stable group are %v", owned)
	}
	return true
}

// longestTimeout is how long a group can take to notice that nobody is there.
func (w *world) longestTimeout() time.Duration {
	longest := int32(0)
	for _, c := range w.clients {
		longest = max(longest, c.session)
	}
	const phases = 6 // join twice (session and rebalance timeout), and synchronize
	return phases * millis(longest)
}

// drain: with no more events the group loses its members, then its offsets, then
// itself, and every question that was not given up is answered.
func (w *world) drain() {
	w.pass(w.now.Add(newMemberTimeout + w.longestTimeout()))
	if !w.g.classic().isEmpty() {
		w.fail("nobody is there, but the group is %s", w.g.classic().state)
	}
	for _, q := range w.asked {
		if !q.forgone {
			w.fail("%s was never answered", eventText(q.what))
		}
	}
	w.pass(w.now.Add(w.cfg.OffsetsRetention + 2*w.cfg.OffsetsRetentionCheckInterval + 2*time.Hour))
	if !w.g.Vacant() || !w.g.Deadline().IsZero() {
		w.fail("the group was not taken back: vacant=%t deadline=%s", w.g.Vacant(), w.g.Deadline())
	}
	w.checkShadow()
}

// shrink leaves out what is not needed for a scenario to fail.
func (s scenario) shrink() scenario {
	_, after := s.run(nil)
	s.events, s.ops = 0, slices.Clone(s.ops[:after])
	fails := func(try scenario) bool {
		failure, _ := try.run(nil)
		return failure != ""
	}
	for size := len(s.ops) / 2; size > 0; size /= 2 {
		for at := 0; at+size <= len(s.ops); {
			try := s
			try.ops = slices.Delete(slices.Clone(s.ops), at, at+size)
			if fails(try) {
				s = try
			} else {
				at += size
			}
		}
	}
	return s
}

// script is the scenario as a file of testdata/simulate.
func (s scenario) script() string {
	var b strings.Builder
	fmt.Fprintf(&b, "simulate variant=%d clients=%d\n", s.variant, s.clients)
	for _, o := range s.ops {
		fmt.Fprintln(&b, o)
	}
	b.WriteString("----\nok\n")
	return b.String()
}

// readScenario is the reverse of script.
func readScenario(t *testing.T, d *datadriven.TestData) scenario {
	s := scenario{variant: byte(intArg(d, "variant", 0)), clients: intArg(d, "clients", 1)}
	for line := range strings.Lines(d.Input) {
		var name string
		var o op
		if _, err := fmt.Sscanf(line, "%s c%d %d", &name, &o.who, &o.arg); err != nil {
			t.Fatalf("%s: %q: %v", d.Pos, line, err)
		}
		found := false
		for i := range ops {
			if ops[i].name == name {
				o.kind, found = byte(i), true
			}
		}
		if !found {
			t.Fatalf("%s: nothing is called %q", d.Pos, name)
		}
		s.ops = append(s.ops, o)
	}
	return s
}

// TestSimulation runs the worlds of many seeds. A seed that fails is printed as the
// shortest script found that fails as well: keep it in testdata/simulate.
func TestSimulation(t *testing.T) {
	for seed := range uint64(simulationSeeds) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			s := simulated(seed, simulationEvents)
			if failure, after := s.run(nil); failure != "" {
				t.Errorf("after %d ops: %s", after, failure)
				s = s.shrink()
				failure, _ = s.run(t.Logf)
				t.Fatalf("%s\n\n%s", failure, s.script())
			}
		})
	}
}

// TestSimulationScripts runs the worlds that once failed.
func TestSimulationScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/simulate", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			failure, _ := readScenario(t, d).run(t.Logf)
			if failure != "" {
				return failure + "\n"
			}
			return "ok\n"
		})
	})
}
