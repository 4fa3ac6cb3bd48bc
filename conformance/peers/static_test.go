package peers

import (
	"context"
	"slices"
	"testing"
)

// TestStaticMember restarts a member with a group.instance.id (KIP-345): it gets its
// partitions back and nobody else notices. A second client with the same instance id
// takes its place for good: the first one is fenced.
func TestStaticMember(t *testing.T) {
	eachDriver(t, func(d driver) string { return d.noStatic }, func(t *testing.T, d driver) {
		for _, assignor := range d.assignors {
			t.Run(assignor, func(t *testing.T) {
				t.Parallel()
				ctx, tg := newTarget(t)
				staticMember(ctx, t, tg, d, assignor)
			})
		}
	})
}

func staticMember(ctx context.Context, t *testing.T, tg *target, d driver, assignor string) {
	topic := tg.topic(ctx, t, 4)
	g := newGroup(tg, d, assignor, topic, 4)
	for _, name := range []string{"A", "B", "C"} {
		g.join(t, name, "instance-"+name)
	}
	g.await(ctx, t, "one member with two partitions and two with one", balanced(2, 1, 1))
	g.produce(ctx, t, 0, 20)
	g.await(ctx, t, "the first 20 records of each partition", readTo(20))
	g.commit(ctx, t, []int64{20, 20, 20, 20})

	busy, _ := g.busiest()
	had := g.partitionsOf(busy)
	before := len(g.movesSoFar())
	g.close(busy)
	g.join(t, busy, "instance-"+busy)
	g.await(ctx, t, "the restarted member with its partitions", ownsAgain(busy, had))
	g.produce(ctx, t, 20, 40)
	g.await(ctx, t, "40 records of each partition", readTo(40))
	g.checkReads(t, 40, nil)
	g.checkQuiet(t, before, busy)

	// The twin comes while the first one is still there. From then on the first one may
	// believe what it likes: the group does not listen to it.
	g.commit(ctx, t, []int64{40, 40, 40, 40})
	before = len(g.movesSoFar())
	g.renounce(busy)
	g.join(t, "twin", "instance-"+busy)
	g.await(ctx, t, "the twin with the partitions of the first one", ownsAgain("twin", had))
	g.await(ctx, t, "the first one to be fenced", func(l *ledger) bool { return l.failed[busy] != nil })
	g.produce(ctx, t, 40, 60)
	g.await(ctx, t, "60 records of each partition", readTo(60))
	g.checkReads(t, 60, nil)
	g.checkQuiet(t, before, "twin")
}

// ownsAgain is the condition that member owns exactly these partitions, and that every one has an owner.
func ownsAgain(member string, partitions []int32) func(*ledger) bool {
	return func(l *ledger) bool {
		var has []int32
		for p, m := range l.owner {
			if m == member {
				has = append(has, p)
			}
		}
		slices.Sort(has)
		return slices.Equal(has, partitions) && len(l.owner) == len(l.next)
	}
}

// checkQuiet fails the test if anybody but one member was assigned or revoked
// anything after the first moves: there was a rebalance.
func (g *group) checkQuiet(t *testing.T, first int, but string) {
	t.Helper()
	for _, m := range g.movesSoFar()[first:] {
		if m.member != but {
			t.Fatalf("a rebalance: %+v\n%s", m, g.ledger)
		}
	}
}
