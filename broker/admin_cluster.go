package broker

import (
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
