package groupcoord

import "time"

// Config is what the broker's configuration means to a group. The zero value of
// a limit means that there is none.
type Config struct {
	MinSessionTimeout             time.Duration // group.min.session.timeout.ms
	MaxSessionTimeout             time.Duration // group.max.session.timeout.ms
	InitialRebalanceDelay         time.Duration // group.initial.rebalance.delay.ms
	MaxSize                       int           // group.max.size
	ConsumerSessionTimeout        time.Duration // consumer.session.timeout.ms of the group
	ConsumerHeartbeatInterval     time.Duration // consumer.heartbeat.interval.ms of the group
	ConsumerAssignmentInterval    time.Duration // consumer.assignment.interval.ms of the group
	ConsumerMaxSize               int           // group.consumer.max.size
	ConsumerAssignors             []string      // group.consumer.assignors; none: uniform
	ConsumerUpgrade               bool          // group.consumer.migration.policy: a classic group may become a consumer group
	ConsumerDowngrade             bool          // ... and go back
	ShareSessionTimeout           time.Duration // share.session.timeout.ms of the group
	ShareHeartbeatInterval        time.Duration // share.heartbeat.interval.ms of the group
	ShareAssignmentInterval       time.Duration // share.assignment.interval.ms of the group
	ShareMaxSize                  int           // group.share.max.size
	OffsetMetadataMaxSize         int           // offset.metadata.max.bytes
	MaxBatchSize                  int           // message.max.bytes: the records of one Append as a batch, in bytes
	OffsetsRetention              time.Duration // offsets.retention.minutes
	OffsetsRetentionCheckInterval time.Duration // offsets.retention.check.interval.ms
}
