package broker

import (
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// The endpoint types of DescribeCluster (EndpointType).
const (
	brokerEndpoint     = 1
	controllerEndpoint = 2
)

// describeCluster answers DescribeCluster v0-2 (AuthHelper.computeDescribeClusterResponse).
func (c *Cluster) describeCluster(call *call, req *kmsg.DescribeClusterRequest, resp *kmsg.DescribeClusterResponse) {
	if req.Version >= 1 && req.EndpointType != brokerEndpoint {
		code, message := protocol.UnsupportedEndpointType, "Unsupported endpoint type "+strconv.Itoa(int(req.EndpointType))
		if req.EndpointType == controllerEndpoint {
			code, message = protocol.MismatchedEndpointType,
				"The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER"
		}
		resp.ControllerID, resp.EndpointType = -1, brokerEndpoint
		resp.ErrorCode, resp.ErrorMessage = int16(code), &message
		return
	}
	resp.ClusterID = c.id
	resp.ControllerID = nodeID
	resp.EndpointType = brokerEndpoint
	b := kmsg.NewDescribeClusterResponseBroker()
	b.NodeID = nodeID
	b.Host, b.Port = call.conn.advertised()
	resp.Brokers = append(resp.Brokers, b)
	if req.IncludeClusterAuthorizedOperations {
		resp.ClusterAuthorizedOperations = clusterOperations
	}
}

// describeTopicPartitions answers DescribeTopicPartitions v0 (KIP-966), page by
// page: topics by name, and at most as many partitions as the request and
// max.request.partition.size.limit allow.
func (c *Cluster) describeTopicPartitions(call *call, req *kmsg.DescribeTopicPartitionsRequest, resp *kmsg.DescribeTopicPartitionsResponse) {
	image := c.image.Load()
	var names []string
	for i := range req.Topics {
		names = append(names, req.Topics[i].Topic)
	}
	if len(req.Topics) == 0 {
		for name := range image.byName {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	_ = resp
}
