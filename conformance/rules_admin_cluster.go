package conformance

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

const metadataLog = "__cluster_metadata"

func producerStateRules() []Rule {
	return []Rule{
		must("producers.none", "A partition without idempotent producers has no active ones.", "KIP-664", func(c *Conversation) {
			t := c.Topic("orders", 2)
			ask[*kmsg.ProduceResponse](c.setup, produce(9, -1, t, 1, batchOf("v")))
			c.Conn("a").Send(describeProducers(t.Name, 0, 1)).Answer()
		}),
		must("producers.active", "An idempotent producer is described by its epoch, its last sequence and the time of its last record.", "KIP-664, ProducerStateManager.activeProducers", func(c *Conversation) {
			t, a, pid := idempotentTopic(c)
			put(a, t, 0, idempotent(pid, 0, 0, "a", "b", "c"))
			a.Send(describeProducers(t.Name, 0)).Answer()
			put(a, t, 0, idempotent(pid, 0, 3, "d"))
			a.Send(describeProducers(t.Name, 0)).Answer()
			put(a, t, 0, idempotent(pid, 1, 0, "e"))
			a.Send(describeProducers(t.Name, 0)).Answer()
		}),
		must("producers.refused-batch", "A batch that is refused does not change what is described.", "ProducerStateManager", func(c *Conversation) {
			t, a, pid := idempotentTopic(c)
			put(a, t, 0, idempotent(pid, 2, 0, "a"))
			put(a, t, 0, idempotent(pid, 2, 7, "gap"))
			put(a, t, 0, idempotent(pid, 1, 1, "old"))
			a.Send(describeProducers(t.Name, 0)).Answer()
		}),
		must("producers.unknown", "Topics and partitions that do not exist are UNKNOWN_TOPIC_OR_PARTITION, names that no topic can have INVALID_TOPIC_EXCEPTION.", "KafkaApis.handleDescribeProducersRequest", func(c *Conversation) {
			t := c.Topic("orders", 1)
			req := describeProducers(t.Name, 0, 7, -1)
			for _, name := range []string{c.Name("nowhere"), "", "with space"} {
				req.Topics = append(req.Topics, describeProducers(name, 0, 1).Topics[0])
			}
			c.Conn("a").Send(req).Answer()
		}),
		must("producers.twice", "What is asked twice is answered twice, and nothing with nothing.", "KafkaApis.handleDescribeProducersRequest", func(c *Conversation) {
			t := c.Topic("orders", 1)
			req := describeProducers(t.Name, 0, 0)
			req.Topics = append(req.Topics, describeProducers(t.Name, 0).Topics[0], describeProducers(t.Name).Topics[0])
			c.Conn("a").Send(req).Answer()
			req.Topics = nil
			c.Conn("a").Send(req).Answer()
		}),
	}
}

func describeProducers(topic string, partitions ...int32) *kmsg.DescribeProducersRequest {
	req := kmsg.NewPtrDescribeProducersRequest()
	rt := kmsg.NewDescribeProducersRequestTopic()
	rt.Topic, rt.Partitions = topic, partitions
	req.Topics = append(req.Topics, rt)
	return req
}

func quorumRules() []Rule {
	return []Rule{
		must("quorum.describe", "Every version of DescribeQuorum describes the metadata log, whose only voter leads it.", "KIP-595, KIP-853", func(c *Conversation) {
			for v := range int16(3) {
				c.Conn("a").Send(describeQuorum(v, metadataLog, 0)).Answer()
			}
		}),
		must("quorum.unknown", "There is a quorum for partition 0 of the metadata log only.", "DescribeQuorumRequest", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for v := range int16(3) {
				c.Conn("a").Send(describeQuorum(v, t.Name, 0)).Answer()
				c.Conn("a").Send(describeQuorum(v, metadataLog, 1)).Answer()
			}
		}),
		must("quorum.more-than-one", "Whoever asks for more than the one partition gets none.", "KafkaRaftClient.hasValidTopicPartition", func(c *Conversation) {
			c.Conn("a").Send(describeQuorum(2, metadataLog, 0, 0)).Answer()
			c.Conn("a").Send(describeQuorum(2, metadataLog, 0, 1)).Answer()
			req := describeQuorum(2, metadataLog, 0)
			req.Topics = append(req.Topics, req.Topics[0])
			c.Conn("a").Send(req).Answer()
		}),
		must("quorum.nothing", "Nothing asked is answered with nothing.", "DescribeQuorumRequest", func(c *Conversation) {
			c.Conn("a").Send(describeQuorum(2, metadataLog)).Answer()
			req := describeQuorum(2, metadataLog)
			req.Topics = nil
			c.Conn("a").Send(req).Answer()
		}),
		must("cluster.unregister-unknown", "A broker that is not registered is BROKER_ID_NOT_REGISTERED.", "ClusterControlManager.unregisterBroker", func(c *Conversation) {
			for _, id := range []int32{4711, -1, 2147483647} {
				c.Conn("a").Send(unregisterBroker(id)).Answer()
			}
		}),
	}
}

func describeQuorum(version int16, topic string, partitions ...int32) *kmsg.DescribeQuorumRequest {
	req := kmsg.NewPtrDescribeQuorumRequest()
	req.Version = version
	rt := kmsg.NewDescribeQuorumRequestTopic()
	rt.Topic = topic
	for _, p := range partitions {
		rp := kmsg.NewDescribeQuorumRequestTopicPartition()
		rp.Partition = p
		rt.Partitions = append(rt.Partitions, rp)
	}
	req.Topics = append(req.Topics, rt)
	return req
}

func unregisterBroker(id int32) *kmsg.UnregisterBrokerRequest {
	req := kmsg.NewPtrUnregisterBrokerRequest()
	req.BrokerID = id
	return req
}

// The kinds of a feature update.
const (
	upgrade         = 1
	safeDowngrade   = 2
	unsafeDowngrade = 3
)

// The features that rules are made for.
const (
	metadataVersion = "metadata.version"
	elr             = "eligible.leader.replicas.version"
)

func featureRules() []Rule {
	const source = "KIP-584, FeatureControlManager"
	return []Rule{
		must("features.same-level", "A feature may be updated to the level that it has; until v1 the answer lists the features.", source, func(c *Conversation) {
			for v := range int16(3) {
				c.Conn("a").Send(updateFeature(v, metadataVersion, 33, upgrade)).Answer()
				c.Conn("a").Send(updateFeature(v, elr, 1, upgrade)).Answer()
			}
			c.Conn("a").Send(updateFeature(1, metadataVersion, 33, safeDowngrade)).Answer()
		}),
		must("features.unknown", "A feature that the release does not have is refused.", source, func(c *Conversation) {
			for v := range int16(3) {
				c.Conn("a").Send(updateFeature(v, "no.such.feature", 1, upgrade)).Answer()
			}
			c.Conn("a").Send(updateFeature(1, "", 1, upgrade)).Answer()
			c.Conn("a").Send(updateFeature(1, "no.such.feature", -1, upgrade)).Answer()
		}),
		must("features.unknown-disabled", "A feature that the release does not have cannot be disabled either.", source, func(c *Conversation) {
			for _, kind := range []int8{upgrade, safeDowngrade, unsafeDowngrade} {
				c.Conn("a").Send(updateFeature(2, "no.such.feature", 0, kind)).Answer()
				c.Conn("a").Send(updateFeature(1, "", 0, kind)).Answer()
				c.Conn("a").Send(updateFeature(1, "no.such.feature", 1, kind)).Answer()
			}
		}),
		must("features.out-of-range", "Levels that the release does not have are refused.", source, func(c *Conversation) {
			for _, level := range []int16{34, 99, 6, 0, -1, 32767} {
				c.Conn("a").Send(updateFeature(1, metadataVersion, level, upgrade)).Answer()
			}
			c.Conn("a").Send(updateFeature(1, elr, 2, upgrade)).Answer()
			c.Conn("a").Send(updateFeature(1, "kraft.version", 2, upgrade)).Answer()
		}),
		must("features.downgrade-untold", "A lower level needs a kind of update that says so.", source, func(c *Conversation) {
			c.Conn("a").Send(updateFeature(0, metadataVersion, 20, upgrade)).Answer()
			for _, f := range []string{metadataVersion, elr, "kraft.version"} {
				level := int16(0)
				if f == metadataVersion {
					level = 30
				}
				c.Conn("a").Send(updateFeature(2, f, level, upgrade)).Answer()
			}
			old := updateFeature(0, metadataVersion, 20, upgrade)
			old.FeatureUpdates[0].AllowDowngrade = true
			c.Conn("a").Send(old).Answer()
		}),
	}
}

func featureDowngradeRules() []Rule {
	const source = "KIP-584, FeatureControlManager"
	return []Rule{
		must("features.downgrade-refused", "metadata.version is lowered neither safely nor unsafely where metadata would be lost, and kraft.version never.", source, func(c *Conversation) {
			for _, level := range []int16{32, 20, 7} {
				c.Conn("a").Send(updateFeature(1, metadataVersion, level, safeDowngrade)).Answer()
				c.Conn("a").Send(updateFeature(2, metadataVersion, level, unsafeDowngrade)).Answer()
			}
			c.Conn("a").Send(updateFeature(1, "kraft.version", 0, safeDowngrade)).Answer()
		}),
		must("features.downgrade-validated", "eligible.leader.replicas.version can be lowered; a request that only validates leaves it.", source, func(c *Conversation) {
			for _, kind := range []int8{safeDowngrade, unsafeDowngrade} {
				req := updateFeature(1, elr, 0, kind)
				req.ValidateOnly = true
				c.Conn("a").Send(req).Answer()
				c.Conn("a").Send(updateFeature(1, elr, 0, upgrade)).Answer()
			}
		}),
		must("features.unknown-kind", "A kind of update that does not exist is refused.", source, func(c *Conversation) {
			for _, kind := range []int8{0, 4, -1} {
				c.Conn("a").Send(updateFeature(1, metadataVersion, 33, kind)).Answer()
			}
		}),
		must("features.all-or-none", "One feature that is refused refuses all, and no features are answered with none.", source, func(c *Conversation) {
			for v := int16(1); v <= 2; v++ {
				req := updateFeature(v, metadataVersion, 33, upgrade)
				req.FeatureUpdates = append(req.FeatureUpdates, updateFeature(v, elr, 1, upgrade).FeatureUpdates...)
				c.Conn("a").Send(req).Answer()
				req.FeatureUpdates = append(req.FeatureUpdates, updateFeature(v, "no.such.feature", 1, upgrade).FeatureUpdates...)
				c.Conn("a").Send(req).Answer()
				req.FeatureUpdates = nil
				c.Conn("a").Send(req).Answer()
			}
		}),
	}
}

func updateFeature(version int16, feature string, level int16, kind int8) *kmsg.UpdateFeaturesRequest {
	req := kmsg.NewPtrUpdateFeaturesRequest()
	req.Version, req.TimeoutMillis = version, 10_000
	u := kmsg.NewUpdateFeaturesRequestFeatureUpdate()
	u.Feature, u.MaxVersionLevel, u.UpgradeType = feature, level, kind
	req.FeatureUpdates = append(req.FeatureUpdates, u)
	return req
}
