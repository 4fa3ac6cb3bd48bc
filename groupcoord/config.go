package groupcoord

import "time"

// Config is what the broker's configuration means to a group. The zero value of
// a limit means that there is none.
type Config struct {
	MinSessionTimeout             time.Duration // group.min.session.timeout.ms
	MaxSessionTimeout             time.Duration // group.max.session.timeout.ms
	InitialRebalanceDelay         time.Duration // group.initial.rebalance.delay.ms
	MaxSize                       int           // group.max.size
	OffsetMetadataMaxSize         int           // offset.metadata.max.bytes
	MaxBatchSize                  int           // message.max.bytes: the records of one Append as a batch, in bytes
	OffsetsRetention              time.Duration // offsets.retention.minutes
	OffsetsRetentionCheckInterval time.Duration // offsets.retention.check.interval.ms
}
