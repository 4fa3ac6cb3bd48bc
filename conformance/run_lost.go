package conformance

import (
	"slices"
	"time"
)

// justBefore is how long before a target took no connection any more it may have ended.
const justBefore = time.Second

// suspects are the rules that may have ended the target, ordered by id: those that were
// held when the first of results found that it takes no connection, and those that it
// hung up on just before. None when the target was there to the end.
func suspects(results []Result) (ids []string) {
	var lost Result // the first
	for _, r := range results {
		if r.lost && (lost.ID == "" || r.ended().Before(lost.ended())) {
			lost = r
		}
	}
	for _, r := range results {
		hungUp := r.Cause == "hung up" && r.ended().After(lost.ended().Add(-justBefore))
		if lost.ID != "" && r.began.Before(lost.ended()) && (hungUp || !r.ended().Before(lost.ended())) && !r.lost {
			ids = append(ids, r.ID)
		}
	}
	if len(ids) == 0 && lost.ID != "" {
		ids = append(ids, lost.ID)
	}
	slices.Sort(ids)
	return ids
}

// ended is when the verdict was known.
func (r Result) ended() time.Time { return r.began.Add(time.Duration(r.Millis) * time.Millisecond) }
