package broker

import (
	"fmt"
	"slices"
	"strings"

	"klamm/protocol"
)

// Limits of one request that changes topics (ReplicationControlManager and
// QuorumController of Kafka): partitions it may ask for, and records it may
// make in the metadata log.
const (
	maxPartitionsPerRequest = 10_000
	maxRecordsPerRequest    = 10_000
)

// apiError is an answer with an error of its own words. The zero value means
// that there is none. It mirrors org.apache.kafka.common.requests.ApiError.
type apiError struct {
	code    protocol.ErrorCode
	message string // empty: the text of the code; noMessage: none at all
}

// noMessage is the message of an exception that has none: null on the wire.
const noMessage = "-"

// text is the message, or that of the code.
func (e apiError) text() string {
	if e.message != "" {
		return e.message
	}
	return e.code.Message()
}

// pointer is the message as the wire has it: null where there is no error.
func (e apiError) pointer() *string {
	if e.code == protocol.None || e.message == noMessage {
		return nil
	}
	text := e.text()
	return &text
}

// topicPlan is a topic to be created, and what came of it.
type topicPlan struct {
	name              string
	numPartitions     int32 // -1: the default
	replicationFactor int16 // -1: the default
	assignments       []assignment
	configs           map[string]string
	nullConfigs       []string // configs that came without a value

	refused apiError
	made    *topic // nil where only validated
}

// assignment says which brokers shall have a partition.
type assignment struct {
	partition int32
	brokers   []int32
}

// autoPlan is a topic as it is created when somebody needs it
// (AutoTopicCreationManager.creatableTopic).
func autoPlan(name string, s *settings) topicPlan {
	plan := topicPlan{name: name, numPartitions: s.numPartitions, replicationFactor: s.defaultReplicationFactor}
	switch name {
	case offsetsTopicName:
		plan.numPartitions = s.offsetsTopicPartitions
		plan.replicationFactor = int16(s.number("offsets.topic.replication.factor"))
		plan.configs = map[string]string{
			"cleanup.policy":   "compact",
			"compression.type": "producer",
			"segment.bytes":    s.value("offsets.topic.segment.bytes"),
		}
	case transactionTopicName:
		plan.numPartitions = int32(s.number("transaction.state.log.num.partitions"))
		plan.replicationFactor = int16(s.number("transaction.state.log.replication.factor"))
		plan.configs = map[string]string{
			"cleanup.policy":                 "compact",
			"compression.type":               "uncompressed",
			"min.insync.replicas":            s.value("transaction.state.log.min.isr"),
			"segment.bytes":                  s.value("transaction.state.log.segment.bytes"),
			"unclean.leader.election.enable": "false",
		}
	case shareGroupTopicName:
		plan.numPartitions = int32(s.number("share.coordinator.state.topic.num.partitions"))
		plan.replicationFactor = int16(s.number("share.coordinator.state.topic.replication.factor"))
		plan.configs = map[string]string{
			"cleanup.policy":      "delete",
			"compression.type":    "producer",
			"min.insync.replicas": s.value("share.coordinator.state.topic.min.isr"),
			"retention.ms":        "-1",
			"segment.bytes":       s.value("share.coordinator.state.topic.segment.bytes"),
		}
	}
	return plan
}

// carryOut creates the topics of plans whose names differ, or judges only;
// c.mu is held. Each plan gets its own answer; a refusal of the request as a
// whole is returned. It mirrors ReplicationControlManager.createTopics.
func (c *Cluster) carryOut(plans []*topicPlan, validateOnly bool) apiError {
	s := c.settings.Load()
	image := c.image.Load()
	if refused := checkPartitionTotal(plans, s); refused.code != protocol.None {
		return refused
	}
	records, accepted := 0, 0
	for _, p := range plans {
		p.refused = p.judge(image, s)
		if p.refused.code == protocol.None {
			records += 1 + len(p.configs) + int(p.numPartitions)
			accepted++
		}
	}
	if records > maxRecordsPerRequest {
		return apiError{protocol.PolicyViolation, "Unable to perform excessively large batch operation."}
	}
	if validateOnly || accepted == 0 {
		return apiError{}
	}
	edit := c.editTopics()
	for _, p := range plans {
		if p.refused.code == protocol.None {
			p.made = edit.create(p.name, p.numPartitions, p.configs)
		}
	}
	edit.publish()
	return apiError{}
}

func checkPartitionTotal(plans []*topicPlan, s *settings) apiError {
	total := int64(0)
	for _, p := range plans {
		switch {
		case len(p.assignments) > 0:
			total += int64(len(p.assignments))
		case p.numPartitions == -1:
			total += int64(s.numPartitions)
		case p.numPartitions > 0:
			total += int64(p.numPartitions)
		}
	}
	if total > maxPartitionsPerRequest {
		return apiError{protocol.PolicyViolation, "Excessively large number of partitions per request."}
	}
	return apiError{}
}

// judge tells why the topic cannot be created, in Kafka's order of looking, and
// fills in the defaults.
func (p *topicPlan) judge(image *topicImage, s *settings) apiError {
	refused := apiError{}
	if reason := invalidTopicName(p.name); reason != "" {
		refused = apiError{protocol.InvalidTopicException, reason}
	}
	if hasCollisionChars(p.name) {
		if other := image.colliding.get(unifyCollisionChars(p.name)); other != nil {
			refused = apiError{protocol.InvalidTopicException,
				fmt.Sprintf("Topic '%s' collides with existing topic: %s", p.name, other.name)}
		}
	}
	if image.byName.get(p.name) != nil {
		refused = apiError{protocol.TopicAlreadyExists, "Topic '" + p.name + "' already exists."}
	}
	if refused.code != protocol.None {
		return refused
	}
	if len(p.nullConfigs) > 0 {
		return apiError{protocol.InvalidConfig,
			"Null value not supported for topic configs: " + strings.Join(p.nullConfigs, ",")}
	}
	if len(p.configs) > 0 {
		if refused := s.checkTopicConfigs(p.configs); refused.code != protocol.None {
			return refused
		}
	}
	if len(p.assignments) > 0 {
		return p.judgeAssignments()
	}
	return p.judgeCounts(s)
}

func (p *topicPlan) judgeCounts(s *settings) apiError {
	switch {
	case p.replicationFactor < -1 || p.replicationFactor == 0:
		return apiError{protocol.InvalidReplicationFactor,
			"Replication factor must be larger than 0, or -1 to use the default value."}
	case p.numPartitions < -1 || p.numPartitions == 0:
		return apiError{protocol.InvalidPartitions,
			"Number of partitions was set to an invalid non-positive value."}
	}
	if p.numPartitions == -1 {
		p.numPartitions = s.numPartitions
	}
	if p.replicationFactor == -1 {
		p.replicationFactor = s.defaultReplicationFactor
	}
	if refused := checkReplicationFactor(p.replicationFactor); refused.code != protocol.None {
		refused.message = fmt.Sprintf("Unable to replicate the partition %d time(s): %s", p.replicationFactor, refused.message)
		return refused
	}
	return apiError{}
}

// checkReplicationFactor mirrors StripedReplicaPlacer for a cluster of one node.
func checkReplicationFactor(factor int16) apiError {
	if factor <= 1 {
		return apiError{}
	}
	return apiError{protocol.InvalidReplicationFactor, fmt.Sprintf("The target replication factor of %d cannot be reached "+
		"because only 1 broker(s) are registered or some brokers have all their log directories cordoned.", factor)}
}

func (p *topicPlan) judgeAssignments() apiError {
	if p.replicationFactor != -1 {
		return apiError{protocol.InvalidRequest,
			"A manual partition assignment was specified, but replication factor was not set to -1."}
	}
	if p.numPartitions != -1 {
		return apiError{protocol.InvalidRequest,
			"A manual partition assignment was specified, but numPartitions was not set to -1."}
	}
	seen := make(map[int32]bool, len(p.assignments))
	for i, a := range p.assignments {
		if seen[a.partition] {
			return apiError{protocol.InvalidReplicaAssignment,
				fmt.Sprintf("Found multiple manual partition assignments for partition %d", a.partition)}
		}
		factor := -1
		if i > 0 {
			factor = len(p.assignments[0].brokers)
		}
		if refused := checkAssignment(a.brokers, factor); refused.code != protocol.None {
			return refused
		}
		seen[a.partition] = true
	}
	for i := range p.assignments {
		if !seen[int32(i)] {
			return apiError{protocol.InvalidReplicaAssignment, "partitions should be a consecutive 0-based integer sequence"}
		}
	}
	p.numPartitions = int32(len(p.assignments))
	p.replicationFactor = int16(len(p.assignments[0].brokers))
	return apiError{}
}

// checkAssignment judges the brokers of one partition; factor is the replication
// factor that they must fit, -1 for any (validateManualPartitionAssignment).
func checkAssignment(brokers []int32, factor int) apiError {
	const the = "The manual partition assignment includes "
	if len(brokers) == 0 {
		return apiError{protocol.InvalidReplicaAssignment, the + "an empty replica list."}
	}
	sorted := slices.Sorted(slices.Values(brokers))
	for i, b := range sorted {
		if b != nodeID {
			return apiError{protocol.InvalidReplicaAssignment,
				fmt.Sprintf(the+"broker %d, but no such broker is registered.", b)}
		}
		if i > 0 {
			return apiError{protocol.InvalidReplicaAssignment, fmt.Sprintf(the+"the broker %d more than once.", b)}
		}
	}
	if factor >= 0 && len(brokers) != factor {
		return apiError{protocol.InvalidReplicaAssignment, fmt.Sprintf(the+"a partition with %d replica(s), "+
			"but this is not consistent with previous partitions, which have %d replica(s).", len(brokers), factor)}
	}
	return apiError{}
}
