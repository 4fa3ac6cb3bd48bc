package broker

import (
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// applyOps is what current becomes by the operations of the request. Only LIST
// configs of the table can be appended to and subtracted from
// (ConfigurationControlManager.incrementalAlterConfigResource).
func applyOps(current map[string]string, r *kmsg.IncrementalAlterConfigsRequestResource, table configTable) (map[string]string, apiError) {
	next := cloneMap(current)
	for i := range r.Configs {
		cfg := &r.Configs[i]
		switch cfg.Op {
		case kmsg.IncrementalAlterConfigOpSet:
			next[cfg.Name] = *cfg.Value
		case kmsg.IncrementalAlterConfigOpDelete:
			delete(next, cfg.Name)
		default:
			def := table.find(cfg.Name)
			if def == nil || def.kind != kmsg.ConfigTypeList {
				return nil, apiError{protocol.InvalidConfig,
					"Can't " + opName(cfg.Op) + " to key " + cfg.Name + " because its type is not LIST."}
			}
			value, ok := next[cfg.Name]
			if !ok {
				value = def.def
			}
			next[cfg.Name] = alterList(value, cfg.Op, *cfg.Value)
		}
	}
	return next, apiError{}
}

// inOrderOfWork puts configs, no two of one name, into the order in which Kafka's
// controller works on them: that of a hash table.
func inOrderOfWork(configs []kmsg.IncrementalAlterConfigsRequestResourceConfig) []kmsg.IncrementalAlterConfigsRequestResourceConfig {
	if len(configs) < 2 {
		return configs
	}
	byName := make(map[string]int, len(configs))
	names := make([]string, len(configs))
	for i := range configs {
		names[i], byName[configs[i].Name] = configs[i].Name, i
	}
	ordered := make([]kmsg.IncrementalAlterConfigsRequestResourceConfig, 0, len(configs))
	for _, name := range javaOrder(names, 16) {
		ordered = append(ordered, configs[byName[name]])
	}
	return ordered
}

// failsOnOp tells whether Kafka comes upon an operation that does not exist, which it
// did not foresee, before it finds another fault.
func failsOnOp(r *kmsg.IncrementalAlterConfigsRequestResource) bool {
	table := map[kmsg.ConfigResourceType]configTable{
		kmsg.ConfigResourceTypeTopic: topicConfigs, kmsg.ConfigResourceTypeBroker: brokerConfigs,
	}[r.ResourceType]
	for i := range r.Configs {
		switch cfg := &r.Configs[i]; cfg.Op {
		case kmsg.IncrementalAlterConfigOpSet, kmsg.IncrementalAlterConfigOpDelete:
		case kmsg.IncrementalAlterConfigOpAppend, kmsg.IncrementalAlterConfigOpSubtract:
			if def := table.find(cfg.Name); def == nil || def.kind != kmsg.ConfigTypeList {
				return false
			}
		default:
			return true
		}
	}
	return false
}

func opName(op kmsg.IncrementalAlterConfigOp) string {
	if op == kmsg.IncrementalAlterConfigOpAppend {
		return "APPEND"
	}
	return "SUBTRACT"
}

// alterList appends the items of a list that are not there yet, or takes out the
// first of each.
func alterList(value string, op kmsg.IncrementalAlterConfigOp, items string) string {
	var parts []string
	for _, part := range strings.Split(value, ",") {
		if part != "" {
			parts = append(parts, part)
		}
	}
	for _, item := range javaSplit(items) {
		i := slices.Index(parts, item)
		if op == kmsg.IncrementalAlterConfigOpAppend && i < 0 {
			parts = append(parts, item)
		}
		if op == kmsg.IncrementalAlterConfigOpSubtract && i >= 0 {
			parts = slices.Delete(parts, i, i+1)
		}
	}
	return strings.Join(parts, ",")
}

// javaSplit is String.split(","): empty items at the end do not count, unless
// the whole is empty.
func javaSplit(s string) []string {
	if s == "" {
		return []string{""}
	}
	parts := strings.Split(s, ",")
	for len(parts) > 0 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	return parts
}
