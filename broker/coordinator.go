package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// The types of key that FindCoordinator takes (FindCoordinatorRequest.CoordinatorType).
const (
	groupCoordinator       = 0
	transactionCoordinator = 1
	shareCoordinator       = 2
)

// findCoordinator answers FindCoordinator v0-6: one key up to v3, then many
// (KIP-699). The only node is the coordinator of everything.
func (c *Cluster) findCoordinator(call *call, req *kmsg.FindCoordinatorRequest, resp *kmsg.FindCoordinatorResponse) {
	host, port := call.conn.advertised()
	if req.Version < 4 {
		code := c.coordinatorError(req.CoordinatorType, req.Version)
		message := "NONE" // what Kafka writes here since v1
		resp.NodeID, resp.Host, resp.Port = nodeID, host, port
		if code != protocol.None {
			message = code.Message()
			resp.NodeID, resp.Host, resp.Port = -1, "", -1
		}
		resp.ErrorCode, resp.ErrorMessage = int16(code), &message
		return
	}
	code := protocol.None
	if len(req.CoordinatorKeys) > 0 {
		code = c.coordinatorError(req.CoordinatorType, req.Version)
	}
	message := ""
	if req.CoordinatorType < groupCoordinator || req.CoordinatorType > shareCoordinator {
		message = code.Message() // the request as a whole is refused
	}
	for _, key := range req.CoordinatorKeys {
		one := kmsg.NewFindCoordinatorResponseCoordinator()
		code := code
		if req.CoordinatorType == shareCoordinator && !isShareCoordinatorKey(key) {
			code = protocol.InvalidRequest
		}
		one.Key, one.ErrorCode, one.ErrorMessage = key, int16(code), &message
		one.NodeID, one.Host, one.Port = nodeID, host, port
		if code != protocol.None {
			one.NodeID, one.Host, one.Port = -1, "", -1
		}
		resp.Coordinators = append(resp.Coordinators, one)
	}
}

// coordinatorError tells whether there is a coordinator of a type. Each writes to a topic
// of its own, which is made if it is not there. The share coordinator is asked
// for by version 6 on, with keys that name share partitions.
func (c *Cluster) coordinatorError(kind int8, version int16) protocol.ErrorCode {
	switch kind {
	case groupCoordinator:
		return c.needsTopic(offsetsTopicName)
	case transactionCoordinator:
		return c.needsTopic(transactionTopicName)
	case shareCoordinator:
		if version >= 6 {
			return c.needsTopic(shareGroupTopicName)
		}
	}
	return protocol.InvalidRequest
}

// needsTopic makes the topic that a coordinator writes to.
func (c *Cluster) needsTopic(name string) protocol.ErrorCode {
	if _, err := c.internalTopic(name); err != nil {
		c.log.Error("there is no coordinator", "error", err)
		return protocol.CoordinatorNotAvailable
	}
	return protocol.None
}
