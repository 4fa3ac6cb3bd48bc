package main

import (
	"fmt"
	"os"
	"slices"
	"time"
)

// measure is one thing that is measured of each server in turn.
type measure struct {
	name    string
	servers []string // in the order of a round; "limit" names are the last one
	sample  func(kind string) (map[string]float64, error)
	rows    []row
}

// row is one line of the table, computed from the medians of a measure.
type row struct {
	name  string
	key   string // which of the samples
	unit  string
	per   string // the server that klamm is compared with
	reach string
}

// take runs the measure, interleaved, and returns its lines.
func (m measure) take(rounds int) (string, error) {
	samples := make(map[string]map[string][]float64)
	for round := range rounds {
		for _, kind := range m.servers {
			fmt.Fprintf(os.Stderr, "\r%s: round %d of %d, %s        ", m.name, round+1, rounds, kind)
			got, err := m.sample(kind)
			if err != nil {
				return "", fmt.Errorf("%s: %w", m.name, err)
			}
			if samples[kind] == nil {
				samples[kind] = make(map[string][]float64)
			}
			for key, v := range got {
				samples[kind][key] = append(samples[kind][key], v)
			}
		}
	}
	fmt.Fprint(os.Stderr, "\r\033[K")
	text := ""
	for i, r := range m.rows {
		if i > 0 {
			text += "\n"
		}
		text += m.line(r, samples)
	}
	return text, nil
}

func (m measure) line(r row, samples map[string]map[string][]float64) string {
	show := func(kind string) string {
		v, ok := samples[kind][r.key]
		if !ok {
			return "-"
		}
		return fmt.Sprintf("%.4g %s", median(v), r.unit)
	}
	limit := m.servers[len(m.servers)-1]
	if limit == "kfake" {
		limit = ""
	}
	line := fmt.Sprintf("%-46s %12s %12s %12s", r.name, show("klamm"), show("kfake"), show(limit))
	base := r.per
	if base == "" {
		return line + "   " + r.reach
	}
	ratio := func(kind string) float64 { return median(samples[kind][r.key]) / median(samples[base][r.key]) }
	line += fmt.Sprintf("   %.2f of %s's, to reach %s", ratio("klamm"), base, r.reach)
	if base != "kfake" {
		line += fmt.Sprintf(" (kfake %.2f)", ratio("kfake"))
	}
	return line
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	if len(s) == 0 {
		return 0
	}
	return s[len(s)/2]
}

// measures are all that there are, in the order of the table.
func measures() []measure {
	return slices.Concat(bulkMeasures(), latencyMeasures(), applicationMeasures())
}

func bulkMeasures() []measure {
	servers := []string{"klamm", "kfake", "storing"}
	produce := func(conns, size int, total int64, window int) func(string) (map[string]float64, error) {
		return func(kind string) (map[string]float64, error) {
			l, err := produceLoad(kind, conns, size, total, window)
			if err != nil {
				return nil, err
			}
			return map[string]float64{
				"MB/s": l.rate() / 1e6, "cpu": l.cpuPerGiB(), "req/s": l.perSecond(),
				"rss": float64(l.peakRSS) / float64(l.bytes), "us/req": l.cpu.Seconds() * 1e6 / float64(l.count),
			}, nil
		}
	}
	fetch := func(conns, passes int) func(string) (map[string]float64, error) {
		return func(kind string) (map[string]float64, error) {
			l, err := fetchLoad(kind, conns, 256<<20, passes)
			if err != nil {
				return nil, err
			}
			return map[string]float64{"MB/s": l.rate() / 1e6, "cpu": l.cpuPerGiB()}, nil
		}
	}
	return []measure{
		{"produce-16KiB", servers, produce(4, 16<<10, 1<<30, 16), []row{
			{"produce, 4 connections, 16 KiB batches", "MB/s", "MB/s", "storing", ">= 0.8"},
			{"the same: CPU seconds per GiB", "cpu", "s", "storing", "<= 1.6"},
			{"the same: peak resident bytes per byte", "rss", "", "", "<= 1.06"},
		}},
		{"produce-1MiB", servers, produce(4, 1<<20, 1<<30, 4), []row{
			{"produce, 4 connections, 1 MiB batches", "MB/s", "MB/s", "storing", ">= 0.8"},
		}},
		{"produce-one", []string{"klamm", "kfake", "limit"}, produce(1, 170, 60<<20, 64), []row{
			{"produce, 1 connection, one 100-byte record", "req/s", "/s", "limit", ">= 0.5"},
			{"the same: CPU a request", "us/req", "us", "limit", "nothing"},
		}},
		{"fetch-1", []string{"klamm", "kfake", "canned"}, fetch(1, 8), []row{
			{"fetch of a 256 MiB log, 1 connection", "MB/s", "MB/s", "canned", ">= 0.9"},
			{"the same: CPU seconds per GiB", "cpu", "s", "canned", "<= 1.2"},
		}},
		{"fetch-4", []string{"klamm", "kfake", "canned"}, fetch(4, 2), []row{
			{"fetch of a 256 MiB log, 4 connections", "MB/s", "MB/s", "canned", ">= 0.9"},
			{"the same: CPU seconds per GiB", "cpu", "s", "canned", "<= 1.2"},
		}},
	}
}

func latencyMeasures() []measure {
	at := func(p int, take func(string) ([]time.Duration, error)) func(string) (map[string]float64, error) {
		return func(kind string) (map[string]float64, error) {
			times, err := take(kind)
			if err != nil {
				return nil, err
			}
			return map[string]float64{"us": float64(percentile(times, p).Nanoseconds()) / 1e3}, nil
		}
	}
	return []measure{
		{"wake-up", []string{"klamm", "kfake", "parked"},
			at(50, func(kind string) ([]time.Duration, error) { return wakeUps(kind, 2000) }), []row{
				{"wake-up of a parked fetch, p50", "us", "us", "parked", "<= 1.2"},
			}},
		{"beside-bulk", []string{"klamm", "kfake", "storing"},
			at(99, func(kind string) ([]time.Duration, error) { return besideBulk(kind, 1000) }), []row{
				{"small produce beside 1 MiB produces, p99", "us", "us", "storing", "<= 2"},
			}},
		{"start", []string{"klamm", "kfake", "bare"},
			at(50, func(kind string) ([]time.Duration, error) { return repeat(200, kind, firstAnswer) }), []row{
				{"start to first Metadata answer", "us", "us", "bare", "<= 1.2"},
			}},
	}
}

func repeat(n int, kind string, once func(string) (time.Duration, error)) (times []time.Duration, err error) {
	for range n {
		d, err := once(kind)
		if err != nil {
			return nil, err
		}
		times = append(times, d)
	}
	return times, nil
}

func applicationMeasures() []measure {
	pair := []string{"klamm", "kfake"}
	return []measure{
		{"members", pair, func(kind string) (map[string]float64, error) {
			l, err := settle(kind, 500)
			return map[string]float64{"ms": l.elapsed.Seconds() * 1e3, "cpu": l.cpu.Seconds() * 1e3}, err
		}, []row{
			{"500 classic members join and settle", "ms", "ms", "kfake", "<= 0.5"},
			{"the same: server CPU", "cpu", "ms", "kfake", "<= 0.6"},
		}},
		{"metadata", pair, func(kind string) (map[string]float64, error) {
			d, err := metadataOfAll(kind, 10_000)
			return map[string]float64{"ms": d.Seconds() * 1e3}, err
		}, []row{{"Metadata of all of 10,000 topics", "ms", "ms", "", "<= 2 ms"}}},
		{"test", pair, func(kind string) (map[string]float64, error) {
			began := time.Now()
			err := applicationTest(kind)
			return map[string]float64{"ms": time.Since(began).Seconds() * 1e3}, err
		}, []row{{"a test after another", "ms", "ms", "kfake", "<= 0.1"}}},
		{"tests-parallel", pair, func(kind string) (map[string]float64, error) {
			cpu, err := parallelTests(kind, 100)
			return map[string]float64{"ms": cpu.Seconds() * 1e3}, err
		}, []row{{"100 such tests in parallel: CPU a test", "ms", "ms", "kfake", "<= 0.7"}}},
		{"idle", pair, func(kind string) (map[string]float64, error) {
			bytes, goroutines, err := idle(kind)
			return map[string]float64{"KB": float64(bytes) / 1e3, "go": float64(goroutines)}, err
		}, []row{
			{"idle broker", "KB", "KB", "", "<= 6 KB"},
			{"idle broker: goroutines", "go", "", "", "1"},
		}},
	}
}
