package conformance

import (
	_ "embed" // for the page
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
)

//go:embed report.html.tmpl
var page string

// WriteHTML writes the report as one page that needs nothing else: a bar for each
// family, a matrix of APIs and versions, the first difference of each broken rule, and
// every rule by API and version.
func (r Report) WriteHTML(w io.Writer) error {
	t, err := template.New("report").Funcs(template.FuncMap{"lines": diffLines, "percent": percent}).Parse(page)
	if err != nil {
		return err
	}
	m := r.matrix()
	return t.Execute(w, map[string]any{
		"Report": r, "Count": r.Count(), "Families": r.Families(), "Matrix": m,
		"Substance": r.broken(false), "Details": r.broken(true),
		"NotOffered": byReason(r.Of(VerdictNotOffered)), "NotRun": byReason(r.Of(VerdictNotRun)),
		"WithoutAPI": r.withoutAPI(),
	})
}

// brokenFamily are the broken rules of a family.
type brokenFamily struct {
	Family string
	Rules  []Result
}

// broken are the rules that are broken in substance, or those in details only, by family.
func (r Report) broken(inDetails bool) (all []brokenFamily) {
	for _, result := range r.Of(VerdictBroken) {
		if inDetails != (len(result.Details) > 0) {
			continue
		}
		if len(all) == 0 || all[len(all)-1].Family != result.Family() {
			all = append(all, brokenFamily{Family: result.Family()})
		}
		last := &all[len(all)-1]
		last.Rules = append(last.Rules, result)
	}
	return all
}

// matrix is every API, with or without rules, by version.
type matrix struct {
	Versions []int16 // the columns
	APIs     []apiRow
}

type apiRow struct {
	Key     int16
	API     string
	Offered string // such as "0–9"; "" when it is not advertised
	Cells   []cell // one for each column
	Rules   []ruleRow
}

// Tested tells whether a rule speaks the API.
func (a apiRow) Tested() bool { return len(a.Rules) > 0 }

// cell is one version of one API.
type cell struct {
	Offered bool
	Rules   int // that were held and speak it
	Broken  int // whose first difference is there
	Details int // of these, those broken in details only
}

// Class is how the page paints the cell.
func (c cell) Class() string {
	switch {
	case c.Broken > c.Details:
		return "b"
	case c.Details > 0:
		return "d"
	case c.Rules > 0:
		return "k"
	case c.Offered:
		return "u"
	}
	return ""
}

// Text is what stands in the cell.
func (c cell) Text() string {
	switch {
	case c.Broken > 0:
		return fmt.Sprintf("%d/%d", c.Rules-c.Broken, c.Rules)
	case c.Rules > 0:
		return fmt.Sprint(c.Rules)
	}
	return ""
}

// ruleRow is one rule below its API, with a mark for each column.
type ruleRow struct {
	Result
	Marks []string // a class of the page, or "" where the rule does not speak the version
}

func (r Report) matrix() matrix {
	var m matrix
	byKey := map[int16]*apiRow{}
	row := func(key int16) *apiRow {
		if byKey[key] == nil {
			byKey[key] = &apiRow{Key: key, API: apiName(key)}
		}
		return byKey[key]
	}
	last := int16(0)
	for key, v := range r.Offer {
		a := row(key)
		if a.Offered = fmt.Sprintf("%d–%d", v.Min, v.Max); v.Min == v.Max {
			a.Offered = fmt.Sprint(v.Min)
		}
		last = max(last, v.Max)
	}
	for _, result := range r.Results {
		for _, call := range result.Calls {
			row(call.Key)
			last = max(last, call.Version)
		}
	}
	for v := range min(last, maxColumns) + 1 {
		m.Versions = append(m.Versions, v)
	}
	for _, a := range byKey {
		r.fillRow(a, m.Versions)
		m.APIs = append(m.APIs, *a)
	}
	slices.SortFunc(m.APIs, func(a, b apiRow) int { return int(a.Key) - int(b.Key) })
	return m
}

// maxColumns bounds the matrix: a target may advertise any version.
const maxColumns = 40

func (r Report) fillRow(a *apiRow, versions []int16) {
	a.Cells = make([]cell, len(versions))
	for i, v := range versions {
		a.Cells[i].Offered = r.Offer != nil && r.Offer.Has(a.Key, v)
	}
	for _, result := range r.Results {
		row := ruleRow{result, make([]string, len(versions))}
		speaks := false
		for _, call := range result.Calls {
			if call.Key != a.Key || int(call.Version) >= len(versions) {
				continue
			}
			speaks = true
			row.Marks[call.Version] = a.Cells[call.Version].count(call, result)
		}
		if speaks {
			a.Rules = append(a.Rules, row)
		}
	}
}

// count adds a rule that speaks a cell's version, and gives the rule's mark there: a
// broken rule is broken where its first difference is, and grey elsewhere.
func (c *cell) count(call Call, result Result) string {
	switch {
	case result.Verdict != VerdictKept && result.Verdict != VerdictBroken, !c.Offered:
		return "n"
	case result.At != nil && *result.At == call:
		c.Rules++
		c.Broken++
		if len(result.Details) > 0 {
			c.Details++
			return "d"
		}
		return "b"
	case result.Verdict == VerdictBroken:
		return "p"
	}
	c.Rules++
	return "k"
}

// withoutAPI are the results of rules that speak no API as such, but bytes.
func (r Report) withoutAPI() []Result {
	return slices.DeleteFunc(slices.Clone(r.Results), func(result Result) bool { return len(result.Calls) > 0 })
}

// diffLine is one line of a first difference.
type diffLine struct{ Class, Text string }

func diffLines(why string) []diffLine {
	var lines []diffLine
	for line := range strings.Lines(why) {
		l := diffLine{Text: strings.TrimSuffix(line, "\n")}
		switch {
		case strings.HasPrefix(line, "  - "):
			l.Class = "minus"
		case strings.HasPrefix(line, "  + "):
			l.Class = "plus"
		}
		lines = append(lines, l)
	}
	return lines
}

// percent is n of all, for widths.
func percent(n, all int) string { return fmt.Sprintf("%.2f%%", 100*float64(n)/float64(max(1, all))) }
