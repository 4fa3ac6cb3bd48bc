// Command bench measures Klamm beside kfake and beside two limits of the
// machine, all in one run and interleaved, and prints one table:
//
//	go run ./conformance/peers/bench [-rounds 5] [-run REGEXP]
//
// Each server is a process of its own, so that its CPU time and memory are its
// own. The load speaks the raw protocol, pipelined. "limit" is a server that reads
// each frame into a reused buffer and answers a fixed frame; "storing" also checks
// CRC-32C and keeps the bytes in chunks of 1 MiB. No broker can do less, so
// shares of them say how much a broker adds.
package main
