package conformance

import (
	"fmt"
	"slices"
	"strings"
)

// causeTopic is why a rule is broken that looks into a topic of a coordinator where the
// target has none.
const causeTopic = "internal topic"

// firstCause is the class of the first difference between two transcripts, and the
// difference in one line.
func firstCause(want, got string) (cause, first string) {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	at := 0
	for at < len(w) && at < len(g) && w[at] == g[at] {
		at++
	}
	in := ""
	for i := min(at, len(w)-1); i >= 0 && in == ""; i-- {
		if call, ok := callIn(w[i]); ok {
			in = fmt.Sprintf("%s v%d: ", call.API, call.Version)
		}
	}
	wanted, said := "the end", "the end"
	if at < len(w) {
		wanted = strings.TrimSpace(w[at])
	}
	if at < len(g) {
		said = strings.TrimSpace(g[at])
	}
	cause, first = causeOf(wanted, said)
	return cause, in + first
}

// causeOf compares two lines.
func causeOf(want, got string) (cause, first string) {
	is := func(text string, ends ...string) bool {
		return slices.ContainsFunc(ends, func(end string) bool { return strings.HasSuffix(text, end) })
	}
	first = fmt.Sprintf("%s, not %s", shortened(got), shortened(want))
	switch {
	case strings.HasPrefix(got, "what was awaited did not happen"):
		return "awaited", got
	case strings.HasPrefix(got, "this needs the topic"):
		return causeTopic, got
	case strings.Contains(got, "cannot be made"):
		return "setup", got
	case is(got, "< nothing"):
		return "no answer", first
	case is(got, "< connection closed"):
		return "hung up", first
	case is(want, "< nothing", "< connection closed"):
		return "answered", first
	}
	w, g := parseLines(want)[0], parseLines(got)[0]
	if w.words[0] != g.words[0] {
		return "lines", first
	}
	for _, word := range w.words {
		name, value, ok := strings.Cut(word, "=")
		said := g.field(name)
		switch {
		case !ok || said == value:
		case said == "":
			return "field " + name, "no " + shortened(word) // there are entries, or nothing
		case name == "ErrorCode":
			return "error code", name + "=" + said + ", not " + value
		default:
			return "field " + name, fmt.Sprintf("%s=%s, not %s", name, shortened(said), shortened(value))
		}
	}
	for _, word := range g.words {
		if name, _, ok := strings.Cut(word, "="); ok && w.field(name) == "" {
			return "field " + name, shortened(word) + ", not entries" // an array without any
		}
	}
	return "lines", first
}

// shortened is text of a length that fits a line.
func shortened(text string) string {
	const most = 90
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
