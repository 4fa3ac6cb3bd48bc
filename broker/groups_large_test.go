package broker

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// What does not fit a batch of __consumer_offsets is refused as Kafka refuses it.
func TestGroupsTooLargeForARecord(t *testing.T) {
	c := startTest(t, Config{Network: Memory, Topics: oneTopic})
	cl := dialTest(t, c)
	for size, want := range map[int]protocol.ErrorCode{1_048_000: protocol.None, 1_200_000: protocol.UnknownServerError} {
		join := kmsg.NewPtrJoinGroupRequest()
		join.Version, join.Group, join.ProtocolType = 3, "g"+want.String(), "consumer"
		join.SessionTimeoutMillis, join.RebalanceTimeoutMillis = 10_000, 10_000
		p := kmsg.NewJoinGroupRequestProtocol()
		p.Name, p.Metadata = "range", make([]byte, size)
		join.Protocols = append(join.Protocols, p)
		cl.send(join)
		joined := cl.receive(join).(*kmsg.JoinGroupResponse)

		sync := kmsg.NewPtrSyncGroupRequest()
		sync.Version, sync.Group, sync.Generation, sync.MemberID = 3, join.Group, joined.Generation, joined.MemberID
		cl.send(sync)
		if got := protocol.ErrorCode(cl.receive(sync).(*kmsg.SyncGroupResponse).ErrorCode); got != want {
			t.Errorf("SyncGroup with %d bytes of metadata: %v, want %v", size, got, want)
		}
		state := "Stable"
		if want != protocol.None {
			state = "PreparingRebalance"
		}
		if g, _ := c.Group(join.Group); g.State != state {
			t.Errorf("with %d bytes of metadata the group is %s, want %s", size, g.State, state)
		}
	}
	metadata := strings.Repeat("m", 4096)
	for n, want := range map[int]protocol.ErrorCode{200: protocol.None, 300: protocol.UnknownServerError} {
		commit := kmsg.NewPtrOffsetCommitRequest()
		commit.Version, commit.Group, commit.Generation = 8, "simple", -1
		rt := kmsg.NewOffsetCommitRequestTopic()
		rt.Topic = "t"
		for range n {
			rp := kmsg.NewOffsetCommitRequestTopicPartition()
			rp.Metadata = &metadata
			rt.Partitions = append(rt.Partitions, rp)
		}
		commit.Topics = append(commit.Topics, rt)
		cl.send(commit)
		for _, rp := range cl.receive(commit).(*kmsg.OffsetCommitResponse).Topics[0].Partitions {
			if got := protocol.ErrorCode(rp.ErrorCode); got != want {
				t.Fatalf("commit of %d offsets: %v, want %v", n, got, want)
			}
		}
	}
}
