package peers

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// target is the broker that a test talks to: one in this process, or, with
// KLAMM_BOOTSTRAP=HOST:PORT in the environment, a live one. A live broker must accept
// session timeouts of 4 s (group.min.session.timeout.ms).
type target struct {
	endpoint
	live      bool
	admin     *kadm.Client
	names     func(kind string) string // a name that nobody else has
	session   time.Duration
	heartbeat time.Duration

	// attach is how a client gets to the broker, and crash is how it ends without
	// leaving: its connections are cut, and it never comes back.
	attach func(t *testing.T, clientID string) (at endpoint, crash func())
}

// limit is how long a scenario may take before it fails with what there was instead.
const limit = 90 * time.Second

func newTarget(t *testing.T) (context.Context, *target) {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), limit, fmt.Errorf("the scenario has taken %v", limit))
	t.Cleanup(cancel)
	if addr := os.Getenv("KLAMM_BOOTSTRAP"); addr != "" {
		return ctx, liveTarget(t, addr)
	}
	return ctx, klammTarget(t)
}

func liveTarget(t *testing.T, addr string) *target {
	at := endpoint{addr: addr, dial: new(net.Dialer).DialContext}
	return &target{
		endpoint:  at,
		live:      true,
		admin:     newAdmin(t, at),
		names:     func(kind string) string { return fmt.Sprintf("peers-%s-%s", kind, rand.Text()) },
		session:   4 * time.Second,
		heartbeat: 100 * time.Millisecond,
		attach: func(t *testing.T, clientID string) (endpoint, func()) {
			p := newTap(t, clientID, at)
			return p.endpoint(), p.cut
		},
	}
}

func newAdmin(t *testing.T, at endpoint) *kadm.Client {
	client, err := kgo.NewClient(kgoOptions(at, kgo.ClientID("admin"))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return kadm.NewClient(client)
}

// topic makes a topic of a name of its own.
func (tg *target) topic(ctx context.Context, t *testing.T, partitions int32) string {
	t.Helper()
	name := tg.names("topic")
	made, err := tg.admin.CreateTopic(ctx, partitions, 1, nil, name)
	if err != nil || made.Err != nil {
		t.Fatalf("creating topic %s: %v, %v", name, err, made.Err)
	}
	return name
}

// group is one consumer group on a target: its ledger and its members.
type group struct {
	*target
	*ledger
	driver   driver
	assignor string
	members  map[string]*running
}

// running is a member and how to make it crash.
type running struct {
	member
	crash func()
}

func newGroup(tg *target, d driver, assignor, topic string, partitions int) *group {
	return &group{
		target: tg, ledger: newLedger(tg.names("group"), topic, partitions),
		driver: d, assignor: assignor, members: map[string]*running{},
	}
}

// join starts a member. A static one has an instance id, a dynamic one none.
func (g *group) join(t *testing.T, name, instanceID string) {
	t.Helper()
	g.back(name)
	at, crash := g.attach(t, g.ledger.group+"-"+name)
	m := g.driver.join(t, at, memberConfig{
		name: name, clientID: g.ledger.group + "-" + name,
		group: g.ledger.group, topic: g.ledger.topic, assignor: g.assignor, instanceID: instanceID, modern: g.driver.now,
		session: g.session, heartbeat: g.heartbeat, ledger: g.ledger,
	})
	g.members[name] = &running{m, crash}
	t.Cleanup(func() { g.close(name) })
}

// close ends a member properly. Ending it twice is fine.
func (g *group) close(name string) {
	if m := g.members[name]; m != nil {
		delete(g.members, name)
		m.close()
	}
}

// commit commits offset of each partition through the member that owns it, and asks
// the broker whether it has them.
func (g *group) commit(ctx context.Context, t *testing.T, offsets []int64) {
	t.Helper()
	for name, m := range g.members {
		own := map[int32]int64{}
		for _, p := range g.partitionsOf(name) {
			own[p] = offsets[p]
		}
		if len(own) == 0 {
			continue
		}
		if err := m.commit(ctx, own); err != nil {
			t.Fatalf("%s commits %v: %v\n%s", name, own, err, g.ledger)
		}
		g.ledger.commit(name, own)
	}
	g.checkCommitted(ctx, t, offsets)
}

// checkCommitted fails the test unless the broker has exactly these offsets for the
// group; -1 is for none.
func (g *group) checkCommitted(ctx context.Context, t *testing.T, offsets []int64) {
	t.Helper()
	has, err := g.admin.FetchOffsets(ctx, g.ledger.group)
	if err != nil {
		t.Fatalf("fetching the offsets of %s: %v", g.ledger.group, err)
	}
	for p, want := range offsets {
		got, ok := has.Lookup(g.ledger.topic, int32(p))
		if !ok && want == -1 {
			continue
		}
		if !ok || got.Err != nil || got.At != want {
			t.Fatalf("group %s, partition %d: the broker has offset %d (%v, %v), want %d\n%s",
				g.ledger.group, p, got.At, ok, got.Err, want, g.ledger)
		}
	}
}

// produce writes the records of offsets [from, to) to every partition.
func (g *group) produce(ctx context.Context, t *testing.T, from, to int64) {
	t.Helper()
	err := g.driver.produce(ctx, g.endpoint, producerConfig{}, g.ledger.topic, wave(int32(len(g.next)), from, to))
	if err != nil {
		t.Fatalf("producing: %v", err)
	}
}

// await waits until the members of the group have told what is said.
func (g *group) await(ctx context.Context, t *testing.T, what string, holds func(*ledger) bool) {
	t.Helper()
	g.ledger.wait(ctx, t, what, holds)
}
