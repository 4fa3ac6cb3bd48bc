package peers

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"klamm/conformance"
)

var updateKfake = flag.Bool("update-kfake", false, "hold the rules with kfake three times and write kfake.txt anew")

const (
	kfakeFile = "kfake.txt"
	kfakeRuns = 3 // of an update: a rule whose verdict differs between them varies
	kfakeHead = "# What became of each rule of the suite with kfake %s: the rule, the verdict, its cause, the first difference.\n" +
		"# \"detail\" is broken in details only, in \"died\" kfake's process ends, \"varies\" is not the same every time.\n" +
		"# Generated: go test ./conformance/peers -run TestKfakeResults -timeout 30m -args -update-kfake\n"
)

// kfakeRow is what became of one rule.
type kfakeRow struct{ rule, verdict, cause, first string }

func (r kfakeRow) String() string {
	return strings.Join([]string{r.rule, r.verdict, r.cause, r.first}, "\t")
}

// TestKfakeResults holds the suite's rules with kfake and compares the verdicts with those
// in kfake.txt, from which CONFORMANCE.md is made. What takes seconds to show is held by an update only: timed rules,
// and those that are broken because something does not come.
func TestKfakeResults(t *testing.T) {
	if *updateKfake {
		writeKfakeRows(t)
		return
	}
	if testing.Short() || raceDetector {
		t.Skip("some seconds of kfake, whose races are not ours")
	}
	rows := readKfakeRows(t)
	var rules []conformance.Rule
	var newer []string
	for _, r := range conformance.Rules() {
		row, ok := rows[r.ID]
		if !ok {
			newer = append(newer, r.ID)
		}
		if ok && !r.Timed && row.verdict != "varies" && row.cause != "awaited" && row.cause != "no answer" {
			rules = append(rules, r)
		}
		delete(rows, r.ID)
	}
	for id := range rows {
		t.Errorf("%s names %s, which is no rule", kfakeFile, id)
	}
	if t.Logf("%s lacks %d rules: %q", kfakeFile, len(newer), newer); len(newer) > len(conformance.Rules())/10 {
		t.Errorf("too many rules are newer than %s, which is written anew by go test ./conformance/peers -run TestKfakeResults -timeout 30m -args -update-kfake", kfakeFile)
	}
	rows = readKfakeRows(t)
	for try := 1; len(rules) > 0; try++ {
		results := kfakeResults(t.Context(), t, rules, 1)
		wrong := slices.DeleteFunc(rules, func(r conformance.Rule) bool { return rowOf(r, results[r.ID]).verdict == rows[r.ID].verdict })
		if try == kfakeRuns { // a busy machine may have been too slow once
			for _, r := range wrong {
				t.Errorf("now %v\nand was %v", rowOf(r, results[r.ID]), rows[r.ID])
			}
			return
		}
		rules = wrong
	}
}

func readKfakeRows(t *testing.T) map[string]kfakeRow {
	t.Helper()
	text, err := os.ReadFile(kfakeFile)
	if err != nil {
		t.Fatal(err)
	}
	if head := fmt.Sprintf(kfakeHead, kfakeVersion(t)); !strings.HasPrefix(string(text), head) {
		t.Errorf("%s is of another version of kfake; it should begin with\n%s", kfakeFile, head)
	}
	rows := map[string]kfakeRow{}
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) == 4 {
			rows[fields[0]] = kfakeRow{fields[0], fields[1], fields[2], fields[3]}
		}
	}
	return rows
}

func writeKfakeRows(t *testing.T) {
	version, rules := kfakeVersion(t), conformance.Rules()
	results := kfakeResults(t.Context(), t, rules, kfakeRuns)
	for range kfakeRuns - 1 { // a busy machine spoils what waits for time to pass
		again := slices.DeleteFunc(slices.Clone(rules), func(r conformance.Rule) bool {
			return !r.Timed || rowOf(r, results[r.ID]).verdict != "broken"
		})
		for id, more := range kfakeResults(t.Context(), t, again, 1) {
			if more[0].Verdict == conformance.VerdictKept {
				results[id] = more
			}
		}
	}
	var out strings.Builder
	fmt.Fprintf(&out, kfakeHead, version)
	for _, r := range rules {
		fmt.Fprintln(&out, rowOf(r, results[r.ID]))
	}
	if err := os.WriteFile(kfakeFile, []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// rowOf sums up the results of a rule that was held once or several times.
func rowOf(r conformance.Rule, results []conformance.Result) kfakeRow {
	if len(results) == 0 {
		return kfakeRow{r.ID, "not run", "", "there was no time"}
	}
	first := rowOfOne(results[0])
	for _, r := range results {
		if next := rowOfOne(r); next.verdict != first.verdict {
			return kfakeRow{r.ID, "varies", "varies", first.verdict + " and " + next.verdict}
		}
	}
	return first
}

func rowOfOne(r conformance.Result) kfakeRow {
	row := kfakeRow{r.ID, string(r.Verdict), r.Cause, strings.ReplaceAll(r.First, "\t", " ")}
	switch {
	case r.Verdict == conformance.VerdictBroken && len(r.Details) > 0:
		row.verdict, row.cause = "detail", strings.Join(r.Details, ", ")
	case r.Verdict == conformance.VerdictNotOffered, r.Verdict == conformance.VerdictNotRun:
		row.first, _, _ = strings.Cut(r.Why, "\n")
	}
	return row
}

// kfakeVersion is the version of kfake that go.mod names.
func kfakeVersion(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) >= 2 && strings.HasSuffix(fields[0], "/kfake") {
			return fields[1]
		}
	}
	t.Fatal("go.mod names no kfake")
	return ""
}
