package conformance_test

import (
	"flag"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"klamm/broker"
	"klamm/conformance"
)

var (
	sequences   = flag.Int("sequences", 60, "how many random sequences TestRandom holds")
	seed        = flag.Uint64("seed", 1, "the seed of the random sequences")
	first       = flag.Int("first", 0, "the number of the first random sequence")
	themes      = flag.String("themes", "", "what the random sequences are about, separated by commas; empty is everything")
	replay      = flag.String("replay", "", "hold the script in this file with -bootstrap and -against, and show what both said")
	differences = flag.Int("differences", 1, "how many differences of random sequences are made shorter and shown")
)

// TestRandom holds random scripts with two targets: with -bootstrap and -against live
// ones, else with two in-process brokers, which must say the same to each other.
func TestRandom(t *testing.T) {
	if *bootstrap == "" {
		synctest.Test(t, func(t *testing.T) {
			random(t, &conformance.Random{Target: inMemory(t, nil), Against: inMemory(t, nil)})
		})
		return
	}
	if *against == "" {
		t.Skip("needs -against")
	}
	random(t, &conformance.Random{Target: conformance.Target{Addr: *bootstrap}, Against: conformance.Target{Addr: *against}})
}

// TestReplay shows what -bootstrap and -against say to a script.
func TestReplay(t *testing.T) {
	if *replay == "" {
		t.Skip("needs -replay")
	}
	text, err := os.ReadFile(*replay)
	if err != nil {
		t.Fatal(err)
	}
	s, err := conformance.ParseScript(string(text))
	if err != nil {
		t.Fatal(err)
	}
	r := &conformance.Random{Target: conformance.Target{Addr: *bootstrap}, Against: conformance.Target{Addr: *against}}
	want, got, err := r.Compare(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(want)
	if d := conformance.FirstDifference(want, got); d != "" {
		t.Error(d)
	}
}

func inMemory(t *testing.T, configs map[string]string) conformance.Target {
	c, err := broker.Start(broker.Config{Network: broker.Memory, Configs: configs})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return conformance.Target{Addr: c.Addr(), Dial: c.Dial}
}

func random(t *testing.T, r *conformance.Random) {
	r.Scripts, r.Seed, r.First = *sequences, *seed, *first
	if *themes != "" {
		r.Themes = strings.Split(*themes, ",")
	}
	if err := r.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	differ, shorter := 0, sync.WaitGroup{}
	for o := range r.Outcomes(t.Context()) {
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		if o.Difference == nil {
			continue
		}
		differ++
		if differ <= *differences {
			shorter.Go(func() { t.Errorf("%s", r.Shrink(t.Context(), *o.Difference)) })
		}
	}
	shorter.Wait()
	t.Logf("%d sequences of seed %d, %d differ", r.Scripts, r.Seed, differ)
	if differ > 0 {
		t.Errorf("%d of %d sequences differ", differ, r.Scripts)
	}
}

// TestRandomFinds: a broker that is set otherwise is found out, and what is left of the
// sequence still tells.
func TestRandomFinds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &conformance.Random{Target: inMemory(t, map[string]string{"offset.metadata.max.bytes": "2"}), Against: inMemory(t, nil), Scripts: 40, Seed: 1}
		d := r.Shrink(t.Context(), firstFound(t, r))
		if n := len(d.Script.Steps); n > 3 || !strings.Contains(d.Script.String(), "OffsetCommit") {
			t.Errorf("%d steps are left\n%s", n, d)
		}
		again, err := conformance.ParseScript(d.String())
		if err != nil || again.String() != d.Script.String() {
			t.Errorf("%v\n%s", err, again)
		}
		if want, got, err := r.Compare(t.Context(), again); err != nil || want == got {
			t.Errorf("%v\n%s", err, want)
		}
	})
}

// TestRandomFindsInTransactions: the same for what only transactions see.
func TestRandomFindsInTransactions(t *testing.T) {
	for config, value := range map[string]string{"transaction.max.timeout.ms": "50000", "transaction.partition.verification.enable": "false"} {
		synctest.Test(t, func(t *testing.T) {
			r := &conformance.Random{Target: inMemory(t, map[string]string{config: value}), Against: inMemory(t, nil), Scripts: 60, Seed: 1, Themes: []string{"transactions"}}
			if d := firstFound(t, r); d.Want == d.Got {
				t.Errorf("%s", d)
			}
		})
	}
}

func firstFound(t *testing.T, r *conformance.Random) conformance.Difference {
	if err := r.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	for o := range r.Outcomes(t.Context()) {
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		if o.Difference != nil {
			return *o.Difference
		}
	}
	t.Fatal("no difference was found")
	return conformance.Difference{}
}

// TestScriptText: a script's text says all of it.
func TestScriptText(t *testing.T) {
	target := inMemory(t, nil)
	r := &conformance.Random{Target: target, Against: target, Seed: *seed}
	if err := r.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n := range 300 {
		s := r.Draw(n)
		again, err := conformance.ParseScript(s.String())
		if err != nil {
			t.Fatalf("%v\n%s", err, s)
		}
		if again.String() != s.String() {
			t.Fatalf("%s\nis read as\n%s", s, again)
		}
	}
	for text, want := range map[string]string{
		"":                        "no steps",
		"M JoinGroup v9 {}":       "lower-case",
		"m JoinGroup v9":          "want:",
		"m JoinGroups v9 {}":      "no request",
		"m JoinGroup v9 {":        "fields",
		`m JoinGroup v9 {"A":1}`:  "no field A",
		`m Fetch v9 {"Topics":1}`: "no list",
		"topic t":                 "want:",
		"topic t 1 a":             "no CONFIG=VALUE",
	} {
		if _, err := conformance.ParseScript(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
