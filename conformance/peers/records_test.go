package peers

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestRecordsRoundTrip has every client produce with every codec, and every client
// read what it produced: keys, headers, values and timestamps arrive as they left.
func TestRecordsRoundTrip(t *testing.T) {
	eachDriver(t, nil, func(t *testing.T, d driver) {
		for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
			t.Run(codec, func(t *testing.T) {
				t.Parallel()
				ctx, tg := newTarget(t)
				topic := tg.topic(ctx, t, 2)
				want := sampleRecords()
				if err := d.produce(ctx, tg.endpoint, producerConfig{codec: codec}, topic, want); err != nil {
					t.Fatalf("producing: %v", err)
				}
				for _, reader := range drivers() {
					if reader.skip == "" {
						checkRead(ctx, t, tg, reader, topic, start{}, want)
					}
				}
			})
		}
	})
}

// sampleRecords are records of partition 1 that look different from one another.
func sampleRecords() []record {
	first := time.UnixMilli(1_600_000_000_000)
	var rs []record
	for i := range 30 {
		r := record{
			Partition: 1, Offset: int64(i), Time: first.Add(time.Duration(i) * time.Minute),
			Key: fmt.Sprintf("key %d", i%7), Value: strings.Repeat(fmt.Sprintf("value %d ", i), i*i),
		}
		for h := range i % 3 {
			r.Headers = append(r.Headers, [2]string{fmt.Sprintf("header %d", h), strings.Repeat("h", h)})
		}
		rs = append(rs, r)
	}
	return rs
}

// checkRead fails the test unless reader finds these records from there on.
func checkRead(ctx context.Context, t *testing.T, tg *target, reader driver, topic string, from start, want []record) {
	t.Helper()
	got, err := reader.read(ctx, tg.endpoint, topic, want[0].Partition, from, len(want))
	if err != nil {
		t.Errorf("%s reads %d records and then: %v", reader.name, len(got), err)
		return
	}
	sameTime := cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })
	if diff := cmp.Diff(want, got, sameTime); diff != "" {
		t.Errorf("%s reads other records than were produced (-want +got):\n%s", reader.name, diff)
	}
}

// TestReadFromTimestamp reads from the first record that is not older than a time.
func TestReadFromTimestamp(t *testing.T) {
	eachDriver(t, nil, func(t *testing.T, d driver) {
		ctx, tg := newTarget(t)
		topic := tg.topic(ctx, t, 2)
		all := sampleRecords()
		// Two batches at least, so that there is something to search in.
		for _, part := range [][]record{all[:10], all[10:]} {
			if err := d.produce(ctx, tg.endpoint, producerConfig{}, topic, part); err != nil {
				t.Fatalf("producing: %v", err)
			}
		}
		checkRead(ctx, t, tg, d, topic, start{time: all[17].Time}, all[17:])
		checkRead(ctx, t, tg, d, topic, start{time: all[4].Time.Add(time.Millisecond)}, all[5:])
		checkRead(ctx, t, tg, d, topic, start{offset: 12}, all[12:])
	})
}

// TestIdempotentProducer has producers with an id number their batches.
func TestIdempotentProducer(t *testing.T) {
	without := func(d driver) string {
		if !d.idempotent {
			return d.name + " has no idempotent producer"
		}
		return ""
	}
	eachDriver(t, without, func(t *testing.T, d driver) {
		ctx, tg := newTarget(t)
		topic := tg.topic(ctx, t, 2)
		for i := range int64(2) { // the second producer has another id
			err := d.produce(ctx, tg.endpoint, producerConfig{idempotent: true}, topic, wave(2, i*200, i*200+200))
			if err != nil {
				t.Fatalf("producing: %v", err)
			}
		}
		for p := range int32(2) {
			got, err := d.read(ctx, tg.endpoint, topic, p, start{}, 400)
			if err != nil {
				t.Fatal(err)
			}
			for offset, r := range got {
				if want := valueOf(p, int64(offset)); r.Value != want {
					t.Fatalf("offset %d of partition %d is %q, want %q", offset, p, r.Value, want)
				}
			}
		}
	})
}

// TestAutoCreatedTopic produces to a topic that does not exist yet.
func TestAutoCreatedTopic(t *testing.T) {
	eachDriver(t, nil, func(t *testing.T, d driver) {
		ctx, tg := newTarget(t)
		topic := tg.names("topic")
		if err := d.produce(ctx, tg.endpoint, producerConfig{}, topic, []record{{Value: "first"}}); err != nil {
			t.Fatalf("producing: %v", err)
		}
		got, err := d.read(ctx, tg.endpoint, topic, 0, start{}, 1)
		if err != nil {
			t.Fatal(err)
		}
		if got[0].Value != "first" {
			t.Errorf("read %q", got[0].Value)
		}
		if ts, err := tg.admin.ListTopics(ctx, topic); err != nil || len(ts[topic].Partitions) != 1 {
			t.Errorf("the topic has %d partitions (%v), want 1", len(ts[topic].Partitions), err)
		}
	})
}
