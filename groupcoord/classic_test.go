package groupcoord

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// crowd is a group of dynamic members that is driven without scripts.
type crowd struct {
	g       *Group
	now     time.Time
	ids     []string
	answers map[Token]kmsg.Response
}

func newCrowd(n int) *crowd {
	c := &crowd{g: New("g", Config{}), now: time.UnixMilli(0), answers: map[Token]kmsg.Response{}}
	c.ids = make([]string, n)
	return c
}

func (c *crowd) step(e Event) {
	for _, effect := range c.g.Step(c.now, e) {
		switch effect := effect.(type) {
		case Append:
			for _, r := range effect.Records {
				c.g.Apply(r)
			}
		case Reply:
			c.answers[effect.To] = effect.Resp
		}
	}
}

func (c *crowd) joinRequest(i int) *kmsg.JoinGroupRequest {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Version, req.Group, req.MemberID, req.ProtocolType = 3, "g", c.ids[i], "consumer"
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = 45_000, 300_000
	metadata := []byte{0, 1, 0, 0, 0, 1, 0, 1, 't', 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}
	req.Protocols = []kmsg.JoinGroupRequestProtocol{{Name: "range", Metadata: metadata}}
	return req
}

// form lets all members join and get an assignment.
func (c *crowd) form() {
	for i := range c.ids {
		e := JoinGroup{To: Token(i), Req: c.joinRequest(i), ClientID: "c", ClientHost: "/127.0.0.1"}
		e.Random[14], e.Random[15] = byte(i>>8), byte(i)
		c.step(e)
	}
	c.step(Tick{})
	for i := range c.ids {
		c.ids[i] = c.answers[Token(i)].(*kmsg.JoinGroupResponse).MemberID
	}
	for i := len(c.ids) - 1; i >= 0; i-- {
		req := kmsg.NewPtrSyncGroupRequest()
		req.Version, req.Group, req.MemberID, req.Generation = 3, "g", c.ids[i], c.g.Generation()
		if i == 0 {
			for _, id := range c.ids {
				req.GroupAssignment = append(req.GroupAssignment,
					kmsg.SyncGroupRequestGroupAssignment{MemberID: id, MemberAssignment: []byte("partitions of " + id)})
			}
		}
		c.step(SyncGroup{To: Token(i), Req: req})
	}
}

func (c *crowd) heartbeat(i int) protocol.ErrorCode {
	req := kmsg.NewPtrHeartbeatRequest()
	req.Version, req.Group, req.MemberID, req.Generation = 3, "g", c.ids[i], c.g.Generation()
	c.step(Heartbeat{Token(i), req})
	return protocol.ErrorCode(c.answers[Token(i)].(*kmsg.HeartbeatResponse).ErrorCode)
}

// TestEachGetsItsOwn forms a large group and looks at what each member got.
func TestEachGetsItsOwn(t *testing.T) {
	c := newCrowd(1000)
	c.form()
	for i, id := range c.ids {
		got := string(c.answers[Token(i)].(*kmsg.SyncGroupResponse).MemberAssignment)
		if want := "partitions of " + id; got != want {
			t.Fatalf("assignment of member %d: %q, want %q", i, got, want)
		}
	}
	if got, want := c.g.Overview(), (Overview{State: "Stable", ProtocolType: "consumer", Type: "classic"}); got != want {
		t.Errorf("Overview: %+v, want %+v", got, want)
	}
	if !c.g.kind.subscribedTo("t") || c.g.kind.subscribedTo("u") {
		t.Error("the members subscribe to t alone")
	}
}

// TestSilentMembersGo has 1,000 members of which every third falls silent: those
// are removed when their sessions end, at that time and not before.
func TestSilentMembersGo(t *testing.T) {
	c := newCrowd(1000)
	c.form()
	for range 4 { // 40 of the 45 seconds
		c.now = c.now.Add(10 * time.Second)
		for i := range c.ids {
			if i%3 != 0 {
				c.heartbeat(i)
			}
		}
	}
	if due := c.g.Deadline(); !due.Equal(time.UnixMilli(45_000)) {
		t.Fatalf("deadline %v, want 45s after the start", due)
	}
	c.now = time.UnixMilli(44_999)
	c.step(Tick{})
	if got := c.g.Overview().State; got != "Stable" {
		t.Fatalf("a millisecond too early: %s", got)
	}
	c.now = time.UnixMilli(45_000)
	c.step(Tick{})
	for i := range c.ids {
		want := protocol.RebalanceInProgress
		if i%3 == 0 {
			want = protocol.UnknownMemberId
		}
		if got := c.heartbeat(i); got != want {
			t.Fatalf("heartbeat of member %d: %s, want %s", i, got, want)
		}
	}
}

// TestKeepsNothingOfTheRequest overwrites requests after their step: the machine
// must have copied the bytes that it keeps.
func TestKeepsNothingOfTheRequest(t *testing.T) {
	g, now := New("g", Config{}), time.UnixMilli(0)
	join := kmsg.NewPtrJoinGroupRequest()
	join.Version, join.ProtocolType, join.SessionTimeoutMillis, join.RebalanceTimeoutMillis = 3, "consumer", 1000, 1000
	join.Protocols = []kmsg.JoinGroupRequestProtocol{{Name: "range", Metadata: []byte("metadata")}}
	g.Step(now, JoinGroup{To: 1, Req: join, ClientID: "c"})
	copy(join.Protocols[0].Metadata, "XXXXXXXX")
	id := g.Step(now, Tick{})[0].(Reply).Resp.(*kmsg.JoinGroupResponse).MemberID

	sync := kmsg.NewPtrSyncGroupRequest()
	sync.Version, sync.MemberID, sync.Generation = 3, id, 1
	sync.GroupAssignment = []kmsg.SyncGroupRequestGroupAssignment{{MemberID: id, MemberAssignment: []byte("assignment")}}
	g.Step(now, SyncGroup{To: 2, Req: sync})
	copy(sync.GroupAssignment[0].MemberAssignment, "XXXXXXXXXX")
	g.offsets.stored = true // the record was not applied here
	m := g.Describe().Members[0]
	if got, want := string(m.ProtocolMetadata)+" "+string(m.MemberAssignment), "metadata assignment"; got != want {
		t.Errorf("kept %q, want %q", got, want)
	}
}

// TestJoinErrorOnTheWire compares the bytes of a failed JoinGroup: from version 7
// on the protocol is null, before it is empty.
func TestJoinErrorOnTheWire(t *testing.T) {
	for version, want := range map[int16]string{
		0: "\x00\x19\xff\xff\xff\xff\x00\x00\x00\x00\x00\x01x\x00\x00\x00\x00",
		6: "\x00\x00\x00\x00\x00\x19\xff\xff\xff\xff\x01\x01\x02x\x01\x00",
		7: "\x00\x00\x00\x00\x00\x19\xff\xff\xff\xff\x00\x00\x01\x02x\x01\x00",
		9: "\x00\x00\x00\x00\x00\x19\xff\xff\xff\xff\x00\x00\x01\x00\x02x\x01\x00",
	} {
		req := kmsg.NewPtrJoinGroupRequest()
		req.Version, req.MemberID, req.Group = version, "x", "g"
		effects := New("g", Config{}).Step(time.UnixMilli(0), JoinGroup{To: 1, Req: req})
		got := string(effects[0].(Reply).Resp.AppendTo(nil))
		if diff := cmp.Diff(fmt.Sprintf("%x", want), fmt.Sprintf("%x", got)); diff != "" {
			t.Errorf("version %d:\n%s", version, diff)
		}
	}
}

func BenchmarkHeartbeat(b *testing.B) {
	for _, n := range []int{5, 500, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := newCrowd(n)
			c.form()
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				c.now = c.now.Add(100 * time.Millisecond / time.Duration(n))
				c.heartbeat(i % n)
				c.g.Deadline()
				i++
			}
		})
	}
}

func BenchmarkForm(b *testing.B) {
	for _, n := range []int{5, 500, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				newCrowd(n).form()
			}
		})
	}
}
