package protocol

// VersionRange is one API that a release advertises, with its version range.
type VersionRange struct {
	Key      int16
	Name     string
	Min, Max int16
}

// Feature is one feature of a release: the levels that it supports and the one
// that a fresh cluster has finalized (0: none).
type Feature struct {
	Name                string
	Min, Max, Finalized int16
}

// Release is what a broker of one release of Apache Kafka advertises.
type Release struct {
	Version  string // such as "4.4.0"
	APIs     []VersionRange
	Features []Feature
}
