package sharecoord

import (
	"cmp"
	"slices"
)

// combine puts new batches over old ones, without what lies below start (-1: all of it
// counts). Where they overlap the one of more deliveries holds, and of the same number
// the one whose state is further on. It mirrors
// org.apache.kafka.coordinator.share.PersisterStateBatchCombiner; batches that do not
// overlap but follow each other in the same state become one.
func combine(old, added []Batch, start int64) []Batch {
	var all []Batch
	for _, list := range [...][]Batch{old, added} {
		for _, b := range list {
			if start != -1 {
				b.First = max(b.First, start)
			}
			if b.First <= b.Last {
				all = append(all, b)
			}
		}
	}
	if len(all) < 2 {
		return all
	}
	return sweep(all)
}

// edge is where a batch begins or ends.
type edge struct {
	offset int64
	batch  int
}

// sweep goes over all edges in order and notes which batch holds between them.
func sweep(all []Batch) (out []Batch) {
	edges := make([]edge, 0, 2*len(all))
	for i, b := range all {
		edges = append(edges, edge{b.First, i}, edge{b.Last + 1, i})
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Compare(a.offset, b.offset) })
	open := make(map[int]bool)
	for i := 0; i < len(edges); {
		from := edges[i].offset
		for ; i < len(edges) && edges[i].offset == from; i++ {
			if n := edges[i].batch; open[n] {
				delete(open, n)
			} else {
				open[n] = true
			}
		}
		if len(open) > 0 {
			out = join(out, winner(all, open), from, edges[i].offset-1)
		}
	}
	return out
}

// winner is the batch that holds of those that are open.
func winner(all []Batch, open map[int]bool) (best Batch) {
	first := true
	for n := range open {
		b := all[n]
		if first || b.DeliveryCount > best.DeliveryCount || b.DeliveryCount == best.DeliveryCount && b.State > best.State {
			best, first = b, false
		}
	}
	return best
}

// join adds a range in the state of b, to the one before where it goes on from that.
func join(out []Batch, b Batch, first, last int64) []Batch {
	if n := len(out); n > 0 && out[n-1].Last+1 == first && out[n-1].State == b.State && out[n-1].DeliveryCount == b.DeliveryCount {
		out[n-1].Last = last
		return out
	}
	return append(out, Batch{first, last, b.State, b.DeliveryCount})
}
