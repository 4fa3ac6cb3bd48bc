package broker

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// The kinds of election (org.apache.kafka.common.ElectionType).
const (
	preferredElection = 0
	uncleanElection   = 1
)

// electLeaders answers ElectLeaders v0-2 (ReplicationControlManager.electLeaders):
// the only node leads every partition, so that no election is ever needed. Asked
// about all partitions, Kafka names the topics and leaves out who needed none.
func (c *Cluster) electLeaders(call *call, req *kmsg.ElectLeadersRequest, resp *kmsg.ElectLeadersResponse) {
	whole := apiError{}
	switch {
	case req.Topics != nil && len(req.Topics) == 0:
		return
	case req.TimeoutMillis <= 0:
		whole = apiError{protocol.RequestTimedOut, noMessage}
	case req.ElectionType != preferredElection && req.ElectionType != uncleanElection:
		whole = apiError{protocol.InvalidRequest, fmt.Sprintf("Unknown election type %d", req.ElectionType)}
	}
	resp.ErrorCode = int16(whole.code)
	image := c.image.Load()
	if req.Topics == nil && whole.code == protocol.None {
		for _, t := range image.list {
			all := kmsg.NewElectLeadersResponseTopic()
			all.Topic = t.name
			resp.Topics = append(resp.Topics, all)
		}
		slices.SortFunc(resp.Topics, func(a, b kmsg.ElectLeadersResponseTopic) int { return strings.Compare(a.Topic, b.Topic) })
	}
	for i := range req.Topics {
		rt := &req.Topics[i]
		t := kmsg.NewElectLeadersResponseTopic()
		t.Topic = rt.Topic
		for _, partition := range rt.Partitions {
			refused := whole
			if refused.code == protocol.None {
				refused = election(image.byName.get(rt.Topic), rt.Topic, partition)
			}
			p := kmsg.NewElectLeadersResponseTopicPartition()
			p.Partition, p.ErrorCode, p.ErrorMessage = partition, int16(refused.code), refused.pointer()
			t.Partitions = append(t.Partitions, p)
		}
		resp.Topics = append(resp.Topics, t)
	}
}

func election(t *topic, name string, partition int32) apiError {
	switch {
	case t == nil:
		return apiError{protocol.UnknownTopicOrPartition, "No such topic as " + name}
	case t.partition(partition) == nil:
		return apiError{protocol.UnknownTopicOrPartition, fmt.Sprintf("No such partition as %s-%d", name, partition)}
	}
	return apiError{code: protocol.ElectionNotNeeded}
}
