package kafkatest_test

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"klamm/kafkatest"
)

// failing is a test that may fail without failing the test around it.
type failing struct {
	testing.TB
	message  string
	logged   string
	failed   bool
	cleanups []func()
}

func (f *failing) Helper()          {}
func (f *failing) Failed() bool     { return f.failed }
func (f *failing) Cleanup(c func()) { f.cleanups = append(f.cleanups, c) }
func (f *failing) Logf(format string, args ...any) {
	f.logged += fmt.Sprintf(format, args...)
}

func (f *failing) Fatalf(format string, args ...any) {
	f.message, f.failed = fmt.Sprintf(format, args...), true
	runtime.Goexit()
}

// failure runs a test to its end and returns it.
func failure(t *testing.T, test func(testing.TB)) *failing {
	f := &failing{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			for _, c := range slices.Backward(f.cleanups) {
				c()
			}
		}()
		test(f)
	}()
	<-done
	return f
}

// startConsumers starts members of a group, named by their client ids, that end
// with the test.
func startConsumers(t *testing.T, k *kafkatest.Cluster, group, topic string, partitions int32, clientIDs ...string) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	for _, id := range clientIDs {
		go func() {
			consume(ctx, k.Dial, k.Addr(), id, group, topic, partitions) // how it ends is the test's matter
			ended <- struct{}{}
		}()
	}
	t.Cleanup(func() {
		cancel()
		for range clientIDs {
			<-ended
		}
	})
}

// networks runs a test on both networks, in memory in a bubble.
func networks(t *testing.T, test func(t *testing.T, cfg kafkatest.Config)) {
	t.Run("tcp", func(t *testing.T) { test(t, kafkatest.Config{}) })
	t.Run("memory", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { test(t, kafkatest.Config{Network: kafkatest.Memory}) })
	})
}

func TestRecords(t *testing.T) {
	networks(t, func(t *testing.T, cfg kafkatest.Config) {
		cfg.Topics = []kafkatest.Topic{{Name: "orders", Partitions: 2}}
		k := kafkatest.Start(t, cfg)
		k.Produce("orders", 1, kafkatest.Values("c")...)
		k.Produce("orders", 0, kafkatest.Record{
			Key: []byte("a"), Headers: []kafkatest.Header{{Key: "trace", Value: []byte("1")}},
		})
		if first := k.Produce("orders", 0, kafkatest.Values("b")...); first != 1 {
			t.Errorf("first offset %d", first)
		}
		k.Produce("made", 0, kafkatest.Values("by producing")...)
		var got []string
		for r := range k.Records("orders") {
			if r.Timestamp.IsZero() {
				t.Errorf("%v has no timestamp", r)
			}
			got = append(got, fmt.Sprintf("%v %d %s=%s %s", r.TopicPartition, r.Offset, r.Key, r.Value, r.Headers))
		}
		if d := cmp.Diff([]string{"orders-0 0 a= [{trace 1}]", "orders-0 1 =b []", "orders-1 0 =c []"}, got); d != "" {
			t.Error(d)
		}
		for range k.Records("orders") {
			break
		}
		for from, want := range map[int64]int{-1: 2, 0: 2, 1: 1, 2: 0} {
			if got := slices.Collect(k.RecordsFrom("orders", 0, from)); len(got) != want {
				t.Errorf("%d records from offset %d, want %d", len(got), from, want)
			}
		}
		var names []string
		for _, topic := range k.Topics() {
			names = append(names, topic.Name)
		}
		if d := cmp.Diff([]string{"made", "orders"}, names); d != "" {
			t.Error(d)
		}
	})
}

func TestWaitRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.Start(t, kafkatest.Config{Network: kafkatest.Memory})
		go func() {
			for i := range 3 {
				time.Sleep(time.Minute)
				k.Produce("late", 0, kafkatest.Values(fmt.Sprint(i))...)
			}
		}()
		start := time.Now()
		got := k.WaitRecords("late", 3)
		if len(got) != 3 || string(got[2].Value) != "2" || time.Since(start) != 3*time.Minute {
			t.Errorf("after %v: %v", time.Since(start), got)
		}
	})
}

func TestGroupView(t *testing.T) {
	networks(t, func(t *testing.T, cfg kafkatest.Config) {
		cfg.Topics = []kafkatest.Topic{{Name: "orders", Partitions: 3}}
		k := kafkatest.Start(t, cfg)
		if g := k.Group("app"); g.State != "Dead" || g.ID != "app" {
			t.Errorf("before anybody joined: %+v", g)
		}
		startConsumers(t, k, "app", "orders", 3, "a", "b")
		g := k.WaitGroupStable("app", 2)
		if g.ID != "app" || g.Generation != 1 || g.Protocol != "range" || g.ProtocolType != "consumer" || g.State != "Stable" {
			t.Errorf("group %+v", g)
		}
		assigned := map[string]int{}
		for _, m := range g.Members {
			assigned[m.ClientID] = len(m.Assigned)
			if d := cmp.Diff([]string{"orders"}, m.Topics); d != "" || m.ClientHost != "/127.0.0.1" || !strings.HasPrefix(m.ID, m.ClientID+"-") {
				t.Errorf("member %+v", m)
			}
		}
		if assigned["a"]+assigned["b"] != 3 || len(assigned) != 2 {
			t.Errorf("assigned %v", assigned)
		}
		k.Produce("orders", 2, kafkatest.Values("x", "y")...)
		commit := k.WaitCommitted("app", "orders", 2, 2)
		if want := (kafkatest.Commit{TopicPartition: kafkatest.TopicPartition{Topic: "orders", Partition: 2}, Offset: 2, LeaderEpoch: -1}); commit != want {
			t.Errorf("commit %+v", commit)
		}
		k.Produce("orders", 0, kafkatest.Values("z")...)
		k.WaitConsumed("app", "orders")
		if lag := k.Group("app").Lag(); lag != 0 {
			t.Errorf("lag %d", lag)
		}
		owner := k.WaitAssigned("app", "orders", 2)
		if byView, ok := k.Group("app").Owner(commit.TopicPartition); !ok || byView.ID != owner.ID {
			t.Errorf("owner %+v, in the group %+v", owner, byView)
		}
		if d := cmp.Diff([]string{"app"}, k.Groups()); d != "" {
			t.Error(d)
		}
	})
}

// TestCrash has one of two members crash; the other takes over where the first
// committed, and after Revive there are two again.
func TestCrash(t *testing.T) {
	networks(t, func(t *testing.T, cfg kafkatest.Config) {
		cfg.Topics = []kafkatest.Topic{{Name: "orders", Partitions: 2}}
		k := kafkatest.Start(t, cfg)
		startConsumers(t, k, "app", "orders", 2, "a", "b")
		before := k.WaitGroupStable("app", 2)
		k.Crash("a")
		// The other one finds out by its next heartbeat.
		after := k.WaitGroupStable("app", 1)
		if m := after.Members[0]; m.ClientID != "b" || len(m.Assigned) != 2 || after.Generation <= before.Generation {
			t.Errorf("after the crash: %+v", after)
		}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		if err := consume(ctx, k.Dial, k.Addr(), "a", "app", "orders", 2); err == nil {
			t.Error("a crashed client could come back")
		}
		k.Revive("a")
		startConsumers(t, k, "app", "orders", 2, "a")
		k.WaitGroupStable("app", 2)
	})
}

func TestCrashedSessionIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.Start(t, kafkatest.Config{Network: kafkatest.Memory})
		k.CreateTopic("orders", 1)
		startConsumers(t, k, "app", "orders", 1, "only")
		k.WaitGroupStable("app", 1)
		start := time.Now()
		k.Crash("only")
		k.WaitGroupStable("app", 0)
		if waited := time.Since(start); waited != 0 {
			t.Errorf("waited %v for the session to end", waited)
		}
	})
}

// TestSessionTimeoutInABubble has a client that is cut, but whose session has to
// run out: 45 s that nobody waits for.
func TestSessionTimeoutInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.Start(t, kafkatest.Config{Network: kafkatest.Memory})
		k.CreateTopic("orders", 1)
		ctx, cancel := context.WithCancel(t.Context())
		go consume(ctx, k.Dial, k.Addr(), "a", "app", "orders", 1)
		k.WaitGroupStable("app", 1)
		start := time.Now()
		cancel() // without leaving
		k.WaitGroupStable("app", 0)
		if waited := time.Since(start); waited < sessionTimeout-heartbeat || waited > sessionTimeout {
			t.Errorf("the session ended after %v", waited)
		}
	})
}

func TestExpireSession(t *testing.T) {
	networks(t, func(t *testing.T, cfg kafkatest.Config) {
		k := kafkatest.Start(t, cfg)
		k.CreateTopic("orders", 2)
		startConsumers(t, k, "app", "orders", 2, "a", "b")
		before := k.WaitGroupStable("app", 2)
		old, _ := before.Owner(kafkatest.TopicPartition{Topic: "orders", Partition: 0})
		k.ExpireSession("app", old.ClientID)
		after := k.WaitGroup("app", "two members, of a later generation", func(g kafkatest.Group) bool {
			return g.State == "Stable" && len(g.Members) == 2 && g.Generation > before.Generation
		})
		for _, m := range after.Members {
			if m.ID == old.ID {
				t.Errorf("the expired member is back under its old id: %+v", after)
			}
		}
	})
}

func TestRebalance(t *testing.T) {
	networks(t, func(t *testing.T, cfg kafkatest.Config) {
		k := kafkatest.Start(t, cfg)
		k.CreateTopic("orders", 2)
		startConsumers(t, k, "app", "orders", 2, "a", "b")
		before := k.WaitGroupStable("app", 2)
		k.Rebalance("app")
		after := k.WaitGroup("app", "a later generation", func(g kafkatest.Group) bool {
			return g.State == "Stable" && g.Generation > before.Generation
		})
		if after.Generation != before.Generation+1 || len(after.Members) != 2 {
			t.Errorf("before %+v\nafter %+v", before, after)
		}
	})
}

// TestMembersThatStartTogether need one generation, by the default delay.
func TestMembersThatStartTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.Start(t, kafkatest.Config{Network: kafkatest.Memory})
		k.CreateTopic("orders", 8)
		startConsumers(t, k, "app", "orders", 8, "a", "b", "c", "d", "e")
		start := time.Now()
		if g := k.WaitGroupStable("app", 5); g.Generation != 1 {
			t.Errorf("generation %d", g.Generation)
		}
		if waited := time.Since(start); waited > 100*time.Millisecond {
			t.Errorf("waited %v", waited)
		}
	})
}

// failures are tests that fail, and what they are told. They find a topic of two
// partitions, two records in the first, and a group of one member that has read them.
func failures() map[string]failingTest {
	return map[string]failingTest{
		"records": {func(k *kafkatest.Cluster) { k.WaitRecords("orders", 3) }, `kafkatest: waited 1s for 3 records in topic "orders", which has 2
topic "orders": 0:[0,2) 1:[0,0)`},
		"records of no topic": {func(k *kafkatest.Cluster) { k.WaitRecords("order", 3) }, `kafkatest: waited 1s for 3 records in topic "order", which does not exist
topic "orders": 0:[0,2) 1:[0,0)`},
		"no topic": {func(k *kafkatest.Cluster) { k.Records("order") }, `kafkatest: records: topic "order" does not exist
topic "orders": 0:[0,2) 1:[0,0)`},
		"partition": {func(k *kafkatest.Cluster) { k.Produce("orders", 7, kafkatest.Values("x")...) },
			`kafkatest: produce: topic "orders" has 2 partitions, 7 is none of them`},
		"topic twice": {func(k *kafkatest.Cluster) { k.CreateTopic("orders", 1) },
			`kafkatest: create: topic "orders": Topic 'orders' already exists.`},
		"no group": {func(k *kafkatest.Cluster) { k.WaitGroupStable("ap", 2) }, `kafkatest: waited 1s for group "ap": stable with 2 members
group "ap" does not exist
groups: ["app"]
connected clients: ["only"]`},
		"group": {func(k *kafkatest.Cluster) { k.WaitGroupStable("app", 2) }, `kafkatest: waited 1s for group "app": stable with 2 members
group "app": Stable, generation 1, protocol range, last rebalance: REASON
  member only-UUID of client "only" at /127.0.0.1: assigned [orders-0 orders-1]
  committed orders-0: offset 2, lag 0
topic "orders": 0:[0,2) 1:[0,0)
connected clients: ["only"]`},
		"assignment": {func(k *kafkatest.Cluster) { k.WaitAssigned("app", "orders", 5) },
			`kafkatest: waited 1s for group "app": orders-5 assigned` + "\n..."},
		"commit": {func(k *kafkatest.Cluster) { k.WaitCommitted("app", "orders", 0, 3) },
			`kafkatest: waited 1s for group "app": offset 3 of orders-0 committed` + "\n..."},
		"consumed": {func(k *kafkatest.Cluster) { k.WaitConsumed("app", "order") },
			`kafkatest: waited 1s for group "app": all of topic "order" committed` + "\n..."},
		"lagging": {func(k *kafkatest.Cluster) {
			k.Produce("orders", 1, kafkatest.Values("z")...)
			k.WaitCommitted("app", "orders", 1, 1)
			k.Crash("only")
			k.Produce("orders", 1, kafkatest.Values("z")...)
			k.WaitConsumed("app", "orders")
		}, `kafkatest: waited 1s for group "app": all of topic "orders" committed` + "\n..."},
		"no partition": {func(k *kafkatest.Cluster) {
			for range k.RecordsFrom("orders", 2, 0) {
			}
		}, `kafkatest: records: partition orders-2 does not exist
topic "orders": 0:[0,2) 1:[0,0)`},
		"crash": {func(k *kafkatest.Cluster) { k.Crash("onyl") },
			"kafkatest: crash: no client has the id \"onyl\"\nconnected clients: [\"only\"]"},
		"expire": {func(k *kafkatest.Cluster) { k.ExpireSession("app", "onyl") },
			`kafkatest: expire: group "app" has no member of client "onyl"` + "\n..."},
		"transaction": {func(k *kafkatest.Cluster) { k.WaitTransaction("payer", "Ongoing") },
			`kafkatest: waited 1s for transactional id "payer" to be Ongoing
transactional id "payer" is not known; those that are: []
connected clients: ["only"]`},
		"rebalance": {func(k *kafkatest.Cluster) { k.Rebalance("ap") },
			"kafkatest: rebalance: group \"ap\" does not exist\ngroups: [\"app\"]"},
		"closed": {func(k *kafkatest.Cluster) { k.Close(); k.WaitGroupStable("app", 2) },
			`kafkatest: the cluster was closed while the test waited for group "app": stable with 2 members`},
	}
}

// failingTest is a test that fails; want is as in alike.
type failingTest struct {
	test func(k *kafkatest.Cluster)
	want string
}

func TestFailures(t *testing.T) {
	for name, tc := range failures() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := failure(t, func(tb testing.TB) {
					k := kafkatest.Start(tb, kafkatest.Config{
						Network: kafkatest.Memory, Timeout: time.Second,
						Topics: []kafkatest.Topic{{Name: "orders", Partitions: 2}},
					})
					k.Produce("orders", 0, kafkatest.Values("x", "y")...)
					startConsumers(t, k, "app", "orders", 2, "only")
					k.WaitCommitted("app", "orders", 0, 2)
					tc.test(k)
				})
				if !alike(f.message, tc.want) {
					t.Errorf("message:\n%s\nwant:\n%s", f.message, tc.want)
				}
			})
		})
	}
}

// alike compares line by line; "..." is the rest, REASON and UUID are anything.
func alike(got, want string) bool {
	gots, wants := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i, w := range wants {
		if w == "..." {
			return len(gots) > i
		}
		if i >= len(gots) {
			return false
		}
		before, after, open := strings.Cut(strings.ReplaceAll(w, "REASON", "UUID"), "UUID")
		if open && (!strings.HasPrefix(gots[i], before) || !strings.HasSuffix(gots[i], after)) || !open && gots[i] != w {
			return false
		}
	}
	return len(gots) == len(wants)
}

func TestLogIsShownOnFailureOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, fail := range []bool{true, false} {
			f := failure(t, func(tb testing.TB) {
				k := kafkatest.Start(tb, kafkatest.Config{Network: kafkatest.Memory})
				conn, err := k.Dial(t.Context(), "tcp", k.Addr())
				if err != nil {
					t.Fatal(err)
				}
				conn.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
				conn.Read(make([]byte, 1)) // until the broker hangs up
				conn.Close()
				synctest.Wait()
				if fail {
					tb.Fatalf("failed")
				}
			})
			if shown := strings.HasPrefix(f.logged, "kafkatest: log of the broker:\nlevel="); shown != fail {
				t.Errorf("failed: %v; shown: %q", fail, f.logged)
			}
		}
	})
}

func TestStartFails(t *testing.T) {
	f := failure(t, func(tb testing.TB) {
		kafkatest.Start(tb, kafkatest.Config{Configs: map[string]string{"num.partitions": "many"}})
	})
	if !strings.HasPrefix(f.message, `kafkatest: the broker does not start: broker config "num.partitions": `) {
		t.Errorf("message %q", f.message)
	}
}

func TestClosesWithTheTest(t *testing.T) {
	var addr string
	t.Run("inner", func(t *testing.T) { addr = kafkatest.Start(t, kafkatest.Config{}).Addr() })
	if conn, err := net.Dial("tcp", addr); err == nil {
		conn.Close()
		t.Error("the broker is still there")
	}
}

func TestConfigsOfTheTestWin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.Start(t, kafkatest.Config{
			Network: kafkatest.Memory,
			Configs: map[string]string{"group.initial.rebalance.delay.ms": "3000", "num.partitions": "5"},
		})
		k.Produce("t", 4, kafkatest.Values("x")...)
		startConsumers(t, k, "app", "t", 5, "a")
		start := time.Now()
		k.WaitGroupStable("app", 1)
		if waited := time.Since(start); waited != 3*time.Second {
			t.Errorf("waited %v", waited)
		}
	})
}
