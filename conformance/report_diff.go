package conformance

import (
	"cmp"
	"fmt"
	"io"
	"slices"
)

// Change is a rule whose verdict differs between two reports, or a broken one that is
// broken otherwise.
type Change struct {
	ID       string
	Old, New Verdict // "" when the rule is in one report only
	Why      string  // of the new report
}

// Worse tells whether a rule that was kept is not any more, or one is broken that was
// not. What is in one report only says nothing about the target.
func (c Change) Worse() bool {
	if c.Old == "" || c.New == "" {
		return false
	}
	return c.Old == VerdictKept && c.New != VerdictKept || c.Old != VerdictBroken && c.New == VerdictBroken
}

// Diff compares two reports, ordered by id.
func Diff(older, newer Report) []Change {
	was := map[string]Result{}
	for _, r := range older.Results {
		was[r.ID] = r
	}
	var changes []Change
	for _, r := range newer.Results {
		old := was[r.ID]
		delete(was, r.ID)
		if old.Verdict != r.Verdict || old.Verdict == VerdictBroken && old.Why != r.Why {
			changes = append(changes, Change{r.ID, old.Verdict, r.Verdict, r.Why})
		}
	}
	for id, old := range was {
		changes = append(changes, Change{ID: id, Old: old.Verdict})
	}
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.ID, b.ID) })
	return changes
}

// WriteDiff writes changes as text, and tells whether one is for the worse.
func WriteDiff(w io.Writer, changes []Change) (worse bool, err error) {
	n := 0
	for _, c := range changes {
		mark := " "
		if c.Worse() {
			worse, mark = true, "!"
			n++
		}
		if _, err := fmt.Fprintf(w, "%s %s: %s -> %s\n", mark, c.ID, cmp.Or(c.Old, "no rule"), cmp.Or(c.New, "no rule")); err != nil {
			return worse, err
		}
		if c.Why != "" {
			if _, err := fmt.Fprintf(w, "%s\n", c.Why); err != nil {
				return worse, err
			}
		}
	}
	_, err = fmt.Fprintf(w, "%d rules changed, %d of them for the worse\n", len(changes), n)
	return worse, err
}
