package conformance

import (
	"fmt"
	"strings"
)

// Kafka is the release of Apache Kafka whose answers are recorded.
const Kafka = "4.4.0"

// Transcript is what a recorded file holds: the rule as a heading, then the conversation.
func (r Rule) Transcript(said string) string {
	return fmt.Sprintf("# %s\n# %s\n# Source: %s. Recorded from Apache Kafka %s.\n\n%s", r.ID, r.Says, r.Source, Kafka, said)
}

// FirstDifference shows where got leaves want, with a few lines before it; it is
// empty when the texts are equal.
func FirstDifference(want, got string) string {
	if want == got {
		return ""
	}
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	at := 0
	for at < len(w) && at < len(g) && w[at] == g[at] {
		at++
	}
	var out strings.Builder
	for _, line := range w[max(0, at-4):at] {
		out.WriteString("    " + line + "\n")
	}
	for _, line := range w[at:min(len(w), at+3)] {
		out.WriteString("  - " + line + "\n")
	}
	for _, line := range g[at:min(len(g), at+3)] {
		out.WriteString("  + " + line + "\n")
	}
	return out.String()
}
