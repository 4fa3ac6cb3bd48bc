package peers

import "testing"

// TestMixedGroup has different client libraries in one group: they agree on an
// assignor by its name, whoever leads computes it for all, and each of them can die.
func TestMixedGroup(t *testing.T) {
	for _, assignor := range []string{"range", "roundrobin"} {
		t.Run(assignor, func(t *testing.T) {
			t.Parallel()
			ctx, tg := newTarget(t)
			topic := tg.topic(ctx, t, 4)
			var all []driver
			for _, d := range drivers() {
				if d.skip == "" {
					all = append(all, d)
				}
			}
			g := newGroup(tg, all[0], assignor, topic, 4)
			for _, d := range all {
				g.driver = d
				g.join(t, d.name, "")
			}
			shares := []int{1, 1, 1, 1}
			if len(all) == 3 {
				shares = []int{2, 1, 1}
			}
			g.await(ctx, t, "one partition each", balanced(shares...))

			for i, d := range all[1:] {
				last := int64(i) * 10
				g.produce(ctx, t, last, last+10)
				g.await(ctx, t, "the records of each partition", readTo(last+10))
				g.commit(ctx, t, []int64{last + 10, last + 10, last + 10, last + 10})
				g.crash(d.name)
				g.await(ctx, t, "the others without "+d.name, func(l *ledger) bool {
					return len(l.owner) == 4 && len(l.owned()) == len(all)-1-i
				})
			}
			g.produce(ctx, t, int64(len(all)-1)*10, 100)
			g.await(ctx, t, "100 records of each partition", readTo(100))
			g.checkReads(t, 100, nil)
		})
	}
}
