package main

import (
	"fmt"
	"io"
	"os"

	"klamm/conformance"
)

// progress shows how far a run is: on a terminal one line that is written anew, and the
// broken rules above it; else a line for each rule.
type progress struct {
	out      io.Writer
	terminal bool
	all      int
	done     conformance.Count
}

func newProgress(out io.Writer, all int) *progress {
	return &progress{out: out, terminal: isTerminal(out), all: all}
}

// asking says on a terminal whom the suite waits for.
func (p *progress) asking(addr string) {
	if p.terminal {
		fmt.Fprintf(p.out, "%sasking %s", eraseLine, addr)
	}
}

func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// eraseLine goes to the start of the line and empties it.
const eraseLine = "\r\x1b[K"

func (p *progress) add(r conformance.Result) {
	p.done.Add(r)
	if !p.terminal {
		fmt.Fprintf(p.out, "%-11s %s\n", r.Verdict, r.ID)
		return
	}
	if r.Verdict == conformance.VerdictBroken {
		fmt.Fprintf(p.out, "%sbroken %s\n", eraseLine, r.ID)
	}
	fmt.Fprintf(p.out, "%s%d of %d: %d kept, %d broken", eraseLine, p.done.Rules(), p.all, p.done.Kept, p.done.Broken)
}

// addSequence counts a random sequence; where there is no terminal there is a line for
// each hundred.
func (p *progress) addSequence() {
	p.done.Kept++
	switch {
	case p.terminal:
		fmt.Fprintf(p.out, "%s%d of %d", eraseLine, p.done.Kept, p.all)
	case p.done.Kept%100 == 0:
		fmt.Fprintf(p.out, "%d of %d\n", p.done.Kept, p.all)
	}
}

func (p *progress) end() {
	if p.terminal {
		fmt.Fprint(p.out, eraseLine)
	} else if p.done.Rules() > 0 {
		fmt.Fprintln(p.out)
	}
}
