//go:build !race

package broker

// How many frames each of the attackers of TestHostileFrames sends: 100,000 in all.
const hostileFramesEach = 200
