package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// goal is what a figure is to reach: at least or at most a value. The zero value is none.
type goal struct {
	least, most float64
}

func (g goal) String() string {
	switch {
	case g.least > 0:
		return ">= " + number(g.least)
	case g.most > 0:
		return "<= " + number(g.most)
	default:
		return ""
	}
}

// verdict says in a word whether v is good enough.
func (g goal) verdict(v float64) string {
	switch {
	case g == goal{}:
		return ""
	case v >= g.least && (g.most == 0 || v <= g.most):
		return "yes"
	default:
		return "NO"
	}
}

func number(v float64) string {
	digits := 2
	switch {
	case v >= 100:
		digits = 0
	case v >= 10:
		digits = 1
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}

const lineFormat = "%-50s %10s %10s %10s %-7s %7s %7s %8s  %s\n"

// head names the columns: "klamm/" and "kfake/" are shares of, or times, the figure
// that a row is compared with: the limit's, or without one kfake's.
func head() string {
	return fmt.Sprintf(lineFormat, "measure", "klamm", "kfake", "limit", "unit", "klamm/", "kfake/", "goal", "reached")
}

// samples are all figures of a measure: of each server, by key.
type samples map[string]map[string][]float64

// order is the order of the servers in a round. Each comes first, in the middle and
// last in turn, and not always behind the same one: memory that another process has just
// given back costs less to touch than memory that the machine has to find anew, and
// that is much of what storing costs.
func (m measure) order(round int) []string {
	n := len(m.servers)
	servers := slices.Concat(m.servers[round%n:], m.servers[:round%n])
	if round/n%2 == 1 {
		slices.Reverse(servers)
	}
	return servers
}

// take runs the measure, its servers interleaved.
func (m measure) take(rounds int) (samples, error) {
	all := make(samples)
	for round := range rounds {
		for _, kind := range m.order(round) {
			fmt.Fprintf(os.Stderr, "\r\033[K%s: round %d of %d, %s", m.name, round+1, rounds, kind)
			got, err := m.sample(kind)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", m.name, err)
			}
			if all[kind] == nil {
				all[kind] = make(map[string][]float64)
			}
			for key, v := range got {
				all[kind][key] = append(all[kind][key], v)
			}
		}
	}
	fmt.Fprint(os.Stderr, "\r\033[K")
	return all, nil
}

// lines are the measure's lines of the table.
func (m measure) lines(all samples) string {
	var text strings.Builder
	limit := m.servers[len(m.servers)-1]
	for _, r := range m.rows {
		show := func(kind string) string {
			if v := all[kind][r.key]; len(v) > 0 {
				return number(median(v))
			}
			return "-"
		}
		limitText := "-"
		if limit != "kfake" {
			limitText = show(limit)
		}
		ratio := func(kind string) float64 { return median(all[kind][r.key]) / median(all[r.per][r.key]) }
		klamm, kfake, judged := "", "", median(all["klamm"][r.key])
		if r.per != "" {
			judged = ratio("klamm")
			klamm, kfake = number(judged), number(ratio("kfake"))
		}
		fmt.Fprintf(&text, lineFormat, r.name, show("klamm"), show("kfake"), limitText, r.unit,
			klamm, kfake, r.goal, r.goal.verdict(judged))
	}
	return text.String()
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	if len(s) == 0 {
		return 0
	}
	return s[len(s)/2]
}

// machine is the last line: what the figures were taken on.
func machine(rounds int) string {
	model, load := "", ""
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, after, ok := strings.Cut(string(info), "model name\t: "); ok {
			model, _, _ = strings.Cut(after, "\n")
			model = ", " + model
		}
	}
	if avg, err := os.ReadFile("/proc/loadavg"); err == nil {
		load = ", load average at the end " + strings.Join(strings.Fields(string(avg))[:3], " ")
	}
	return fmt.Sprintf("medians of %d; %s %s/%s, %d CPUs%s%s",
		rounds, runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), model, load)
}
