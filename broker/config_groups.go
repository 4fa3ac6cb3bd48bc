package broker

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// checkGroupConfigs judges everything that shall be set for a group (GroupConfigManager.validate).
func (s *settings) checkGroupConfigs(configs map[string]string) apiError {
	names := inJavaOrder(configs)
	for _, name := range names {
		if groupConfig(name) == nil {
			return apiError{protocol.InvalidConfig, "Unknown group config name: " + name}
		}
	}
	if tags := "streams.rack.aware.assignment.tags"; hasTwice(configs[tags]) {
		return apiError{protocol.InvalidConfig, tags + " must not contain duplicate tag keys."}
	}
	for _, name := range groupConfigsDefined {
		if value, set := configs[name]; set {
			if err := groupConfig(name).check(value); err != nil {
				return apiError{protocol.InvalidConfig, err.Error()}
			}
		}
	}
	for _, name := range groupConfigsBounded {
		if value, set := configs[name]; set {
			if problem := s.outOfBounds(name, value); problem != "" {
				return apiError{protocol.InvalidConfig, problem}
			}
		}
	}
	if strings.HasPrefix(configs["errors.deadletterqueue.topic.name"], "__") {
		return apiError{protocol.InvalidConfig, "errors.deadletterqueue.topic.name: DLQ topic name must not start with '__'"}
	}
	return apiError{}
}

// hasTwice tells whether an item of a list stands there twice.
func hasTwice(list string) bool {
	seen := map[string]bool{}
	for _, item := range strings.Split(list, ",") {
		if item = javaTrim(item); seen[item] {
			return true
		}
		seen[item] = true
	}
	return false
}

// groupConfigsDefined are the configs of groups in the order in which GroupConfig defines
// them, in which their values are read: the first one that is wrong is named.
var groupConfigsDefined = [...]string{
	"consumer.session.timeout.ms", "consumer.heartbeat.interval.ms", "consumer.assignment.interval.ms", "consumer.assignor.offload.enable",
	"share.session.timeout.ms", "share.heartbeat.interval.ms", "share.record.lock.duration.ms", "share.delivery.count.limit",
	"share.partition.max.record.locks", "share.auto.offset.reset", "share.isolation.level", "share.renew.acknowledge.enable",
	"share.assignment.interval.ms", "share.assignor.offload.enable",
	"streams.session.timeout.ms", "streams.heartbeat.interval.ms", "streams.num.standby.replicas", "streams.initial.rebalance.delay.ms",
	"streams.assignment.interval.ms", "streams.assignor.offload.enable", "streams.task.offset.interval.ms", "streams.num.warmup.replicas",
	"streams.rack.aware.assignment.tags", "streams.acceptable.recovery.lag", "streams.assignor.name",
	"errors.deadletterqueue.topic.name", "errors.deadletterqueue.copy.record.enable",
}

// groupConfigsBounded are those whose values are then compared with the bounds that the
// broker sets, in the order of GroupConfig.validateValues.
var groupConfigsBounded = [...]string{
	"consumer.heartbeat.interval.ms", "consumer.session.timeout.ms", "consumer.assignment.interval.ms",
	"share.heartbeat.interval.ms", "share.session.timeout.ms", "share.record.lock.duration.ms", "share.delivery.count.limit",
	"share.partition.max.record.locks", "share.assignment.interval.ms",
	"streams.heartbeat.interval.ms", "streams.session.timeout.ms", "streams.num.standby.replicas", "streams.assignment.interval.ms",
	"streams.task.offset.interval.ms", "streams.num.warmup.replicas", "streams.assignor.name",
}

// outOfBounds compares a group config with the bounds that the broker sets: for
// consumer.session.timeout.ms group.consumer.min.session.timeout.ms and
// group.consumer.max.session.timeout.ms.
func (s *settings) outOfBounds(name, value string) string {
	if name == "streams.assignor.name" {
		known := splitConfigList(s.value("group.streams.assignors"))
		for _, assignor := range known {
			if assignor == value {
				return ""
			}
		}
		return fmt.Sprintf("%s '%s' is not a registered task assignor. Registered assignors are: [%s].",
			name, value, strings.Join(known, ", "))
	}
	n, _ := strconv.ParseInt(javaTrim(value), 10, 64)
	switch {
	case name == "streams.task.offset.interval.ms" && n < minTaskOffsetIntervalMs:
		return fmt.Sprintf("%s must be greater than or equal to %d", name, minTaskOffsetIntervalMs)
	case name == "streams.num.warmup.replicas" && n > maxWarmupReplicas:
		return fmt.Sprintf("%s must be less than or equal to %d", name, maxWarmupReplicas)
	}
	kind, rest, _ := strings.Cut(strings.Replace(name, ".num.", ".", 1), ".")
	lowest, highest := "group."+kind+".min."+rest, "group."+kind+".max."+rest
	if brokerConfigs.find(highest) == nil {
		return ""
	}
	if brokerConfigs.find(lowest) == nil {
		if n > s.number(highest) {
			return fmt.Sprintf("%s must be less than or equal to %d", name, s.number(highest))
		}
		return ""
	}
	if n < s.number(lowest) || n > s.number(highest) {
		return fmt.Sprintf("%s must be in the range %d to %d inclusive.", name, s.number(lowest), s.number(highest))
	}
	return ""
}

// metricsConfigs are the configs of a client metrics subscription (KIP-714).
var metricsConfigs = configTable{
	{name: "interval.ms", kind: kmsg.ConfigTypeInt, def: "300000"},
	{name: "match", rank: 1, kind: kmsg.ConfigTypeList},
	{name: "metrics", rank: 2, kind: kmsg.ConfigTypeList},
}

// checkMetricsConfigs judges what shall be set for a subscription (ClientMetricsConfigs.validate).
func checkMetricsConfigs(configs map[string]string) apiError {
	for _, name := range inJavaOrder(configs) {
		if metricsConfigs.find(name) == nil {
			return apiError{protocol.InvalidRequest, "Unknown client metrics configuration: " + name}
		}
	}
	for _, name := range [...]string{"metrics", "interval.ms", "match"} { // as Kafka defines them
		if value, ok := configs[name]; ok {
			if err := metricsConfigs.find(name).check(value); err != nil {
				return apiError{protocol.InvalidConfig, err.Error()}
			}
		}
	}
	if value, ok := configs["interval.ms"]; ok {
		if n, _ := strconv.Atoi(javaTrim(value)); n < 100 || n > hourMs {
			return apiError{protocol.InvalidRequest, fmt.Sprintf(
				"Invalid value %d for interval.ms, interval must be between 100 and 3600000 (1 hour)", n)}
		}
	}
	for _, pattern := range splitConfigList(configs["match"]) {
		if !isMetricsMatch(pattern) {
			return apiError{protocol.InvalidConfig, "Illegal client matching pattern: " + pattern}
		}
	}
	return apiError{}
}

// isMetricsMatch tells whether pattern is an attribute of clients, "=" and a regular expression.
func isMetricsMatch(pattern string) bool {
	attribute, expression, ok := strings.Cut(pattern, "=")
	if !ok || expression == "" || strings.Contains(expression, "=") {
		return false
	}
	switch javaTrim(attribute) {
	case "client_id", "client_instance_id", "client_software_name", "client_software_version",
		"client_source_address", "client_source_port":
		_, err := regexp.Compile(javaTrim(expression))
		return err == nil
	}
	return false
}
