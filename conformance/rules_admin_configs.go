package conformance

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

func replaceConfigRules() []Rule {
	const source = "ConfigAdminManager, ConfigurationControlManager.legacyAlterConfigs"
	return []Rule{
		must("configs.replace.every-version", "AlterConfigs replaces all that is set for a topic, in every version.", "KIP-133", func(c *Conversation) {
			t, a := c.Topic("orders", 1, "segment.bytes", "2000000"), c.Conn("a")
			for v := range int16(3) {
				value := []string{"1000", "2000", "3000"}[v]
				a.Send(alterConfigs(v, kmsg.ConfigResourceTypeTopic, t.Name, "max.message.bytes", value)).Answer()
				awaitConfig(c, kmsg.ConfigResourceTypeTopic, t.Name, "max.message.bytes", value)
				a.Send(describeConfigs(3, kmsg.ConfigResourceTypeTopic, t.Name, "max.message.bytes", "segment.bytes", "retention.ms")).Answer()
			}
		}),
		must("configs.replace.nothing", "AlterConfigs without configs sets a topic back to its defaults.", "KIP-133", func(c *Conversation) {
			t, a := c.Topic("orders", 1, "segment.bytes", "2000000"), c.Conn("a")
			a.Send(alterConfigs(2, kmsg.ConfigResourceTypeTopic, t.Name)).Answer()
			awaitConfig(c, kmsg.ConfigResourceTypeTopic, t.Name, "segment.bytes", "1073741824")
			a.Send(describeConfigs(3, kmsg.ConfigResourceTypeTopic, t.Name, "segment.bytes", "retention.ms")).Answer()
		}),
		must("configs.replace.validate-only", "A request that only validates replaces nothing.", "KIP-133", func(c *Conversation) {
			t, a := c.Topic("orders", 1, "segment.bytes", "2000000"), c.Conn("a")
			req := alterConfigs(2, kmsg.ConfigResourceTypeTopic, t.Name, "max.message.bytes", "1000")
			req.ValidateOnly = true
			a.Send(req).Answer()
			a.Send(describeConfigs(3, kmsg.ConfigResourceTypeTopic, t.Name, "max.message.bytes", "segment.bytes")).Answer()
			req = alterConfigs(2, kmsg.ConfigResourceTypeTopic, t.Name, "max.message.bytes", "much")
			req.ValidateOnly = true
			a.Send(req).Answer()
		}),
		must("configs.replace.refused", "Unknown configs, values that do not fit and topics that do not exist or cannot are refused.", source, func(c *Conversation) {
			t, a := c.Topic("orders", 1, "segment.bytes", "2000000"), c.Conn("a")
			a.Send(alterConfigs(2, kmsg.ConfigResourceTypeTopic, t.Name, "no.such.config", "1")).Answer()
			a.Send(alterConfigs(2, kmsg.ConfigResourceTypeTopic, t.Name, "retention.ms", "soon")).Answer()
			a.Send(alterConfigs(2, kmsg.ConfigResourceTypeTopic, c.Name("nowhere"), "retention.ms", "1")).Answer()
			a.Send(alterConfigs(2, kmsg.ConfigResourceTypeTopic, "with space", "retention.ms", "1")).Answer()
			a.Send(alterConfigs(2, kmsg.ConfigResourceTypeTopic, "", "retention.ms", "1")).Answer()
			a.Send(alterConfigs(2, kmsg.ConfigResourceTypeTopic, "")).Answer()
			a.Send(describeConfigs(3, kmsg.ConfigResourceTypeTopic, t.Name, "segment.bytes")).Answer()
		}),
		must("configs.replace.null-and-twice", "A config whose value is null, and one named twice, are refused.", "ConfigAdminManager.preprocess", func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			req := alterConfigs(2, kmsg.ConfigResourceTypeTopic, t.Name, "retention.ms", "1", "segment.bytes", "2")
			req.Resources[0].Configs[0].Value, req.Resources[0].Configs[1].Value = nil, nil
			a.Send(req).Answer()
			a.Send(alterConfigs(2, kmsg.ConfigResourceTypeTopic, t.Name, "retention.ms", "1", "retention.ms", "2")).Answer()
		}),
		must("configs.replace.types", "Types that do not exist, and loggers, cannot be replaced; a resource beside them is.", "ConfigAdminManager.preprocess", func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			for _, typ := range []kmsg.ConfigResourceType{0, 1, 3, 77, -1, kmsg.ConfigResourceTypeBrokerLogger} {
				name := "1"
				if typ == kmsg.ConfigResourceTypeBrokerLogger {
					name = c.nodeName()
				}
				req := alterConfigs(2, typ, name)
				req.Resources = append(req.Resources, alterConfigs(2, kmsg.ConfigResourceTypeTopic, t.Name).Resources...)
				a.Send(req).Answer()
			}
		}),
		must("configs.replace.broker-refused", "Brokers that do not exist, configs that are read-only, and what eligible leader replicas need are refused.", source, func(c *Conversation) {
			a, node := c.Conn("a"), c.nodeName()
			a.Send(alterConfigs(2, kmsg.ConfigResourceTypeBroker, "4711")).Answer()
			a.Send(alterConfigs(2, kmsg.ConfigResourceTypeBroker, "one")).Answer()
			a.Send(alterConfigs(2, kmsg.ConfigResourceTypeBroker, node, "node.id", "2")).Answer()
			a.Send(alterConfigs(2, kmsg.ConfigResourceTypeBroker, node, "min.insync.replicas", "1")).Answer()
			a.Send(alterConfigs(2, kmsg.ConfigResourceTypeBroker, "", "log.cleaner.threads", "2")).Answer()
			a.Send(alterConfigs(2, kmsg.ConfigResourceTypeBroker, "")).Answer()
		}),
	}
}

// namedConfigRules are about the configs of groups and of client metrics subscriptions.
func namedConfigRules() []Rule {
	return []Rule{
		must("configs.group.alter", "Configs of a group are set, described with what they stand in for, replaced and deleted.", "KIP-848, GroupConfigManager", alterGroupConfigs),
		must("configs.group.refused", "Unknown group configs, values out of the broker's bounds and a group without a name are refused.", "GroupConfigManager.validate", func(c *Conversation) {
			group := c.Name("readers")
			for _, kv := range [][2]string{{"no.such.config", "1"}, {"consumer.session.timeout.ms", "1"}, {"consumer.heartbeat.interval.ms", "x"}, {"share.auto.offset.reset", "never"}, {"streams.num.standby.replicas", "99"}} {
				c.Conn("a").Send(alterConfigs(2, kmsg.ConfigResourceTypeGroupConfig, group, kv[0], kv[1])).Answer()
			}
			c.Conn("a").Send(alterConfigs(2, kmsg.ConfigResourceTypeGroupConfig, "", "consumer.session.timeout.ms", "50000")).Answer()
			c.Conn("a").Send(describeConfigs(4, kmsg.ConfigResourceTypeGroupConfig, "", "consumer.session.timeout.ms")).Answer()
		}),
		must("configs.metrics.alter", "Configs of a client metrics subscription are set, described, replaced and deleted.", "KIP-714", alterMetricsConfigs),
		must("configs.metrics.describe", "A subscription that has no configs is described by the defaults, with documentation.", "KIP-714", func(c *Conversation) {
			c.Conn("a").Send(describeConfigs(4, kmsg.ConfigResourceTypeClientMetrics, c.Name("subscription"))).Answer()
		}),
		must("configs.group.describe", "A group is described by all of its configs, and what they stand in for, whether it exists or not.", "GroupConfig", func(c *Conversation) {
			for v := int16(1); v <= 4; v++ {
				req := describeConfigs(v, kmsg.ConfigResourceTypeGroupConfig, c.Name("readers"))
				req.IncludeSynonyms = true
				c.Conn("a").Send(req).Answer()
			}
		}),
		must("configs.group.incremental", "Configs of groups and subscriptions are no lists: they are set and deleted, but neither appended to nor subtracted from.", "KIP-339", func(c *Conversation) {
			for _, kind := range []kmsg.ConfigResourceType{kmsg.ConfigResourceTypeGroupConfig, kmsg.ConfigResourceTypeClientMetrics} {
				config := "share.auto.offset.reset"
				if kind == kmsg.ConfigResourceTypeClientMetrics {
					config = "metrics"
				}
				for _, op := range []kmsg.IncrementalAlterConfigOp{kmsg.IncrementalAlterConfigOpAppend, kmsg.IncrementalAlterConfigOpSubtract, kmsg.IncrementalAlterConfigOpDelete} {
					req := alterConfig(1, c.Name("named"), config, op, "latest")
					req.Resources[0].ResourceType = kind
					c.Conn("a").Send(req).Answer()
				}
			}
		}),
		must("configs.metrics.patterns", "A pattern is an attribute of clients, one equals sign and a regular expression.", "ClientMetricsConfigs.parseMatchingPatterns", func(c *Conversation) {
			name := c.Name("subscription")
			for _, pattern := range []string{"client_id=a", " client_id = a ", "client_id=a=b", "client_id=", "=a", "client_id=a,client_source_port=[0-9]+", "client_id=a,nonsense", ""} {
				req := alterConfigs(2, kmsg.ConfigResourceTypeClientMetrics, name, "match", pattern)
				req.ValidateOnly = true
				c.Conn("a").Send(req).Answer()
			}
		}),
		must("configs.metrics.refused", "Unknown configs, intervals out of bounds, patterns that match nothing and a subscription without a name are refused.", "ClientMetricsConfigs.validate", func(c *Conversation) {
			name := c.Name("subscription")
			for _, kv := range [][2]string{{"no.such.config", "1"}, {"interval.ms", "99"}, {"interval.ms", "3600001"}, {"interval.ms", "x"}, {"match", "client_id"}, {"match", "colour=red"}, {"match", "client_id=["}} {
				c.Conn("a").Send(alterConfigs(2, kmsg.ConfigResourceTypeClientMetrics, name, kv[0], kv[1])).Answer()
			}
			c.Conn("a").Send(alterConfigs(2, kmsg.ConfigResourceTypeClientMetrics, "", "interval.ms", "1000")).Answer()
			c.Conn("a").Send(describeConfigs(4, kmsg.ConfigResourceTypeClientMetrics, "")).Answer()
		}),
	}
}

// alterConfigs replaces the configs of one resource; configs are names and values in turn.
func alterConfigs(version int16, kind kmsg.ConfigResourceType, name string, configs ...string) *kmsg.AlterConfigsRequest {
	req := kmsg.NewPtrAlterConfigsRequest()
	req.Version = version
	rr := kmsg.NewAlterConfigsRequestResource()
	rr.ResourceType, rr.ResourceName = kind, name
	for i := 0; i < len(configs); i += 2 {
		rc := kmsg.NewAlterConfigsRequestResourceConfig()
		rc.Name, rc.Value = configs[i], &configs[i+1]
		rr.Configs = append(rr.Configs, rc)
	}
	req.Resources = append(req.Resources, rr)
	return req
}

// awaitConfig waits, outside the transcript, until a config has this value.
func awaitConfig(c *Conversation, kind kmsg.ConfigResourceType, name, config, value string) {
	until(c, describeConfigs(3, kind, name, config), func(r *kmsg.DescribeConfigsResponse) bool {
		if len(r.Resources) != 1 || len(r.Resources[0].Configs) != 1 {
			return false
		}
		got := r.Resources[0].Configs[0].Value
		return got != nil && *got == value
	})
}

func alterGroupConfigs(c *Conversation) {
	group, a := c.Name("readers"), c.Conn("a")
	const kind, session, heartbeat = kmsg.ConfigResourceTypeGroupConfig, "consumer.session.timeout.ms", "consumer.heartbeat.interval.ms"
	show := describeConfigs(4, kind, group, session, heartbeat)
	show.IncludeSynonyms, show.IncludeDocumentation = true, false
	a.Send(show).Answer()
	a.Send(alterConfigs(1, kind, group, session, "50000", heartbeat, "6000")).Answer()
	awaitConfig(c, kind, group, session, "50000")
	a.Send(show).Answer()
	a.Send(alterConfigs(2, kind, group, heartbeat, "7000")).Answer()
	awaitConfig(c, kind, group, session, "45000")
	a.Send(show).Answer()
	a.Send(alterConfigs(2, kind, group)).Answer()
	awaitConfig(c, kind, group, heartbeat, "5000")
	a.Send(show).Answer()
}

func alterMetricsConfigs(c *Conversation) {
	name, a := c.Name("subscription"), c.Conn("a")
	const kind = kmsg.ConfigResourceTypeClientMetrics
	show := describeConfigs(4, kind, name)
	show.IncludeSynonyms, show.IncludeDocumentation = true, false
	a.Send(show).Answer()
	a.Send(alterConfigs(1, kind, name, "interval.ms", "1000", "metrics", "org.apache.kafka.", "match", "client_id=c.*")).Answer()
	awaitConfig(c, kind, name, "interval.ms", "1000")
	a.Send(show).Answer()
	a.Send(alterConfigs(2, kind, name, "interval.ms", "100")).Answer()
	awaitConfig(c, kind, name, "interval.ms", "100")
	a.Send(show).Answer()
	a.Send(alterConfigs(2, kind, name)).Answer()
	awaitConfig(c, kind, name, "interval.ms", "300000")
	a.Send(show).Answer()
}

func listResourceRules() []Rule {
	return []Rule{
		must("configs.resources.by-type", "ListConfigResources lists topics, brokers and their loggers, and groups and subscriptions that have configs, by type.", "KIP-1142", listEachType),
		must("configs.resources.v0", "Version 0 lists client metrics subscriptions only.", "KIP-714", func(c *Conversation) {
			c.Topic("orders", 1)
			name := c.Name("subscription")
			subscription(c, name, "1000")
			c.Conn("a").Send(listResources(0)).Answer()
			subscription(c, name, "")
			c.Conn("a").Send(listResources(0)).Answer()
		}),
		must("configs.resources.unsupported-type", "One type that cannot be listed refuses the request.", "KIP-1142", func(c *Conversation) {
			for _, types := range [][]int8{{0}, {1}, {3}, {77}, {-1}, {2, 1}, {64}} {
				c.Conn("a").Send(listResources(1, types...)).Answer()
			}
		}),
	}
}

func listResources(version int16, types ...int8) *kmsg.ListConfigResourcesRequest {
	req := kmsg.NewPtrListConfigResourcesRequest()
	req.Version, req.ResourceTypes = version, types
	return req
}

// subscription makes a client metrics subscription, or with "" deletes it, outside the transcript.
func subscription(c *Conversation, name, interval string) {
	if interval == "" {
		ask[*kmsg.AlterConfigsResponse](c.setup, alterConfigs(2, kmsg.ConfigResourceTypeClientMetrics, name))
		interval = "300000"
	} else {
		ask[*kmsg.AlterConfigsResponse](c.setup, alterConfigs(2, kmsg.ConfigResourceTypeClientMetrics, name, "interval.ms", interval))
	}
	awaitConfig(c, kmsg.ConfigResourceTypeClientMetrics, name, "interval.ms", interval)
}

func listEachType(c *Conversation) {
	a, group, name := c.Conn("a"), c.Name("readers"), c.Name("subscription")
	c.Topic("orders", 1)
	subscription(c, name, "1000")
	ask[*kmsg.AlterConfigsResponse](c.setup, alterConfigs(2, kmsg.ConfigResourceTypeGroupConfig, group, "consumer.session.timeout.ms", "50000"))
	awaitConfig(c, kmsg.ConfigResourceTypeGroupConfig, group, "consumer.session.timeout.ms", "50000")
	a.Send(listResources(1)).Answer()
	for _, kind := range []int8{2, 4, 8, 16, 32} {
		a.Send(listResources(1, kind)).Answer()
	}
	a.Send(listResources(1, 32, 2, 32)).Answer()
	subscription(c, name, "")
	ask[*kmsg.AlterConfigsResponse](c.setup, alterConfigs(2, kmsg.ConfigResourceTypeGroupConfig, group))
	awaitConfig(c, kmsg.ConfigResourceTypeGroupConfig, group, "consumer.session.timeout.ms", "45000")
	a.Send(listResources(1)).Answer()
}
