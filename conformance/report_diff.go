package conformance

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Change is a rule whose verdict differs between two reports, or a broken one that is
// broken otherwise.
type Change struct {
	ID       string
	Old, New Verdict // "" when the rule is in one report only; see standing
	Why      string  // of the new report
}

// verdictDetails is the standing of a rule that is broken in details only.
const verdictDetails Verdict = "broken in details"

// standing is a result's verdict, in which details stand apart.
func (res Result) standing() Verdict {
	if res.Verdict == VerdictBroken && len(res.Details) > 0 {
		return verdictDetails
	}
	return res.Verdict
}

// Worse tells whether a rule that was kept is not any more, or one is broken that was
// not. What is in one report only says nothing about the target.
func (c Change) Worse() bool {
	if c.Old == "" || c.New == "" {
		return false
	}
	was, is := slices.Index(better, c.Old), slices.Index(better, c.New)
	return c.Old == VerdictKept && c.New != VerdictKept || is > was && is > 0
}

// better are the standings of what was held, from better to worse; the others say nothing.
var better = []Verdict{VerdictKept, verdictDetails, VerdictBroken}

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
		if old.standing() != r.standing() || old.Verdict == VerdictBroken && old.Why != r.Why {
			changes = append(changes, Change{r.ID, old.standing(), r.standing(), r.Why})
		}
	}
	for id, old := range was {
		changes = append(changes, Change{ID: id, Old: old.standing()})
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
			if _, err := fmt.Fprintf(w, "    %s\n", strings.ReplaceAll(c.Why, "\n", "\n    ")); err != nil {
				return worse, err
			}
		}
	}
	_, err = fmt.Fprintf(w, "%d rules changed, %d of them for the worse\n", len(changes), n)
	return worse, err
}
