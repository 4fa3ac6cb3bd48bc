package conformance_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"klamm/conformance"
)

var updateConformance = flag.Bool("update-conformance", false, "write CONFORMANCE.md and the README's totals anew")

// TestConformancePage holds CONFORMANCE.md and the README's totals against the rules and
// the accepted differences.
func TestConformancePage(t *testing.T) {
	rules, differences := conformance.Rules(), readDifferences(t)
	holdPage(t, "../CONFORMANCE.md", conformancePage(rules, differences))

	const readme, begin, end = "../README.md", "<!-- generated: totals -->\n", "<!-- end -->"
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(text), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("the README has no part between %q and %q", begin, end)
	}
	holdPage(t, readme, before+begin+totals(rules, differences)+end+after)
}

func holdPage(t *testing.T, path, want string) {
	t.Helper()
	if *updateConformance {
		writeFile(t, path, want)
		return
	}
	text, err := os.ReadFile(path)
	if err != nil || string(text) != want {
		t.Errorf("%s is stale; see go test ./conformance -run TestConformancePage -update-conformance", path)
	}
}

// keptRules counts the rules that this broker keeps: those without an accepted difference,
// for any other difference fails a test.
func keptRules(rules []conformance.Rule, differences map[string]string) (kept int) {
	for _, r := range rules {
		if _, differs := differences[r.ID]; !differs {
			kept++
		}
	}
	return kept
}

func totals(rules []conformance.Rule, differences map[string]string) string {
	return fmt.Sprintf("Of %d rules recorded from Apache Kafka 4.4.0, Klamm keeps %d. [CONFORMANCE.md](CONFORMANCE.md)\n"+
		"has the numbers by family and the accepted differences.\n", len(rules), keptRules(rules, differences))
}

const pageIntro = `# Conformance

<!-- Generated: go test ./conformance -run TestConformancePage -update-conformance -->

A rule is a conversation over the wire, recorded from Apache Kafka 4.4.0. A broker keeps it
when it says the same, field for field.

| family | rules | Klamm keeps |
|---|--:|--:|
`

const pageHow = `
## How it is measured

` + "`go test ./conformance`" + ` compares every rule with its recording; a difference that is not
accepted above fails it. Any other broker of one node is held with

    klamm conformance --bootstrap HOST:PORT
`

func conformancePage(rules []conformance.Rule, differences map[string]string) string {
	families := map[string][]conformance.Rule{}
	for _, r := range rules {
		families[r.Family()] = append(families[r.Family()], r)
	}
	var b strings.Builder
	b.WriteString(pageIntro)
	fmt.Fprintf(&b, "| **all** | %d | %d |\n", len(rules), keptRules(rules, differences))
	for _, name := range slices.Sorted(maps.Keys(families)) {
		fmt.Fprintf(&b, "| %s | %d | %d |\n", name, len(families[name]), keptRules(families[name], differences))
	}
	b.WriteString("\n## Accepted differences\n\n")
	for _, id := range slices.Sorted(maps.Keys(differences)) {
		fmt.Fprintf(&b, "- `%s`: %s\n", id, strings.TrimSpace(differences[id]))
	}
	b.WriteString(pageHow)
	return b.String()
}
