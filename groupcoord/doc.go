// Package groupcoord is the group coordinator as a set of pure machines, one
// per group: an event goes in, effects come out, and nothing else happens. It
// blocks on nothing, starts nothing and reads no clock. The broker owns one
// Group behind one mutex and carries out its effects; scripts and simulations
// drive the same code without a broker.
//
// Hard state is what Apache Kafka writes to __consumer_offsets. It changes only
// in Apply, which is called for each record that the owner appended, and again
// for all of them on reload. Soft state (parked joins, deadlines, membership
// between two generations) changes only in Step.
package groupcoord
