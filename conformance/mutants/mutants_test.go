package mutants

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	_ "klamm/broker" // so that a result is not taken from the cache when the broker has changed
	"klamm/conformance"
)

var (
	all  = flag.Bool("all", false, "hold every mutant, not a handful")
	seed = flag.Uint64("seed", 0, "chooses the handful; 0 is any")
)

const (
	root = "../.."
	// handful is how many mutants the everyday test builds: each is a build of the broker.
	handful = 2
	// atOnce is how many mutants are built at once.
	atOnce = 2
	// patience is how long a build and its run may take.
	patience = 5 * time.Minute
)

// TestEveryMutantIsCaught builds the broker with each mutant in it, or a handful of
// them, and sees the rule fail that the mutant names.
func TestEveryMutantIsCaught(t *testing.T) {
	chosen := mutants(t)
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("mutants are built with the go command: ", err)
	}
	if !*all {
		by := cmp.Or(*seed, rand.Uint64()>>32)
		t.Logf("a handful of %d mutants, chosen by -seed %d; -all holds them all", len(chosen), by)
		r := rand.New(rand.NewPCG(by, 0))
		r.Shuffle(len(chosen), func(i, j int) { chosen[i], chosen[j] = chosen[j], chosen[i] })
		chosen = chosen[:handful]
	}
	slots := make(chan struct{}, atOnce)
	for _, m := range chosen {
		t.Run(m.rule, func(t *testing.T) {
			t.Parallel()
			slots <- struct{}{}
			defer func() { <-slots }()
			caught(t, tool, m)
		})
	}
}

// TestMutantsApply sees that every mutant still fits the code and names a rule.
func TestMutantsApply(t *testing.T) {
	rules := map[string]bool{}
	for _, r := range conformance.Rules() {
		rules[r.ID] = true
	}
	for _, m := range mutants(t) {
		if !rules[m.rule] {
			t.Errorf("%s: %s is no rule", m.at, m.rule)
		}
		text, err := os.ReadFile(filepath.Join(root, m.file))
		if err != nil {
			t.Errorf("%s: %v", m.at, err)
			continue
		}
		if _, err := m.apply(string(text)); err != nil {
			t.Error(err)
		}
	}
}

func TestMutantsThatDoNotApply(t *testing.T) {
	for _, c := range []struct{ mutant, problem string }{
		{"mutant r f\n# says\n-a\n+b\n", "stands 2 times"},
		{"mutant r f\n# says\n-c\n+b\n", "stands 0 times"},
		{"mutant r f\n-b\n+c\n", "says what it breaks"},
		{"mutant r f\n# says\n-b\n+b\n", "changes something"},
		{"# says\n", "begins with"},
		{"mutant r f\nsays\n", "neither"},
	} {
		found, err := parseMutants("m.txt", c.mutant)
		if err == nil {
			_, err = found[0].apply("a\nb\na\n")
		}
		if err == nil || !strings.Contains(err.Error(), c.problem) {
			t.Errorf("%q: %v, want %s", c.mutant, err, c.problem)
		}
	}
}

// mutants are all that are written down.
func mutants(t *testing.T) []mutant {
	t.Helper()
	found, err := readMutants("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 40 {
		t.Fatalf("%d mutants", len(found))
	}
	return found
}

// caught builds the suite's own test with the mutant in it and sees the rule fail,
// because the transcripts differ and for no other reason.
func caught(t *testing.T, tool string, m mutant) {
	dir := t.TempDir()
	binary := filepath.Join(dir, "suite.test")
	build := command(t, root, tool, "test", "-c", "-ldflags=-s -w", "-overlay", overlay(t, dir, m), "-o", binary, "./conformance")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: a mutant has to be built: %v\n%s", m.at, err, out)
	}
	rule := "^TestRules$/^rule$/^" + regexp.QuoteMeta(m.rule) + "$"
	out, err := command(t, filepath.Join(root, "conformance"), binary, "-test.run", rule).CombinedOutput()
	var failed *exec.ExitError
	switch {
	case err == nil:
		t.Errorf("%s: the rule does not notice that %s", m.at, m.says)
	case !errors.As(err, &failed), !differs(string(out), m.rule):
		t.Errorf("%s: the test of %s ended without a difference: %v\n%s", m.at, m.rule, err, out)
	}
}

// differs tells that the output of a test says how the rule's transcripts differ.
func differs(out, rule string) bool {
	ours := strings.Contains(out, "--- FAIL: TestRules/rule/"+rule+" ")
	difference := regexp.MustCompile(`(?m)^ +[-+] `).MatchString(out)
	return ours && difference && !strings.Contains(out, "\npanic: ")
}

// overlay writes what go test -overlay takes: the file of the mutant, and its text.
func overlay(t *testing.T, dir string, m mutant) string {
	file, err := filepath.Abs(filepath.Join(root, m.file))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed, err := m.apply(string(text))
	if err != nil {
		t.Fatal(err)
	}
	instead := filepath.Join(dir, "mutant.go")
	data, err := json.Marshal(map[string]map[string]string{"Replace": {file: instead}})
	if err != nil {
		t.Fatal(err)
	}
	replaced := filepath.Join(dir, "overlay.json")
	for name, content := range map[string][]byte{instead: []byte(changed), replaced: data} {
		if err := os.WriteFile(name, content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return replaced
}

func command(t *testing.T, dir, name string, args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	return cmd
}
