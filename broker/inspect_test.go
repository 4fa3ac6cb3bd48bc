package broker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// startMemory starts a cluster in memory that ends with the test.
func startMemory(t *testing.T, cfg Config) *Cluster {
	t.Helper()
	cfg.Network = Memory
	c, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestKafkaVersion(t *testing.T) {
	if got := protocol.Kafka440().Version(); got != KafkaVersion {
		t.Errorf("the release is %s, KafkaVersion %s", got, KafkaVersion)
	}
}

func TestAppendAndRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startMemory(t, Config{Topics: []Topic{{Name: "orders", Partitions: 2}}})
		at := TopicPartition{"orders", 1}
		old := time.UnixMilli(900_000_000_123) // bubbles begin in 2000
		sent := []Record{
			{Key: []byte("k"), Value: []byte("v"), Timestamp: old, Headers: []Header{{"h", []byte("x")}, {"h", nil}, {"", []byte{}}}},
			{Key: nil, Value: []byte{}},
			{Key: []byte{}, Value: nil, TopicPartition: TopicPartition{"ignored", 9}, Offset: 77},
		}
		for range 2 {
			if _, err := c.Append(at, sent...); err != nil {
				t.Fatal(err)
			}
		}
		first, err := c.Append(at, sent...)
		if first != 6 || err != nil {
			t.Fatalf("first offset %d, %v", first, err)
		}
		got, err := c.Read(at, 6)
		if err != nil {
			t.Fatal(err)
		}
		want := make([]Record, len(sent))
		for i, r := range sent {
			r.TopicPartition, r.Offset = at, 6+int64(i)
			if i > 0 {
				r.Timestamp = time.UnixMilli(time.Now().UnixMilli())
			}
			want[i] = r
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("records (-want +got):\n%s", d)
		}
		if got, err := c.Read(at, 7); len(got) != 2 || err != nil || got[0].Offset != 7 {
			t.Errorf("within a batch: %v, %v", got, err)
		}
		if got, err := c.Read(at, 9); len(got) != 0 || err != nil {
			t.Errorf("at the end: %v, %v", got, err)
		}
		if got, err := c.Read(at, -5); len(got) != 9 || err != nil {
			t.Errorf("before the start: %v, %v", got, err)
		}
		want9 := TopicView{Name: "orders", Partitions: []PartitionView{{0, 0}, {0, 9}}}
		if view, ok := c.Topic("orders"); !ok || !cmp.Equal(view, want9) {
			t.Errorf("view %+v, %v", view, ok)
		}
	})
}

// TestReadIsACopy shows that a test that changes what it got does not change the log.
func TestReadIsACopy(t *testing.T) {
	c := startMemory(t, Config{})
	at := TopicPartition{"t", 0}
	if _, err := c.Append(at, Record{Key: []byte("key"), Value: []byte("value"), Headers: []Header{{"h", []byte("header")}}}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		got, err := c.Read(at, 0)
		if err != nil || len(got) != 1 {
			t.Fatal(got, err)
		}
		for _, b := range [][]byte{got[0].Key, got[0].Value, got[0].Headers[0].Value} {
			if bytes.Contains(b, []byte("!")) {
				t.Errorf("changed: %q", b)
			}
			b[0] = '!'
		}
	}
}

// TestAppendMany has more than one batch and more than one read.
func TestAppendMany(t *testing.T) {
	c := startMemory(t, Config{})
	at := TopicPartition{"big", 0}
	records := make([]Record, 100)
	for i := range records {
		records[i].Value = bytes.Repeat([]byte{byte(i)}, 30_000)
	}
	if _, err := c.Append(at, records...); err != nil {
		t.Fatal(err)
	}
	for n := int64(0); n < int64(len(records)); {
		got, err := c.Read(at, n)
		if err != nil || len(got) == 0 {
			t.Fatalf("at %d: %d records, %v", n, len(got), err)
		}
		for _, r := range got {
			if r.Offset != n || len(r.Value) != 30_000 || r.Value[0] != byte(n) {
				t.Fatalf("offset %d: record %d of %d bytes", n, r.Offset, len(r.Value))
			}
			n++
		}
	}
}

func TestAppendRefusals(t *testing.T) {
	c := startMemory(t, Config{
		Configs: map[string]string{"auto.create.topics.enable": "false"},
		Topics: []Topic{{Name: "t", Partitions: 2}, {Name: "compacted", Partitions: 1, Configs: map[string]string{
			"cleanup.policy": "compact"}}},
	})
	one := []Record{{Value: []byte("v")}}
	for _, tc := range []struct {
		at      TopicPartition
		records []Record
		want    string
	}{
		{TopicPartition{"nowhere", 0}, one, `topic "nowhere" does not exist`},
		{TopicPartition{"t", 2}, one, `topic "t" has 2 partitions, 2 is none of them`},
		{TopicPartition{"t", -1}, one, `topic "t" has 2 partitions, -1 is none of them`},
		{TopicPartition{"t", 0}, nil, "no records"},
		{TopicPartition{"t", 0}, []Record{{Value: make([]byte, 2<<20)}}, "t-0: MESSAGE_TOO_LARGE: "},
		{TopicPartition{"compacted", 0}, one, "compacted-0: INVALID_RECORD: "},
	} {
		if _, err := c.Append(tc.at, tc.records...); err == nil || !strings.HasPrefix(err.Error(), tc.want) {
			t.Errorf("%v: error %v, want %s", tc.at, err, tc.want)
		}
	}
	if _, err := c.Read(TopicPartition{"nowhere", 0}, 0); err == nil {
		t.Error("read of a topic that does not exist: no error")
	}
	c.Close()
	if _, err := c.Append(TopicPartition{"t", 0}, one...); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if err := c.CreateTopic(Topic{Name: "late"}); !errors.Is(err, ErrClosed) {
		t.Errorf("a topic after Close: %v", err)
	}
}

func TestTopicsAreSorted(t *testing.T) {
	c := startMemory(t, Config{})
	for _, name := range []string{"b", "c", "a"} {
		if err := c.CreateTopic(Topic{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.CreateTopic(Topic{Name: "a"}); err == nil {
		t.Error("a second topic of the same name: no error")
	}
	var names []string
	for _, view := range c.Topics() {
		names = append(names, view.Name)
	}
	if got := strings.Join(names, " "); got != "a b c" {
		t.Errorf("topics %s", got)
	}
}

func TestWatchTellsOfChanges(t *testing.T) {
	c := startMemory(t, Config{})
	changed, stop := c.Watch()
	defer stop()
	for _, change := range []func(){
		func() { c.CreateTopic(Topic{Name: "t"}) },
		func() { c.Append(TopicPartition{"t", 0}, Record{}) },
	} {
		change()
		<-changed
		if signalled(changed) {
			t.Error("more than one signal")
		}
	}
}

func TestGroupThatNobodyJoined(t *testing.T) {
	c := startMemory(t, Config{})
	if view, ok := c.Group("g"); ok {
		t.Errorf("group %+v", view)
	}
	if ids := c.Groups(); len(ids) != 0 {
		t.Errorf("groups %v", ids)
	}
	for _, err := range []error{c.ExpireMember("g", "m"), c.ForceRebalance("g", "why")} {
		if err == nil || err.Error() != `group "g" does not exist` {
			t.Errorf("error %v", err)
		}
	}
}

func TestIsMemberIDOf(t *testing.T) {
	const uuid = "12345678-1234-1234-1234-123456789abc"
	for id, want := range map[string]bool{
		"app-" + uuid:   true,
		"app-1-" + uuid: false,
		"app-":          false,
		uuid:            false,
	} {
		if got := isMemberIDOf("app", id); got != want {
			t.Errorf("%s: %v", id, got)
		}
	}
}

// TestRefusedClientIsGone cuts a client while it has a request parked and others
// on their way.
func TestRefusedClientIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startMemory(t, Config{})
		crashing, staying := dialRaw(t, c, "crashing"), dialRaw(t, c, "staying")
		crashing.ask(t, apiVersionsV0)
		staying.ask(t, apiVersionsV0)
		if d := cmp.Diff([]string{"crashing", "staying"}, c.Clients()); d != "" {
			t.Errorf("clients:\n%s", d)
		}
		if err := c.RefuseClient("crashing"); err != nil {
			t.Fatal(err)
		}
		if err := crashing.ended(); err != nil {
			t.Errorf("the connection of the crashed client: %v", err)
		}
		again := dialRaw(t, c, "crashing")
		again.send(t, apiVersionsV0)
		if err := again.ended(); err != nil {
			t.Errorf("a new connection of the crashed client: %v", err)
		}
		staying.ask(t, apiVersionsV0)
		c.AcceptClient("crashing")
		dialRaw(t, c, "crashing").ask(t, apiVersionsV0)
		if err := c.RefuseClient(""); err == nil {
			t.Error("no client id: no error")
		}
	})
}

// TestRefusedClientHasNoEffect cuts a client whose requests are being served: what
// RefuseClient finds when it returns is all that there will be.
func TestRefusedClientHasNoEffect(t *testing.T) {
	for range 5 {
		synctest.Test(t, func(t *testing.T) {
			c := startMemory(t, Config{})
			crashing := dialRaw(t, c, "crashing")
			go func() {
				for i := range 20_000 {
					crashing.conn.Write(joinGroupV0(i, crashing.clientID))
				}
			}()
			crashing.conn.Read(make([]byte, 1))
			if err := c.RefuseClient("crashing"); err != nil {
				t.Fatal(err)
			}
			before := c.Memberships("crashing")
			synctest.Wait()
			if after := c.Memberships("crashing"); len(after) != len(before) {
				t.Fatalf("%d memberships, later %d", len(before), len(after))
			}
			if len(before) == 0 {
				t.Fatal("the client did not get to join any group")
			}
		})
	}
}

// joinGroupV0 is a frame with a JoinGroup request of a new member of group i.
func joinGroupV0(i int, clientID string) []byte {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Group, req.ProtocolType, req.SessionTimeoutMillis = fmt.Sprint("g", i), "consumer", 10_000
	req.Protocols = []kmsg.JoinGroupRequestProtocol{{Name: "range"}}
	return kmsg.NewRequestFormatter(kmsg.FormatterClientID(clientID)).AppendRequest(nil, req, int32(i))
}

// apiVersionsV0 is an ApiVersions request v0: key, version, correlation id; the
// client id follows, and there is no body.
var apiVersionsV0 = []byte{0, 18, 0, 0, 0, 0, 0, 7}

// rawConn is a connection that speaks bytes.
type rawConn struct {
	clientID string
	conn     interface {
		Read([]byte) (int, error)
		Write([]byte) (int, error)
	}
}

func dialRaw(t *testing.T, c *Cluster, clientID string) *rawConn {
	t.Helper()
	conn, err := c.Dial(context.Background(), "tcp", c.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &rawConn{clientID, conn}
}

func (r *rawConn) send(t *testing.T, request []byte) {
	t.Helper()
	frame := append(bytes.Clone(request), 0, byte(len(r.clientID)))
	frame = append(frame, r.clientID...)
	frame = append([]byte{0, 0, 0, byte(len(frame))}, frame...)
	if _, err := r.conn.Write(frame); err != nil {
		t.Fatal(err)
	}
}

// ask sends a request and reads the answer's head.
func (r *rawConn) ask(t *testing.T, request []byte) {
	t.Helper()
	r.send(t, request)
	answer := make([]byte, 16<<10)
	if n, err := r.conn.Read(answer); err != nil || n < 8 || answer[7] != request[7] {
		t.Fatalf("answer of %d bytes, %v", n, err)
	}
}

// ended returns nil once the broker has ended the connection.
func (r *rawConn) ended() error {
	if n, err := r.conn.Read(make([]byte, 1)); n != 0 || err == nil {
		return fmt.Errorf("%d bytes, %v", n, err)
	}
	return nil
}
