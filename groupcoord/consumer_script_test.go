package groupcoord

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// TestConsumerScripts plays the stories of testdata/consumer: of one consumer group,
// whose members have the names that the script gives them. Each command shows what is
// written and answered; after each a group that was fed the records alone must have the
// same hard state.
//
//	topic NAME N                             there is such a topic with so many partitions; 0: no more
//	config interval=D max-size=N session=D   configure the group
//	beat NAME epoch=N [topics=(t,u)] [regex=R] [owns=(t-0,t-1)|owns=-] [instance=I] [assignor=A] [rebalance=D]
//	join NAME topics=(t,u) ...               beat with epoch 0 and all that a join has to say
//	commit NAME epoch=N topic=T partition=P  one offset
//	classic-join NAME topics=(t) [owns=(t-0)] [instance=I]    a JoinGroup; NAME is the member id, "-" for none
//	classic-sync NAME gen=N [assign=(t-0)]   the same for the other requests; "made" is the id that
//	classic-beat NAME gen=N                  the last answer to a JoinGroup gave
//	classic-leave NAME
//	after D                                  let time pass, with a Tick at each deadline
//	describe, reload, delete, expire NAME
func TestConsumerScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/consumer", func(t *testing.T, path string) {
		p := newConsumerPlay()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			p.out.Reset()
			p.run(args{t, d})
			if diff := cmp.Diff(hardState(p.g), hardState(replay(p.cfg, p.log))); diff != "" {
				d.Fatalf(t, "another group from the same records (-live +reloaded):\n%s", diff)
			}
			if p.out.Len() == 0 {
				return "nothing\n"
			}
			return p.out.String()
		})
	})
}

// testImage is a TopicImage of a test. A change makes another one.
type testImage struct {
	topics  map[string]Topic
	created int64
}

func (i *testImage) Topic(name string) (Topic, bool) { t, ok := i.topics[name]; return t, ok }

func (i *testImage) TopicByID(id protocol.UUID) (Topic, bool) {
	for _, t := range i.topics {
		if t.ID == id {
			return t, true
		}
	}
	return Topic{}, false
}

func (i *testImage) Created() int64 { return i.created }

func (i *testImage) Topics() iter.Seq[Topic] { return maps.Values(i.topics) }

// with is the image with a topic of so many partitions; without it if there are none.
func (i *testImage) with(name string, partitions int32) *testImage {
	next := &testImage{topics: maps.Clone(i.topics), created: i.created}
	t, old := next.topics[name]
	switch {
	case partitions == 0:
		delete(next.topics, name)
		return next
	case !old:
		next.created++
		t = Topic{Name: name}
		copy(t.ID[:], name)
		t.ID[15] = byte(next.created)
	}
	t.Partitions = partitions
	next.topics[name] = t
	return next
}

// consumerPlay is a consumer group in the middle of a story.
type consumerPlay struct {
	g     *Group
	cfg   Config
	start time.Time
	now   time.Time
	image *testImage
	log   []Record
	made  string // the last member id in an answer to a JoinGroup
	out   strings.Builder
}

func newConsumerPlay() *consumerPlay {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	p := &consumerPlay{start: start, now: start, image: &testImage{topics: map[string]Topic{}}}
	p.cfg = Config{
		MinSessionTimeout: time.Second, MaxSessionTimeout: time.Hour,
		ConsumerSessionTimeout: 45 * time.Second, ConsumerHeartbeatInterval: 5 * time.Second,
		ConsumerAssignors: []string{"uniform", "range"}, ConsumerUpgrade: true, ConsumerDowngrade: true,
		OffsetsRetention: 7 * 24 * time.Hour, OffsetsRetentionCheckInterval: 10 * time.Minute,
	}
	p.g = New("g", p.cfg)
	return p
}

func (p *consumerPlay) run(a args) {
	switch a.d.Cmd {
	case "topic":
		n := int32(0)
		fmt.Sscan(a.d.CmdArgs[1].Key, &n)
		p.image = p.image.with(a.name(), n)
		if n == 0 {
			p.step(TopicsDeleted{Topics: []string{a.name()}})
		}
	case "config":
		p.cfg.ConsumerAssignmentInterval = a.duration("interval", p.cfg.ConsumerAssignmentInterval)
		p.cfg.ConsumerSessionTimeout = a.duration("session", p.cfg.ConsumerSessionTimeout)
		p.cfg.ConsumerMaxSize = int(a.number("max-size", int64(p.cfg.ConsumerMaxSize)))
		p.step(Configure{p.cfg})
	case "beat", "join":
		p.step(ConsumerGroupHeartbeat{To: 1, Req: p.beat(a), ClientID: "client", ClientHost: "/127.0.0.1", Topics: p.image})
	case "classic-join":
		p.step(JoinGroup{To: 1, Req: p.classicJoin(a), ClientID: "client", ClientHost: "/127.0.0.1", Topics: p.image})
	case "classic-sync":
		p.step(SyncGroup{To: 2, Req: p.classicSync(a), Topics: p.image})
	case "classic-beat":
		req := kmsg.NewPtrHeartbeatRequest()
		req.Version, req.MemberID, req.Generation, req.InstanceID = 4, p.member(a), int32(a.number("gen", 1)), a.optional("instance")
		p.step(Heartbeat{3, req})
	case "classic-leave":
		req := kmsg.NewPtrLeaveGroupRequest()
		req.Version, req.MemberID = 2, p.member(a)
		p.step(LeaveGroup{4, req})
	case "commit":
		p.step(OffsetCommit{To: 1, Req: p.commit(a)})
	case "after":
		p.after(a)
	case "expire":
		p.step(ExpireMember{a.name()})
	case "force":
		p.step(ForceRebalance{"asked for"})
	case "delete":
		p.step(DeleteGroup{1})
	case "reload":
		p.g = replay(p.cfg, p.log)
		p.step(Loaded{})
	case "describe":
		p.describe()
	default:
		a.d.Fatalf(a.t, "unknown command %s", a.d.Cmd)
	}
}

func (p *consumerPlay) beat(a args) *kmsg.ConsumerGroupHeartbeatRequest {
	req := kmsg.NewPtrConsumerGroupHeartbeatRequest()
	req.Version, req.Group, req.MemberID, req.MemberEpoch = 1, "g", a.name(), int32(a.number("epoch", 0))
	if a.d.Cmd == "join" {
		req.RebalanceTimeoutMillis, req.SubscribedTopicNames = 60_000, []string{}
		req.Topics = []kmsg.ConsumerGroupHeartbeatRequestTopic{}
	}
	if d := a.duration("rebalance", 0); d != 0 {
		req.RebalanceTimeoutMillis = int32(d.Milliseconds())
	}
	req.InstanceID, req.SubscribedTopicRegex, req.ServerAssignor = a.optional("instance"), a.optional("regex"), a.optional("assignor")
	for _, arg := range a.d.CmdArgs {
		switch arg.Key {
		case "topics":
			req.SubscribedTopicNames = arg.Vals
		case "owns":
			req.Topics = []kmsg.ConsumerGroupHeartbeatRequestTopic{}
			for _, v := range arg.Vals {
				if name, partition, ok := strings.Cut(v, "-"); ok && name != "" {
					rt := kmsg.NewConsumerGroupHeartbeatRequestTopic()
					n := int32(0)
					fmt.Sscan(partition, &n)
					rt.TopicID, rt.Partitions = p.image.topics[name].ID, []int32{n}
					req.Topics = append(req.Topics, rt)
				}
			}
		}
	}
	return req
}

func (p *consumerPlay) commit(a args) *kmsg.OffsetCommitRequest {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Version, req.MemberID, req.Generation = int16(a.number("v", 10)), a.name(), int32(a.number("epoch", -1))
	t := p.image.topics[a.text("topic", "t")]
	part := kmsg.NewOffsetCommitRequestTopicPartition()
	part.Partition, part.Offset = int32(a.number("partition", 0)), 7
	req.Topics = []kmsg.OffsetCommitRequestTopic{{Topic: t.Name, TopicID: t.ID, Partitions: []kmsg.OffsetCommitRequestTopicPartition{part}}}
	return req
}

// step carries out what the group says, as its owner does.
func (p *consumerPlay) step(e Event) {
	for _, effect := range p.g.Step(p.now, e) {
		switch effect := effect.(type) {
		case Append:
			for _, r := range effect.Records {
				r.Offset = int64(len(p.log))
				p.log = append(p.log, r)
				p.g.Apply(r)
				p.say("write %s", p.record(r))
			}
		case Reply:
			p.say("reply %s", p.reply(effect.Resp))
		case Again:
			p.say("again")
			p.step(Tick{})
		}
	}
}

func (p *consumerPlay) say(format string, values ...any) { fmt.Fprintf(&p.out, format+"\n", values...) }

// after lets time pass, with a Tick at each deadline.
func (p *consumerPlay) after(a args) {
	d, err := time.ParseDuration(a.name())
	if err != nil {
		a.d.Fatalf(a.t, "%v", err)
	}
	end := p.now.Add(d)
	for due := p.g.Deadline(); !due.IsZero() && !due.After(end); due = p.g.Deadline() {
		before := p.out.Len()
		p.now = due
		p.step(Tick{})
		if p.out.Len() > before {
			p.say("at %s", p.now.Sub(p.start))
		}
	}
	p.now = end
}

func (p *consumerPlay) describe() {
	d, ok := p.g.DescribeConsumer(p.image)
	if !ok {
		p.say("no consumer group, but %s", p.g.Describe().State)
		return
	}
	p.say("%s epoch=%d assignment=%d assignor=%s", d.State, d.Epoch, d.AssignmentEpoch, d.AssignorName)
	for _, m := range d.Members {
		p.say("%s epoch=%d has %s target %s", m.MemberID, m.MemberEpoch, named(m.Assignment.TopicPartitions), named(m.TargetAssignment.TopicPartitions))
	}
}

func named(topics []kmsg.AssignmentTopicPartition) string {
	var words []string
	for _, t := range topics {
		words = append(words, fmt.Sprint(t.Topic, slices.Sorted(slices.Values(t.Partitions))))
	}
	slices.Sort(words)
	return fmt.Sprint(words)
}

func (p *consumerPlay) set(s partitionSet) string {
	var words []string
	for id, partitions := range s {
		name := "?"
		if t, ok := p.image.TopicByID(id); ok {
			name = t.Name
		}
		for n, epoch := range partitions {
			words = append(words, fmt.Sprintf("%s-%d@%d", name, n, epoch))
		}
	}
	slices.Sort(words)
	return fmt.Sprint(words)
}

func (p *consumerPlay) reply(resp kmsg.Response) string {
	switch resp := resp.(type) {
	case *kmsg.ConsumerGroupHeartbeatResponse:
		if resp.ErrorCode != 0 {
			text := ""
			if resp.ErrorMessage != nil {
				text = " " + *resp.ErrorMessage
			}
			return protocol.ErrorCode(resp.ErrorCode).Name() + text
		}
		s := fmt.Sprintf("epoch=%d", resp.MemberEpoch)
		if resp.Assignment != nil {
			var words []string
			for _, t := range resp.Assignment.Topics {
				known, _ := p.image.TopicByID(t.TopicID)
				words = append(words, fmt.Sprint(known.Name, slices.Sorted(slices.Values(t.Partitions))))
			}
			slices.Sort(words)
			s += " assignment=" + fmt.Sprint(words)
		}
		return s
	case *kmsg.JoinGroupResponse:
		if resp.MemberID != "" {
			p.made = resp.MemberID
		}
		return fmt.Sprintf("JoinGroup %s generation=%d members=%d", protocol.ErrorCode(resp.ErrorCode), resp.Generation, len(resp.Members))
	case *kmsg.SyncGroupResponse:
		assigned, _, _ := readAssignment(resp.MemberAssignment)
		return fmt.Sprintf("SyncGroup %s %v", protocol.ErrorCode(resp.ErrorCode), assigned)
	case *kmsg.HeartbeatResponse:
		return "Heartbeat " + protocol.ErrorCode(resp.ErrorCode).Name()
	case *kmsg.OffsetCommitResponse:
		return "commit " + protocol.ErrorCode(resp.Topics[0].Partitions[0].ErrorCode).Name()
	}
	return scriptReply(resp)
}

// record prints a record of a consumer group in words.
func (p *consumerPlay) record(r Record) string {
	k, _ := readRecordKey(r.Key)
	kind := [...]string{"offset", "offset", "classic group", "group epoch", "old metadata", "member", "assignment epoch", "target", "current"}
	name := "regex"
	if int(k.kind) < len(kind) {
		name = kind[k.kind]
	}
	if k.member != nil {
		name += " " + string(k.member)
	}
	if r.Value == nil {
		return name + " tombstone"
	}
	m := newConsumerMember("")
	switch k.kind {
	case consumerGroupMetadata, consumerGroupTargetAssignmentMetadata:
		epoch, _, _ := readEpoch(r.Value)
		return fmt.Sprintf("%s %d", name, epoch)
	case consumerGroupMemberMetadata:
		readConsumerMember(r.Value, m)
		return fmt.Sprintf("%s topics=%v regex=%q", name, m.topics, m.regex)
	case consumerGroupTargetAssignmentMember:
		target, _ := readTarget(r.Value)
		return name + " " + p.set(target.withEpochs(0))
	case consumerGroupCurrentMemberAssignment:
		readCurrent(r.Value, m)
		return fmt.Sprintf("%s epoch=%d/%d state=%d has %s gives up %s", name, m.epoch, m.previousEpoch, m.state, p.set(m.assigned), p.set(m.revoking))
	case consumerGroupRegularExpression:
		resolved, _ := readRegex(r.Value)
		return fmt.Sprintf("%s %v", name, slices.Sorted(resolved.names()))
	case groupMetadata:
		return fmt.Sprintf("%s generation %d", name, readGroupMetadata(r.Value).Generation)
	}
	return name
}
