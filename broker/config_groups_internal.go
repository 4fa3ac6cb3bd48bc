package broker

import "github.com/twmb/franz-go/pkg/kmsg"

// internalGroupConfigs are the configs of a group that Kafka 4.4.0 defines as internal, by
// name: they can be set, and are described only where they are. What they stand in for is
// as little to be seen among the configs of the broker.
var internalGroupConfigs = configTable{
	{name: "consumer.assignor.offload.enable", kind: kmsg.ConfigTypeBoolean, def: "true", synonym: "group.consumer.assignor.offload.enable"},
	{name: "share.assignor.offload.enable", kind: kmsg.ConfigTypeBoolean, def: "true", synonym: "group.share.assignor.offload.enable"},
	{name: "streams.acceptable.recovery.lag", kind: kmsg.ConfigTypeLong, def: "10000", valid: "[0,...]", synonym: "group.streams.acceptable.recovery.lag"},
	{name: "streams.assignor.offload.enable", kind: kmsg.ConfigTypeBoolean, def: "true", synonym: "group.streams.assignor.offload.enable"},
	{name: "streams.num.warmup.replicas", kind: kmsg.ConfigTypeInt, def: "2", valid: "[0,...]", synonym: "group.streams.num.warmup.replicas"},
	{name: "streams.task.offset.interval.ms", kind: kmsg.ConfigTypeInt, def: "60000", valid: "[1,...]", synonym: "group.streams.task.offset.interval.ms"},
}

// internalGroupDocs is what Kafka says of them.
var internalGroupDocs = map[string]string{
	"consumer.assignor.offload.enable": "Whether to offload consumer group assignment to a group coordinator background thread.",
	"share.assignor.offload.enable":    "Whether to offload share group assignment to a group coordinator background thread.",
	"streams.assignor.offload.enable":  "Whether to offload streams group assignment to a group coordinator background thread.",
	"streams.acceptable.recovery.lag":  "The maximum acceptable lag (number of offsets to catch up) for a client to be considered caught-up enough to receive an active task assignment.",
	"streams.num.warmup.replicas":      "The maximum number of warmup task replicas.",
	"streams.task.offset.interval.ms":  "The interval in which the warmup task changelog offsets on a client are updated on the broker. The offsets are sent with the next heartbeat after this time has passed.",
}

// The bounds of two of them, which are internal configs of the broker themselves.
const (
	maxWarmupReplicas       = 20     // group.streams.max.warmup.replicas
	minTaskOffsetIntervalMs = 15_000 // group.streams.min.task.offset.interval.ms
)

// groupConfig returns the config of groups called name, or nil.
func groupConfig(name string) *configDef {
	if def := groupConfigs.find(name); def != nil {
		return def
	}
	return internalGroupConfigs.find(name)
}
