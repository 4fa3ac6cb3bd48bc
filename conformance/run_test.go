package conformance_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"klamm/broker"
	"klamm/conformance"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// chosen are the rules with these ids, in the order of ids.
func chosen(t *testing.T, ids ...string) []conformance.Rule {
	t.Helper()
	rules := slices.DeleteFunc(conformance.Rules(), func(r conformance.Rule) bool { return !slices.Contains(ids, r.ID) })
	if len(rules) != len(ids) {
		t.Fatalf("%d of the rules %q exist", len(rules), ids)
	}
	return rules
}

// run holds rules with an in-process broker of these configs.
func run(t *testing.T, configs map[string]string, suite conformance.Suite) conformance.Report {
	t.Helper()
	c, err := broker.Start(broker.Config{Configs: configs})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	suite.Target.Addr, suite.Target.Dial = c.Addr(), cmpOr(suite.Target.Dial, c.Dial)
	run, err := suite.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range run.Results(t.Context()) {
	}
	return run.Report()
}

type dialer = func(ctx context.Context, network, addr string) (net.Conn, error)

func cmpOr(d, or dialer) dialer {
	if d != nil {
		return d
	}
	return or
}

func verdicts(r conformance.Report) map[string]conformance.Verdict {
	all := map[string]conformance.Verdict{}
	for _, result := range r.Results {
		all[result.ID] = result.Verdict
	}
	return all
}

func TestVerdicts(t *testing.T) {
	rules := chosen(t, "metadata.unknown", "metadata.auto-create", "versions.advertised", "frames.empty")
	lacking := rules[0]
	lacking.ID, lacking.Run = "streams.heartbeat", func(c *conformance.Conversation) {
		c.Topic("orders", 1) // is deleted, though the conversation cannot go on
		c.Conn("a").Send(streamsHeartbeat())
	}
	unrecorded := rules[0]
	unrecorded.ID = "metadata.made-up"
	small := unrecorded
	small.ID, small.Profile = "groups.made-up", "small-groups"
	report := run(t, map[string]string{"num.partitions": "3"},
		conformance.Suite{Rules: append(rules, unrecorded, small)})
	want := map[string]conformance.Verdict{
		"frames.empty": conformance.VerdictKept, "metadata.unknown": conformance.VerdictKept,
		"metadata.auto-create": conformance.VerdictBroken, "versions.advertised": conformance.VerdictBroken,
		"metadata.made-up": conformance.VerdictNotRun, "groups.made-up": conformance.VerdictNotRun,
	}
	if d := cmp.Diff(want, verdicts(report)); d != "" {
		t.Error(d)
	}
	if c := report.Count(); c.Rules() != 6 || c.Kept != 2 || c.Broken != 2 || c.NotRun != 2 {
		t.Error(c)
	}
	for _, r := range report.Results {
		if r.ID == "metadata.auto-create" && (r.At == nil || r.At.API != "Metadata" || !strings.Contains(r.Why, "  + ")) {
			t.Errorf("first difference at %v\n%s", r.At, r.Why)
		}
		if r.ID == "groups.made-up" && !strings.Contains(r.Why, "group.max.size=2") {
			t.Error(r.Why)
		}
	}
	// Against a live target no recording is needed.
	c, err := broker.Start(broker.Config{Configs: map[string]string{"group.max.size": "2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	against := &conformance.Target{Addr: c.Addr(), Dial: c.Dial}
	report = run(t, map[string]string{"group.max.size": "2", "num.partitions": "3"},
		conformance.Suite{Rules: append(rules, lacking, small), Against: against})
	want = map[string]conformance.Verdict{
		"frames.empty": conformance.VerdictKept, "metadata.unknown": conformance.VerdictKept, "streams.heartbeat": conformance.VerdictNotOffered,
		"metadata.auto-create": conformance.VerdictBroken, "versions.advertised": conformance.VerdictKept, "groups.made-up": conformance.VerdictKept,
	}
	if d := cmp.Diff(want, verdicts(report)); d != "" {
		t.Error(d)
	}
}

// TestTimeIsOver has a rule that would wait for ever; the others have their verdicts.
func TestTimeIsOver(t *testing.T) {
	rules := chosen(t, "frames.empty", "metadata.unknown")
	rules[1].Timed = true
	rules[1].Run = func(c *conformance.Conversation) { c.Wait(time.Hour) }
	c, err := broker.Start(broker.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	run, err := conformance.Suite{Rules: rules, Target: conformance.Target{Addr: c.Addr()}}.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	for r := range run.Results(ctx) {
		if r.ID == "frames.empty" {
			cancel(context.DeadlineExceeded)
		}
	}
	report := run.Report()
	if v := verdicts(report); v["frames.empty"] != conformance.VerdictKept || v["metadata.unknown"] != conformance.VerdictNotRun {
		t.Error(v)
	}
	if report.Unasked() != 1 || report.Of(conformance.VerdictNotRun)[0].Why != "time was over" {
		t.Errorf("%d are unasked: %+v", report.Unasked(), report.Of(conformance.VerdictNotRun))
	}
}

func TestCannotRun(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	silent := l.Addr().String()
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			nc.Close()
		}
	}()
	suite := conformance.Suite{Rules: conformance.Rules(), Target: conformance.Target{Addr: silent}}
	if _, err := suite.Begin(t.Context()); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Error(err)
	}
	l.Close()
	if _, err := suite.Begin(t.Context()); err == nil || !errors.As(err, new(*net.OpError)) {
		t.Error(err)
	}
	if _, err := (conformance.Suite{}).Begin(t.Context()); err == nil {
		t.Error("a suite of no rules runs")
	}
}

func streamsHeartbeat() *kmsg.StreamsGroupHeartbeatRequest {
	return kmsg.NewPtrStreamsGroupHeartbeatRequest()
}

// TestLost has a rule that ends its target: the report names it, and says of the others why
// they have no verdict.
func TestLost(t *testing.T) {
	c, err := broker.Start(broker.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	rules := chosen(t, "frames.empty", "metadata.unknown", "metadata.by-name")
	rules[0].Timed = true // it comes first
	rules[0].Run = func(a *conformance.Conversation) {
		c.Close()
		rules[1].Run(a)
	}
	suite := conformance.Suite{Rules: rules, Target: conformance.Target{Addr: c.Addr()}, Parallel: 1}
	run, err := suite.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range run.Results(t.Context()) {
	}
	report := run.Report()
	if d := cmp.Diff([]string{"frames.empty"}, report.Lost); d != "" || report.Unasked() != 3 {
		t.Errorf("%d are unasked\n%s", report.Unasked(), d)
	}
	var text strings.Builder
	if err := report.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "\nLOST\n") || !strings.Contains(text.String(), "  frames.empty metadata.by-name metadata.unknown: ") {
		t.Error(text.String())
	}
}
