package broker

import (
	"testing"
	"testing/synctest"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// A transactional producer learns from its first InitProducerId that there are no
// transactions: clients take any refusal of FindCoordinator that can pass for a
// reason to ask again, and some do so without an end.
func TestTransactionalProducerIsRefusedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cn := dialTest(t, startTest(t, Config{Network: Memory}))
		for _, version := range []int16{1, 3} {
			find := kmsg.NewPtrFindCoordinatorRequest()
			find.Version, find.CoordinatorKey, find.CoordinatorType = version, "tx", transactionCoordinator
			cn.send(find)
			got := cn.receive(find).(*kmsg.FindCoordinatorResponse)
			if got.ErrorCode != 0 || got.NodeID != nodeID || got.Port <= 0 {
				t.Errorf("FindCoordinator v%d: %s, node %d at port %d", version, protocol.ErrorCode(got.ErrorCode), got.NodeID, got.Port)
			}
		}
		many := kmsg.NewPtrFindCoordinatorRequest()
		many.Version, many.CoordinatorKeys, many.CoordinatorType = 4, []string{"tx", "other"}, transactionCoordinator
		cn.send(many)
		for _, one := range cn.receive(many).(*kmsg.FindCoordinatorResponse).Coordinators {
			if one.ErrorCode != 0 || one.NodeID != nodeID {
				t.Errorf("FindCoordinator v4 of %q: %s, node %d", one.Key, protocol.ErrorCode(one.ErrorCode), one.NodeID)
			}
		}
		init := kmsg.NewPtrInitProducerIDRequest()
		init.Version, init.TransactionalID, init.TransactionTimeoutMillis = 4, kmsg.StringPtr("tx"), 60_000
		cn.send(init)
		got := cn.receive(init).(*kmsg.InitProducerIDResponse)
		if got.ErrorCode != int16(protocol.UnsupportedVersion) || got.ProducerID != -1 {
			t.Errorf("InitProducerId: %s, producer id %d", protocol.ErrorCode(got.ErrorCode), got.ProducerID)
		}
	})
}
