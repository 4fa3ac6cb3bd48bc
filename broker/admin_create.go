package broker

import (
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// createTopics answers CreateTopics v2-7 (ControllerApis.createTopics): first the
// topics of the request in its order, then the names that it has twice.
func (c *Cluster) createTopics(call *call, req *kmsg.CreateTopicsRequest, resp *kmsg.CreateTopicsResponse) {
	twice := duplicates(req.Topics, func(t kmsg.CreateTopicsRequestTopic) string { return t.Topic })
	var plans []*topicPlan
	prohibited := false
	for i := range req.Topics {
		t := &req.Topics[i]
		switch {
		case twice[t.Topic]:
		case t.Topic == clusterMetadataTopicName:
			prohibited = true
		default:
			plans = append(plans, planOf(t))
		}
	}
	refused, s := apiError{protocol.RequestTimedOut, noMessage}, c.settings.Load()
	if len(plans) == 0 {
		refused = apiError{}
	} else if req.TimeoutMillis > 0 {
		c.mu.Lock()
		refused = c.carryOut(plans, req.ValidateOnly)
		s = c.settings.Load()
		c.mu.Unlock()
		c.changes.notify()
	}
	if refused.code != protocol.None {
		for i := range req.Topics {
			resp.Topics = append(resp.Topics, refusedTopic(req.Topics[i].Topic, refused))
		}
		return
	}
	for _, p := range plans {
		resp.Topics = append(resp.Topics, c.createdTopic(p, s, req.Version))
	}
	for _, name := range inJavaOrder(twice) {
		resp.Topics = append(resp.Topics, refusedTopic(name, apiError{protocol.InvalidRequest, "Duplicate topic name."}))
	}
	if prohibited {
		resp.Topics = append(resp.Topics, refusedTopic(clusterMetadataTopicName, apiError{protocol.InvalidRequest,
			"Creation of internal topic " + clusterMetadataTopicName + " is prohibited."}))
	}
}

// duplicates are the names that items has more than once.
func duplicates[T any](items []T, name func(T) string) map[string]bool {
	seen, twice := make(map[string]bool, len(items)), make(map[string]bool)
	for _, item := range items {
		if n := name(item); seen[n] {
			twice[n] = true
		} else {
			seen[n] = true
		}
	}
	return twice
}

func planOf(t *kmsg.CreateTopicsRequestTopic) *topicPlan {
	p := &topicPlan{name: t.Topic, numPartitions: t.NumPartitions, replicationFactor: t.ReplicationFactor}
	for _, a := range t.ReplicaAssignment {
		p.assignments = append(p.assignments, assignment{a.Partition, a.Replicas})
	}
	for _, cfg := range t.Configs {
		if cfg.Value == nil {
			p.nullConfigs = append(p.nullConfigs, cfg.Name)
			continue
		}
		if p.configs == nil {
			p.configs = make(map[string]string)
		}
		p.configs[cfg.Name] = *cfg.Value
	}
	return p
}

func refusedTopic(name string, refused apiError) kmsg.CreateTopicsResponseTopic {
	t := kmsg.NewCreateTopicsResponseTopic()
	t.Topic = name
	t.ErrorCode = int16(refused.code)
	t.ErrorMessage = refused.pointer()
	t.Configs = []kmsg.CreateTopicsResponseTopicConfig{}
	return t
}

// createdTopic answers one plan, since v5 with the configs that the topic has
// (KIP-525). A topic that was only validated has an id too, as in Kafka.
func (c *Cluster) createdTopic(p *topicPlan, s *settings, version int16) kmsg.CreateTopicsResponseTopic {
	if p.refused.code != protocol.None {
		return refusedTopic(p.name, p.refused)
	}
	t := kmsg.NewCreateTopicsResponseTopic()
	t.Topic = p.name
	t.NumPartitions = p.numPartitions
	t.ReplicationFactor = p.replicationFactor
	if p.made != nil {
		t.TopicID = p.made.id
	} else {
		t.TopicID = c.randomID("validated topic", p.name, c.validated.Add(1))
	}
	if version < 5 {
		return t
	}
	t.Configs = make([]kmsg.CreateTopicsResponseTopicConfig, 0, len(topicConfigs))
	add := func(name string, from sourced) {
		cfg := kmsg.NewCreateTopicsResponseTopicConfig()
		cfg.Name = name
		cfg.Value = &from.value
		cfg.Source = int8(from.source)
		t.Configs = append(t.Configs, cfg)
	}
	for i := range topicConfigs {
		add(topicConfigs[i].name, s.topicEffective(p.configs, &topicConfigs[i]))
	}
	if _, set := p.configs[internalTopicConfig.name]; set {
		add(internalTopicConfig.name, s.topicEffective(p.configs, &internalTopicConfig))
	}
	slices.SortFunc(t.Configs, func(a, b kmsg.CreateTopicsResponseTopicConfig) int { return strings.Compare(a.Name, b.Name) })
	return t
}
