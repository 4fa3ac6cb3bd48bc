package broker

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// alterPartitionAssignments answers AlterPartitionReassignments v0-1
// (ReplicationControlManager.alterPartitionReassignments): the only assignment that
// one node can carry out is the one that there is, so that none is ever in progress.
func (c *Cluster) alterPartitionAssignments(call *call, req *kmsg.AlterPartitionAssignmentsRequest, resp *kmsg.AlterPartitionAssignmentsResponse) {
	whole := apiError{}
	switch {
	case len(req.Topics) == 0: // Kafka answers what it has not filled in
		empty := ""
		resp.ErrorMessage = &empty
	case req.TimeoutMillis <= 0:
		whole = apiError{protocol.RequestTimedOut, noMessage}
		resp.ErrorCode = int16(whole.code)
	default:
		resp.AllowReplicationFactorChange = req.AllowReplicationFactorChange
	}
	image := c.image.Load()
	for i := range req.Topics {
		rt := &req.Topics[i]
		t := kmsg.NewAlterPartitionAssignmentsResponseTopic()
		t.Topic = rt.Topic
		for j := range rt.Partitions {
			rp := &rt.Partitions[j]
			refused := whole
			if refused.code == protocol.None {
				refused = reassignment(image.byName.get(rt.Topic), rt.Topic, rp)
			}
			p := kmsg.NewAlterPartitionAssignmentsResponseTopicPartition()
			p.Partition, p.ErrorCode, p.ErrorMessage = rp.Partition, int16(refused.code), refused.pointer()
			t.Partitions = append(t.Partitions, p)
		}
		resp.Topics = append(resp.Topics, t)
	}
}

// reassignment judges one partition; without replicas a reassignment is to be cancelled.
func reassignment(t *topic, name string, asked *kmsg.AlterPartitionAssignmentsRequestTopicPartition) apiError {
	switch {
	case t == nil:
		return apiError{protocol.UnknownTopicOrPartition, "Unable to find a topic named " + name + "."}
	case t.partition(asked.Partition) == nil:
		return apiError{protocol.UnknownTopicOrPartition, fmt.Sprintf("Unable to find partition %s:%d.", name, asked.Partition)}
	case asked.Replicas == nil:
		return apiError{protocol.NoReassignmentInProgress, noMessage}
	}
	return checkAssignment(asked.Replicas, -1)
}

// listPartitionReassignments answers ListPartitionReassignments v0: there are none.
func (c *Cluster) listPartitionReassignments(*call, *kmsg.ListPartitionReassignmentsRequest, *kmsg.ListPartitionReassignmentsResponse) {
}
