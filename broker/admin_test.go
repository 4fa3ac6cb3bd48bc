package broker

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// testBroker is a broker without a listener, and the connection of one client to it.
func testBroker(t *testing.T, configs map[string]string) *conn {
	t.Helper()
	c, err := Start(Config{Network: Memory, Advertise: "127.0.0.1:9092", Seed: 1, Configs: configs})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &conn{cluster: c}
}

// ask has the broker answer req, from the bytes of the request to those of the
// answer, without a socket.
func ask(t *testing.T, cn *conn, req kmsg.Request, version int16) kmsg.Response {
	t.Helper()
	req.SetVersion(version)
	cn.call = call{cluster: cn.cluster, conn: cn, now: time.Now(),
		header: protocol.RequestHeader{Key: req.Key(), Version: version, CorrelationID: 7}}
	if err := cn.call.serve(req.AppendTo(nil)); err != nil {
		t.Fatalf("%s v%d: %v", kmsg.NameForKey(req.Key()), version, err)
	}
	body := cn.answered(t)[8:] // size and correlation id
	if req.IsFlexible() && req.Key() != int16(kmsg.ApiVersions) {
		body = body[1:] // no tags
	}
	resp := req.ResponseKind()
	resp.SetVersion(cn.call.header.Version)
	if err := resp.ReadFrom(body); err != nil {
		t.Fatalf("answer to %s v%d: %v", kmsg.NameForKey(req.Key()), version, err)
	}
	return resp
}

// answered takes what waits to be written.
func (cn *conn) answered(tb testing.TB) []byte {
	tb.Helper()
	var b bytes.Buffer
	cn.out.dst = sink{&b}
	if err := cn.out.flush(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// sink is a connection that only takes bytes.
type sink struct{ *bytes.Buffer }

func (sink) Close() error                     { return nil }
func (sink) LocalAddr() net.Addr              { return nil }
func (sink) RemoteAddr() net.Addr             { return nil }
func (sink) SetDeadline(time.Time) error      { return nil }
func (sink) SetReadDeadline(time.Time) error  { return nil }
func (sink) SetWriteDeadline(time.Time) error { return nil }

// TestAdminAsKafka replays what clients asked a fresh Apache Kafka 4.4.0, in that
// order, and wants its answers, up to ids and the order of those that Kafka shuffles.
// Configs at their defaults are left out of long lists.
func TestAdminAsKafka(t *testing.T) {
	cn := testBroker(t, nil)
	ask(t, cn, kmsg.NewPtrFindCoordinatorRequest(), 0)
	datadriven.RunTest(t, "testdata/admin.txt", func(t *testing.T, d *datadriven.TestData) string {
		var version int
		d.ScanArgs(t, "v", &version)
		req := requestNamed(t, d.Cmd)
		if err := json.Unmarshal([]byte(d.Input), req); err != nil {
			t.Fatal(err)
		}
		return transcript(t, d.Cmd, ask(t, cn, req, int16(version)))
	})
}

func requestNamed(t *testing.T, name string) kmsg.Request {
	t.Helper()
	for key := range int16(kmsg.MaxKey) + 1 {
		if kmsg.NameForKey(key) == name {
			req := kmsg.RequestForKey(key)
			req.(interface{ Default() }).Default()
			return req
		}
	}
	t.Fatalf("no API is called %s", name)
	return nil
}

// transcript is an answer as testdata has it.
func transcript(t *testing.T, name string, resp kmsg.Response) string {
	t.Helper()
	raw, err := json.Marshal(resp)
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	decode := json.NewDecoder(bytes.NewReader(raw))
	decode.UseNumber()
	if err := decode.Decode(&v); err != nil {
		t.Fatal(err)
	}
	v = plain(v).(map[string]any)
	if topics, ok := v["Topics"].([]any); ok && (name == "DeleteTopics" || name == "ListOffsets") {
		slices.SortFunc(topics, func(a, b any) int { return strings.Compare(sortKey(a), sortKey(b)) })
		for _, topic := range topics {
			if partitions, ok := topic.(map[string]any)["Partitions"].([]any); ok {
				slices.SortStableFunc(partitions, func(a, b any) int { return partitionOf(a) - partitionOf(b) })
			}
		}
	}
	return compact(v) + "\n"
}

// sortKey orders the answers of topics whose order is Kafka's own affair.
func sortKey(v any) string {
	t := v.(map[string]any)
	name, _ := t["Topic"].(string)
	return fmt.Sprint(name, "\x00", t["TopicID"], "\x00", t["ErrorCode"])
}

func partitionOf(v any) (n int) {
	fmt.Sscan(fmt.Sprint(v.(map[string]any)["Partition"]), &n)
	return n
}

func compact(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}

// plain replaces what differs from one broker to the next.
func plain(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for _, k := range []string{"UnknownTags", "Version", "ThrottleMillis"} {
			delete(v, k)
		}
		for k, e := range v {
			v[k] = plainField(k, e)
		}
	}
	return v
}

func plainField(name string, v any) any {
	switch {
	case name == "ClusterID" && v != nil && v != "":
		return "CLUSTER"
	case name == "TopicID":
		for _, b := range v.([]any) {
			if b != json.Number("0") {
				return "ID"
			}
		}
		return "0"
	case name == "Port" && v == json.Number("9092"):
		return "PORT"
	case name == "Configs":
		if list, ok := v.([]any); ok && len(list) > 8 {
			v = slices.DeleteFunc(list, func(c any) bool {
				source := c.(map[string]any)["Source"]
				return source == json.Number("5") || source == "DEFAULT_CONFIG"
			})
		}
	}
	return plain(v)
}
