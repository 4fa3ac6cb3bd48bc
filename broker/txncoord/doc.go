// Package txncoord is the transaction coordinator as a set of pure machines, one per
// transactional id: an event goes in, effects come out, and nothing else happens. It
// blocks on nothing, starts nothing and reads no clock. The broker owns one Transaction
// behind one mutex and carries out its effects; scripts and simulations drive the same
// code without a broker.
//
// Hard state is what Apache Kafka writes to __transaction_state. It changes only in
// Apply, which is called for each record that the owner appended, and again for all of
// them on reload. No request of a transaction is ever parked, so each is answered by the
// Reply among the effects of its own Step.
package txncoord
