package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"klamm/conformance"
)

// holdRandom holds random sequences with two brokers. At the first difference it stops,
// makes the sequence shorter and prints it.
func (f *conformanceFlags) holdRandom(ctx context.Context, stdout io.Writer) error {
	r, err := f.pair()
	if err != nil {
		return err
	}
	r.Scripts, r.Seed, r.Themes = f.random, f.seed, f.themes
	if err := r.Begin(ctx); err != nil {
		return notRun(err)
	}
	fmt.Fprintf(stdout, "%d sequences of seed %d\n", r.Scripts, r.Seed)
	p := newProgress(stdout, r.Scripts)
	for o := range r.Outcomes(ctx) {
		switch {
		case o.Err != nil:
			p.end()
			return notRun(fmt.Errorf("sequence %d: %w", o.Number, o.Err))
		case o.Difference != nil:
			p.end()
			fmt.Fprintf(stdout, "sequence %d differs and is made shorter\n", o.Number)
			return difference(stdout, r.Shrink(ctx, *o.Difference))
		}
		p.addSequence()
	}
	p.end()
	_, err = fmt.Fprintf(stdout, "%d sequences without a difference\n", r.Scripts)
	return err
}

// holdReplay holds one sequence from a file with two brokers.
func (f *conformanceFlags) holdReplay(ctx context.Context, stdout io.Writer) error {
	text, err := os.ReadFile(f.replay)
	if err != nil {
		return notRun(err)
	}
	script, err := conformance.ParseScript(string(text))
	if err != nil {
		return notRun(fmt.Errorf("%s: %w", f.replay, err))
	}
	r, err := f.pair()
	if err != nil {
		return err
	}
	want, got, err := r.Compare(ctx, script)
	switch {
	case err != nil:
		return notRun(err)
	case want != got:
		return difference(stdout, conformance.Difference{Script: script, Want: want, Got: got})
	}
	_, err = fmt.Fprintf(stdout, "%s\nno difference\n", want)
	return err
}

// pair are the two brokers, which are reached in one way.
func (f *conformanceFlags) pair() (*conformance.Random, error) {
	target, err := f.access.target(f.bootstrap)
	against := target
	against.Addr = f.against
	return &conformance.Random{Target: target, Against: against}, err
}

func difference(stdout io.Writer, d conformance.Difference) error {
	if _, err := fmt.Fprintf(stdout, "\n%s", d); err != nil {
		return err
	}
	return status(exitBroken)
}
