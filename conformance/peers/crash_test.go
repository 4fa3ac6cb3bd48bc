package peers

import (
	"context"
	"slices"
	"testing"
)

// TestCrashedMember is the scenario that a consumer group is there for. Three members
// share four partitions; the one that has two crashes; the others take over where it
// committed. A second group reads everything on its own.
func TestCrashedMember(t *testing.T) {
	eachDriver(t, nil, func(t *testing.T, d driver) {
		for _, assignor := range d.assignors {
			t.Run(assignor, func(t *testing.T) {
				t.Parallel()
				if raceDetector && d.name == "confluent" {
					t.Skip("librdkafka reads on what it lost when the race detector slows its callbacks down; it runs without")
				}
				ctx, tg := newTarget(t)
				crashedMember(ctx, t, tg, d, assignor)
			})
		}
	})
}

func crashedMember(ctx context.Context, t *testing.T, tg *target, d driver, assignor string) {
	topic := tg.topic(ctx, t, 4)
	g := newGroup(tg, d, assignor, topic, 4)
	for _, name := range []string{"A", "B", "C"} {
		g.join(t, name, "")
	}
	g.await(ctx, t, "one member with two partitions and two with one", balanced(2, 1, 1))

	g.produce(ctx, t, 0, 50)
	g.await(ctx, t, "the first 50 records of each partition", readTo(50))
	g.checkReads(t, 50, nil)

	busy, again := g.busiest()
	offsets := []int64{50, 50, 50, 50}
	offsets[again] = 30
	g.commit(ctx, t, offsets)
	g.crash(busy)
	g.await(ctx, t, "the two others with two partitions each", balanced(2, 2))

	g.produce(ctx, t, 50, 100)
	g.await(ctx, t, "100 records of each partition", readTo(100))
	uncommitted := map[int32][2]int64{again: {30, 50}}
	g.checkReads(t, 100, uncommitted)

	second := newGroup(tg, d, assignor, topic, 4)
	second.join(t, "D", "")
	second.await(ctx, t, "all records by the second group", readTo(100))
	second.checkReads(t, 100, nil)
	second.commit(ctx, t, []int64{10, 20, 30, 40})
	g.checkCommitted(ctx, t, offsets)

	g.commit(ctx, t, []int64{100, 100, 100, 100})
	second.checkCommitted(ctx, t, []int64{10, 20, 30, 40})
	survivors := slices.DeleteFunc([]string{"A", "B", "C"}, func(name string) bool { return name == busy })
	g.close(survivors[0])
	g.await(ctx, t, "the last member with all partitions", balanced(4))
	g.produce(ctx, t, 100, 120)
	g.await(ctx, t, "120 records of each partition", readTo(120))
	g.checkReads(t, 120, uncommitted)
	g.close(survivors[1])
	second.close("D")
}

// crash makes a member crash: the broker has to find out.
func (g *group) crash(name string) {
	g.forget(name)
	g.members[name].crash()
}

// busiest is the member with the most partitions, and its first one.
func (g *group) busiest() (name string, first int32) {
	most := 0
	for member := range g.members {
		if ps := g.partitionsOf(member); len(ps) > most {
			name, first, most = member, ps[0], len(ps)
		}
	}
	return name, first
}
