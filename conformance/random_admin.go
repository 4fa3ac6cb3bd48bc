package conformance

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

// configTheme are the configs of topics, groups and subscriptions.
func (d *drawing) configTheme() []func() {
	return []func(){
		d.alterConfigs(kmsg.IncrementalAlterConfigs), d.alterConfigs(kmsg.IncrementalAlterConfigs), d.alterConfigs(kmsg.IncrementalAlterConfigs), d.alterConfigs(kmsg.AlterConfigs),
		d.describeConfigs, d.describeConfigs, d.describeConfigs, d.one(kmsg.ListConfigResources), d.createWithConfigs, d.createWithConfigs, d.one(kmsg.DeleteTopics), d.write, d.read,
	}
}

// clusterTheme is what a cluster keeps beside topics.
func (d *drawing) clusterTheme() []func() {
	return []func(){
		d.one(kmsg.AlterReplicaLogDirs), d.one(kmsg.DescribeLogDirs), d.one(kmsg.ElectLeaders), d.one(kmsg.AlterPartitionAssignments), d.one(kmsg.AlterPartitionAssignments),
		d.one(kmsg.ListPartitionReassignments), d.one(kmsg.DescribeProducers), d.idempotent, d.one(kmsg.DescribeClientQuotas), d.one(kmsg.AlterClientQuotas), d.one(kmsg.AlterClientQuotas),
		d.one(kmsg.DescribeUserSCRAMCredentials), d.one(kmsg.AlterUserSCRAMCredentials), d.one(kmsg.AlterUserSCRAMCredentials), d.one(kmsg.DescribeQuorum), d.validateFeatures,
		d.one(kmsg.DescribeCluster), d.one(kmsg.UnregisterBroker), d.one(kmsg.ApiVersions), d.one(kmsg.CreatePartitions), d.createTopic, d.one(kmsg.FindCoordinator),
	}
}

// validateFeatures asks whether features could be changed. Version 0 cannot only ask.
func (d *drawing) validateFeatures() {
	d.send(kmsg.UpdateFeatures, pick(d, int16(1), 2), "ValidateOnly", true)
}

// topicConfigValues are values for each config of a topic, good and bad ones. What a
// topic's compression does is left out: see differences.txt.
var topicConfigValues = map[string][]string{
	"cleanup.policy":                          {"delete", "compact", "compact,delete", "", "delete,delete", "shred", " compact"},
	"compression.gzip.level":                  {"1", "9", "-1", "0", "10"},
	"compression.lz4.level":                   {"1", "17", "18", "0"},
	"compression.type":                        {"producer", "odd", ""},
	"compression.zstd.level":                  {"3", "22", "23", "-131072", "-131073"},
	"delete.retention.ms":                     {"0", "86400000", "-1"},
	"errors.deadletterqueue.group.enable":     {"true", "false", "odd"},
	"file.delete.delay.ms":                    {"60000", "-1"},
	"flush.messages":                          {"1", "0"},
	"flush.ms":                                {"1000", "-1"},
	"follower.replication.throttled.replicas": {"*", "0:1", "0:1,1:1", "0", "", "x"},
	"index.interval.bytes":                    {"0", "4096", "-1"},
	"leader.replication.throttled.replicas":   {"*", "0:1", "none", "0:x"},
	"local.retention.bytes":                   {"-2", "100", "-3", "0"},
	"local.retention.ms":                      {"-2", "1000", "-1", "-3"},
	"max.compaction.lag.ms":                   {"1", "0", "86400000"},
	"max.decompressed.message.bytes":          {"1", "0", "2147483639", "2147483640"},
	"max.message.bytes":                       {"0", "100", "1048588", "-1", "2147483648"},
	"message.timestamp.after.max.ms":          {"0", "1000", "-1", "9223372036854775807"},
	"message.timestamp.before.max.ms":         {"0", "1000", "-1"},
	"message.timestamp.type":                  {"CreateTime", "LogAppendTime", "createtime", ""},
	"min.cleanable.dirty.ratio":               {"0", "0.5", "1", "1.1", "-0.1", "x", "1e-1", "NaN"},
	"min.compaction.lag.ms":                   {"0", "86400000", "-1"},
	"min.insync.replicas":                     {"1", "2", "0"},
	"preallocate":                             {"true", "false", "TRUE", "1", " true "},
	"remote.copy.lag.bytes":                   {"-1", "0", "-2"},
	"remote.copy.lag.ms":                      {"-1", "0", "1000", "-2"},
	"remote.log.copy.disable":                 {"true", "false"},
	"remote.log.delete.on.disable":            {"true", "false"},
	"remote.storage.enable":                   {"true", "false"},
	"retention.bytes":                         {"-1", "1000000000", "-2", "0"},
	"retention.ms":                            {"-1", "604800000", "-2", "9223372036854775808"},
	"segment.bytes":                           {"1048576", "1048575", "2147483647", "100"},
	"segment.index.bytes":                     {"4", "3", "10485760"},
	"segment.jitter.ms":                       {"0", "1000", "-1"},
	"segment.ms":                              {"1000", "0", "604800000"},
	"unclean.leader.election.enable":          {"true", "false"},
	"no.such":                                 {"1"},
	"":                                        {"1"},
}

// namedConfigValues are the same for groups and for subscriptions of client metrics.
var namedConfigValues = map[kmsg.ConfigResourceType]map[string][]string{
	kmsg.ConfigResourceTypeGroupConfig: {
		"consumer.session.timeout.ms":        {"45000", "50000", "60000", "1", "60001"},
		"consumer.heartbeat.interval.ms":     {"5000", "6000", "1", "15001", "x"},
		"consumer.assignment.interval.ms":    {"0", "1000", "-1"},
		"share.session.timeout.ms":           {"45000", "50000", "1"},
		"share.heartbeat.interval.ms":        {"5000", "6000", "1"},
		"share.record.lock.duration.ms":      {"30000", "15000", "60000", "1", "60001"},
		"share.delivery.count.limit":         {"5", "2", "10", "1", "11"},
		"share.partition.max.record.locks":   {"2000", "100", "99", "10001"},
		"share.auto.offset.reset":            {"latest", "earliest", "by_duration:PT1H", "by_duration:x", "never", "LATEST"},
		"share.isolation.level":              {"read_committed", "read_uncommitted", "odd"},
		"share.renew.acknowledge.enable":     {"true", "false", "x"},
		"streams.session.timeout.ms":         {"45000", "50000", "1"},
		"streams.heartbeat.interval.ms":      {"5000", "6000", "1"},
		"streams.num.standby.replicas":       {"0", "1", "2", "3", "-1"},
		"streams.initial.rebalance.delay.ms": {"0", "3000", "-1"},
		"streams.num.warmup.replicas":        {"2", "20", "21", "-1"},
		"streams.task.offset.interval.ms":    {"15000", "14999", "60000"},
		"streams.acceptable.recovery.lag":    {"0", "10000", "-1"},
		"streams.rack.aware.assignment.tags": {"a,b", "a, a", ""},
		"streams.assignment.interval.ms":     {"0", "15000", "15001"},
		"share.assignment.interval.ms":       {"0", "15000", "15001", "-1"},
		"consumer.assignor.offload.enable":   {"true", "false", "x"},
		"errors.deadletterqueue.topic.name":  {"dead", "__dead", ""},
		"no.such":                            {"1"},
		"retention.ms":                       {"1"},
	},
	kmsg.ConfigResourceTypeClientMetrics: {
		"interval.ms": {"100", "99", "3600000", "3600001", "x", ""},
		"metrics":     {"", "*", "a,b", "a,,b", " a "},
		"match":       {"client_id=a", "client_id", "=", "client_id=[", "client_software_name=x,client_id=y", ""},
		"no.such":     {"1"},
	},
}

// resource draws a resource that may be altered: its type, its name, and configs with
// values for it.
func (d *drawing) resource() (kind kmsg.ConfigResourceType, name string, values map[string][]string) {
	switch n := d.IntN(100); {
	case n < 60:
		return kmsg.ConfigResourceTypeTopic, "$" + d.topic, topicConfigValues
	case n < 75:
		return kmsg.ConfigResourceTypeGroupConfig, "$" + d.group, namedConfigValues[kmsg.ConfigResourceTypeGroupConfig]
	case n < 88:
		return kmsg.ConfigResourceTypeClientMetrics, "$u1", namedConfigValues[kmsg.ConfigResourceTypeClientMetrics]
	case n < 94:
		return kmsg.ConfigResourceTypeTopic, pick(d, "", "$nowhere", "bad name!", "$long@250", "."), topicConfigValues
	}
	return pick(d, kmsg.ConfigResourceType(0), 1, 3, 4, 8, 77, -1), "$nowhere", topicConfigValues
}

// config draws a config and a value for it.
func (d *drawing) config(values map[string][]string) (name string, value any) {
	name = pick(d, sortedKeys(values)...)
	if d.chance(d.odd) {
		return name, pick[any](d, nil, "", "x", " 1", "-1", "0", "9223372036854775808", "1.5")
	}
	return name, pick(d, values[name]...)
}

func (d *drawing) alterConfigs(key kmsg.Key) func() {
	return func() {
		resources := d.list(func() any {
			kind, name, values := d.resource()
			return map[string]any{"ResourceType": int64(kind), "ResourceName": name, "Configs": d.list(func() any {
				config, value := d.config(values)
				fields := map[string]any{"Name": config, "Value": value}
				if key == kmsg.IncrementalAlterConfigs {
					fields["Op"] = pick(d, int64(0), 0, 0, 0, 1, 1, 2, 3)
				}
				return fields
			})}
		})
		if key == kmsg.AlterConfigs && len(resources) > 1 { // Kafka never answers one that names a resource twice
			resources = resources[:1]
		}
		d.send(key, -1, "Resources", resources)
	}
}

func (d *drawing) describeConfigs() {
	d.send(kmsg.DescribeConfigs, -1, "Resources", d.list(func() any {
		kind, name, values := d.resource()
		fields := map[string]any{"ResourceType": int64(kind), "ResourceName": name, "ConfigNames": nil}
		if d.chance(70) {
			fields["ConfigNames"] = d.list(func() any { return pick(d, sortedKeys(values)...) })
		}
		return fields
	}))
}

func (d *drawing) createWithConfigs() {
	d.send(kmsg.CreateTopics, -1, "Topics", d.list(func() any {
		fields := map[string]any{"Topic": "$" + pick(d, "t3", "t4", "t4"), "NumPartitions": pick(d, int64(1), 2), "ReplicationFactor": int64(1), "Configs": d.list(func() any {
			name, value := d.config(topicConfigValues)
			return map[string]any{"Name": name, "Value": value}
		})}
		if d.chance(10) {
			fields["NumPartitions"], fields["ReplicationFactor"] = int64(-1), int64(-1)
			fields["ReplicaAssignment"] = d.list(func() any {
				return map[string]any{"Partition": pick(d, int64(0), 0, 1, 2, -1), "Replicas": d.list(func() any { return pick(d, int64(1), 1, 1, 2, -1) })}
			})
		}
		return fields
	}))
}
