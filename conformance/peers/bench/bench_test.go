package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// The test binary is its own server, as the program is.
func TestMain(m *testing.M) {
	if kind := os.Getenv(serveEnv); kind != "" {
		exitOn(serve(kind))
		return
	}
	os.Exit(m.Run())
}

// Every measure can be taken of every server, and gives each figure that its rows show.
func TestMeasures(t *testing.T) {
	for _, m := range measures(tiny()) {
		t.Run(m.name, func(t *testing.T) {
			all, err := m.take(1)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range m.rows {
				for _, kind := range m.servers {
					if v := all[kind][r.key]; len(v) != 1 || r.unit != "" && v[0] < 0 {
						t.Errorf("%s of %s: %v", r.name, kind, v)
					}
				}
			}
			if lines := m.lines(all); strings.Count(lines, "\n") != len(m.rows) || strings.Contains(lines, "NaN") {
				t.Errorf("lines of the table:\n%s", lines)
			}
		})
	}
}

func TestGoals(t *testing.T) {
	for _, c := range []struct {
		goal      goal
		v         float64
		text, say string
	}{
		{goal{least: 0.8}, 0.8, ">= 0.80", "yes"},
		{goal{least: 0.8}, 0.79, ">= 0.80", "NO"},
		{goal{most: 1.2}, 1.2, "<= 1.20", "yes"},
		{goal{most: 1.2}, 1.21, "<= 1.20", "NO"},
		{goal{}, 7, "", ""},
	} {
		if text, say := c.goal.String(), c.goal.verdict(c.v); text != c.text || say != c.say {
			t.Errorf("%v for %v: %q %q, want %q %q", c.v, c.goal, text, say, c.text, c.say)
		}
	}
}

// BenchmarkAll takes each measure of each server, one after another; the figures
// are the means. The program's table interleaves the servers, which is fairer on a
// machine that has other things to do.
func BenchmarkAll(b *testing.B) {
	for _, m := range measures(full()) {
		for _, kind := range m.servers {
			b.Run(fmt.Sprintf("%s/%s", m.name, kind), func(b *testing.B) {
				sums, units := make(map[string]float64), make(map[string]string)
				for range b.N {
					got, err := m.sample(kind)
					if err != nil {
						b.Fatal(err)
					}
					for _, r := range m.rows {
						sums[r.key] += got[r.key]
						units[r.key] = strings.ReplaceAll(strings.TrimSpace(r.key+"-"+r.unit), " ", "-")
					}
				}
				for key, sum := range sums {
					b.ReportMetric(sum/float64(b.N), units[key])
				}
			})
		}
	}
}
