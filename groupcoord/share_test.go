package groupcoord

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"klamm/protocol"
)

// shareTopics is an image of topics by their numbers of partitions.
type shareTopics map[string]int32

func (s shareTopics) Topic(name string) (Topic, bool) {
	n, ok := s[name]
	return Topic{ID: protocol.UUID{name[0]}, Name: name, Partitions: n}, ok
}

func (s shareTopics) TopicByID(id protocol.UUID) (Topic, bool) { return s.Topic(string(id[:1])) }

func (s shareTopics) Created() int64 { return int64(len(s)) }

func (s shareTopics) Topics() iter.Seq[Topic] { return func(func(Topic) bool) {} }

// shareGroup is a share group, and another that sees its records only.
type shareGroup struct {
	g, shadow *Group
	image     *shareTopics
	now       time.Time
	token     Token
}

func newShareGroup(topics shareTopics) *shareGroup {
	cfg := Config{ShareSessionTimeout: 10 * time.Second, ShareHeartbeatInterval: time.Second, ShareMaxSize: 4}
	return &shareGroup{g: New("workers", cfg), shadow: New("workers", cfg), image: &topics, now: time.Unix(1000, 0)}
}

// imageNow is the image as something that can be compared.
type imageNow struct{ *shareTopics }

// step carries out an event with all that it entails, and returns the answer.
func (s *shareGroup) step(e Event) (resp kmsg.Response) {
	events := []Event{e}
	for len(events) > 0 {
		e := events[0]
		events = events[1:]
		for _, effect := range s.g.Step(s.now, e) {
			switch effect := effect.(type) {
			case Append:
				for _, r := range effect.Records {
					s.g.Apply(r)
					s.shadow.Apply(r)
				}
			case Reply:
				resp = effect.Resp
			case Again:
				events = append(events, Tick{})
			case InitializeShareState:
				events = append(events, ShareStateInitialized{Starts: effect.Starts})
			case DeleteShareState:
				events = append(events, ShareStateDeleted(effect))
			}
		}
	}
	return resp
}

func (s *shareGroup) beat(member string, epoch int32, topics ...string) *kmsg.ShareGroupHeartbeatResponse {
	req := kmsg.NewPtrShareGroupHeartbeatRequest()
	req.GroupID, req.MemberID, req.MemberEpoch, req.SubscribedTopicNames = "workers", member, epoch, topics
	s.token++
	return s.step(ShareGroupHeartbeat{To: s.token, Req: req, Topics: imageNow{s.image}}).(*kmsg.ShareGroupHeartbeatResponse)
}

func (s *shareGroup) describe(g *Group) kmsg.ShareGroupDescribeResponseGroup {
	d, _ := g.DescribeShare(imageNow{s.image})
	slices.SortFunc(d.Members, func(a, b kmsg.ShareGroupDescribeResponseGroupMember) int {
		return strings.Compare(a.MemberID, b.MemberID)
	})
	return d
}

// TestShareGroupInAnyOrder has members join, lag, leave and expire: epochs only grow,
// records make the same group again, and in the end every partition has a member.
func TestShareGroupInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newShareGroup(shareTopics{"a": 3, "b": 1})
		epochs, last := map[string]int32{}, int32(0)
		members := []string{"m1", "m2", "m3", "m4", "m5"}
		subscriptions := [][]string{{"a"}, {"b"}, {"a", "b"}, {"c"}, nil}
		t.Repeat(map[string]func(*rapid.T){
			"beat": func(t *rapid.T) {
				m := rapid.SampledFrom(members).Draw(t, "member")
				resp := s.beat(m, epochs[m], rapid.SampledFrom(subscriptions).Draw(t, "topics")...)
				if epochs[m] = resp.MemberEpoch; resp.ErrorCode != 0 {
					epochs[m] = 0
				}
			},
			"lag": func(t *rapid.T) {
				s.beat(rapid.SampledFrom(members).Draw(t, "member"), int32(rapid.IntRange(-1, 9).Draw(t, "epoch")))
			},
			"grow": func(*rapid.T) { grown := shareTopics{"a": (*s.image)["a"] + 1, "b": 1}; s.image = &grown },
			"pass": func(t *rapid.T) {
				s.now = s.now.Add(time.Duration(rapid.IntRange(0, 6).Draw(t, "s")) * time.Second)
				s.step(Tick{})
			},
			"": func(t *rapid.T) {
				d := s.describe(s.g)
				if got, want := fmt.Sprintf("%+v", s.describe(s.shadow)), fmt.Sprintf("%+v", d); got != want {
					t.Fatalf("the records make\n%s\nof\n%s", got, want)
				}
				if d.GroupEpoch < last && s.g.Listed() {
					t.Fatalf("the group epoch went from %d to %d", last, d.GroupEpoch)
				}
				if last = d.GroupEpoch; len(d.Members) > 4 {
					t.Fatalf("%d members", len(d.Members))
				}
			},
		})
		s.settle(t)
	})
}

// settle has three members subscribe to one topic until nothing changes any more.
func (s *shareGroup) settle(t *rapid.T) {
	s.now = s.now.Add(time.Minute)
	s.step(Tick{})
	var epochs [3]int32
	for range 8 {
		for i := range epochs {
			epochs[i] = s.beat(fmt.Sprint("z", i), epochs[i], "a").MemberEpoch
		}
	}
	has := map[int32]int{}
	for _, m := range s.describe(s.g).Members {
		for _, tp := range m.Assignment.TopicPartitions {
			for _, p := range tp.Partitions {
				has[p]++
			}
		}
	}
	for p := range (*s.image)["a"] {
		if has[p] == 0 {
			t.Fatalf("nobody has partition %d of %v", p, has)
		}
	}
}

func TestShareGroupSharesWhatIsScarce(t *testing.T) {
	s := newShareGroup(shareTopics{"a": 2})
	var epochs [3]int32
	for range 4 {
		for i := range epochs {
			epochs[i] = s.beat(fmt.Sprint("m", i), epochs[i], "a").MemberEpoch
		}
	}
	for _, m := range s.describe(s.g).Members {
		if n := len(m.Assignment.TopicPartitions); n != 1 {
			t.Errorf("%s has %v", m.MemberID, m.Assignment)
		}
	}
	if got := s.beat("m9", 0, "a"); got.ErrorCode != 0 {
		t.Errorf("the fourth member: %v", protocol.ErrorCode(got.ErrorCode))
	}
	if got := s.beat("m10", 0, "a"); got.ErrorCode != int16(protocol.GroupMaxSizeReached) {
		t.Errorf("the fifth member: %v", protocol.ErrorCode(got.ErrorCode))
	}
}
