package conformance_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"klamm/conformance"
)

var updateConformance = flag.Bool("update-conformance", false, "write CONFORMANCE.md, its picture and the README's totals anew")

const familiesPicture = "families.svg"

// TestConformancePage holds CONFORMANCE.md, its picture and the README's totals against the
// rules, the accepted differences, and what peers/kfake.txt says of kfake.
func TestConformancePage(t *testing.T) {
	all := standings{rules: conformance.Rules(), differences: readDifferences(t)}
	all.readKfake(t)
	holdPage(t, "../CONFORMANCE.md", all.page())
	holdPage(t, familiesPicture, all.picture())

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
	holdPage(t, readme, before+begin+all.totals()+end+after)
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

// standings is how the rules stand with each broker.
type standings struct {
	rules       []conformance.Rule
	differences map[string]string // ours, by rule
	kfake       map[string]string // verdicts, by rule
	version     string            // of kfake
}

// kfakeVersion is in the first line of kfake.txt; a pseudo-version's date and commit say enough.
var kfakeVersion = regexp.MustCompile(`^# .* with kfake v\S*?(\d{8})\d{6}-(\w{7})\w*:`)

// readKfake reads kfake.txt, which the tests in peers keep: lines of rule, verdict, cause
// and first difference.
func (s *standings) readKfake(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile("peers/kfake.txt")
	if err != nil {
		t.Fatal(err)
	}
	if m := kfakeVersion.FindStringSubmatch(string(text)); m != nil {
		s.version = m[1] + " (" + m[2] + ")"
	} else {
		t.Error("kfake.txt names no version")
	}
	s.kfake = map[string]string{}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Split(line, "\t"); len(fields) == 4 {
			s.kfake[fields[0]] = fields[1]
		}
	}
}

// tally counts the rules of a family, or of all.
type tally struct {
	name                                     string
	rules, klamm                             int
	kept, details, broken, notOffered, newer int // by kfake
}

func (s *standings) count(name string, rules []conformance.Rule) tally {
	c := tally{name: name, rules: len(rules)}
	for _, r := range rules {
		if _, differs := s.differences[r.ID]; !differs {
			c.klamm++
		}
		switch s.kfake[r.ID] {
		case "kept":
			c.kept++
		case "detail":
			c.details++
		case "not offered":
			c.notOffered++
		case "":
			c.newer++
		default: // broken, died, varies, or no end in time
			c.broken++
		}
	}
	return c
}

// families are the counts by family, ordered by name.
func (s *standings) families() (all []tally) {
	byName := map[string][]conformance.Rule{}
	for _, r := range s.rules {
		byName[r.Family()] = append(byName[r.Family()], r)
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		all = append(all, s.count(name, byName[name]))
	}
	return all
}

func (s *standings) totals() string {
	all := s.count("", s.rules)
	return fmt.Sprintf("Of %d rules recorded from Apache Kafka 4.4.0, Klamm keeps %d. kfake of %s keeps %d and breaks\n"+
		"%d more in details only. [CONFORMANCE.md](CONFORMANCE.md) has the numbers by family and the accepted differences.\n",
		all.rules, all.klamm, s.version, all.kept, all.details)
}

const pageIntro = `# Conformance

<!-- Generated: go test ./conformance -run TestConformancePage -update-conformance -->

A rule is a conversation over the wire, recorded from Apache Kafka 4.4.0. A broker keeps it
when it says the same, field for field.

![Rules kept by family](conformance/families.svg)

| family | Kafka 4.4.0 | Klamm | kfake | in details | in substance | not offered |
|---|--:|--:|--:|--:|--:|--:|
`

const pageKfake = `
The columns of Kafka, Klamm and kfake are the rules that each keeps; the last three say what becomes
of the others with kfake.

## What the numbers of kfake mean

[kfake](https://github.com/twmb/franz-go/tree/master/pkg/kfake) of %s was held in processes of its own, each
rule with a fresh cluster of one broker, set by its own options to what the rule needs and else to
Kafka's defaults; each rule that does not wait for time three times. It is made for testing franz-go, does
not claim to say all that Kafka says, and serves APIs that this suite does not ask about yet. The rules
were written to measure Klamm, and many look into corners that no client comes near: the numbers tell how
much of what is measured is the same, and not how many programs work. %s

A rule is broken **in details** only when all that differs is something that no client can act on:

- words: error messages and documentation;
- one way to say nothing for another: null, an empty text, an empty list, but for keys and values;
- a field that is empty on one side, beside the same error code on both, unless a client goes on
  by it, as by the member id beside MEMBER_ID_REQUIRED;
- the same entries of an answer in another order;
- the number at which the epochs of a group begin: a member only says them again;
- a rule about what goes on within a broker: where a segment ends, what coordinators write to
  topics of their own.

The same is told apart for every broker in the reports of ` + "`klamm conformance`" + `. What is broken **in
substance** is the rest: another error code, another value, entries that are missing, no answer, or
the end of the process. [conformance/peers/kfake.txt](conformance/peers/kfake.txt) has each rule with its verdict, cause
and first difference.

    go test ./conformance/peers -run TestKfakeResults -count=1                                    # compare kfake with kfake.txt
    go test ./conformance/peers -run TestKfakeResults -count=1 -timeout 30m -args -update-kfake   # hold it anew
`

const pageHow = `
## How it is measured

` + "`go test ./conformance`" + ` compares every rule with its recording; a difference of Klamm that is not
accepted above fails it. Any other broker of one node is held with

    klamm conformance --bootstrap HOST:PORT
`

func (s *standings) page() string {
	var b strings.Builder
	b.WriteString(pageIntro)
	all := s.count("**all**", s.rules)
	for _, c := range append([]tally{all}, s.families()...) {
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d |\n", c.name, c.rules, c.klamm, c.kept, c.details, c.broken, c.notOffered)
	}
	newer := "Every rule was held."
	if all.newer > 0 {
		newer = fmt.Sprintf("%d rules are newer than that and were not held with it.", all.newer)
	}
	fmt.Fprintf(&b, pageKfake, s.version, newer)
	b.WriteString("\n## Accepted differences of Klamm\n\n")
	for _, id := range slices.Sorted(maps.Keys(s.differences)) {
		fmt.Fprintf(&b, "- `%s`: %s\n", id, strings.TrimSpace(s.differences[id]))
	}
	b.WriteString(pageHow)
	return b.String()
}
