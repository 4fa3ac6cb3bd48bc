package conformance

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// barWidth is how many signs a bar of the text report has.
const barWidth = 20

// WriteText writes the report for a reader of a terminal: the broken rules with their
// first differences, what was not asked, a bar for each family, and the sum.
func (r Report) WriteText(out io.Writer) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "%s\n", r.Title())
	for _, result := range r.Of(VerdictBroken) {
		kind := result.Severity
		if len(result.Details) > 0 {
			kind += ", in details only: " + strings.Join(result.Details, ", ")
		}
		fmt.Fprintf(w, "\nBROKEN %s (%s)\n  %s\n  Source: %s\n%s\n", result.ID, kind, result.Says, result.Source, result.Why)
	}
	for _, v := range []Verdict{VerdictNotOffered, VerdictNotRun} {
		results := r.Of(v)
		if len(results) > 0 {
			fmt.Fprintf(w, "\n%s\n", strings.ToUpper(string(v)))
		}
		for _, same := range byReason(results) {
			fmt.Fprintf(w, "  %s: %s\n", strings.Join(same.IDs, " "), same.Why)
		}
	}
	if len(r.Lost) > 0 {
		fmt.Fprintf(w, "\nLOST\n  %s took no connection any more while these rules were held, or right after;\n"+
			"  held alone (--run) they tell which of them ends it: %s\n", r.Target, strings.Join(r.Lost, " "))
	}
	fmt.Fprintln(w)
	for _, f := range r.Families() {
		fmt.Fprintf(w, "%-14s %s %4d of %4d kept", f.Family, bar(f.Count), f.Kept, f.Asked())
		for _, left := range []struct {
			n    int
			what string
		}{{f.Details, "broken in details only"}, {f.NotOffered, "not offered"}, {f.NotRun, "not run"}} {
			if left.n > 0 {
				fmt.Fprintf(w, ", %d %s", left.n, left.what)
			}
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "\n%s\n", r.Count())
	return w.Flush()
}

// reason is why several rules have no verdict.
type reason struct {
	Why string
	IDs []string
}

// byReason groups results by why they have no verdict, in the order in which they come.
func byReason(results []Result) []reason {
	var all []reason
	for _, result := range results {
		i := slices.IndexFunc(all, func(r reason) bool { return r.Why == result.Why })
		if i < 0 {
			i = len(all)
			all = append(all, reason{Why: result.Why})
		}
		all[i].IDs = append(all[i].IDs, result.ID)
	}
	return all
}

// bar is how much of what was asked is kept; what was not asked is blank. Something
// broken always shows.
func bar(c Count) string {
	kept := barWidth * c.Kept / max(1, c.Rules())
	broken := (barWidth*c.Broken + c.Rules() - 1) / max(1, c.Rules())
	blank := max(0, barWidth-kept-broken)
	if c.NotOffered+c.NotRun == 0 {
		kept, blank = barWidth-broken, 0
	}
	return strings.Repeat("#", kept) + strings.Repeat("!", broken) + strings.Repeat(".", blank)
}

// Title says what was asked, and when.
func (r Report) Title() string {
	of := "Apache Kafka " + r.Kafka
	if r.Against != "" {
		of = r.Against
	}
	return fmt.Sprintf("%s as %s, %s, in %v", r.Target, of, r.Began.Format("2006-01-02 15:04 MST"),
		(time.Duration(r.Millis) * time.Millisecond).Round(100*time.Millisecond))
}
