package tidy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Exceptions takes out of found what the list allows, and adds what is wrong
// with the list itself. A line is "RULE | PLACE | SIZE | why"; lines that begin
// with # are comments. An exception must be needed and exact: whoever shortens a
// function shortens the list, which so can only shrink.
func Exceptions(found []Finding, list string) (left []Finding) {
	type exception struct {
		rule, place string
		size, line  int
		used        bool
	}
	wrong := func(line int, format string, args ...any) {
		left = append(left, Finding{Rule: "exceptions", Place: "line " + strconv.Itoa(line),
			Message: fmt.Sprintf("internal/tidy/exceptions.txt:%d: %s", line, fmt.Sprintf(format, args...))})
	}
	var exceptions []*exception
	for i, text := range strings.Split(list, "\n") {
		if text = strings.TrimSpace(text); text == "" || text[0] == '#' {
			continue
		}
		fields := strings.SplitN(text, "|", 4)
		if len(fields) < 4 || strings.TrimSpace(fields[3]) == "" {
			wrong(i+1, "want RULE | PLACE | SIZE | why")
			continue
		}
		size, err := strconv.Atoi(strings.TrimSpace(fields[2]))
		if err != nil {
			wrong(i+1, "size: %v", err)
		}
		exceptions = append(exceptions, &exception{strings.TrimSpace(fields[0]), strings.TrimSpace(fields[1]), size, i + 1, false})
	}
	for _, f := range found {
		at := slices.IndexFunc(exceptions, func(e *exception) bool { return e.rule == f.Rule && e.place == f.Place })
		if at < 0 || f.Size > exceptions[at].size {
			left = append(left, f)
		}
		if at >= 0 {
			exceptions[at].used = true
			if f.Size < exceptions[at].size {
				wrong(exceptions[at].line, "%s is down to %d: lower the exception", f.Place, f.Size)
			}
		}
	}
	for _, e := range exceptions {
		if !e.used {
			wrong(e.line, "%s %s breaks no rule any more: remove the exception", e.rule, e.place)
		}
	}
	return sorted(left)
}
