package main

import (
	"slices"
	"time"
)

// measure is one thing that is measured of each server in turn.
type measure struct {
	name    string
	servers []string // the limit, if there is one, comes last
	sample  func(kind string) (map[string]float64, error)
	rows    []row
}

// row is one line of the table, computed from the medians of a measure.
type row struct {
	name string
	key  string // which of the samples
	unit string
	per  string // the server that klamm is compared with; empty: with none
	goal goal   // of the comparison, or of the figure itself
}

// sizes say how much work a measure is.
type sizes struct {
	bulk     int64 // bytes produced in bulk
	single   int64 // bytes produced one record a request
	log      int64 // bytes that are fetched again and again
	passes   int   // how often
	wakeUps  int
	beside   int // small produces beside a stream of large ones
	starts   int // of a broker, one after another
	members  int
	topics   int
	parallel int // tests at once
	brokers  int // idle ones
	txns     int // transactions
}

// full is what the table is made of, tiny what shows that a measure works.
func full() sizes {
	return sizes{
		bulk: 1 << 30, single: 120 << 20, log: 256 << 20, passes: 8, wakeUps: 2000, beside: 1000,
		starts: 200, members: 500, topics: 10_000, parallel: 100, brokers: 200, txns: 40_000,
	}
}

func tiny() sizes {
	return sizes{
		bulk: 8 << 20, single: 100 << 10, log: 4 << 20, passes: 4, wakeUps: 3, beside: 20,
		starts: 3, members: 10, topics: 100, parallel: 2, brokers: 3, txns: 20 * transactors,
	}
}

// measures are all that there are, in the order of the table.
func measures(n sizes) []measure {
	return slices.Concat(produceMeasures(n), fetchMeasures(n), latencyMeasures(n), memberMeasures(n), applicationMeasures(n), transactionMeasures(n))
}

func produceMeasures(n sizes) []measure {
	produce := func(conns, size int, total int64, window int) func(string) (map[string]float64, error) {
		return func(kind string) (map[string]float64, error) {
			l, err := produceLoad(kind, conns, size, total, window)
			if err != nil {
				return nil, err
			}
			return map[string]float64{
				"MB/s": l.rate() / 1e6, "cpu": l.cpuPerGiB(), "kreq/s": l.perSecond() / 1e3,
				"rss": float64(l.peakRSS) / float64(l.bytes), "us/req": l.cpu.Seconds() * 1e6 / float64(l.count),
			}, nil
		}
	}
	bulk := []string{"klamm", "kfake", "storing"}
	return []measure{
		{"produce-16KiB", bulk, produce(4, 16<<10, n.bulk, 16), []row{
			{"produce, 4 connections, 16 KiB batches", "MB/s", "MB/s", "storing", goal{least: 0.8}},
			{"  server CPU", "cpu", "s/GiB", "storing", goal{most: 1.6}},
			{"  peak resident bytes per byte stored", "rss", "", "", goal{most: 1.06}},
		}},
		{"produce-1MiB", bulk, produce(4, 1<<20, n.bulk, 4), []row{
			{"produce, 4 connections, 1 MiB batches", "MB/s", "MB/s", "storing", goal{least: 0.8}},
			{"  server CPU", "cpu", "s/GiB", "storing", goal{}},
		}},
		{"produce-one", []string{"klamm", "kfake", "limit"}, produce(1, 170, n.single, 64), []row{
			{"produce, 1 connection, one 100-byte record each", "kreq/s", "1000/s", "limit", goal{least: 0.5}},
			{"  server CPU", "us/req", "us", "limit", goal{}},
		}},
	}
}

func fetchMeasures(n sizes) []measure {
	fetch := func(conns int) func(string) (map[string]float64, error) {
		return func(kind string) (map[string]float64, error) {
			l, err := fetchLoad(kind, conns, n.log, n.passes/conns)
			if err != nil {
				return nil, err
			}
			return map[string]float64{"MB/s": l.rate() / 1e6, "cpu": l.cpuPerGiB()}, nil
		}
	}
	servers := []string{"klamm", "kfake", "canned"}
	rows := func(name string) []row {
		return []row{
			{name, "MB/s", "MB/s", "canned", goal{least: 0.9}},
			{"  server CPU", "cpu", "s/GiB", "canned", goal{most: 1.2}},
		}
	}
	return []measure{
		{"fetch-1", servers, fetch(1), rows("fetch of a 256 MiB log, 1 connection")},
		{"fetch-4", servers, fetch(4), rows("fetch of a 256 MiB log, 4 connections")},
	}
}

func latencyMeasures(n sizes) []measure {
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
			at(50, func(kind string) ([]time.Duration, error) { return wakeUps(kind, n.wakeUps) }), []row{
				{"wake-up of a parked fetch, p50", "us", "us", "parked", goal{most: 1.2}},
			}},
		{"beside-bulk", []string{"klamm", "kfake", "storing"},
			at(99, func(kind string) ([]time.Duration, error) { return besideBulk(kind, n.beside) }), []row{
				{"small produce beside 1 MiB produces, p99", "us", "us", "storing", goal{most: 2}},
			}},
		{"start", []string{"klamm", "kfake", "bare"},
			at(50, func(kind string) ([]time.Duration, error) { return repeat(n.starts, kind, firstAnswer) }), []row{
				{"start to first Metadata answer, p50", "us", "us", "bare", goal{most: 1.2}},
			}},
	}
}

func transactionMeasures(n sizes) []measure {
	pair := []string{"klamm", "kfake"}
	of := func(name string, records int, title string) measure {
		return measure{name, pair, func(kind string) (map[string]float64, error) {
			l, err := transactionLoad(kind, records, n.txns)
			return map[string]float64{"1/s": l.perSecond(), "us": l.cpu.Seconds() * 1e6 / float64(max(1, l.count))}, err
		}, []row{
			{title, "1/s", "1/s", "kfake", goal{least: 3}},
			{"  server CPU each", "us", "us", "kfake", goal{}},
		}}
	}
	return []measure{
		of("transactions-1", 1, "transactions of one record, 4 producers"),
		of("transactions-100", 100, "transactions of 100 records, 4 producers"),
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

func memberMeasures(n sizes) []measure {
	return []measure{{"members", []string{"klamm", "kfake"}, func(kind string) (map[string]float64, error) {
		l, err := settle(kind, n.members)
		return map[string]float64{"ms": l.elapsed.Seconds() * 1e3, "cpu": l.cpu.Seconds() * 1e3}, err
	}, []row{
		{"500 classic members join and settle", "ms", "ms", "kfake", goal{most: 0.5}},
		{"  server CPU", "cpu", "ms", "kfake", goal{most: 0.6}},
	}}}
}

func applicationMeasures(n sizes) []measure {
	pair := []string{"klamm", "kfake"}
	return []measure{
		{"metadata", pair, func(kind string) (map[string]float64, error) {
			d, err := metadataOfAll(kind, n.topics)
			return map[string]float64{"ms": d.Seconds() * 1e3}, err
		}, []row{{"Metadata of all of 10,000 topics", "ms", "ms", "", goal{most: 2}}}},
		{"test", pair, func(kind string) (map[string]float64, error) {
			began := time.Now()
			err := applicationTest(kind)
			return map[string]float64{"ms": time.Since(began).Seconds() * 1e3}, err
		}, []row{{"a test after another", "ms", "ms", "kfake", goal{most: 0.1}}}},
		{"tests-parallel", pair, func(kind string) (map[string]float64, error) {
			cpu, err := parallelTests(kind, n.parallel)
			return map[string]float64{"ms": cpu.Seconds() * 1e3}, err
		}, []row{{"100 such tests in parallel: CPU a test", "ms", "ms", "kfake", goal{most: 0.7}}}},
		{"idle", pair, func(kind string) (map[string]float64, error) {
			bytes, goroutines, err := idle(kind, n.brokers)
			return map[string]float64{"KB": float64(bytes) / 1e3, "go": float64(goroutines)}, err
		}, []row{
			{"idle broker: heap and stacks", "KB", "KB", "", goal{most: 6}},
			{"idle broker: goroutines", "go", "", "", goal{most: 1}},
		}},
	}
}
