package groupcoord

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// TestOffsetScripts runs testdata/offsets: stories of one group's offsets, each
// command an event and below it what the owner has to do. Every answer in them was
// asked from Apache Kafka 4.4.0 where the wire shows it. After each command a group
// that was fed the records alone must have the same offsets.
func TestOffsetScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/offsets", func(t *testing.T, path string) {
		s := newOffsetScript()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.out.Reset()
			s.run(t, d)
			s.compareReload(t, d)
			if s.out.Len() == 0 {
				return "nothing\n"
			}
			return s.out.String()
		})
	})
}

type offsetScript struct {
	g        *Group
	cfg      Config
	start    time.Time
	now      time.Time
	deadline time.Time
	log      []Record
	out      strings.Builder
}

func newOffsetScript() *offsetScript {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	cfg := Config{
		MinSessionTimeout: time.Second, MaxSessionTimeout: 48 * time.Hour, OffsetMetadataMaxSize: 10,
		OffsetsRetention: 7 * 24 * time.Hour, OffsetsRetentionCheckInterval: 10 * time.Minute,
	}
	return &offsetScript{g: New("g", cfg), cfg: cfg, start: start, now: start}
}

func (s *offsetScript) run(t *testing.T, d *datadriven.TestData) {
	switch d.Cmd {
	case "config":
		s.config(t, d)
	case "commit":
		e := OffsetCommit{To: 1, Req: s.commitRequest(t, d)}
		if id := intArg(d, "txn", -1); id >= 0 {
			e.Txn = &Producer{ID: int64(id), Epoch: 3}
		}
		s.step(e)
	case "marker":
		s.marker(d)
	case "delete-offsets":
		req := kmsg.NewPtrOffsetDeleteRequest()
		for topic, partitions := range scriptTopics(d.Input) {
			one := kmsg.OffsetDeleteRequestTopic{Topic: topic}
			for _, p := range partitions {
				one.Partitions = append(one.Partitions, kmsg.OffsetDeleteRequestTopicPartition{Partition: p})
			}
			req.Topics = append(req.Topics, one)
		}
		s.step(OffsetDelete{To: 1, Req: req})
	case "delete-group":
		s.step(DeleteGroup{To: 1})
	case "topics-deleted":
		s.step(TopicsDeleted{Topics: strings.Fields(d.Input)})
	case "fetch":
		s.fetch(d)
	case "join":
		s.join(d)
	case "sync":
		req := kmsg.NewPtrSyncGroupRequest()
		req.Version, req.MemberID, req.Generation = 3, s.member(arg(d, "member", "")), s.g.classic().generation
		s.step(SyncGroup{To: 1, Req: req})
	case "leave":
		req := kmsg.NewPtrLeaveGroupRequest()
		req.MemberID = s.member(arg(d, "member", ""))
		s.step(LeaveGroup{To: 1, Req: req})
	case "advance":
		s.advance(t, d)
	case "apply":
		s.apply(t, d)
	case "reload":
		s.g = replay(s.cfg, s.log)
		s.step(Loaded{})
	case "group":
		fmt.Fprintf(&s.out, "%s vacant=%t\n", s.g.Describe().State, s.g.Vacant())
	default:
		t.Fatalf("%s: unknown command %q", d.Pos, d.Cmd)
	}
}

// marker ends the transaction of a producer.
func (s *offsetScript) marker(d *datadriven.TestData) {
	r := Record{Offset: int64(len(s.log)), ProducerID: int64(intArg(d, "txn", -1)), Outcome: Aborted}
	if d.HasArg("commit") {
		r.Outcome = Committed
	}
	s.log = append(s.log, r)
	s.g.Apply(r)
}

// step carries out what the group says, as its owner does.
func (s *offsetScript) step(e Event) {
	for _, effect := range s.g.Step(s.now, e) {
		switch effect := effect.(type) {
		case Append:
			for _, r := range effect.Records {
				r.Offset = int64(len(s.log))
				s.log = append(s.log, r)
				s.g.Apply(r)
				fmt.Fprintf(&s.out, "append %s\n", s.record(r))
			}
		case Reply:
			fmt.Fprintf(&s.out, "reply %s\n", scriptReply(effect.Resp))
		}
	}
	if at := earliest(s.g.classic().due(), s.g.offsetsDeadline()); !at.Equal(s.deadline) {
		s.deadline = at
		if at.IsZero() {
			fmt.Fprintf(&s.out, "deadline none\n")
		} else {
			fmt.Fprintf(&s.out, "deadline %s\n", at.Sub(s.start))
		}
	}
}

func (s *offsetScript) config(t *testing.T, d *datadriven.TestData) {
	for _, a := range d.CmdArgs {
		v, err := time.ParseDuration(a.Vals[0])
		if err != nil {
			t.Fatalf("%s: %v", d.Pos, err)
		}
		switch a.Key {
		case "retention":
			s.cfg.OffsetsRetention = v
		case "interval":
			s.cfg.OffsetsRetentionCheckInterval = v
		}
	}
	s.step(Configure{Config: s.cfg})
}

// commitRequest reads lines like "t 0 offset=10 epoch=5 metadata=x".
func (s *offsetScript) commitRequest(t *testing.T, d *datadriven.TestData) *kmsg.OffsetCommitRequest {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Version = int16(intArg(d, "version", 9))
	req.MemberID = s.member(arg(d, "member", ""))
	req.Generation = int32(intArg(d, "generation", -1))
	if retention := arg(d, "retention", ""); retention != "" {
		v, err := time.ParseDuration(retention)
		if err != nil {
			t.Fatalf("%s: %v", d.Pos, err)
		}
		req.RetentionTimeMillis = v.Milliseconds()
	}
	for line := range strings.Lines(d.Input) {
		f := strings.Fields(line)
		p := kmsg.NewOffsetCommitRequestTopicPartition()
		partition, _ := strconv.Atoi(f[1])
		p.Partition = int32(partition)
		topic := kmsg.OffsetCommitRequestTopic{Topic: f[0]}
		for _, field := range f[2:] {
			key, value, _ := strings.Cut(field, "=")
			n, _ := strconv.ParseInt(value, 10, 64)
			switch key {
			case "offset":
				p.Offset = n
			case "epoch":
				p.LeaderEpoch = int32(n)
			case "metadata":
				p.Metadata = &value
			case "id":
				topic.TopicID[15] = byte(n)
			default:
				t.Fatalf("%s: unknown field %q", d.Pos, field)
			}
		}
		if n := len(req.Topics); n > 0 && req.Topics[n-1].Topic == topic.Topic {
			req.Topics[n-1].Partitions = append(req.Topics[n-1].Partitions, p)
			continue
		}
		topic.Partitions = append(topic.Partitions, p)
		req.Topics = append(req.Topics, topic)
	}
	return req
}

func (s *offsetScript) fetch(d *datadriven.TestData) {
	req := kmsg.NewOffsetFetchRequestGroup()
	req.Group = "g"
	if d.Input != "" {
		req.Topics = []kmsg.OffsetFetchRequestGroupTopic{}
		for topic, partitions := range scriptTopics(d.Input) {
			one := kmsg.OffsetFetchRequestGroupTopic{Topic: topic, Partitions: partitions}
			one.TopicID[15] = byte(intArg(d, "id", 0))
			req.Topics = append(req.Topics, one)
		}
	}
	resp := s.g.FetchOffsets(s.now, req, d.HasArg("stable"))
	for _, topic := range resp.Topics {
		for _, p := range topic.Partitions {
			fmt.Fprintf(&s.out, "%s-%d offset=%d epoch=%d metadata=%q %s\n", topic.Topic, p.Partition, p.Offset,
				p.LeaderEpoch, *p.Metadata, protocol.ErrorCode(p.ErrorCode))
		}
	}
}

// join is a JoinGroup of version 3, which needs no second try.
func (s *offsetScript) join(d *datadriven.TestData) {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Version, req.ProtocolType = 3, arg(d, "type", "consumer")
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = 24*3_600_000, 60_000
	name := arg(d, "member", "")
	req.MemberID = s.member(name)
	metadata := subscription(strings.Split(arg(d, "topics", "t"), "+")...)
	if arg(d, "topics", "") == "garbage" {
		metadata = []byte{0, 3, 0x7f}
	}
	req.Protocols = []kmsg.JoinGroupRequestProtocol{{Name: "range", Metadata: metadata}}
	s.step(JoinGroup{To: 1, Req: req, ClientID: name, ClientHost: "/127.0.0.1"})
}

// member is the id of the member whose client id is name.
func (s *offsetScript) member(name string) string {
	for m := range s.g.classic().all() {
		if m.clientID == name {
			return m.id
		}
	}
	return ""
}

// advance lets time pass: to the next deadline, or by so much, with every deadline
// on the way.
func (s *offsetScript) advance(t *testing.T, d *datadriven.TestData) {
	until := s.deadline
	if len(d.CmdArgs) > 0 {
		v, err := time.ParseDuration(d.CmdArgs[0].Key)
		if err != nil {
			t.Fatalf("%s: %v", d.Pos, err)
		}
		until = s.now.Add(v)
	}
	for !s.deadline.IsZero() && !s.deadline.After(until) {
		before := s.deadline
		s.now = before
		s.step(Tick{})
		if s.deadline.Equal(before) {
			t.Fatalf("%s: the deadline %s stays", d.Pos, before.Sub(s.start))
		}
	}
	s.now = until
	fmt.Fprintf(&s.out, "now %s\n", s.now.Sub(s.start))
}

// apply feeds raw records: lines of key and value in hex, "-" for a tombstone.
func (s *offsetScript) apply(t *testing.T, d *datadriven.TestData) {
	for line := range strings.Lines(d.Input) {
		f := strings.Fields(line)
		r := newRecord(unhex(t, f[0]), nil)
		if f[1] != "-" {
			r.Value = unhex(t, f[1])
		}
		r.ProducerID = int64(intArg(d, "producer", -1))
		r.Offset = int64(len(s.log))
		s.log = append(s.log, r)
		s.g.Apply(r)
	}
}

// compareReload compares with a group that got the records and nothing else.
func (s *offsetScript) compareReload(t *testing.T, d *datadriven.TestData) {
	if diff := cmp.Diff(hardState(s.g), hardState(replay(s.cfg, s.log))); diff != "" {
		t.Fatalf("%s: another group from the same records (-live +reloaded):\n%s", d.Pos, diff)
	}
}
