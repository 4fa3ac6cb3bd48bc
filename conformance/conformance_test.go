package conformance_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"klamm/broker"
	"klamm/conformance"
)

var (
	bootstrap = flag.String("bootstrap", "", "HOST:PORT of a live target instead of the in-process broker")
	against   = flag.String("against", "", "HOST:PORT of a second live target to compare with, instead of the transcripts")
	record    = flag.Bool("record", false, "write the transcripts anew from the target of -bootstrap; without it, the accepted differences")
)

const (
	transcripts = "testdata/kafka-" + conformance.Kafka
	// recordRuns is how often a rule must say the same before it is recorded.
	recordRuns = 3
)

// acceptedPath is where what this broker says lies when differences.txt accepts it.
func acceptedPath(r conformance.Rule) string { return filepath.Join("testdata/accepted", r.ID+".txt") }

func path(r conformance.Rule) string { return filepath.Join(transcripts, r.ID+".txt") }

// TestRules holds every conversation with the target and compares it with what
// Apache Kafka said.
func TestRules(t *testing.T) {
	accepted := readDifferences(t)
	targets := map[string]conformance.Target{} // by profile
	for _, r := range conformance.Rules() {
		if _, ok := targets[r.Profile]; !ok && *bootstrap == "" {
			targets[r.Profile] = inProcess(t, r.Profile)
		}
	}
	t.Run("rule", func(t *testing.T) {
		for _, r := range conformance.Rules() {
			t.Run(r.ID, func(t *testing.T) {
				if r.Timed && *bootstrap == "" && *against == "" {
					synctest.Test(t, func(t *testing.T) { inBubble(t, r, accepted[r.ID]) })
					return
				}
				t.Parallel()
				target := targets[r.Profile]
				if *bootstrap != "" {
					target = foreign(t, r)
				}
				check(t, r, target, accepted[r.ID])
			})
		}
	})
}

// inProcess is a broker of our own with the settings of a profile.
func inProcess(t *testing.T, profile string) conformance.Target {
	c, err := broker.Start(broker.Config{Configs: conformance.Profiles()[profile].Settings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return conformance.Target{Addr: c.Addr(), Dial: c.Dial}
}

// foreign is the target of -bootstrap, if it has the settings that the rule needs.
func foreign(t *testing.T, r conformance.Rule) conformance.Target {
	target := conformance.Target{Addr: *bootstrap}
	if r.Profile == "" {
		return target
	}
	has, err := conformance.Settings(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	if lacks := r.Lacks(has); lacks != "" {
		t.Skip(lacks)
	}
	return target
}

// inBubble gives a timed rule a broker and a clock of its own.
func inBubble(t *testing.T, r conformance.Rule, accepted string) {
	c, err := broker.Start(broker.Config{Network: broker.Memory, Configs: conformance.Profiles()[r.Profile].Settings})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	check(t, r, conformance.Target{Addr: c.Addr(), Dial: c.Dial}, accepted)
}

func check(t *testing.T, r conformance.Rule, target conformance.Target, accepted string) {
	said := hold(t, r, target)
	switch {
	case *record && *bootstrap != "":
		recordRule(t, r, target, said)
		return
	case *record:
		if accepted != "" {
			writeFile(t, acceptedPath(r), said)
		}
		return
	case *against != "":
		other := hold(t, r, conformance.Target{Addr: *against})
		if d := conformance.FirstDifference(other, said); d != "" {
			t.Errorf("%s\n%s", r.Says, d)
		}
		return
	}
	want, err := os.ReadFile(path(r))
	if err != nil {
		t.Fatalf("%v (go test ./conformance -record -bootstrap HOST:PORT records it)", err)
	}
	d := conformance.FirstDifference(string(want), r.Transcript(said))
	switch {
	case *bootstrap != "" || accepted == "":
		if d != "" {
			t.Errorf("%s\n%s", r.Says, d)
		}
	case d == "":
		t.Errorf("the difference that differences.txt accepts no longer occurs: %s", accepted)
	default:
		checkAccepted(t, r, said)
	}
}

// checkAccepted holds a rule with an accepted difference to what this broker said when
// the difference was accepted, so that it does not hide others.
func checkAccepted(t *testing.T, r conformance.Rule, said string) {
	want, err := os.ReadFile(acceptedPath(r))
	if err != nil {
		t.Fatalf("%v (go test ./conformance -record records it)", err)
	}
	if d := conformance.FirstDifference(string(want), said); d != "" {
		t.Errorf("not the difference that is accepted\n%s", d)
	}
}

func hold(t *testing.T, r conformance.Rule, target conformance.Target) string {
	said, err := r.Hold(context.Background(), target)
	if err != nil {
		t.Fatal(err)
	}
	return said
}

// recordRule writes said when the target says it again.
func recordRule(t *testing.T, r conformance.Rule, target conformance.Target, said string) {
	for range recordRuns - 1 {
		if d := conformance.FirstDifference(said, hold(t, r, target)); d != "" {
			t.Fatalf("not recorded: the target does not say the same every time\n%s", d)
		}
	}
	for _, broken := range []string{"< nothing", "the conversation ends here", "broken: "} {
		if strings.Contains(said, broken) {
			t.Fatalf("not recorded: a rule is no rule when it ends like this\n%s", said)
		}
	}
	writeFile(t, path(r), r.Transcript(said))
}

func writeFile(t *testing.T, name, text string) {
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestEveryTranscriptHasItsRule fails for a transcript that no rule reads.
func TestEveryTranscriptHasItsRule(t *testing.T) {
	rules := map[string]bool{}
	for _, r := range conformance.Rules() {
		if rules[r.ID] {
			t.Errorf("two rules are called %s", r.ID)
		}
		rules[r.ID] = true
	}
	files, err := filepath.Glob(filepath.Join(transcripts, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if id := strings.TrimSuffix(filepath.Base(f), ".txt"); !rules[id] {
			t.Errorf("%s has no rule", f)
		}
	}
	accepted := readDifferences(t)
	for id := range accepted {
		if !rules[id] {
			t.Errorf("differences.txt names %s, which is no rule", id)
		}
	}
	if files, err = filepath.Glob("testdata/accepted/*"); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if accepted[strings.TrimSuffix(filepath.Base(f), ".txt")] == "" {
			t.Errorf("%s is not in differences.txt", f)
		}
	}
}

// readDifferences are the accepted differences: a rule's id at the start of a line,
// its reason after it and on the indented lines below.
func readDifferences(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("differences.txt")
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[string]string{}
	var id string
	for line := range strings.Lines(string(text)) {
		words := strings.TrimSpace(line)
		switch {
		case words == "" || strings.HasPrefix(line, "#"):
		case line[0] == ' ' && id != "":
			reasons[id] += " " + words
		default:
			var reason string
			id, reason, _ = strings.Cut(words, " ")
			reasons[id] = strings.TrimSpace(reason)
		}
	}
	for id, reason := range reasons {
		if reason == "" {
			t.Errorf("differences.txt accepts %s without a reason", id)
		}
	}
	return reasons
}
