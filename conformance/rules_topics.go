package conformance

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func topicRules() []Rule {
	return []Rule{
		must("topics.create.every-version", "Every version of CreateTopics makes a topic.", "CreateTopicsRequest", func(c *Conversation) {
			for v := int16(2); v <= 7; v++ {
				name := c.Name("made-" + string(rune('0'+v)))
				c.Mine(name)
				created(c, createTopics(v, name, 2, 1))
			}
		}),
		must("topics.create.exists", "A topic that exists is TOPIC_ALREADY_EXISTS.", "ReplicationControlManager.createTopics", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for v := int16(2); v <= 7; v++ {
				created(c, createTopics(v, t.Name, 1, 1))
			}
		}),
		must("topics.create.defaults", "Minus one partition and replica mean the broker's defaults.", "KIP-464", func(c *Conversation) {
			for _, v := range []int16{2, 3, 4, 7} {
				name := c.Name("made-" + string(rune('0'+v)))
				c.Mine(name)
				created(c, createTopics(v, name, -1, -1))
			}
		}),
		must("topics.create.bad-counts", "Zero and negative partitions and replicas, and more replicas than brokers, are refused.", "ReplicationControlManager.createTopic", func(c *Conversation) {
			for _, n := range []struct {
				partitions int32
				replicas   int16
			}{{0, 1}, {-2, 1}, {1, 0}, {1, -2}, {1, 2}, {1, 32767}} {
				created(c, createTopics(7, c.Name("bad"), n.partitions, n.replicas))
			}
		}),
		must("topics.create.bad-names", "Names that no topic can have are INVALID_TOPIC_EXCEPTION.", "Topic.validate", func(c *Conversation) {
			for _, name := range []string{"", ".", "..", "with space", "a/b", "ä", strings.Repeat("x", 250)} {
				created(c, createTopics(7, name, 1, 1))
			}
		}),
		must("topics.create.colliding-names", "Names that differ only in dots and underscores collide.", "Topic.hasCollision", func(c *Conversation) {
			t := c.Topic("the.dotted_name", 1)
			other := strings.Replace(t.Name, ".", "_", 1)
			c.names.know(other, "the_dotted_name")
			created(c, createTopics(7, other, 1, 1))
		}),
		must("topics.create.twice-in-a-request", "A topic named twice in a request is refused.", "KafkaApis.handleCreateTopics", func(c *Conversation) {
			name, other := c.Name("twice"), c.Name("other")
			c.Mine(other)
			req := createTopics(7, name, 1, 1)
			req.Topics = append(req.Topics, createTopics(7, name, 1, 1).Topics[0], createTopics(7, other, 1, 1).Topics[0])
			created(c, req)
		}),
		must("topics.create.validate-only", "A request that only validates answers as if, and makes nothing.", "CreateTopicsRequest", func(c *Conversation) {
			name := c.Name("made")
			for range 2 {
				req := createTopics(7, name, 3, 1)
				req.ValidateOnly = true
				created(c, req)
			}
			ask[*kmsg.MetadataResponse](c.Conn("a"), metadata(9, name))
		}),
		must("topics.create.bad-configs", "Unknown configs and values that do not fit are INVALID_CONFIG.", "LogConfig", func(c *Conversation) {
			for _, kv := range [][2]string{{"no.such.config", "1"}, {"retention.ms", "soon"}, {"cleanup.policy", "compost"}, {"segment.bytes", "1"}, {"min.insync.replicas", "0"}} {
				req := createTopics(7, c.Name("bad"), 1, 1)
				req.Topics[0].Configs = []kmsg.CreateTopicsRequestTopicConfig{{Name: kv[0], Value: &kv[1]}}
				created(c, req)
			}
		}),
		must("topics.create.configs", "From v5 on the answer lists all configs of the topic, with their sources.", "KIP-525", func(c *Conversation) {
			c.whole = true
			name := c.Name("made")
			c.Mine(name)
			req := createTopics(5, name, 1, 1)
			value := "60000"
			req.Topics[0].Configs = []kmsg.CreateTopicsRequestTopicConfig{{Name: "retention.ms", Value: &value}}
			created(c, req)
		}),
		must("topics.create.null-config", "A config whose value is null is refused.", "ConfigurationControlManager", func(c *Conversation) {
			req := createTopics(7, c.Name("bad"), 1, 1)
			req.Topics[0].Configs = []kmsg.CreateTopicsRequestTopicConfig{{Name: "retention.ms"}}
			created(c, req)
		}),
		must("topics.create.assignment", "Replicas may be placed by hand, on brokers that exist, each partition once from 0 on.", "ReplicationControlManager.createTopic", assignedTopics),
		must("topics.recreate", "A topic that is deleted and made again has another id and an empty log.", "KIP-516", func(c *Conversation) {
			t, a := filled(c, 1, "a"), c.Conn("a")
			ask[*kmsg.DeleteTopicsResponse](a, deleteTopics(5, t.Name))
			until(c, metadata(12, t.Name), func(r *kmsg.MetadataResponse) bool { return isCold(r) })
			created(c, createTopics(7, t.Name, 1, 1))
			c.ready(t.Name, 1)
			get(a, fetch(12, t, 0, 0))
			get(a, fetch(13, t, 0, 0))
			ask[*kmsg.MetadataResponse](a, metadata(12, t.Name))
		}),
		must("topics.delete.every-version", "Every version of DeleteTopics deletes a topic.", "DeleteTopicsRequest", func(c *Conversation) {
			for v := int16(1); v <= 6; v++ {
				t := c.Topic("orders-"+string(rune('0'+v)), 1)
				ask[*kmsg.DeleteTopicsResponse](c.Conn("a"), deleteTopics(v, t.Name))
			}
		}),
		must("topics.delete.unknown", "Deleting what does not exist is UNKNOWN_TOPIC_OR_PARTITION, or UNKNOWN_TOPIC_ID by id.", "KafkaApis.handleDeleteTopicsRequest", func(c *Conversation) {
			for v := int16(1); v <= 6; v++ {
				ask[*kmsg.DeleteTopicsResponse](c.Conn("a"), deleteTopics(v, c.Name("nowhere")))
			}
			req := deleteTopics(6)
			req.Topics = []kmsg.DeleteTopicsRequestTopic{{TopicID: [16]byte{1, 2, 3}}}
			ask[*kmsg.DeleteTopicsResponse](c.Conn("a"), req)
		}),
		must("topics.delete.by-id", "From v6 on a topic is deleted by its id.", "KIP-516", func(c *Conversation) {
			t := c.Topic("orders", 1)
			req := deleteTopics(6)
			req.Topics = []kmsg.DeleteTopicsRequestTopic{{TopicID: t.ID}}
			ask[*kmsg.DeleteTopicsResponse](c.Conn("a"), req)
		}),
		must("topics.delete.name-and-id", "Name and id at once, and neither, are refused.", "ControllerApis.deleteTopics", func(c *Conversation) {
			t := c.Topic("orders", 1)
			req := deleteTopics(6, t.Name)
			req.Topics[0].TopicID = t.ID
			c.Conn("a").Send(req).Answer()
			req.Topics[0] = kmsg.NewDeleteTopicsRequestTopic()
			c.Conn("a").Send(req).Answer()
		}),
		must("topics.delete.twice-in-a-request", "A topic named twice in a request is refused.", "ControllerApis.deleteTopics", func(c *Conversation) {
			t := c.Topic("orders", 1)
			ask[*kmsg.DeleteTopicsResponse](c.Conn("a"), deleteTopics(6, t.Name, t.Name))
		}),
		must("topics.partitions.grow", "CreatePartitions adds partitions, empty ones, in every version.", "KIP-195", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for v := range int16(4) {
				ask[*kmsg.CreatePartitionsResponse](c.Conn("a"), createPartitions(v, t.Name, int32(v)+2))
			}
			c.ready(t.Name, 5)
			ask[*kmsg.MetadataResponse](c.Conn("a"), metadata(9, t.Name))
		}),
		must("topics.partitions.refused", "Fewer or as many partitions as there are, zero, and an unknown topic are refused.", "ReplicationControlManager.createPartitions", func(c *Conversation) {
			t := c.Topic("orders", 3)
			for _, n := range []int32{3, 2, 1, 0, -1} {
				ask[*kmsg.CreatePartitionsResponse](c.Conn("a"), createPartitions(3, t.Name, n))
			}
			ask[*kmsg.CreatePartitionsResponse](c.Conn("a"), createPartitions(3, c.Name("nowhere"), 5))
		}),
		must("topics.partitions.validate-only", "A request that only validates adds nothing.", "KIP-195", func(c *Conversation) {
			t := c.Topic("orders", 1)
			req := createPartitions(3, t.Name, 4)
			req.ValidateOnly = true
			ask[*kmsg.CreatePartitionsResponse](c.Conn("a"), req)
			ask[*kmsg.MetadataResponse](c.Conn("a"), metadata(9, t.Name))
		}),
	}
}

func created(c *Conversation, req *kmsg.CreateTopicsRequest) {
	c.Conn("a").Send(req).Answer()
}

func assignedTopics(c *Conversation) {
	meta := ask[*kmsg.MetadataResponse](c.setup, metadata(9))
	node := meta.Brokers[0].NodeID
	for _, placed := range [][]kmsg.CreateTopicsRequestTopicReplicaAssignment{
		{{Partition: 0, Replicas: []int32{node}}, {Partition: 1, Replicas: []int32{node}}},
		{{Partition: 0, Replicas: []int32{99}}},
		{{Partition: 1, Replicas: []int32{node}}},
		{{Partition: 0, Replicas: []int32{node, node}}},
		{{Partition: 0, Replicas: []int32{}}},
		{{Partition: 0, Replicas: []int32{node}}, {Partition: 0, Replicas: []int32{node}}},
	} {
		name := c.Name("placed-" + string(rune('0'+len(c.topics))))
		c.Mine(name)
		req := createTopics(7, name, -1, -1)
		req.Topics[0].ReplicaAssignment = placed
		created(c, req)
	}
	name := c.Name("counted")
	req := createTopics(7, name, 1, 1)
	req.Topics[0].ReplicaAssignment = []kmsg.CreateTopicsRequestTopicReplicaAssignment{{Partition: 0, Replicas: []int32{node}}}
	created(c, req)
}
