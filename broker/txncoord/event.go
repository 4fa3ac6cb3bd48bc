package txncoord

import "klamm/protocol"

// TopicPartition is one partition of a topic.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// Event is something that happened to a transactional id.
type Event interface{ event() }

// InitProducerID is a request of a producer for its id and a new epoch. The timeout has
// been compared with transaction.max.timeout.ms.
type InitProducerID struct {
	TimeoutMs int32
	// ProducerID and ProducerEpoch are those that the producer has, both -1 when it has
	// none (KIP-360).
	ProducerID    int64
	ProducerEpoch int16
	Fresh         int64 // an unused producer id, where NeedsProducerID asks for one
}

// AddPartitions makes partitions part of the producer's transaction, and begins one if
// there is none. Offsets that are committed in a transaction are a partition of
// __consumer_offsets.
type AddPartitions struct {
	ProducerID    int64
	ProducerEpoch int16
	Partitions    []TopicPartition
	EpochBump     bool // the producer speaks the protocol of KIP-890 (transaction version 2)
}

// EndTxn commits or aborts.
type EndTxn struct {
	ProducerID    int64
	ProducerEpoch int16
	Commit        bool
	EpochBump     bool  // the producer speaks the protocol of KIP-890
	Fresh         int64 // an unused producer id, where NeedsProducerID asks for one
}

// MarkersWritten tells that the markers of the last WriteMarkers are in the logs.
type MarkersWritten struct{}

// Tick says that a deadline may have passed. A Tick that comes too early does nothing.
type Tick struct {
	Fresh int64 // an unused producer id, where NeedsProducerID asks for one
}

// Configure replaces the configuration.
type Configure struct{ Config Config }

func (InitProducerID) event() {}
func (AddPartitions) event()  {}
func (EndTxn) event()         {}
func (MarkersWritten) event() {}
func (Tick) event()           {}
func (Configure) event()      {}

// Effect is something that the owner must do, in the order of the slice that Step
// returned and before the next event.
type Effect interface{ effect() }

// Reply answers the request that the event stood for. ProducerID and ProducerEpoch are
// those that the producer is to use from now on, -1 where it is told none.
type Reply struct {
	Code          protocol.ErrorCode
	ProducerID    int64
	ProducerEpoch int16
}

// Append writes a record to __transaction_state, and then calls Apply with it.
type Append struct{ Record Record }

// WriteMarkers asks for a marker in each of the partitions, and for MarkersWritten
// when all of them are there. Until then the transaction is being completed, and
// requests are answered with CONCURRENT_TRANSACTIONS.
type WriteMarkers struct{ Markers Markers }

// Markers are the same marker for several partitions.
type Markers struct {
	ProducerID    int64
	ProducerEpoch int16
	Commit        bool
	EpochBump     bool // the epoch is new with the markers (transaction version 2)
	Partitions    []TopicPartition
}

func (Reply) effect()        {}
func (Append) effect()       {}
func (WriteMarkers) effect() {}

// Record is one record of __transaction_state. A nil Value is a tombstone.
type Record struct{ Key, Value []byte }
