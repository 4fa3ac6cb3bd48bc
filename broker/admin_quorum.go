package broker

import (
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// metadataInterval is how often the metadata log of an idle Kafka grows by a record
// (metadata.max.idle.interval.ms).
const metadataInterval = 500 * time.Millisecond

// describeQuorum answers DescribeQuorum v0-2 (KIP-595, KafkaRaftClient.handleDescribeQuorumRequest).
// The only voter is the only node. There is no metadata log: its high watermark is
// that of an idle one since the start.
func (c *Cluster) describeQuorum(call *call, req *kmsg.DescribeQuorumRequest, resp *kmsg.DescribeQuorumResponse) {
	empty := ""
	resp.ErrorMessage = &empty
	if isMetadataPartition(req.Topics) {
		t := kmsg.NewDescribeQuorumResponseTopic()
		t.Topic = clusterMetadataTopicName
		t.Partitions = append(t.Partitions, c.metadataQuorum(call.now))
		resp.Topics = append(resp.Topics, t)
		node := kmsg.NewDescribeQuorumResponseNode()
		node.NodeID = nodeID
		listener := kmsg.NewDescribeQuorumResponseNodeListener()
		host, port := call.conn.advertised()
		listener.Name, listener.Host, listener.Port = "CONTROLLER", host, uint16(port)
		node.Listeners = append(node.Listeners, listener)
		resp.Nodes = append(resp.Nodes, node)
		return
	}
	for i := range req.Topics {
		t := kmsg.NewDescribeQuorumResponseTopic()
		t.Topic = req.Topics[i].Topic
		for _, rp := range req.Topics[i].Partitions {
			p := kmsg.NewDescribeQuorumResponseTopicPartition()
			p.Partition, p.ErrorCode = rp.Partition, int16(protocol.UnknownTopicOrPartition)
			message := protocol.UnknownTopicOrPartition.Message()
			p.ErrorMessage = &message
			t.Partitions = append(t.Partitions, p)
		}
		resp.Topics = append(resp.Topics, t)
	}
}

// isMetadataPartition tells whether the only partition of the metadata log is asked
// for, and nothing else.
func isMetadataPartition(topics []kmsg.DescribeQuorumRequestTopic) bool {
	return len(topics) == 1 && topics[0].Topic == clusterMetadataTopicName &&
		len(topics[0].Partitions) == 1 && topics[0].Partitions[0].Partition == 0
}

func (c *Cluster) metadataQuorum(now time.Time) kmsg.DescribeQuorumResponseTopicPartition {
	p := kmsg.NewDescribeQuorumResponseTopicPartition()
	empty := ""
	p.ErrorMessage = &empty
	p.LeaderID, p.LeaderEpoch = nodeID, 1
	p.HighWatermark = 1 + int64(now.Sub(c.started)/metadataInterval)
	voter := kmsg.NewDescribeQuorumResponseTopicPartitionReplicaState()
	voter.ReplicaID, voter.ReplicaDirectoryID = nodeID, c.randomID("directory", "", 0)
	voter.LogEndOffset = p.HighWatermark
	voter.LastFetchTimestamp, voter.LastCaughtUpTimestamp = now.UnixMilli(), now.UnixMilli()
	p.CurrentVoters = append(p.CurrentVoters, voter)
	return p
}

// unregisterBroker answers UnregisterBroker v0. Kafka unregisters the only broker
// when it is told to and is of no use from then on; here it is refused.
func (c *Cluster) unregisterBroker(call *call, req *kmsg.UnregisterBrokerRequest, resp *kmsg.UnregisterBrokerResponse) {
	refused := apiError{protocol.InvalidRequest, "The only broker of the cluster cannot be unregistered."}
	if req.BrokerID != nodeID {
		refused = apiError{protocol.BrokerIdNotRegistered, fmt.Sprintf("Broker ID %d is not currently registered", req.BrokerID)}
	}
	resp.ErrorCode, resp.ErrorMessage = int16(refused.code), refused.pointer()
}
