package conformance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
)

// Verdict is what became of a rule at a target.
type Verdict string

// The verdicts.
const (
	VerdictKept       Verdict = "kept"
	VerdictBroken     Verdict = "broken"      // the target says something else
	VerdictNotOffered Verdict = "not offered" // it does not advertise an API or version that the rule needs
	VerdictNotRun     Verdict = "not run"     // a setting is missing, or time was over
)

// Result is the verdict on one rule.
type Result struct {
	ID       string  `json:"id"`
	Says     string  `json:"says"`
	Source   string  `json:"source"`
	Severity string  `json:"severity"` // "must", "timing" or "within"
	Profile  string  `json:"profile,omitempty"`
	Calls    []Call  `json:"calls"` // what the rule speaks
	Verdict  Verdict `json:"verdict"`
	// Why is the first difference of a broken rule, and else the reason in words.
	Why string `json:"why,omitempty"`
	// At is the exchange of the first difference; nil when it is in none.
	At *Call `json:"at,omitempty"`
	// First is the first difference of a broken rule in one line, and Cause its class:
	// "error code", "no answer", "hung up", "field NAME" and the like.
	First string `json:"first,omitempty"`
	Cause string `json:"cause,omitempty"`
	// Details are the kinds of difference of a rule that is broken in details only, in what
	// no client can act on: "words", "empty", "beside an error", "order", "epochs", "within". None when
	// it is broken in substance.
	Details []string `json:"details,omitempty"`
	Millis  int64    `json:"ms"`
	unasked bool     // the target was lost, or there was no time
	lost    bool     // it takes no connection
	began   time.Time
}

// Family is the first word of the rule's id.
func (r Result) Family() string { return Rule{ID: r.ID}.Family() }

// defaultParallel is how many conversations a suite holds at once: most of them wait.
const defaultParallel = 16

// Suite is what to hold with whom.
type Suite struct {
	Rules  []Rule
	Target Target // its Offer is asked for
	// Against is a second live target, to compare with instead of the recordings; nil is none.
	Against *Target
	// Parallel is how many conversations are held at once; 0 means 16.
	Parallel int
}

// Run is a suite whose targets have said what they offer.
type Run struct {
	suite    Suite
	settings map[string]string
	report   Report
}

// Begin asks the targets what they offer and how they are set. An error means that the
// suite cannot run.
func (s Suite) Begin(ctx context.Context) (*Run, error) {
	if len(s.Rules) == 0 {
		return nil, errors.New("no rules to run")
	}
	r := &Run{suite: s}
	targets := []*Target{&r.suite.Target}
	if s.Against != nil {
		second := *s.Against
		r.suite.Against = &second
		targets = append(targets, r.suite.Against)
	}
	for i, t := range targets {
		var err error
		if t.Offer, err = Ask(ctx, *t); err != nil {
			return nil, err
		}
		if t.Node, err = node(ctx, *t); err != nil {
			return nil, err
		}
		has, err := Settings(ctx, *t)
		if err != nil {
			return nil, fmt.Errorf("settings of %s: %w", t.Addr, err)
		}
		if i == 0 {
			r.settings = has
		}
		for name := range r.settings {
			if has[name] != r.settings[name] {
				delete(r.settings, name) // a profile needs both
			}
		}
	}
	r.report = Report{Kafka: Kafka, Target: s.Target.Addr, Began: time.Now().UTC(), Offer: r.suite.Target.Offer}
	if s.Against != nil {
		r.report.Against = s.Against.Addr
	}
	return r, nil
}

// Results holds the rules and gives each verdict when it is known; those that wait for
// time to pass begin first. When ctx ends, what is left is not run.
func (r *Run) Results(ctx context.Context) iter.Seq[Result] {
	return func(yield func(Result) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		rules := slices.Clone(r.suite.Rules)
		slices.SortStableFunc(rules, func(a, b Rule) int {
			return cmp.Compare(boolInt(b.Timed), boolInt(a.Timed))
		})
		todo, done := make(chan Rule, len(rules)), make(chan Result, len(rules))
		for _, rule := range rules {
			todo <- rule
		}
		close(todo)
		for range min(cmp.Or(r.suite.Parallel, defaultParallel), len(rules)) {
			go func() {
				for rule := range todo {
					done <- r.hold(ctx, rule)
				}
			}()
		}
		for range rules {
			result := <-done
			r.report.Results = append(r.report.Results, result)
			if !yield(result) {
				return
			}
		}
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Report is what the results that were given so far come to, ordered by id.
func (r *Run) Report() Report {
	report := r.report
	report.Results, report.Lost = slices.Clone(report.Results), suspects(report.Results)
	slices.SortFunc(report.Results, func(a, b Result) int { return cmp.Compare(a.ID, b.ID) })
	report.Millis = time.Since(report.Began).Milliseconds()
	return report
}

// hold is the verdict on one rule.
func (r *Run) hold(ctx context.Context, rule Rule) (result Result) {
	began := time.Now()
	want, recorded := rule.Recorded()
	result = Result{
		ID: rule.ID, Says: rule.Says, Source: rule.Source, Severity: rule.Severity.String(), Profile: rule.Profile,
		Calls: Calls(want), began: began,
	}
	defer func() { result.Millis = time.Since(began).Milliseconds() }()
	switch lacks := rule.Lacks(r.settings); {
	case ctx.Err() != nil:
		result.lose(context.Cause(ctx))
		return result
	case lacks != "":
		result.Verdict, result.Why = VerdictNotRun, lacks
		return result
	case r.suite.Against == nil && !recorded:
		result.Verdict, result.Why = VerdictNotRun, "there is no recording of it"
		return result
	}
	if r.suite.Against != nil {
		said, err := rule.Hold(ctx, *r.suite.Against)
		if err != nil {
			result.stop(ctx, r.suite.Against.Addr, err)
			return result
		}
		want = rule.Transcript(said)
		result.Calls = Calls(want)
	}
	said, err := rule.Hold(ctx, r.suite.Target)
	if err != nil {
		result.stop(ctx, r.suite.Target.Addr, err)
		return result
	}
	result.compare(rule, want, rule.Transcript(said), r.suite.Target.Offer)
	return result
}

// stop notes why there is nothing to compare.
func (res *Result) stop(ctx context.Context, addr string, err error) {
	var lacks NotOffered
	switch {
	case errors.As(err, &lacks):
		res.Verdict, res.Why = VerdictNotOffered, err.Error()
		res.At = &Call{lacks.Key, apiName(lacks.Key), lacks.Version}
	case ctx.Err() != nil:
		res.lose(context.Cause(ctx))
	default:
		res.lose(fmt.Errorf("%s cannot be asked: %w", addr, err))
	}
}

func (res *Result) lose(err error) {
	res.Verdict, res.Why, res.unasked = VerdictNotRun, err.Error(), true
	var gone unreachable
	res.lost = errors.As(err, &gone)
	if errors.Is(err, context.DeadlineExceeded) {
		res.Why = "time was over"
	}
}

// compare gives the verdict on what was said.
func (res *Result) compare(rule Rule, want, got string, offer Offer) {
	want, got = rule.judged(want), rule.judged(got)
	if rule.VersionByVersion {
		want = offered(want, offer)
		if len(Calls(want)) == 0 {
			res.Verdict, res.Why = VerdictNotOffered, "no version of it is advertised"
			return
		}
	}
	res.Why = strings.TrimRight(FirstDifference(want, got), "\n")
	if res.Why == "" {
		res.Verdict = VerdictKept
		return
	}
	res.Verdict = VerdictBroken
	topicless := strings.Contains(got, "\n"+noTopic)
	if topicless {
		want, got = withoutLogs(want), withoutLogs(got)
	}
	hard, details := mended(want, got)
	if hard != want {
		got, details = hard, nil
		res.Why = strings.TrimRight(FirstDifference(want, got), "\n")
	}
	if at, ok := callAt(want, got); ok {
		res.At = &at
	}
	if res.Cause, res.First = firstCause(want, got); want == got {
		res.Cause, res.First = causeTopic, "a topic of a coordinator is missing"
	}
	if res.Details = details; topicless && hard == want || details == nil && (rule.Severity == Within || res.Cause == causeTopic) {
		res.Details = append(details, detailWithin)
	}
}
