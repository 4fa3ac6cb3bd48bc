package conformance

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

func describeRules() []Rule {
	return []Rule{
		must("cluster.describe", "Every version of DescribeCluster names the cluster and its brokers.", "KIP-700, KIP-919, KIP-1073", func(c *Conversation) {
			for v := range int16(3) {
				for _, operations := range []bool{false, true} {
					req := kmsg.NewPtrDescribeClusterRequest()
					req.Version, req.EndpointType, req.IncludeClusterAuthorizedOperations = v, 1, operations
					c.Conn("a").Send(req).Answer()
				}
			}
		}),
		must("cluster.describe-endpoint-type", "A broker's listener describes brokers only.", "KIP-919", func(c *Conversation) {
			for _, kind := range []int8{0, 2, 3} {
				req := kmsg.NewPtrDescribeClusterRequest()
				req.Version, req.EndpointType = 2, kind
				c.Conn("a").Send(req).Answer()
			}
		}),
		must("topicpartitions.describe", "DescribeTopicPartitions describes topics sorted by name, unknown and illegal ones with their errors.", "KIP-966", func(c *Conversation) {
			t, u := c.Topic("orders", 2), c.Topic("bills", 1)
			c.Conn("a").Send(topicPartitions(2000, t.Name, u.Name, c.Name("nowhere"))).Answer()
			c.Conn("a").Send(topicPartitions(2000, "with space")).Answer()
		}),
		must("topicpartitions.paged", "The limit cuts the answer, and the cursor goes on from there.", "KIP-966", pagedTopicPartitions),
		must("topicpartitions.limits", "Limits below one count as one.", "DescribeTopicPartitionsRequestHandler", func(c *Conversation) {
			t := c.Topic("orders", 2)
			for _, limit := range []int32{0, -1, 1} {
				c.Conn("a").Send(topicPartitions(limit, t.Name)).Answer()
			}
		}),
		must("configs.describe-topic", "Every version of DescribeConfigs describes a topic's configs, with source, type and documentation as it can.", "KIP-133, KIP-226, KIP-569", func(c *Conversation) {
			t := c.Topic("orders", 1, "cleanup.policy", "compact")
			for v := int16(1); v <= 4; v++ {
				req := describeConfigs(v, kmsg.ConfigResourceTypeTopic, t.Name, "retention.ms", "cleanup.policy", "max.message.bytes", "message.timestamp.type", "preallocate")
				c.Conn("a").Send(req).Answer()
				req.IncludeSynonyms = true
				c.Conn("a").Send(req).Answer()
			}
		}),
		must("configs.describe-names", "Unknown names are left out, and an empty list means none.", "ConfigHelper.describeConfigs", func(c *Conversation) {
			t := c.Topic("orders", 1)
			req := describeConfigs(4, kmsg.ConfigResourceTypeTopic, t.Name, "no.such.config", "retention.ms")
			c.Conn("a").Send(req).Answer()
			req.Resources[0].ConfigNames = []string{}
			c.Conn("a").Send(req).Answer()
		}),
		must("configs.describe-unknown", "Unknown topics, illegal names and resource types that do not exist are refused.", "ConfigHelper.describeConfigs", func(c *Conversation) {
			c.Conn("a").Send(describeConfigs(4, kmsg.ConfigResourceTypeTopic, c.Name("nowhere"))).Answer()
			c.Conn("a").Send(describeConfigs(4, kmsg.ConfigResourceTypeTopic, "with space")).Answer()
			c.Conn("a").Send(describeConfigs(4, kmsg.ConfigResourceTypeBroker, "99", "num.partitions")).Answer()
			c.Conn("a").Send(describeConfigs(4, kmsg.ConfigResourceTypeBroker, "x", "num.partitions")).Answer()
		}),
		must("configs.alter-set-delete", "A config is set and deleted, and described so.", "KIP-339", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for _, v := range []int16{0, 1} {
				altered(c, t, v, "max.message.bytes", kmsg.IncrementalAlterConfigOpSet, "2000", "2000")
				altered(c, t, v, "max.message.bytes", kmsg.IncrementalAlterConfigOpDelete, "", "1048588")
			}
		}),
		must("configs.alter-list", "Values are appended to and subtracted from a list, once each.", "KIP-339", func(c *Conversation) {
			t := c.Topic("orders", 1)
			altered(c, t, 1, "cleanup.policy", kmsg.IncrementalAlterConfigOpAppend, "compact", "delete,compact")
			altered(c, t, 1, "cleanup.policy", kmsg.IncrementalAlterConfigOpAppend, "compact", "delete,compact")
			altered(c, t, 1, "cleanup.policy", kmsg.IncrementalAlterConfigOpSubtract, "delete", "compact")
			altered(c, t, 1, "cleanup.policy", kmsg.IncrementalAlterConfigOpSubtract, "nothing", "compact")
		}),
		must("configs.alter-refused", "Unknown configs, values that do not fit, appending to what is no list, and unknown operations are refused.", "ConfigurationControlManager", func(c *Conversation) {
			t := c.Topic("orders", 1)
			altered(c, t, 1, "no.such.config", kmsg.IncrementalAlterConfigOpSet, "1", "")
			altered(c, t, 1, "retention.ms", kmsg.IncrementalAlterConfigOpSet, "soon", "")
			altered(c, t, 1, "retention.ms", kmsg.IncrementalAlterConfigOpAppend, "1", "")
			altered(c, t, 1, "retention.ms", kmsg.IncrementalAlterConfigOp(9), "1", "")
			altered(c, Topic{Name: c.Name("nowhere")}, 1, "retention.ms", kmsg.IncrementalAlterConfigOpSet, "1", "")
		}),
		must("configs.alter-null", "Setting a config to null is refused.", "KafkaApis.handleIncrementalAlterConfigsRequest", func(c *Conversation) {
			t := c.Topic("orders", 1)
			req := alterConfig(1, t.Name, "retention.ms", kmsg.IncrementalAlterConfigOpSet, "")
			req.Resources[0].Configs[0].Value = nil
			c.Conn("a").Send(req).Answer()
		}),
		must("configs.alter-twice", "A config named twice, and a topic named twice, are refused.", "ConfigAdminManager", func(c *Conversation) {
			t := c.Topic("orders", 1)
			req := alterConfig(1, t.Name, "retention.ms", kmsg.IncrementalAlterConfigOpSet, "1000")
			req.Resources[0].Configs = append(req.Resources[0].Configs, req.Resources[0].Configs[0])
			c.Conn("a").Send(req).Answer()
			req = alterConfig(1, t.Name, "retention.ms", kmsg.IncrementalAlterConfigOpSet, "1000")
			req.Resources = append(req.Resources, req.Resources[0])
			c.Conn("a").Send(req).Answer()
		}),
		must("configs.alter-validate-only", "A request that only validates changes nothing.", "KIP-339", func(c *Conversation) {
			t := c.Topic("orders", 1)
			req := alterConfig(1, t.Name, "max.message.bytes", kmsg.IncrementalAlterConfigOpSet, "1000")
			req.ValidateOnly = true
			c.Conn("a").Send(req).Answer()
			c.Conn("a").Send(describeConfigs(4, kmsg.ConfigResourceTypeTopic, t.Name, "max.message.bytes")).Answer()
		}),
		must("configs.alter-has-effect", "A changed max.message.bytes holds for the next batch.", "LogConfig", func(c *Conversation) {
			t := c.Topic("orders", 1)
			altered(c, t, 1, "max.message.bytes", kmsg.IncrementalAlterConfigOpSet, "10", "10")
			until(c, produce(12, -1, t, 0, batchOf("v")), func(r *kmsg.ProduceResponse) bool { return r.Topics[0].Partitions[0].ErrorCode != 0 })
			produced(c, produce(3, -1, t, 0, batchOf("v")))
		}),
	}
}

func topicPartitions(limit int32, topics ...string) *kmsg.DescribeTopicPartitionsRequest {
	req := kmsg.NewPtrDescribeTopicPartitionsRequest()
	req.ResponsePartitionLimit = limit
	for _, t := range topics {
		rt := kmsg.NewDescribeTopicPartitionsRequestTopic()
		rt.Topic = t
		req.Topics = append(req.Topics, rt)
	}
	return req
}

func pagedTopicPartitions(c *Conversation) {
	t, u := c.Topic("orders", 3), c.Topic("bills", 2)
	req := topicPartitions(2, t.Name, u.Name)
	for range 5 {
		resp := ask[*kmsg.DescribeTopicPartitionsResponse](c.Conn("a"), req)
		if resp.NextCursor == nil {
			return
		}
		cursor := kmsg.NewDescribeTopicPartitionsRequestCursor()
		cursor.Topic, cursor.Partition = resp.NextCursor.Topic, resp.NextCursor.Partition
		req.Cursor = &cursor
	}
}

func describeConfigs(version int16, kind kmsg.ConfigResourceType, name string, configs ...string) *kmsg.DescribeConfigsRequest {
	req := kmsg.NewPtrDescribeConfigsRequest()
	req.Version, req.IncludeDocumentation = version, true
	rr := kmsg.NewDescribeConfigsRequestResource()
	rr.ResourceType, rr.ResourceName, rr.ConfigNames = kind, name, configs
	req.Resources = append(req.Resources, rr)
	return req
}

func alterConfig(version int16, topic, config string, op kmsg.IncrementalAlterConfigOp, value string) *kmsg.IncrementalAlterConfigsRequest {
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	req.Version = version
	rr := kmsg.NewIncrementalAlterConfigsRequestResource()
	rr.ResourceType, rr.ResourceName = kmsg.ConfigResourceTypeTopic, topic
	rc := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	rc.Name, rc.Op, rc.Value = config, op, &value
	rr.Configs = append(rr.Configs, rc)
	req.Resources = append(req.Resources, rr)
	return req
}

// altered alters one config of a topic and, when that was done, describes it as soon
// as it has the value that is awaited: Kafka spreads it after it has answered.
func altered(c *Conversation, t Topic, version int16, config string, op kmsg.IncrementalAlterConfigOp, value, awaited string) {
	a := c.Conn("a")
	resp := ask[*kmsg.IncrementalAlterConfigsResponse](a, alterConfig(version, t.Name, config, op, value))
	if resp.Resources[0].ErrorCode != 0 {
		return
	}
	req := describeConfigs(3, kmsg.ConfigResourceTypeTopic, t.Name, config)
	until(c, req, func(r *kmsg.DescribeConfigsResponse) bool {
		got := r.Resources[0].Configs[0].Value
		return got != nil && *got == awaited
	})
	ask[*kmsg.DescribeConfigsResponse](a, req)
}
