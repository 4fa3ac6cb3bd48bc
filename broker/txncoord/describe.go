package txncoord

// Description is what DescribeTransactions and ListTransactions tell of a transactional id.
type Description struct {
	State         State
	ProducerID    int64
	ProducerEpoch int16
	TimeoutMs     int32
	StartMs       int64 // when the transaction began; -1: there is none
	Partitions    []TopicPartition
}

// Describe describes the transactional id as it is now.
func (t *Transaction) Describe() Description {
	return Description{
		State: t.is.state, ProducerID: t.is.producerID, ProducerEpoch: t.is.epoch,
		TimeoutMs: t.is.timeoutMs, StartMs: t.is.startMs, Partitions: t.is.partitions,
	}
}
