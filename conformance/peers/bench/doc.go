// Command bench measures Klamm beside kfake and beside limits of the machine, all
// in one run and interleaved, and prints one table:
//
//	go run ./conformance/peers/bench [-rounds 5] [-run REGEXP]
//
// Each server is a process of its own, so that its CPU time and memory are its own;
// only what a user's test would do (start, tests, Metadata of many topics) is in one
// process with its client, as it is there. The load speaks the raw protocol,
// pipelined: bulk produce with 16 (16 KiB) or 4 (1 MiB) requests unanswered, small
// produce with 64, fetch with 2. Small requests are gathered into one write as far as
// they may be sent, so that the load costs less than what it measures.
//
// The limits do what no broker can leave out. "limit" reads each frame into a reused
// buffer and answers a fixed frame, "canned" the same with 1 MiB; "storing" also
// checks CRC-32C and keeps the bytes in chunks of 1 MiB, each connection by itself;
// "parked" hands an answer from one connection to another; "bare" is a listener.
//
// With KLAMM_BENCH_PROFILE=DIR each server writes a CPU profile there. The same
// measures are benchmarks for go test -bench, one server after another.
package main
