package broker

import (
	"slices"
	"time"
)

// Transaction is what the coordinator knows of a transactional id.
type Transaction struct {
	ID            string // the transactional id
	State         string // Kafka's name: Empty, Ongoing, PrepareCommit, PrepareAbort, CompleteCommit or CompleteAbort
	ProducerID    int64
	ProducerEpoch int16
	Timeout       time.Duration
	Partitions    []TopicPartition // that are part of the transaction, the offsets of groups among them
}

// Transaction returns what is known of a transactional id; ok is false where nobody has
// used it, or not for transactional.id.expiration.ms.
func (c *Cluster) Transaction(id string) (view Transaction, ok bool) {
	t := c.txns.get(id)
	if t == nil {
		return Transaction{}, false
	}
	d, ok := t.describe()
	if !ok {
		return Transaction{}, false
	}
	view = Transaction{
		ID: id, State: d.State.String(), ProducerID: d.ProducerID, ProducerEpoch: d.ProducerEpoch,
		Timeout: time.Duration(d.TimeoutMs) * time.Millisecond,
	}
	for _, tp := range d.Partitions {
		view.Partitions = append(view.Partitions, TopicPartition(tp))
	}
	return view, true
}

// Transactions are all transactional ids, sorted.
func (c *Cluster) Transactions() []string {
	var ids []string
	for _, t := range c.txns.all() {
		if _, ok := t.describe(); ok {
			ids = append(ids, t.id)
		}
	}
	slices.Sort(ids)
	return ids
}
