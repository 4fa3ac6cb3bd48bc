package conformance

import (
	"encoding/binary"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func printed(m message) string { return newPrinter(newNames()).message(m) }

// TestPrintFollowsTheVersion fails when a field is printed that the version does not
// have, or one is missing that it has.
func TestPrintFollowsTheVersion(t *testing.T) {
	resp := kmsg.NewPtrHeartbeatResponse()
	resp.ErrorCode = 25
	for version, want := range []string{"ErrorCode=UNKNOWN_MEMBER_ID(25)", "ThrottleMillis=0 ErrorCode=UNKNOWN_MEMBER_ID(25)"} {
		resp.Version = int16(version)
		if got := printed(resp); got != want {
			t.Errorf("v%d: got %q, want %q", version, got, want)
		}
	}
}

// TestLayoutOfEveryMessage probes every message in every version: each field that
// kmsg encodes must be found, in the highest version at least one of each message.
func TestLayoutOfEveryMessage(t *testing.T) {
	for key := range int16(100) {
		req := kmsg.RequestForKey(key)
		if req == nil {
			continue
		}
		for _, m := range []message{req, req.ResponseKind()} {
			for v := range req.MaxVersion() + 1 {
				m.SetVersion(v)
				l := layoutOf(m)
				if v == req.MaxVersion() && reflect.TypeOf(m).Elem().NumField() > 2 && len(l.present) == 0 {
					t.Errorf("%T v%d has no fields", m, v)
				}
			}
		}
	}
}

func TestPrintNullAndEmpty(t *testing.T) {
	req := kmsg.NewPtrMetadataRequest()
	req.Version = 4
	if got, want := printed(req), "Topics=null AllowAutoTopicCreation=false"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	req.Topics = []kmsg.MetadataRequestTopic{}
	if got, want := printed(req), "Topics=[] AllowAutoTopicCreation=false"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestPrintOmitsTagsThatAreNotSent: a tagged field at its default is not on the wire.
func TestPrintOmitsTagsThatAreNotSent(t *testing.T) {
	resp := kmsg.NewPtrProduceResponse()
	resp.Version = 10
	p := kmsg.NewProduceResponseTopicPartition()
	for _, epoch := range []int32{-1, 3} {
		p.CurrentLeader.LeaderEpoch = epoch
		resp.Topics = []kmsg.ProduceResponseTopic{{Topic: "t", Partitions: []kmsg.ProduceResponseTopicPartition{p}}}
		if got := strings.Contains(printed(resp), "CurrentLeader={LeaderID=-1 LeaderEpoch=3}"); got != (epoch == 3) {
			t.Errorf("epoch %d: %s", epoch, printed(resp))
		}
	}
}

// TestPrintSortsWhatHasNoOrder: what Kafka keeps in a hash map is printed in one
// order, and ids are numbered in that order.
func TestPrintSortsWhatHasNoOrder(t *testing.T) {
	const x, y = "0a0a0a0a-0000-0000-0000-000000000001", "0b0b0b0b-0000-0000-0000-000000000002"
	members := []kmsg.JoinGroupResponseMember{{MemberID: "b-" + x}, {MemberID: "a-" + y}}
	var texts []string
	for range 2 {
		resp := kmsg.NewPtrJoinGroupResponse()
		resp.Members = members
		texts = append(texts, printed(resp))
		members[0], members[1] = members[1], members[0]
	}
	if d := cmp.Diff(texts[0], texts[1]); d != "" {
		t.Error(d)
	}
	if !strings.Contains(texts[0], `- MemberID="a-<uuid-1>" ProtocolMetadata=""`) {
		t.Error(texts[0])
	}
}

func TestNames(t *testing.T) {
	n := newNames()
	n.know("orders-x", "orders")
	n.know("orders-x-more", "more")
	for in, want := range map[string]string{
		"orders-x-more and orders-x":                      "<more> and <orders>",
		"a-00000000-1111-2222-3333-444444444444":          "a-<uuid-1>",
		"00000000-1111-2222-3333-444444444444 once again": "<uuid-1> once again",
		"should be within [-9223370241467398660, 17953]":  "should be within [<then>, <now>]",
	} {
		if got := n.text(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	if got := newNames().text("a-00000000111122223333444444444445"); got != "a-<uuid-1>" {
		t.Errorf("a member id without dashes is printed as %s", got)
	}
	if got := n.millis(baseTime); got != "900000000000" {
		t.Errorf("a fixed timestamp is printed as %s", got)
	}
	if got := n.millis(n.now().UnixMilli() - 5); got != "<now>" {
		t.Errorf("now is printed as %s", got)
	}
}

func TestBatchesSurviveEveryCodec(t *testing.T) {
	p := newPrinter(newNames())
	for codec := int16(codecNone); codec <= codecZstd; codec++ {
		text := p.records(seal(newBatch(), codec, values("one", "two")...), "")
		if !strings.Contains(text, "CRC=ok") || !strings.Contains(text, `OffsetDelta=1 Key=null Value="two"`) {
			t.Errorf("codec %d: %s", codec, text)
		}
	}
}

// TestPrintHostileRecords: a target may send anything, and the printer only reads.
func TestPrintHostileRecords(t *testing.T) {
	good := batchOf("one", "two")
	for i := range good {
		for _, b := range []byte{0, 1, 0x7f, 0x80, 0xff} {
			bad := append([]byte(nil), good...)
			bad[i] = b
			newPrinter(newNames()).records(bad, "")
			newPrinter(newNames()).records(bad[:i], "")
		}
	}
	binary.BigEndian.PutUint32(good[atLength:], math.MaxInt32)
	if got := newPrinter(newNames()).records(good, ""); !strings.Contains(got, "no whole batch") {
		t.Error(got)
	}
}

func TestFirstDifference(t *testing.T) {
	if d := FirstDifference("a\nb\n", "a\nb\n"); d != "" {
		t.Errorf("equal texts differ: %s", d)
	}
	if d, want := FirstDifference("a\nb\nc\n", "a\nx\nc\n"), "    a\n  - b\n  - c\n  - \n  + x\n  + c\n  + \n"; d != want {
		t.Errorf("got %q, want %q", d, want)
	}
}
