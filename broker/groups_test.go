package broker

import (
	"io"
	"testing"
	"testing/synctest"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

func joinOf(group, member string) *kmsg.JoinGroupRequest {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Version, req.Group, req.MemberID = 3, group, member
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = 45_000, 60_000
	req.ProtocolType = "consumer"
	req.Protocols = []kmsg.JoinGroupRequestProtocol{{Name: "range"}}
	return req
}

func coordinatorOf(group string) *kmsg.FindCoordinatorRequest {
	req := kmsg.NewPtrFindCoordinatorRequest()
	req.Version, req.CoordinatorKey = 3, group
	return req
}

func deleteTopicOf(name string) *kmsg.DeleteTopicsRequest {
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.Version, req.TimeoutMillis = 5, 1000
	req.TopicNames = []string{name}
	return req
}

// Who deletes __consumer_offsets deletes the groups: a parked join ends, and the
// next one finds a group that has never been.
func TestGroupsEndWithTheirTopic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startTest(t, Config{Network: Memory})
		a, b, admin := dialTest(t, c), dialTest(t, c), dialTest(t, c)
		first := joinOf("g", "")
		a.send(first)
		a.receive(first)
		b.send(first) // parked until the first member joins again
		synctest.Wait()
		drop := deleteTopicOf(offsetsTopicName)
		admin.send(drop)
		if code := admin.receive(drop).(*kmsg.DeleteTopicsResponse).Topics[0].ErrorCode; code != 0 {
			t.Fatalf("the topic is not deleted: %s", protocol.ErrorCode(code))
		}
		if _, err := b.nc.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the parked join ends with %v, want the end of the connection", err)
		}
		a.send(first)
		if got := a.receive(first).(*kmsg.JoinGroupResponse); got.ErrorCode != 0 || got.Generation != 1 {
			t.Errorf("the next join: %s, generation %d", protocol.ErrorCode(got.ErrorCode), got.Generation)
		}
	})
}

// Where __consumer_offsets cannot be made there is no coordinator, and a group
// request that comes all the same ends its connection.
func TestNoGroupsWithoutTheirTopic(t *testing.T) {
	for name, cfg := range map[string]Config{
		"replication factor": {Configs: map[string]string{"offsets.topic.replication.factor": "3"}},
		"partitions":         {Configs: map[string]string{"offsets.topic.num.partitions": "20000"}},
		"colliding name":     {Topics: []Topic{{Name: "__consumer.offsets"}}},
	} {
		cfg.Network = Memory
		t.Run(name, func(t *testing.T) {
			c := startTest(t, cfg)
			cl := dialTest(t, c)
			find := coordinatorOf("g")
			cl.send(find)
			if code := cl.receive(find).(*kmsg.FindCoordinatorResponse).ErrorCode; code != int16(protocol.CoordinatorNotAvailable) {
				t.Errorf("FindCoordinator: %s", protocol.ErrorCode(code))
			}
			cl.send(joinOf("g", ""))
			if _, err := cl.nc.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("a join is answered with %v, want the end of the connection", err)
			}
		})
	}
}
