package broker

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// topicConfigOrder is the order in which Kafka defines the topic configs, and so
// the order in which it looks at their values: the first bad one is named.
var topicConfigOrder = [...]string{
	"segment.bytes", "segment.ms", "segment.jitter.ms", "segment.index.bytes", "flush.messages", "flush.ms",
	"retention.bytes", "retention.ms", "max.message.bytes", "max.decompressed.message.bytes", "index.interval.bytes",
	"delete.retention.ms", "min.compaction.lag.ms", "max.compaction.lag.ms", "file.delete.delay.ms",
	"min.cleanable.dirty.ratio", "cleanup.policy", "unclean.leader.election.enable", "min.insync.replicas",
	"compression.type", "compression.gzip.level", "compression.lz4.level", "compression.zstd.level", "preallocate",
	"message.timestamp.type", "message.timestamp.before.max.ms", "message.timestamp.after.max.ms",
	"leader.replication.throttled.replicas", "follower.replication.throttled.replicas", "remote.storage.enable",
	"local.retention.ms", "local.retention.bytes", "remote.log.copy.disable", "remote.copy.lag.ms",
	"remote.copy.lag.bytes", "remote.log.delete.on.disable", "errors.deadletterqueue.group.enable", "internal.segment.bytes",
}

// internalTopicConfig is a config that Kafka takes, but shows only where it is set.
var internalTopicConfig = configDef{name: "internal.segment.bytes", kind: kmsg.ConfigTypeInt}

// topicConfig is the definition of a topic config; nil: there is none.
func topicConfig(name string) *configDef {
	if name == internalTopicConfig.name {
		return &internalTopicConfig
	}
	return topicConfigs.find(name)
}

// checkTopicConfigs judges everything that shall be set for a topic: the names,
// each value, and how they fit together and with the broker's (LogConfig.validate).
func (s *settings) checkTopicConfigs(configs map[string]string) apiError {
	for _, name := range inJavaOrder(configs) {
		if topicConfig(name) == nil {
			return apiError{protocol.InvalidConfig, "Unknown topic config name: " + name}
		}
	}
	for _, name := range topicConfigOrder {
		if value, ok := configs[name]; ok {
			if err := topicConfig(name).check(value); err != nil {
				return apiError{protocol.InvalidConfig, err.Error()}
			}
		}
	}
	return s.checkTopicCombination(configs)
}

func (s *settings) checkTopicCombination(configs map[string]string) apiError {
	number := func(name string) int64 {
		n, _ := strconv.ParseInt(javaTrim(s.topicValue(configs, name)), 10, 64)
		return n
	}
	const lowest, highest = "min.compaction.lag.ms", "max.compaction.lag.ms"
	if low, high := number(lowest), number(highest); low > high {
		return apiError{protocol.InvalidConfig,
			fmt.Sprintf("conflict topic config setting %s (%d) > %s (%d)", lowest, low, highest, high)}
	}
	if strings.EqualFold(javaTrim(configs["remote.storage.enable"]), "true") {
		return apiError{protocol.InvalidConfig,
			"Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage."}
	}
	return apiError{}
}
