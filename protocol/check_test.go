package protocol

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"
)

func TestCheckRequestTellsWhatIsWrong(t *testing.T) {
	tests := []struct {
		key, version int16
		body         string
		want         ReadError
		text         string
	}{
		{999, 0, "", ReadError{Key: 999, Reason: ReasonUnknownKey, Value: 999},
			"request (API key 999) version 0: header at byte 0: unknown API key"},
		{3, 14, "", ReadError{Key: 3, Version: 14, Reason: ReasonVersion, Value: 14},
			"Metadata (API key 3) version 14: header at byte 0: unsupported version"},
		{3, 0, "\x00\x00\x00\x01\xff\xff", ReadError{Key: 3, Field: "Name", Offset: 6, Reason: ReasonNull},
			"Metadata (API key 3) version 0: field Name at byte 6: null, but the field is not nullable"},
		{3, 0, "\x00\x00\x00\x01\x00\x05abc", ReadError{Key: 3, Field: "Name", Offset: 6, Reason: ReasonTruncated, Value: 5},
			"Metadata (API key 3) version 0: field Name at byte 6: 5 bytes are needed, more than are left"},
		{3, 0, "\x00\x00\x00\x03ab", ReadError{Key: 3, Field: "Topics", Offset: 4, Reason: ReasonArrayTooLong, Value: 3},
			"Metadata (API key 3) version 0: field Topics at byte 4: array of 3 elements, more than 1000000 or than bytes are left"},
		{1, 14, fetch12 + "\x01\x01\x01\x01\x01\x00", ReadError{Key: 1, Version: 14, Field: "ReplicaState", Offset: 31, Reason: ReasonTagVersion, Value: 1},
			"Fetch (API key 1) version 14: field ReplicaState at byte 31: tag 1 is not allowed in this version"},
		{1, 12, fetch12 + "\x01\x01\x01\x01\x00\x01\x81\x01" + strings.Repeat("x", 128),
			ReadError{Key: 1, Version: 12, Field: "ClusterId", Offset: 161, Reason: ReasonTagSize, Value: 1},
			"Fetch (API key 1) version 12: field ClusterId at byte 161: tagged field is longer than its declared size 1"},
		{1, 12, fetch12 + "\x01\x01\x01\x01\x00\x04\x04ab", ReadError{Key: 1, Version: 12, Field: "ClusterId", Offset: 32, Reason: ReasonTruncated, Value: 3},
			"Fetch (API key 1) version 12: field ClusterId at byte 32: 3 bytes are needed, more than are left"},
		{3, 9, "\x00\x00\x00\x00\x01\x09\x02x", ReadError{Key: 3, Version: 9, Field: "tags", Offset: 7, Reason: ReasonTruncated, Value: 2},
			"Metadata (API key 3) version 9: field tags at byte 7: 2 bytes are needed, more than are left"},
	}
	for _, tt := range tests {
		_, err := CheckRequest(tt.key, tt.version, []byte(tt.body))
		var got *ReadError
		if !errors.As(err, &got) {
			t.Fatalf("error = %v, want %q", err, tt.text)
		}
		if diff := cmp.Diff(tt.want, *got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.text, diff)
		}
		if got.Error() != tt.text {
			t.Errorf("text = %q, want %q", got.Error(), tt.text)
		}
	}
}

// What Kafka reads and kmsg refuses is rewritten, so that both read the same.
func TestCheckRequestRewritesWhatKmsgRefuses(t *testing.T) {
	abc := "abc"
	tests := []struct {
		name string
		key  int16
		vers int16
		body string
		want kmsg.Request
	}{
		{"null string by a negative length", 22, 2, "\x80\x80\x80\x80\x0f\x00\x00\x03\xe8\x00",
			&kmsg.InitProducerIDRequest{Version: 2, TransactionTimeoutMillis: 1000, ProducerID: -1, ProducerEpoch: -1}},
		{"null struct by another negative byte", 75, 0, "\x01\x00\x00\x00\x01\x80\x00",
			&kmsg.DescribeTopicPartitionsRequest{ResponsePartitionLimit: 1}},
		{"varint with surplus bits", 22, 2, "\x84\x80\x80\x80\x70abc\x00\x00\x03\xe8\x00",
			&kmsg.InitProducerIDRequest{Version: 2, TransactionalID: &abc, TransactionTimeoutMillis: 1000, ProducerID: -1, ProducerEpoch: -1}},
		{"known tag, declared too short", 1, 12, fetch12 + "\x01\x01\x01\x01\x00\x01\x04abc", fetchOf(&abc)},
		{"known tag, declared too long", 1, 12, fetch12 + "\x01\x01\x01\x01\x00\x7f\x04abc", fetchOf(&abc)},
		{"known tag, declared in more bytes", 1, 12, fetch12 + "\x01\x01\x01\x01\x00\x80\x80\x04\x04abc", fetchOf(&abc)},
		{"malformed text", 22, 2, "\x04a\xe2\x82\x00\x00\x03\xe8\x00",
			&kmsg.InitProducerIDRequest{Version: 2, TransactionalID: kmsg.StringPtr("a\ufffd"), TransactionTimeoutMillis: 1000, ProducerID: -1, ProducerEpoch: -1}},
		{"malformed text of an old version", 22, 0, "\x00\x03\xff-\xff\x00\x00\x03\xe8",
			&kmsg.InitProducerIDRequest{TransactionalID: kmsg.StringPtr("\ufffd-\ufffd"), TransactionTimeoutMillis: 1000, ProducerID: -1, ProducerEpoch: -1}},
		{"known tag, malformed text", 1, 12, fetch12 + "\x01\x01\x01\x01\x00\x03\x03a\xff", fetchOf(kmsg.StringPtr("a\ufffd"))},
		{"known tag, null by a negative length", 1, 12, fetch12 + "\x01\x01\x01\x01\x00\x05\xff\xff\xff\xff\x0f", fetchOf(nil)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			body, err := CheckRequest(tt.key, tt.vers, []byte(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			got := kmsg.RequestForKey(tt.key)
			got.SetVersion(tt.vers)
			if err := got.ReadFrom(body); err != nil {
				t.Fatalf("kmsg does not read %q: %v", body, err)
			}
			if want, got := tt.want.AppendTo(nil), got.AppendTo(nil); !bytes.Equal(want, got) {
				t.Errorf("kmsg reads %q, want %q", got, want)
			}
		})
	}
}

func fetchOf(cluster *string) *kmsg.FetchRequest {
	r := kmsg.NewPtrFetchRequest()
	r.Version, r.ReplicaID, r.ClusterID, r.MaxBytes, r.SessionEpoch = 12, -1, cluster, 0, -1
	return r
}

// A request that kmsg writes passes in whole, and only in whole.
func TestCheckRequestTakesWhatKmsgWrites(t *testing.T) {
	for key := range int16(len(requestSchemas)) {
		s, ok := RequestSchema(key)
		if !ok {
			continue
		}
		t.Run(s.Name, rapid.MakeCheck(func(t *rapid.T) {
			version := rapid.Int16Range(s.Versions.From, s.Versions.Until-1).Draw(t, "version")
			r := kmsg.RequestForKey(key)
			if r.MaxVersion() < s.Versions.Until-1 {
				t.Fatalf("kmsg knows it up to version %d", r.MaxVersion())
			}
			fill(t, reflect.ValueOf(r).Elem())
			r.SetVersion(version)
			if fetch, ok := r.(*kmsg.FetchRequest); ok {
				clearLaterTags(fetch)
			}
			body := r.AppendTo(nil)
			if r.IsFlexible() != s.FlexibleIn(version) {
				t.Fatalf("flexible: kmsg says %v", r.IsFlexible())
			}
			if _, err := CheckRequest(key, version, slices.Clone(body)); err != nil {
				t.Fatalf("%v\n%x", err, body)
			}
			n := rapid.IntRange(0, max(0, len(body)-1)).Draw(t, "cut")
			if _, err := CheckRequest(key, version, slices.Clone(body[:n])); n < len(body) && err == nil {
				t.Fatalf("%d of %d bytes pass\n%x", n, len(body), body)
			}
		}))
	}
}

// clearLaterTags clears the tagged fields that the request's version does not have:
// kmsg writes them all the same.
func clearLaterTags(r *kmsg.FetchRequest) {
	if r.Version < 15 {
		r.ReplicaState = kmsg.NewFetchRequestReplicaState()
	}
	for _, topic := range r.Topics {
		for i := range topic.Partitions {
			p, none := &topic.Partitions[i], kmsg.NewFetchRequestTopicPartition()
			if r.Version < 17 {
				p.ReplicaDirectoryID = none.ReplicaDirectoryID
			}
			if r.Version < 18 {
				p.HighWatermark = none.HighWatermark
			}
		}
	}
}

// fill gives every field under v some value.
func fill(t *rapid.T, v reflect.Value) {
	if tags, ok := v.Addr().Interface().(*kmsg.Tags); ok {
		for range rapid.IntRange(0, 2).Draw(t, "tags") {
			tags.Set(rapid.Uint32Range(100, 1<<31).Draw(t, "tag"), rapid.SliceOfN(rapid.Byte(), 0, 3).Draw(t, "value"))
		}
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, "int"))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		v.SetUint(rapid.Uint64().Draw(t, "uint"))
	case reflect.Float64:
		v.SetFloat(rapid.Float64().Draw(t, "float"))
	case reflect.String:
		v.SetString(rapid.StringN(0, 5, 300).Draw(t, "string"))
	case reflect.Pointer:
		if rapid.Bool().Draw(t, "null") {
			v.SetZero()
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.Slice:
		n := rapid.IntRange(-1, 3).Draw(t, "elements")
		if n < 0 {
			v.SetZero()
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			fill(t, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	default:
		panic(fmt.Sprintf("%v in a request", v.Type()))
	}
}

func TestCheckRequestDoesNotAllocate(t *testing.T) {
	for _, b := range benchmarkBodies() {
		if n := testing.AllocsPerRun(100, func() {
			if _, err := CheckRequest(b.req.Key(), b.req.GetVersion(), b.body); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", b.name, n)
		}
	}
}

type benchmarkBody struct {
	name string
	req  kmsg.Request
	body []byte
}

func benchmarkBodies() []benchmarkBody {
	produce := kmsg.NewPtrProduceRequest()
	produce.Version, produce.Acks, produce.TimeoutMillis = 12, -1, 30_000
	produce.Topics = []kmsg.ProduceRequestTopic{{Topic: "orders", Partitions: []kmsg.ProduceRequestTopicPartition{{Records: make([]byte, 168)}}}}
	fetch := kmsg.NewPtrFetchRequest()
	fetch.Version = 18
	fetch.Topics = []kmsg.FetchRequestTopic{{TopicID: [16]byte{1}, Partitions: make([]kmsg.FetchRequestTopicPartition, 4)}}
	heartbeat := kmsg.NewPtrHeartbeatRequest()
	heartbeat.Version, heartbeat.Group, heartbeat.MemberID = 4, "group", "member"
	all := []benchmarkBody{
		{name: "Produce of one partition", req: produce},
		{name: "Fetch of four partitions", req: fetch},
		{name: "Heartbeat", req: heartbeat},
	}
	for i := range all {
		all[i].body = all[i].req.AppendTo(nil)
	}
	return all
}

func BenchmarkCheckRequest(b *testing.B) {
	for _, c := range benchmarkBodies() {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := CheckRequest(c.req.Key(), c.req.GetVersion(), c.body); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// FuzzCheckRequest looks for a body that passes and that kmsg does not read then, or
// reads into far more memory than the body's.
func FuzzCheckRequest(f *testing.F) {
	for _, b := range oddBodies {
		if len(b.body) < 1000 {
			f.Add(b.key, b.version, []byte(b.body))
		}
	}
	for _, b := range benchmarkBodies() {
		f.Add(b.req.Key(), b.req.GetVersion(), b.body)
	}
	f.Fuzz(func(t *testing.T, key, version int16, body []byte) {
		body, err := CheckRequest(key, version, body)
		if err != nil {
			return
		}
		again, err := CheckRequest(key, version, body)
		if err != nil || !bytes.Equal(again, body) {
			t.Fatalf("%x comes out as %x: %v", body, again, err)
		}
		r := kmsg.RequestForKey(key)
		r.SetVersion(version)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err = r.ReadFrom(body)
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatalf("kmsg: %v", err)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20+256*uint64(len(body)) {
			t.Fatalf("%d bytes allocated for %d", n, len(body))
		}
	})
}

// One frame cannot make its reader allocate without measure: the elements of all
// arrays together are limited, and so are the unknown tags.
func TestCheckLimitsTheWholeRequest(t *testing.T) {
	// Metadata v12: topics of an id, a null name and a tag section, then two booleans and tags.
	metadata := func(topics, tags int) []byte {
		b := binary.AppendUvarint(nil, uint64(topics)+1)
		topic := append(make([]byte, 17), byte(tags))
		for tag := range tags {
			topic = append(topic, byte(100+tag), 0)
		}
		return append(append(b, bytes.Repeat(topic, topics)...), 0, 0, 0)
	}
	// DeleteRecords v2: topics of a name and partitions of 12 bytes and tags each.
	deleteRecords := func(topics, partitions int) []byte {
		b := binary.AppendUvarint(nil, uint64(topics)+1)
		topic := append([]byte{2, 't'}, binary.AppendUvarint(nil, uint64(partitions)+1)...)
		topic = append(append(topic, make([]byte, 13*partitions)...), 0)
		return append(append(b, bytes.Repeat(topic, topics)...), 0, 0, 0, 0, 0)
	}
	for _, c := range []struct {
		name         string
		key, version int16
		body         []byte
		refused      bool
	}{
		{"tags within", 3, 12, metadata(9_000, 10), false},
		{"tags beyond", 3, 12, metadata(11_000, 10), true},
		{"elements within", 21, 2, deleteRecords(10, 190_000), false},
		{"elements beyond", 21, 2, deleteRecords(10, 200_000), true},
	} {
		_, err := CheckRequest(c.key, c.version, c.body)
		var read *ReadError
		if refused := errors.As(err, &read) && read.Reason == ReasonRequestTooLarge; refused != c.refused || !refused && err != nil {
			t.Errorf("%s: %v, want it refused: %v", c.name, err, c.refused)
		}
	}
}
