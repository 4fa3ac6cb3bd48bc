package groupcoord

import (
	"bytes"
	"encoding/hex"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// What Apache Kafka 4.4.0 wrote for commits of group r to topic off-t, and for a
// group that had just been made by a JoinGroup. The topic id stands for whatever
// id the topic has.
const (
	kafkaKey         = "000100017200056f66662d7400000001"
	kafkaCommit      = "0004000000000000000c0000000501000001a20569e3a40100106f99eb97c79049a48baa147d71474e64"
	kafkaNamedCommit = "0004000000000000000affffffff0261000001a20569e3590100106f99eb97c79049a48baa147d71474e64"
	kafkaExpiring    = "0001000000000000000b000162000001a20569e3a2000001a2056b6a42"
	kafkaNewGroup    = "0003000000000000ffffffff000001a20569e73400000000"
)

func TestOffsetRecordsAreKafkas(t *testing.T) {
	id := [16]byte(unhex(t, "6f99eb97c79049a48baa147d71474e64"))
	metadata := func(s string) *string { return &s }
	for _, c := range []struct {
		want        string
		ms          int64
		version     int16
		offset      int64
		leaderEpoch int32
		metadata    *string
		retention   int64
	}{
		{kafkaCommit, 0x01a20569e3a4, 6, 12, 5, nil, -1},
		{kafkaNamedCommit, 0x01a20569e359, 2, 10, -1, metadata("a"), -1},
		{kafkaExpiring, 0x01a20569e3a2, 3, 11, -1, metadata("b"), 100_000},
	} {
		req := kmsg.NewPtrOffsetCommitRequest()
		req.Version, req.RetentionTimeMillis = c.version, c.retention
		p := kmsg.NewOffsetCommitRequestTopicPartition()
		p.Partition, p.Offset, p.LeaderEpoch, p.Metadata = 1, c.offset, c.leaderEpoch, c.metadata
		req.Topics = []kmsg.OffsetCommitRequestTopic{{
			Topic: "off-t", TopicID: id, Partitions: []kmsg.OffsetCommitRequestTopicPartition{p},
		}}
		effects := New("r", Config{}).Step(time.UnixMilli(c.ms), OffsetCommit{To: 1, Req: req})
		r := effects[0].(Append).Records[0]
		if got := hex.EncodeToString(r.Key); got != kafkaKey {
			t.Errorf("key\n got %s\nwant %s", got, kafkaKey)
		}
		if got := hex.EncodeToString(r.Value); got != c.want {
			t.Errorf("value\n got %s\nwant %s", got, c.want)
		}
	}
}

func TestMetadataRecordIsKafkas(t *testing.T) {
	v := kmsg.NewGroupMetadataValue()
	v.CurrentStateTimestamp = 0x01a20569e734
	r := New("r", Config{}).metadataRecord(&v)
	if got := hex.EncodeToString(r.Value); got != kafkaNewGroup {
		t.Errorf("value\n got %s\nwant %s", got, kafkaNewGroup)
	}
	if got, want := hex.EncodeToString(r.Key), "0002000172"; got != want {
		t.Errorf("key\n got %s\nwant %s", got, want)
	}
}

// offsetRecord is a record in kmsg's encoding, for any type of key and version of value.
func offsetRecord(keyType, version int16) Record {
	k := kmsg.OffsetCommitKey{Version: keyType, Group: "g", Topic: "t", Partition: 3}
	v := kmsg.OffsetCommitValue{
		Version: version, Offset: 1 << 40, LeaderEpoch: 7, Metadata: "é",
		CommitTimestamp: 1000, ExpireTimestamp: 5000, TopicID: [16]byte{15: 9},
	}
	return newRecord(k.AppendTo(nil), v.AppendTo(nil))
}

func groupRecord(version int16) (Record, kmsg.GroupMetadataValue) {
	text := func(s string) *string { return &s }
	v := kmsg.NewGroupMetadataValue()
	v.Version, v.ProtocolType, v.Generation = version, "consumer", 4
	v.Protocol, v.Leader, v.CurrentStateTimestamp = text("range"), text(""), 1234
	for _, id := range []string{"a", "b"} {
		m := kmsg.NewGroupMetadataValueMember()
		m.MemberID, m.ClientID, m.ClientHost = id, "client", "/127.0.0.1"
		m.RebalanceTimeoutMillis, m.SessionTimeoutMillis = 60_000, 45_000
		m.Subscription, m.Assignment = []byte{1, 2}, []byte{}
		v.Members = append(v.Members, m)
	}
	v.Members[1].InstanceID = text("i")
	k := kmsg.GroupMetadataKey{Version: 2, Group: "g"}
	return newRecord(k.AppendTo(nil), v.AppendTo(nil)), v
}

func TestApplyReadsEveryVersion(t *testing.T) {
	for version := int16(0); version <= 4; version++ {
		for _, keyType := range []int16{0, 1} {
			g := New("g", Config{})
			g.Apply(offsetRecord(keyType, version))
			c := g.offsets.topics["t"].partitions[3]
			got := offsetValue{
				offset: c.offset, timestamp: c.timestamp, expires: c.expires(), leaderEpoch: c.leaderEpoch,
				metadata: []byte(c.more.metadata), topicID: g.offsets.topics["t"].topicID(&c),
			}
			want := offsetValue{offset: 1 << 40, timestamp: 1000, expires: -1, leaderEpoch: -1, metadata: []byte("é")}
			if version == 1 {
				want.expires = 5000
			}
			if version >= 3 {
				want.leaderEpoch = 7
			}
			if version >= 4 {
				want.topicID[15] = 9
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(offsetValue{})); diff != "" {
				t.Errorf("offset commit, key type %d, version %d (-want +got):\n%s", keyType, version, diff)
			}
		}
		g := New("g", Config{})
		r, want := groupRecord(version)
		g.Apply(r)
		if version < 3 {
			want.Members[1].InstanceID = nil
		}
		if version < 2 {
			want.CurrentStateTimestamp = -1
		}
		if version < 1 {
			want.Members[0].RebalanceTimeoutMillis, want.Members[1].RebalanceTimeoutMillis = 45_000, 45_000
		}
		want.Version = 4
		got := *g.classic().stored
		got.Version = 4
		if !bytes.Equal(want.AppendTo(nil), got.AppendTo(nil)) {
			t.Errorf("group metadata, version %d:\nwant %+v\n got %+v", version, want, got)
		}
	}
}

func TestApplyIgnoresWhatItCannotRead(t *testing.T) {
	metadata, _ := groupRecord(4)
	old, _ := groupRecord(0)
	for _, r := range []Record{offsetRecord(1, 4), offsetRecord(0, 1), metadata, old} {
		for n := range r.Value {
			g := New("g", Config{})
			g.Apply(Record{Key: r.Key, Value: r.Value[:n], ProducerID: -1})
			if !g.Vacant() {
				t.Errorf("%d of %d bytes of a value were taken for a value", n, len(r.Value))
			}
		}
		for n := range r.Key {
			g := New("g", Config{})
			g.Apply(Record{Key: r.Key[:n], Value: r.Value, ProducerID: -1})
			if !g.Vacant() {
				t.Errorf("%d of %d bytes of a key were taken for a key", n, len(r.Key))
			}
		}
		other := New("another", Config{})
		other.Apply(r)
		later := bytes.Clone(r.Value)
		later[1] = 5
		unknown := append([]byte{0, 30}, r.Key[2:]...)
		other = New("g", Config{})
		other.Apply(Record{Key: r.Key, Value: later, ProducerID: -1})
		other.Apply(Record{Key: unknown, Value: r.Value, ProducerID: -1})
		if !other.Vacant() {
			t.Error("a later version or an unknown type was taken for a known one")
		}
	}
	g := New("another", Config{})
	g.Apply(offsetRecord(1, 4))
	if !g.Vacant() {
		t.Error("a record of another group was applied")
	}
}

// A count of members or of tags that a record promises costs nothing by itself.
func TestApplyIsBounded(t *testing.T) {
	hostile := [][]byte{
		// Version 4 of an offset commit with two thousand million tagged fields.
		append(unhex(t, "0004"+"0000000000000001"+"00000001"+"01"+"0000000000000001"), 0xff, 0xff, 0xff, 0xff, 0x07),
		// Version 3 of group metadata with as many members.
		append(unhex(t, "0003"+"0000"+"00000001"+"ffff"+"ffff"+"0000000000000001"), 0x7f, 0xff, 0xff, 0xff),
	}
	for i, value := range hostile {
		key := offsetRecord(1, 4).Key
		if i == 1 {
			key = []byte{0, 2, 0, 1, 'g'}
		}
		g := New("g", Config{})
		if n := testing.AllocsPerRun(1, func() { g.Apply(Record{Key: key, Value: value, ProducerID: -1}) }); n > 10 {
			t.Errorf("value %d: %v allocations", i, n)
		}
		if !g.Vacant() {
			t.Errorf("value %d was applied", i)
		}
	}
}

// What no coordinator writes would be a group that the membership cannot be.
func TestApplyIgnoresImpossibleGroups(t *testing.T) {
	for name, spoil := range map[string]func(v *kmsg.GroupMetadataValue){
		"members without a protocol": func(v *kmsg.GroupMetadataValue) { v.Protocol = nil },
		"a member twice":             func(v *kmsg.GroupMetadataValue) { v.Members[0].MemberID = v.Members[1].MemberID },
		"an instance twice":          func(v *kmsg.GroupMetadataValue) { v.Members[0].InstanceID = v.Members[1].InstanceID },
	} {
		r, v := groupRecord(3)
		spoil(&v)
		g := New("g", Config{})
		g.Apply(Record{Key: r.Key, Value: v.AppendTo(nil), ProducerID: -1})
		if g.classic().stored != nil {
			t.Errorf("%s: the record was taken", name)
		}
	}
}

func TestApplyLeavesTransactionsAlone(t *testing.T) {
	g := New("g", Config{})
	g.Apply(offsetRecord(1, 4))
	r := offsetRecord(1, 3)
	r.ProducerID = 12
	g.Apply(r)
	if id := g.offsets.topics["t"].id; id[15] != 9 {
		t.Errorf("an offset of an open transaction is visible")
	}
	g.Apply(Record{Key: r.Key, ProducerID: -1})
	if len(g.offsets.topics) != 0 {
		t.Errorf("the tombstone left %v", g.offsets.topics)
	}
	if g.Vacant() {
		t.Errorf("a group without offsets stays until it is taken back")
	}
}

func TestSubscribedTopics(t *testing.T) {
	text := func(s string) *string { return &s }
	for version := int16(0); version <= 4; version++ {
		m := kmsg.ConsumerMemberMetadata{Version: version, Topics: []string{"t", "u"}, UserData: []byte{1}, Rack: text("r")}
		topics, ok := subscribedTopics(m.AppendTo(nil))
		if diff := cmp.Diff([]string{"t", "u"}, topics); !ok || diff != "" {
			t.Errorf("version %d (-want +got):\n%s", version, diff)
		}
	}
	whole := subscription("t", "uu")
	for n := range whole {
		if topics, ok := subscribedTopics(whole[:n]); ok {
			t.Errorf("%d of %d bytes were read as %q", n, len(whole), topics)
		}
	}
	if _, ok := subscribedTopics(unhex(t, "00000fffffff")); ok {
		t.Error("a count of topics that cannot be true was believed")
	}
	if topics, ok := subscribedTopics(append(whole, 1, 2, 3)); !ok || len(topics) != 2 {
		t.Error("what follows version 0 must not matter")
	}
}

// A group with many offsets is no burden: each costs about as much as its fields,
// and looking for what may expire does not walk them all each time.
func BenchmarkManyOffsets(b *testing.B) {
	cfg := Config{OffsetsRetention: time.Hour, OffsetsRetentionCheckInterval: time.Minute}
	g := New("g", cfg)
	now := time.UnixMilli(1_000_000)
	req := kmsg.NewPtrOffsetCommitRequest()
	for topic := range 500 {
		t := kmsg.OffsetCommitRequestTopic{Topic: "topic-" + string(rune('a'+topic))}
		for partition := range int32(1000) {
			t.Partitions = append(t.Partitions, kmsg.OffsetCommitRequestTopicPartition{Partition: partition, Offset: 5})
		}
		req.Topics = append(req.Topics, t)
	}
	for _, r := range g.Step(now, OffsetCommit{Req: req})[0].(Append).Records {
		g.Apply(r)
	}
	one := kmsg.NewPtrOffsetCommitRequest()
	one.Topics = req.Topics[:1:1]
	one.Topics[0].Partitions = one.Topics[0].Partitions[:1]
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Millisecond)
		for _, r := range g.Step(now, OffsetCommit{Req: one})[0].(Append).Records {
			g.Apply(r)
		}
		if g.Deadline().IsZero() {
			b.Fatal("nothing expires")
		}
	}
}
