package peers

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"klamm/conformance"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Some requests end kfake's process, so the suite is held with it in child processes: this
// test binary, told by its environment which rules to hold.
const childRules = "KLAMM_KFAKE_RULES" // ids, with commas

const (
	kfakeChildren = 32                // at once: most of them wait
	kfakeChunk    = 6                 // rules of a child
	kfakePatience = 8 * time.Second   // for an answer
	kfakeTime     = 150 * time.Second // for a rule: offsets expire after a minute
)

// verdictDied is that of a rule in which kfake's process ends.
const verdictDied conformance.Verdict = "died"

// TestKfakeChild is the child: it holds its rules one after the other, and says what
// became of each.
func TestKfakeChild(t *testing.T) {
	ids := os.Getenv(childRules)
	if ids == "" {
		return // it is nobody's child
	}
	chosen := strings.Split(ids, ",")
	for _, r := range conformance.Rules() {
		if !slices.Contains(chosen, r.ID) {
			continue
		}
		text, err := json.Marshal(holdWithKfake(t, r))
		if err != nil {
			t.Error(err)
		}
		fmt.Println("result", string(text))
	}
}

// holdWithKfake holds one rule with a kfake of its own.
func holdWithKfake(t *testing.T, r conformance.Rule) conformance.Result {
	ctx, cancel := context.WithTimeout(t.Context(), kfakeTime)
	defer cancel()
	c, err := kfake.NewCluster(kfakeOptions(conformance.Profiles()[r.Profile].Settings)...)
	if err != nil {
		return conformance.Result{ID: r.ID, Verdict: conformance.VerdictNotRun, Why: err.Error()}
	}
	defer c.Close()
	target := conformance.Target{Addr: c.ListenAddrs()[0], Patience: kfakePatience}
	run, err := conformance.Suite{Rules: []conformance.Rule{r}, Target: target}.Begin(ctx)
	if err != nil {
		return conformance.Result{ID: r.ID, Verdict: conformance.VerdictNotRun, Why: err.Error()}
	}
	for result := range run.Results(ctx) {
		return result
	}
	return conformance.Result{}
}

// kfakeOptions give kfake the settings of a profile, by its own options where it has one,
// and Kafka's defaults where its own are others.
func kfakeOptions(settings map[string]string) []kfake.Opt {
	configs := maps.Clone(settings)
	if every := settings["log.retention.check.interval.ms"]; every != "" {
		configs["log.cleaner.backoff.ms"] = every // by which kfake looks for what has expired
	}
	partitions, _ := strconv.Atoi(cmp.Or(settings["num.partitions"], "1"))
	opts := []kfake.Opt{kfake.NumBrokers(1), kfake.DefaultNumPartitions(partitions), kfake.BrokerConfigs(configs)}
	if settings["auto.create.topics.enable"] != "false" {
		opts = append(opts, kfake.AllowAutoTopicCreation())
	}
	if ms, _ := strconv.Atoi(settings["group.min.session.timeout.ms"]); ms > 0 {
		opts = append(opts, kfake.GroupMinSessionTimeout(time.Duration(ms)*time.Millisecond))
	}
	longest, _ := strconv.Atoi(cmp.Or(settings["group.max.session.timeout.ms"], "1800000"))
	return append(opts, kfake.GroupMaxSessionTimeout(time.Duration(longest)*time.Millisecond))
}

// kfakeResults are the results of rules, each with a kfake of its own, by rule. Each rule
// is held as many times as runs says, but once if it waits for time to pass. One in which
// kfake's process ends, and does so again when it is held alone, died.
func kfakeResults(ctx context.Context, t *testing.T, rules []conformance.Rule, runs int) map[string][]conformance.Result {
	todo, done := make(chan []string, runs*len(rules)), make(chan conformance.Result, runs*len(rules))
	var plain []string
	for _, r := range rules {
		if r.Timed {
			todo <- []string{r.ID} // they begin first
		} else {
			plain = append(plain, r.ID)
		}
	}
	for range runs {
		for chunk := range slices.Chunk(plain, kfakeChunk) {
			todo <- chunk
		}
	}
	close(todo)
	var workers sync.WaitGroup
	for range kfakeChildren {
		workers.Go(func() {
			for ids := range todo {
				holdChunk(ctx, t, ids, done)
			}
		})
	}
	workers.Wait()
	close(done)
	results := map[string][]conformance.Result{}
	for r := range done {
		results[r.ID] = append(results[r.ID], r)
	}
	return results
}

// holdChunk holds rules in one child, and in another one when that has died.
func holdChunk(ctx context.Context, t *testing.T, ids []string, done chan<- conformance.Result) {
	for len(ids) > 0 && ctx.Err() == nil {
		held, _ := kfakeChild(ctx, t, ids)
		for _, r := range held {
			done <- r
		}
		ids = ids[len(held):]
		if len(ids) == 0 {
			return
		}
		again, words := kfakeChild(ctx, t, ids[:1])
		if len(again) == 0 {
			again = []conformance.Result{{ID: ids[0], Verdict: verdictDied, Cause: "died", First: words}}
		}
		done <- again[0]
		ids = ids[1:]
	}
}

// kfakeChild holds rules in a child: the results of those that were held before it died,
// and its last words if it did.
func kfakeChild(ctx context.Context, t *testing.T, ids []string) (held []conformance.Result, words string) {
	child := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestKfakeChild$", "-test.timeout=20m")
	child.Env = append(os.Environ(), childRules+"="+strings.Join(ids, ","))
	var stderr strings.Builder
	child.Stderr = &stderr
	stdout, err := child.Output()
	for line := range strings.Lines(string(stdout)) {
		if text, ok := strings.CutPrefix(line, "result "); ok {
			var r conformance.Result
			if err := json.Unmarshal([]byte(text), &r); err != nil {
				t.Error(err)
			}
			held = append(held, r)
		}
	}
	if err == nil {
		return held, ""
	}
	words, _, _ = strings.Cut(stderr.String(), "\n")
	return held, cmp.Or(words, err.Error())
}
