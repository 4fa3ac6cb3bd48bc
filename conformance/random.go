package conformance

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Random looks for differences between two live targets by holding the same scripts,
// drawn at random, with both.
type Random struct {
	Target, Against Target
	// Scripts is how many are drawn, Seed from what, and First is the number of the first.
	Scripts, First int
	Seed           uint64
	// Themes are those of Themes that are drawn; empty means all.
	Themes []string
	// Parallel is how many are held at once; 0 means 16.
	Parallel int
}

// Outcome is what became of one script.
type Outcome struct {
	Number int
	// Difference is nil when the targets say the same.
	Difference *Difference
	// Err tells that a target could not be asked.
	Err error
}

// Difference is a script to which two targets do not say the same.
type Difference struct {
	// Seed and Number draw the script that was found first.
	Seed   uint64
	Number int
	// Script is what is left of it.
	Script Script
	// Want is what Against said, Got what Target said.
	Want, Got string
}

// String shows the script, which ParseScript reads, and where the transcripts part, in
// lines that it leaves out.
func (d Difference) String() string {
	var out strings.Builder
	fmt.Fprintf(&out, "# seed %d, sequence %d\n%s", d.Seed, d.Number, d.Script)
	for line := range strings.Lines(FirstDifference(d.Want, d.Got)) {
		out.WriteString("# " + line)
	}
	return out.String()
}

// Begin asks the targets what they offer; only what both do is drawn.
func (r *Random) Begin(ctx context.Context) error {
	for _, t := range []*Target{&r.Target, &r.Against} {
		var err error
		if t.Offer, err = Ask(ctx, *t); err != nil {
			return err
		}
		if t.Node, err = node(ctx, *t); err != nil {
			return err
		}
		if err := warmUp(ctx, *t); err != nil {
			return err
		}
	}
	return nil
}

// warmUp has a target make what it makes when it is first asked for.
func warmUp(ctx context.Context, target Target) error {
	return talk(ctx, target, func(c *Conversation) { c.Group("warm") })
}

// Draw is script number n.
func (r *Random) Draw(n int) Script {
	themes := r.Themes
	if len(themes) == 0 {
		themes = Themes()
	}
	return draw(r.Seed, uint64(n), common(r.Target.Offer, r.Against.Offer), themes)
}

// common is what both offer.
func common(a, b Offer) Offer {
	both := Offer{}
	for key, v := range a {
		if w, ok := b[key]; ok && max(v.Min, w.Min) <= min(v.Max, w.Max) {
			both[key] = Versions{max(v.Min, w.Min), min(v.Max, w.Max)}
		}
	}
	return both
}

// Outcomes holds the scripts and gives each outcome when it is known; scripts that
// differ are not made shorter yet.
func (r *Random) Outcomes(ctx context.Context) iter.Seq[Outcome] {
	return func(yield func(Outcome) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		todo, done := make(chan int, r.Scripts), make(chan Outcome, r.Scripts)
		for n := range r.Scripts {
			todo <- r.First + n
		}
		close(todo)
		parallel := min(cmp.Or(r.Parallel, defaultParallel), r.Scripts)
		ended := make(chan struct{}, parallel)
		for range parallel {
			go func() {
				for n := range todo {
					done <- r.hold(ctx, n)
				}
				ended <- struct{}{}
			}()
		}
		defer func() {
			cancel()
			for range parallel {
				<-ended
			}
		}()
		for range r.Scripts {
			if !yield(<-done) {
				return
			}
		}
	}
}

func (r *Random) hold(ctx context.Context, n int) Outcome {
	if ctx.Err() != nil {
		return Outcome{Number: n, Err: context.Cause(ctx)}
	}
	script := r.Draw(n)
	want, got, err := r.Compare(ctx, script)
	if err != nil || want == got {
		return Outcome{Number: n, Err: err}
	}
	return Outcome{Number: n, Difference: &Difference{r.Seed, n, script, want, got}}
}

// compareTries is how often a script is held with both targets before they are said to
// differ: where Kafka leaves something to chance, such as who of several members leads
// next, one time of many is enough.
const compareTries = 6

// shrinkTries is the same while a script is made shorter, which takes many comparisons.
const shrinkTries = 3

// Compare holds a script with both targets until they have said the same once. The texts
// differ when they never do; they are then those that agree the longest. A script that
// waits for its time is given more of it each time.
func (r *Random) Compare(ctx context.Context, s Script) (want, got string, err error) {
	return r.compare(ctx, s, compareTries)
}

func (r *Random) compare(ctx context.Context, s Script, tries int) (want, got string, err error) {
	var wants, gots []string
	for try := range tries {
		w, g, err := r.holdBoth(ctx, s, 1+try)
		if err != nil {
			return "", "", err
		}
		wants, gots = append(wants, w), append(gots, g)
		for _, w := range wants {
			if slices.Contains(gots, w) {
				return w, w, nil
			}
		}
	}
	longest := -1
	for _, w := range wants {
		for _, g := range gots {
			if n := agreement(w, g); n > longest {
				longest, want, got = n, w, g
			}
		}
	}
	return want, got, nil
}

// holdBoth holds a script with both targets at once.
func (r *Random) holdBoth(ctx context.Context, s Script, patience int) (want, got string, err error) {
	failed := make(chan error, 1)
	go func() {
		var err error
		want, err = s.Hold(ctx, r.Against, patience)
		failed <- err
	}()
	got, err = s.Hold(ctx, r.Target, patience)
	return want, got, cmp.Or(<-failed, err)
}

// agreement is how many bytes two texts begin with in common.
func agreement(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// Hold holds the script with a target and returns the transcript. A patience above 1
// gives parked answers more time to come. An error means that the target could not be
// asked.
func (s Script) Hold(ctx context.Context, target Target, patience int) (string, error) {
	c := newConversation(ctx, target)
	defer c.close()
	c.hold(Rule{Run: func(c *Conversation) { s.play(c, patience) }})
	return c.out.String(), c.err
}
