//go:build !unix

package main

import "time"

// processUsage is zero where the system does not tell it: the rows of CPU and
// memory then say nothing.
func processUsage() (cpu time.Duration, peakRSS int64) { return 0, 0 }
