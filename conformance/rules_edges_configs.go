package conformance

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

func configEdgeRules() []Rule {
	return []Rule{
		must("configs.describe-unknown-type", "One resource of an unknown type has all of the request refused, each under its own type.", "DescribeConfigsRequest.getErrorResponse", func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			for _, v := range []int16{1, 4} {
				for _, typ := range []kmsg.ConfigResourceType{0, 1, 3, 77, -1} {
					req := describeConfigs(v, kmsg.ConfigResourceTypeTopic, t.Name, "retention.bytes")
					other := describeConfigs(v, typ, "1", "retention.bytes")
					req.Resources = append(req.Resources, other.Resources...)
					a.Send(req).Answer()
				}
			}
		}),
		must("configs.alter-without-name", "A config without a name and without a value is refused as any other without a value.", "ConfigAdminManager.preprocess", func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			for _, op := range []kmsg.IncrementalAlterConfigOp{kmsg.IncrementalAlterConfigOpSet, kmsg.IncrementalAlterConfigOpDelete, kmsg.IncrementalAlterConfigOpAppend} {
				req := alterConfig(1, t.Name, "", op, "")
				req.Resources[0].Configs[0].Value = nil
				a.Send(req).Answer()
			}
		}),
		must("configs.alter-several-faults", "Of several faults in the operations the first is told that Kafka comes upon, in the order of its hash table.", "ConfigurationControlManager.incrementalAlterConfigResource", func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			ops := []kmsg.IncrementalAlterConfigOp{kmsg.IncrementalAlterConfigOpAppend, kmsg.IncrementalAlterConfigOpSubtract, 7}
			names := []string{"max.message.bytes", "message.timestamp.before.max.ms", "retention.bytes", "cleanup.policy", "preallocate"}
			for i, one := range names {
				for j, other := range names {
					if one == other {
						continue
					}
					req := alterConfig(1, t.Name, one, ops[(i+j)%3], "100")
					req.Resources[0].Configs = append(req.Resources[0].Configs, alterConfig(1, t.Name, other, ops[j%3], "100").Resources[0].Configs...)
					a.Send(req).Answer()
				}
			}
		}),
		must("configs.broker.throttles", "The rates of replication that only a dynamic config of a broker can set are checked and described, without a default.", "QuotaConfig.brokerQuotaConfigs", throttleConfigs),
	}
}

// throttleConfigs sets each of the rates, shows it and takes it away again.
func throttleConfigs(c *Conversation) {
	a, node := c.Conn("a"), c.nodeName()
	const kind = kmsg.ConfigResourceTypeBroker
	alter := func(config string, op kmsg.IncrementalAlterConfigOp, value string) *kmsg.IncrementalAlterConfigsRequest {
		req := alterConfig(1, node, config, op, value)
		req.Resources[0].ResourceType = kind
		return req
	}
	for _, config := range []string{"leader.replication.throttled.rate", "follower.replication.throttled.rate", "replica.alter.log.dirs.io.max.bytes.per.second"} {
		show := describeConfigs(4, kind, node, config)
		show.IncludeSynonyms = true
		a.Send(show).Answer()
		for _, value := range []string{"-1", "fast", "9223372036854775808", ""} {
			a.Send(alter(config, kmsg.IncrementalAlterConfigOpSet, value)).Answer()
		}
		a.Send(alter(config, kmsg.IncrementalAlterConfigOpAppend, "1000")).Answer()
		a.Send(alter(config, kmsg.IncrementalAlterConfigOpSet, "1000")).Answer()
		awaitConfig(c, kind, node, config, "1000")
		a.Send(show).Answer()
		a.Send(alter(config, kmsg.IncrementalAlterConfigOpDelete, "")).Answer()
		until(c, describeConfigs(3, kind, node, config), func(r *kmsg.DescribeConfigsResponse) bool {
			return len(r.Resources) == 1 && len(r.Resources[0].Configs) == 0
		})
		a.Send(show).Answer()
	}
}
