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
	}
}
