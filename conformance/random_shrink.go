package conformance

import (
	"context"
	"maps"
	"slices"
)

// Shrink makes the difference's script as short as it finds it can be, while the targets
// still differ in it, by leaving out steps first and then fields.
func (r *Random) Shrink(ctx context.Context, d Difference) Difference {
	s := &shrinking{ctx: ctx, random: r, best: d}
	s.steps()
	for s.fields() && s.steps() {
	}
	return s.best
}

type shrinking struct {
	ctx    context.Context
	random *Random
	best   Difference
}

// try keeps a script when the targets differ in it.
func (s *shrinking) try(script Script) bool {
	if s.ctx.Err() != nil {
		return false
	}
	want, got, err := s.random.compare(s.ctx, script, shrinkTries)
	if err != nil || want == got {
		return false
	}
	s.best.Script, s.best.Want, s.best.Got = script, want, got
	return true
}

// steps leaves out runs of steps, long ones first; it tells whether it could.
func (s *shrinking) steps() (shorter bool) {
	for size := len(s.best.Script.Steps) / 2; size > 0; size /= 2 {
		for at := len(s.best.Script.Steps) - size; at >= 0; {
			steps := s.best.Script.Steps
			if at+size > len(steps) {
				at = len(steps) - size
				continue
			}
			if s.try(Script{slices.Concat(steps[:at], steps[at+size:])}) {
				shorter = true
			}
			at -= size
		}
	}
	return shorter
}

// fields leaves out fields and elements of lists; it tells whether it could.
func (s *shrinking) fields() (smaller bool) {
	for i := range s.best.Script.Steps {
		for n := 0; ; n++ {
			script := s.best.Script.clone()
			if !leaveOut(script.Steps[i].Fields, &n, new(0)) {
				break
			}
			if s.try(script) {
				smaller = true
				n--
			}
		}
	}
	return smaller
}

// leaveOut takes the thing with number n out of a tree of fields, and tells whether there
// is one. What keptSane names stays: its default may be none to send.
func leaveOut(fields map[string]any, n, at *int) bool {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !keptSane[name] {
			if *at == *n {
				delete(fields, name)
				return true
			}
			*at++
		}
		if leaveOutOf(fields, name, n, at) {
			return true
		}
	}
	return false
}

func leaveOutOf(fields map[string]any, name string, n, at *int) bool {
	switch value := fields[name].(type) {
	case map[string]any:
		return leaveOut(value, n, at)
	case []any:
		for i := range value {
			if *at == *n {
				fields[name] = slices.Delete(value, i, i+1)
				return true
			}
			*at++
			if m, ok := value[i].(map[string]any); ok && leaveOut(m, n, at) {
				return true
			}
		}
	}
	return false
}
