//go:build !race

package groupcoord

// How much TestSimulation does.
const (
	simulationSeeds  = 128
	simulationEvents = 10_000
)
