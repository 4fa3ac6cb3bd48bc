//go:build race

package groupcoord

// How much TestSimulation does under the race detector, which has nothing to find
// here: a group is one goroutine's.
const (
	simulationSeeds  = 8
	simulationEvents = 2_000
)
