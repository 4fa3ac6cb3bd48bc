package protocol

import (
	"cmp"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// The schemas come from Kafka's message descriptions, the release from an answer of a
// broker: where both speak of a version they agree.
func TestKafka440ServesTheVersionsOfTheSchemas(t *testing.T) {
	r := Kafka440()
	if r.Version() != "4.4.0" {
		t.Errorf("version %q", r.Version())
	}
	n := 0
	for row := range r.APIs() {
		n++
		s, ok := RequestSchema(row.Key)
		if !ok {
			t.Errorf("%s (%d) has no schema", row.Name, row.Key)
			continue
		}
		if served := (Versions{row.MinServed, row.Max + 1}); served != s.Versions || row.Name != s.Name {
			t.Errorf("%s serves %v, the schema of %s has %v", row.Name, served, s.Name, s.Versions)
		}
		if row.Min != row.MinServed && row.Name != "Produce" {
			t.Errorf("%s advertises %d and serves from %d", row.Name, row.Min, row.MinServed)
		}
	}
	telemetry := 2 // GetTelemetrySubscriptions and PushTelemetry
	for _, s := range requestSchemas {
		if s != nil {
			n--
		}
	}
	if n != -telemetry {
		t.Errorf("%d more rows than schemas, want %d", n, -telemetry)
	}
	if !slices.IsSortedFunc(slices.Collect(r.APIs()), func(a, b VersionRange) int { return cmp.Compare(a.Key, b.Key) }) {
		t.Error("rows are not in the order of their keys")
	}
}

func TestReleaseRange(t *testing.T) {
	r := Kafka440()
	produce, ok := r.Range(0)
	if want := (VersionRange{0, "Produce", 0, 3, 13}); !ok || produce != want {
		t.Errorf("Produce = %v, %v, want %v", produce, ok, want)
	}
	for version, want := range map[int16]bool{-1: false, 0: false, 2: false, 3: true, 13: true, 14: false} {
		if produce.Serves(version) != want {
			t.Errorf("serves Produce %d: %v", version, !want)
		}
	}
	if last, ok := r.Range(94); !ok || last.Name != "UnregisterController" {
		t.Errorf("94 = %v, %v", last, ok)
	}
	for _, key := range []int16{-1, 4, 52, 71, 72, 95} {
		if row, ok := r.Range(key); ok || row != (VersionRange{}) {
			t.Errorf("%d = %v, %v, want none", key, row, ok)
		}
	}
	if _, ok := (Release{}).Range(0); ok {
		t.Error("the zero Release has an API")
	}
}

// No version that the broker would serve is beyond what kmsg decodes.
func TestKmsgKnowsKafka440(t *testing.T) {
	for row := range Kafka440().APIs() {
		if r := kmsg.RequestForKey(row.Key); r == nil || r.MaxVersion() < row.Max {
			t.Errorf("kmsg lacks %s up to version %d", row.Name, row.Max)
		}
	}
}

func TestKafka440Features(t *testing.T) {
	levels := map[string]int16{
		"metadata.version": 33, "kraft.version": 1, "group.version": 1, "transaction.version": 2,
		"share.version": 2, "streams.version": 1, "eligible.leader.replicas.version": 1,
	}
	for f := range Kafka440().FinalizedFeatures() {
		if f.Finalized != levels[f.Name] || f.Finalized < f.Min || f.Finalized > f.Max {
			t.Errorf("%+v, want level %d", f, levels[f.Name])
		}
		delete(levels, f.Name)
	}
	if len(levels) > 0 {
		t.Errorf("not finalized: %v", levels)
	}
	for f := range Kafka440().Features() {
		if wantMin := map[bool]int16{true: 7}[f.Name == "metadata.version"]; f.Min != wantMin {
			t.Errorf("%s from %d, want %d", f.Name, f.Min, wantMin)
		}
	}
}
