//go:build unix

package main

import (
	"runtime"
	"syscall"
	"time"
)

// processUsage is the CPU time of this process, and the most memory in bytes that
// it ever had resident.
func processUsage() (cpu time.Duration, peakRSS int64) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, 0
	}
	peakRSS = int64(u.Maxrss)
	if runtime.GOOS != "darwin" && runtime.GOOS != "ios" {
		peakRSS <<= 10 // kilobytes everywhere else
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), peakRSS
}
