package protocol

import (
	"iter"
	"slices"
)

// VersionRange is one API that a release advertises, with its version range.
type VersionRange struct {
	Key  int16
	Name string
	// Min and Max are advertised in ApiVersions. MinServed is the first version that
	// is served: it is above Min only for Produce, of which Kafka advertises versions
	// 0 to 2 for the sake of librdkafka and ends the connection that uses them
	// (KAFKA-18659).
	Min, MinServed, Max int16
}

// Serves tells whether requests of the version are served.
func (r VersionRange) Serves(version int16) bool { return r.MinServed <= version && version <= r.Max }

// Feature is one feature of a release: the levels that it supports and the one
// that a fresh cluster has finalized (0: none).
type Feature struct {
	Name                string
	Min, Max, Finalized int16
}

// Release is what a broker of one release of Apache Kafka advertises. The zero
// Release advertises nothing.
type Release struct {
	version   string
	apis      []VersionRange // by key
	features  []Feature
	finalized []uint8 // places in features
}

// Kafka440 is Apache Kafka 4.4.0 with the features of a freshly formatted directory.
// A broker without a plugin for client metrics advertises neither
// GetTelemetrySubscriptions nor PushTelemetry, so they are not in it.
func Kafka440() Release {
	return Release{"4.4.0", kafka440APIs[:], kafka440Features[:], kafka440Finalized[:]}
}

// Version is the release's number, such as "4.4.0".
func (r Release) Version() string { return r.version }

// APIs are the release's APIs by ascending key, as ApiVersions lists them.
func (r Release) APIs() iter.Seq[VersionRange] { return slices.Values(r.apis) }

// Range is the row of one API; ok is false if the release does not advertise it.
func (r Release) Range(key int16) (row VersionRange, ok bool) {
	i, ok := slices.BinarySearchFunc(r.apis, key, func(row VersionRange, key int16) int { return int(row.Key) - int(key) })
	if !ok {
		return VersionRange{}, false
	}
	return r.apis[i], true
}

// Features are the features that the release supports, in the order of ApiVersions.
// Before version 4 of ApiVersions Kafka leaves those out whose Min is 0.
func (r Release) Features() iter.Seq[Feature] { return slices.Values(r.features) }

// FinalizedFeatures are the features with a finalized level, in the order of
// ApiVersions, which is not that of Features.
func (r Release) FinalizedFeatures() iter.Seq[Feature] {
	return func(yield func(Feature) bool) {
		for _, i := range r.finalized {
			if !yield(r.features[i]) {
				return
			}
		}
	}
}
