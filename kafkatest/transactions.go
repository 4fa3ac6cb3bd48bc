package kafkatest

import (
	"fmt"

	"klamm/broker"
)

// Transaction is what the coordinator knows of a transactional id.
type Transaction = broker.Transaction

// Transaction returns what is known of a transactional id. One that nobody has used is
// Dead and has nothing.
func (c *Cluster) Transaction(id string) Transaction {
	t, ok := c.broker.Transaction(id)
	if !ok {
		return Transaction{ID: id, State: "Dead", ProducerID: -1, ProducerEpoch: -1}
	}
	return t
}

// WaitTransaction waits until the transactional id is in a state, such as "Ongoing" or
// "CompleteCommit", and returns it.
func (c *Cluster) WaitTransaction(id, state string) Transaction {
	c.t.Helper()
	var t Transaction
	c.wait(func() (bool, string) {
		t = c.Transaction(id)
		return t.State == state, sprintf("transactional id %q to be %s", id, state)
	}, func() string { return c.dumpTransaction(id) })
	return t
}

// HoldMarkers keeps the markers of transactions that end from now on from being written,
// until ReleaseMarkers: what lasts a moment otherwise can then be tested. The producer's
// next requests are answered with CONCURRENT_TRANSACTIONS, its records are not there for
// consumers of committed records, and the offsets that it committed are answered with
// UNSTABLE_OFFSET_COMMIT to who asks for stable ones (KIP-447).
func (c *Cluster) HoldMarkers() { c.broker.HoldMarkers() }

// ReleaseMarkers ends HoldMarkers and completes the transactions that waited.
func (c *Cluster) ReleaseMarkers() { c.broker.ReleaseMarkers() }

func (c *Cluster) dumpTransaction(id string) string {
	t, ok := c.broker.Transaction(id)
	if !ok {
		return fmt.Sprintf("transactional id %q is not known; those that are: %q\n%s", id, c.broker.Transactions(), c.dumpClients())
	}
	return fmt.Sprintf("transactional id %q: %s, producer id %d, epoch %d, partitions %v", id, t.State, t.ProducerID, t.ProducerEpoch, t.Partitions)
}
