package broker

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// brokerConfig is the definition of a broker config; the name may have a listener
// prefix. nil: there is none.
func brokerConfig(name string) *configDef {
	if d := brokerConfigs.find(name); d != nil {
		return d
	}
	if rest, ok := strings.CutPrefix(name, listenerPrefix); ok {
		if _, base, ok := strings.Cut(rest, "."); ok {
			return brokerConfigs.find(base)
		}
	}
	return nil
}

// rateConfigs are the limits on replication. They are no configs of a server: a
// broker has them from when they are set dynamically (QuotaConfig.brokerQuotaConfigs).
var rateConfigs = configTable{
	{name: "follower.replication.throttled.rate", rank: 1, kind: kmsg.ConfigTypeLong, def: "9223372036854775807", valid: "[0,...]"},
	{name: "leader.replication.throttled.rate", rank: 0, kind: kmsg.ConfigTypeLong, def: "9223372036854775807", valid: "[0,...]"},
	{name: "replica.alter.log.dirs.io.max.bytes.per.second", rank: 2, kind: kmsg.ConfigTypeLong, def: "9223372036854775807", valid: "[0,...]"},
}

// dynamicConfig is the definition of whatever a broker may be given dynamically. nil: there is none.
func dynamicConfig(name string) *configDef {
	if d := rateConfigs.find(name); d != nil {
		return d
	}
	return brokerConfig(name)
}

const listenerPrefix = "listener.name."

// perListener tells that a config may change only with a listener prefix
// (DynamicBrokerConfig.DynamicSecurityConfigs).
func perListener(name string) bool {
	return name == "ssl.key.password" || strings.HasPrefix(name, "ssl.keystore.") || strings.HasPrefix(name, "ssl.truststore.")
}

// perBroker tells that a config cannot be set for all brokers at once
// (DynamicBrokerConfig.PerBrokerConfigs).
func perBroker(name string) bool {
	switch name {
	case "cordoned.log.dirs", "listener.security.protocol.map", "listeners", "principal.builder.class":
		return true
	}
	return strings.HasPrefix(name, listenerPrefix) || strings.HasPrefix(name, "sasl.") || strings.HasPrefix(name, "ssl.")
}

// checkBrokerChange judges a change of broker configs (ConfigAdminManager.validateBrokerConfigChange,
// DynamicBrokerConfig.validate). Kafka takes names that it does not know: they
// may be those of a plugin.
func (s *settings) checkBrokerChange(r *kmsg.IncrementalAlterConfigsRequestResource) apiError {
	current := s.cluster
	if r.ResourceName != "" {
		id, err := strconv.ParseInt(r.ResourceName, 10, 32)
		if err != nil {
			return apiError{protocol.InvalidRequest, "Node id must be an integer, but it is: " + r.ResourceName}
		}
		if id != nodeID {
			return apiError{protocol.InvalidRequest,
				fmt.Sprintf("Unexpected broker id, expected %d, but received %s", nodeID, r.ResourceName)}
		}
		current = s.node
	}
	for i := range r.Configs {
		if op := r.Configs[i].Op; op < kmsg.IncrementalAlterConfigOpSet || op > kmsg.IncrementalAlterConfigOpSubtract {
			return apiError{protocol.InvalidRequest, fmt.Sprintf("Unknown operations type %d", op)}
		}
	}
	for i := range r.Configs {
		cfg := &r.Configs[i]
		if cfg.Op < kmsg.IncrementalAlterConfigOpAppend {
			continue
		}
		def := brokerConfig(cfg.Name)
		if def == nil {
			return apiError{protocol.InvalidConfig, "Unknown config name: " + cfg.Name}
		}
		if def.kind != kmsg.ConfigTypeList {
			return apiError{protocol.InvalidConfig, fmt.Sprintf("Config value %s is not allowed for config key: %s",
				strings.ToLower(opName(cfg.Op)), cfg.Name)}
		}
	}
	next, refused := applyOps(current, r, brokerConfigs)
	if refused.code != protocol.None {
		return refused
	}
	if reason := s.refuseDynamic(next, r.ResourceName != ""); reason != "" {
		return apiError{protocol.InvalidRequest, reason}
	}
	return apiError{}
}

// refuseDynamic is why the dynamic configs of a broker, or of all, cannot be next.
func (s *settings) refuseDynamic(next map[string]string, ofBroker bool) string {
	names := inJavaOrder(next)
	only := func(wanted func(string) bool) string {
		var found []string
		for _, name := range names {
			if wanted(name) {
				found = append(found, name)
			}
		}
		return strings.Join(found, ", ")
	}
	fixed := only(func(name string) bool { d := brokerConfigs.find(name); return d != nil && d.readOnly })
	if fixed != "" {
		return "Cannot update these configs dynamically: [" + fixed + "]"
	}
	if found := only(perListener); found != "" {
		return "These security configs can be dynamically updated only per-listener using the listener prefix: [" + found + "]"
	}
	for _, name := range names {
		if d := dynamicConfig(name); d != nil {
			if err := d.check(next[name]); err != nil {
				return err.Error()
			}
		}
	}
	if found := only(perBroker); found != "" && !ofBroker {
		return "Cannot update these configs at default cluster level, broker id must be specified: [" + found + "]"
	}
	for _, name := range names {
		if reason := s.refuseValue(name, next[name]); reason != "" {
			return reason
		}
	}
	return ""
}

// refuseValue is why a value that is right by itself does not fit the broker.
func (s *settings) refuseValue(name, value string) string {
	n, _ := strconv.ParseInt(javaTrim(value), 10, 64)
	switch name {
	case "listeners", "listener.security.protocol.map":
		return "requirement failed: controller.listener.names must contain at least one value appearing in the 'listeners' " +
			"configuration when running the KRaft controller role"
	case "max.connections.per.ip":
		if n == 0 && s.value("max.connections.per.ip.overrides") == "" {
			return "requirement failed: max.connections.per.ip can be set to zero only if " +
				"max.connections.per.ip.overrides property is set."
		}
	case "background.threads", "num.io.threads", "num.network.threads", "num.recovery.threads.per.data.dir", "num.replica.fetchers":
		have, problem := s.number(name), ""
		switch {
		case n < have/2:
			problem = fmt.Sprintf("value should be at least half the current value %d", have)
		case n > 2*have:
			problem = fmt.Sprintf("value should not be greater than double the current value %d", have)
		default:
			return ""
		}
		return fmt.Sprintf("Invalid value org.apache.kafka.common.config.ConfigException: Dynamic thread count update "+
			"validation failed for %s=%s, %s for configuration Invalid dynamic configuration", name, value, problem)
	case "group.consumer.assignment.interval.ms", "group.share.assignment.interval.ms", "group.streams.assignment.interval.ms":
		highest := strings.Replace(name, ".assignment", ".max.assignment", 1)
		if n > s.number(highest) {
			return name + " must be less than or equal to " + highest
		}
	}
	return ""
}

// rootLogger is the only logger that can be asked for; setting it changes nothing.
const rootLogger = "root"

// alterLogger judges a change of log levels (RuntimeLoggerManager).
func alterLogger(r *kmsg.IncrementalAlterConfigsRequestResource) apiError {
	id, err := strconv.ParseInt(r.ResourceName, 10, 32)
	if err != nil {
		return apiError{protocol.InvalidRequest, "Node id must be an integer, but it is: " + r.ResourceName}
	}
	if id != nodeID {
		return apiError{protocol.InvalidRequest, fmt.Sprintf("Unexpected node id. Expected %d, but received %d", nodeID, id)}
	}
	for i := range r.Configs {
		cfg := &r.Configs[i]
		switch {
		case cfg.Op >= kmsg.IncrementalAlterConfigOpAppend:
			return apiError{protocol.InvalidRequest, opName(cfg.Op) + " operation is not allowed for the BROKER_LOGGER resource"}
		case cfg.Name != rootLogger:
			return apiError{protocol.InvalidConfig, "Logger " + cfg.Name + " does not exist!"}
		case cfg.Op == kmsg.IncrementalAlterConfigOpSet && !isLogLevel(*cfg.Value):
			return apiError{protocol.InvalidConfig, fmt.Sprintf("Cannot set the log level of %s to %s as it is not a supported "+
				"log level. Valid log levels are DEBUG, ERROR, FATAL, INFO, TRACE, WARN", cfg.Name, *cfg.Value)}
		}
	}
	return apiError{}
}

func isLogLevel(s string) bool {
	switch s {
	case "DEBUG", "ERROR", "FATAL", "INFO", "TRACE", "WARN":
		return true
	}
	return false
}
