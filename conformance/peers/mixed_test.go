package peers

import (
	"context"
	"testing"
)

// TestMixedGroup has different client libraries in one group: they agree on an
// assignor by its name, whoever leads computes it for all, and each of them can die.
//
// kafka-go and librdkafka do not fit into one group: kafka-go announces version 1 of
// the subscription and leaves out the owned partitions that belong to it, and
// librdkafka as a leader gives such a member nothing.
func TestMixedGroup(t *testing.T) {
	for _, third := range []driver{kafkaGoDriver(), confluentDriver()} {
		for _, assignor := range []string{"range", "roundrobin"} {
			t.Run(third.name+"/"+assignor, func(t *testing.T) {
				t.Parallel()
				if third.skip != "" {
					t.Skip(third.skip)
				}
				ctx, tg := newTarget(t)
				mixedGroup(ctx, t, tg, assignor, kgoDriver(), saramaDriver(), third)
			})
		}
	}
}

func mixedGroup(ctx context.Context, t *testing.T, tg *target, assignor string, first, second, third driver) {
	topic := tg.topic(ctx, t, 4)
	g := newGroup(tg, first, assignor, topic, 4)
	for _, d := range []driver{first, second, third} {
		g.driver = d
		g.join(t, d.name, "")
	}
	g.await(ctx, t, "one member with two partitions and two with one", balanced(2, 1, 1))
	g.produce(ctx, t, 0, 10)
	g.await(ctx, t, "10 records of each partition", readTo(10))
	g.commit(ctx, t, []int64{10, 10, 10, 10})

	g.crash(second.name)
	g.await(ctx, t, "the two others with two partitions each", balanced(2, 2))
	g.produce(ctx, t, 10, 20)
	g.await(ctx, t, "20 records of each partition", readTo(20))
	g.commit(ctx, t, []int64{20, 20, 20, 20})

	g.close(first.name)
	g.await(ctx, t, "the last one with all partitions", balanced(4))
	g.produce(ctx, t, 20, 30)
	g.await(ctx, t, "30 records of each partition", readTo(30))
	g.checkReads(t, 30, nil)
}
