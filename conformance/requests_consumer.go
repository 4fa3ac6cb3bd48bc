package conformance

import (
	"crypto/rand"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// The requests of consumer groups (KIP-848), as the rules mostly need them. Member ids
// are the members' own; fixed ones make the order of Kafka's hash tables the same each time.

// enter joins a consumer group, subscribing to topics.
func enter(group, member string, topics ...Topic) *kmsg.ConsumerGroupHeartbeatRequest {
	req := consumerBeat(group, member, 0)
	req.RebalanceTimeoutMillis = longSession
	req.SubscribedTopicNames = []string{}
	for _, t := range topics {
		req.SubscribedTopicNames = append(req.SubscribedTopicNames, t.Name)
	}
	req.Topics = []kmsg.ConsumerGroupHeartbeatRequestTopic{}
	return req
}

// consumerBeat is a heartbeat that says nothing new.
func consumerBeat(group, member string, epoch int32) *kmsg.ConsumerGroupHeartbeatRequest {
	req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	req.Version, req.Group, req.MemberID, req.MemberEpoch = 1, group, member, epoch
	return req
}

// having is a heartbeat that says which partitions of a topic the member has.
func having(group, member string, epoch int32, t Topic, partitions ...int32) *kmsg.ConsumerGroupHeartbeatRequest {
	req := consumerBeat(group, member, epoch)
	req.Topics = []kmsg.ConsumerGroupHeartbeatRequestTopic{}
	if len(partitions) > 0 {
		rt := kmsg.NewConsumerGroupHeartbeatRequestTopic()
		rt.TopicID, rt.Partitions = t.ID, partitions
		req.Topics = append(req.Topics, rt)
	}
	return req
}

// consumerNow asks once the group's coordinator knows the topics that are asked for.
func consumerNow(a *Conn, req *kmsg.ConsumerGroupHeartbeatRequest) *kmsg.ConsumerGroupHeartbeatResponse {
	if req.Group != "" {
		a.c.aware(req.Group, req.SubscribedTopicNames)
	}
	return ask[*kmsg.ConsumerGroupHeartbeatResponse](a, req)
}

// aware waits, outside the transcript, until the coordinator of a group knows the topics
// of this conversation that are named: it learns of topics after the brokers do. It is
// asked through a group of its own that has the same coordinator.
func (c *Conversation) aware(group string, names []string) {
	partition, _, ok := c.findLog(offsetsTopic, group)
	if !ok {
		return // the target has no coordinator that learns of topics later
	}
	var fresh []Topic
	for _, name := range names {
		if key := fmt.Sprint(partition, name); slices.Contains(c.topics, name) && !c.known[key] {
			fresh = append(fresh, Topic{Name: name})
			c.known[key] = true
		}
	}
	if len(fresh) == 0 {
		return
	}
	probe, secret := "", rand.Text()
	for i, p := 0, int32(-1); p != partition; i++ {
		probe = fmt.Sprintf("probe-%d-%s", i, secret) // without the tag, so that no answer shows it
		p, _ = c.logOf(offsetsTopic, probe)
	}
	until(c, enter(probe, "probe", fresh...), func(resp *kmsg.ConsumerGroupHeartbeatResponse) bool {
		ask[*kmsg.ConsumerGroupHeartbeatResponse](c.setup, consumerBeat(probe, "probe", -1))
		return resp.Assignment != nil && len(resp.Assignment.Topics) == len(fresh)
	})
}

// staticConsumer gives a heartbeat a group instance id.
func staticConsumer(req *kmsg.ConsumerGroupHeartbeatRequest, instance string) *kmsg.ConsumerGroupHeartbeatRequest {
	req.InstanceID = &instance
	return req
}

func describeConsumers(version int16, groups ...string) *kmsg.ConsumerGroupDescribeRequest {
	req := kmsg.NewPtrConsumerGroupDescribeRequest()
	req.Version, req.Groups = version, groups
	return req
}

func consumersDescribed(a *Conn, groups ...string) *kmsg.ConsumerGroupDescribeResponse {
	return ask[*kmsg.ConsumerGroupDescribeResponse](a, describeConsumers(1, groups...))
}

// Prompt is a group whose target assignment does not wait for
// consumer.assignment.interval.ms after the last one.
func (c *Conversation) Prompt(label string) string {
	return c.groupWith(label, "consumer.assignment.interval.ms", "0")
}

// groupWith is a group with one config of its own.
func (c *Conversation) groupWith(label, config, value string) string {
	g := c.Group(label)
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	req.Version = 1
	r := kmsg.NewIncrementalAlterConfigsRequestResource()
	r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeGroupConfig, g
	rc := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	rc.Name, rc.Op, rc.Value = config, kmsg.IncrementalAlterConfigOpSet, &value
	r.Configs = append(r.Configs, rc)
	req.Resources = append(req.Resources, r)
	if isRefused(ask[*kmsg.IncrementalAlterConfigsResponse](c.setup, req)) {
		return g // a target without this config goes on without it
	}
	asked := kmsg.NewPtrDescribeConfigsRequest()
	asked.Version = 4
	resource := kmsg.NewDescribeConfigsRequestResource()
	resource.ResourceType, resource.ResourceName, resource.ConfigNames = kmsg.ConfigResourceTypeGroupConfig, g, []string{config}
	asked.Resources = append(asked.Resources, resource)
	tried(c, settleTries/4, asked, func(resp *kmsg.DescribeConfigsResponse) bool {
		for _, r := range resp.Resources {
			for _, rc := range r.Configs {
				if rc.Name == config && rc.Value != nil && *rc.Value == value {
					return true
				}
			}
		}
		return false
	})
	return g
}
