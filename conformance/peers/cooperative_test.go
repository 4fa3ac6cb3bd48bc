package peers

import (
	"context"
	"testing"
)

// TestCooperativeRebalance has members join one by one (KIP-429): only what moves is
// revoked, once, and nobody else stops.
func TestCooperativeRebalance(t *testing.T) {
	stopsAll := func(d driver) string {
		if len(d.cooperative) == 0 {
			return d.name + " has no cooperative assignor"
		}
		return ""
	}
	eachDriver(t, stopsAll, func(t *testing.T, d driver) {
		for _, assignor := range d.cooperative {
			t.Run(assignor, func(t *testing.T) {
				t.Parallel()
				ctx, tg := newTarget(t)
				cooperativeRebalance(ctx, t, tg, d, assignor)
			})
		}
	})
}

func cooperativeRebalance(ctx context.Context, t *testing.T, tg *target, d driver, assignor string) {
	topic := tg.topic(ctx, t, 6)
	g := newGroup(tg, d, assignor, topic, 6)
	g.join(t, "A", "")
	g.await(ctx, t, "the first member with all partitions", balanced(6))
	g.checkMoves(t, 0, 0)

	first := len(g.movesSoFar())
	g.join(t, "B", "")
	g.await(ctx, t, "two members with three partitions each", balanced(3, 3))
	g.checkMoves(t, first, 3)

	first = len(g.movesSoFar())
	g.join(t, "C", "")
	g.await(ctx, t, "three members with two partitions each", balanced(2, 2, 2))
	g.checkMoves(t, first, 2)

	// Everybody still reads where it was, and only once.
	g.produce(ctx, t, 0, 20)
	g.await(ctx, t, "20 records of each partition", readTo(20))
	g.checkReads(t, 20, nil)
	g.commit(ctx, t, []int64{20, 20, 20, 20, 20, 20})

	first = len(g.movesSoFar())
	g.close("C")
	g.await(ctx, t, "two members with three partitions each again", balanced(3, 3))
	for _, m := range g.movesSoFar()[first:] {
		if !m.assigned && m.member != "C" {
			t.Fatalf("%s gave up %v when another member left\n%s", m.member, m.partitions, g.ledger)
		}
	}
	g.produce(ctx, t, 20, 30)
	g.await(ctx, t, "30 records of each partition", readTo(30))
	g.checkReads(t, 30, nil)
}

// checkMoves fails the test unless exactly n partitions were revoked after the first
// moves, each of them once, and then assigned to somebody else.
func (g *group) checkMoves(t *testing.T, first, n int) {
	t.Helper()
	revoked := map[int32]string{}
	for _, m := range g.movesSoFar()[first:] {
		for _, p := range m.partitions {
			from, moved := revoked[p]
			switch {
			case !m.assigned && moved:
				t.Fatalf("partition %d was revoked twice\n%s", p, g.ledger)
			case !m.assigned:
				revoked[p] = m.member
			case from == m.member:
				t.Fatalf("partition %d was revoked from %s for nothing\n%s", p, from, g.ledger)
			}
		}
	}
	if len(revoked) != n {
		t.Fatalf("%d partitions were revoked, want %d\n%s", len(revoked), n, g.ledger)
	}
}
