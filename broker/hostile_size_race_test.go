//go:build race

package broker

// How many frames each of the attackers of TestHostileFrames sends under the race
// detector, where a connection costs ten times as much.
const hostileFramesEach = 10
