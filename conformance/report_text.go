package conformance

import (
	"bufio"
	"fmt"
	"io"
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
		if result.Words {
			kind += ", in words only"
		}
		fmt.Fprintf(w, "\nBROKEN %s (%s)\n  %s\n  Source: %s\n%s\n", result.ID, kind, result.Says, result.Source, result.Why)
	}
	for _, v := range []Verdict{VerdictNotOffered, VerdictNotRun} {
		results := r.Of(v)
		if len(results) > 0 {
			fmt.Fprintf(w, "\n%s\n", strings.ToUpper(string(v)))
		}
		for _, result := range results {
			fmt.Fprintf(w, "  %s: %s\n", result.ID, result.Why)
		}
	}
	fmt.Fprintln(w)
	for _, f := range r.Families() {
		fmt.Fprintf(w, "%-14s %s %4d of %4d kept", f.Family, bar(f.Count), f.Kept, f.Asked())
		if f.NotOffered+f.NotRun > 0 {
			fmt.Fprintf(w, ", %d not offered, %d not run", f.NotOffered, f.NotRun)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "\n%s\n", r.Count())
	return w.Flush()
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
