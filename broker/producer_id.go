package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// initProducerID gives an idempotent producer its id, with epoch 0: a new one
// each time, as TransactionCoordinator.handleInitProducerId does for producers
// without a transactional id. Transactions are not offered yet, which a
// transactional producer is told at once.
func (c *Cluster) initProducerID(_ *call, req *kmsg.InitProducerIDRequest, resp *kmsg.InitProducerIDResponse) {
	resp.ProducerID, resp.ProducerEpoch = -1, -1
	switch {
	case (req.ProducerID == -1) != (req.ProducerEpoch == -1):
		resp.ErrorCode = int16(protocol.InvalidRequest)
	case req.TransactionalID == nil:
		resp.ProducerID, resp.ProducerEpoch = c.producerID.Add(1)-1, 0
	case *req.TransactionalID == "":
		resp.ErrorCode = int16(protocol.InvalidRequest)
	default:
		resp.ErrorCode = int16(protocol.UnsupportedVersion)
	}
}
