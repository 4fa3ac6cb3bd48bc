package groupcoord

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// TestClassicScripts plays the stories of testdata/classic. Each begins with a new
// group at time 0. A member is called by a name of the script, which stands for
// its member id wherever one is sent or printed; a name that no id belongs to is
// sent as it is, and "-" is the empty id.
//
//	config initial-delay=3s max-size=2 ...   configure the group
//	join NAME [v=N] [instance=I] [protocols=(range=x,sticky=y)] [type=T] [session=D] [rebalance=D] [new] [reason=R]
//	sync NAME gen=N [v=N] [instance=I] [type=T] [protocol=P] [assign=(a=x,b=y)]
//	heartbeat NAME gen=N [instance=I]
//	leave NAME ... [v=N] [instance=I]        names that begin with / are instance ids alone
//	commit NAME gen=N [v=N] [instance=I]     one offset
//	after D                                  let time pass, with a Tick at each deadline
//	expire NAME, force, describe, list, reload, delete
//
// A join carries the member's id once it has one; "new" makes it come without.
func TestClassicScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/classic", func(t *testing.T, path string) {
		p := newPlay()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			return p.run(t, d)
		})
	})
}

// play is a group in the middle of a story.
type play struct {
	g       *Group
	cfg     Config
	start   time.Time
	now     time.Time
	ids     map[string]string // name to member id
	names   map[string]string // member id to name
	parked  map[Token]string  // request to its sender and kind
	given   string            // member id in the last answer to a JoinGroup
	random  byte
	token   Token
	records []Record
	out     strings.Builder
}

func newPlay() *play {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	p := &play{
		start: start, now: start, ids: map[string]string{}, names: map[string]string{}, parked: map[Token]string{},
		cfg: Config{MinSessionTimeout: 6 * time.Second, MaxSessionTimeout: 30 * time.Minute},
	}
	p.g = New("g", p.cfg)
	return p
}

func (p *play) run(t *testing.T, d *datadriven.TestData) string {
	p.out.Reset()
	a := args{t, d}
	switch d.Cmd {
	case "group":
		p.g = New(strings.Trim(a.text("id", ""), "-"), p.cfg)
	case "config":
		p.cfg.InitialRebalanceDelay = a.duration("initial-delay", p.cfg.InitialRebalanceDelay)
		p.cfg.MaxSize = int(a.number("max-size", int64(p.cfg.MaxSize)))
		p.step(Configure{p.cfg})
	case "join":
		e := p.join(a)
		p.step(e)
		p.learn(e)
	case "sync":
		p.step(p.sync(a))
	case "heartbeat":
		req := kmsg.NewPtrHeartbeatRequest()
		req.Version = int16(a.number("v", 4))
		req.Group, req.MemberID, req.Generation = "g", p.id(a.name()), int32(a.number("gen", 1))
		req.InstanceID = a.optional("instance")
		p.step(Heartbeat{p.park(a), req})
	case "leave":
		p.step(p.leave(a))
	case "commit":
		p.step(p.commit(a))
	case "after":
		p.after(a)
	case "expire":
		p.step(ExpireMember{p.id(a.name())})
	case "force":
		p.step(ForceRebalance{"asked for"})
	case "delete":
		p.step(DeleteGroup{p.park(a)})
	case "reload":
		p.g = New("g", p.cfg)
		for _, r := range p.records {
			p.g.Apply(r)
		}
		p.parked = map[Token]string{}
		p.step(Loaded{})
	case "describe":
		p.describe()
	case "reason":
		p.say("%s", p.g.RebalanceReason())
	default:
		d.Fatalf(t, "unknown command %s", d.Cmd)
	}
	if d.Cmd != "describe" && d.Cmd != "reason" {
		p.printState(t)
	}
	return p.named(p.out.String())
}

// args are the words of a command.
type args struct {
	t *testing.T
	d *datadriven.TestData
}

// name is the first word.
func (a args) name() string {
	if len(a.d.CmdArgs) == 0 {
		return "-"
	}
	return a.d.CmdArgs[0].Key
}

func (a args) optional(key string) *string {
	for _, arg := range a.d.CmdArgs {
		if arg.Key == key && len(arg.Vals) == 1 {
			v := strings.Trim(arg.Vals[0], `'"`)
			return &v
		}
	}
	return nil
}

func (a args) text(key, without string) string {
	if v := a.optional(key); v != nil {
		return *v
	}
	return without
}

func (a args) number(key string, without int64) int64 {
	v := a.optional(key)
	if v == nil {
		return without
	}
	n, err := strconv.ParseInt(*v, 10, 64)
	if err != nil {
		a.d.Fatalf(a.t, "%v", err)
	}
	return n
}

func (a args) duration(key string, without time.Duration) time.Duration {
	v := a.optional(key)
	if v == nil {
		return without
	}
	d, err := time.ParseDuration(*v)
	if err != nil {
		a.d.Fatalf(a.t, "%v", err)
	}
	return d
}

// pairs are the k=v in key=(k=v,k=v).
func (a args) pairs(key string, without ...string) [][2]string {
	vals := without
	for _, arg := range a.d.CmdArgs {
		if arg.Key == key {
			vals = arg.Vals
		}
	}
	var pairs [][2]string
	for _, v := range vals {
		if k, v, ok := strings.Cut(v, "="); ok {
			pairs = append(pairs, [2]string{k, v})
		} else if k != "" {
			pairs = append(pairs, [2]string{k, ""})
		}
	}
	return pairs
}

func (p *play) id(name string) string {
	if id, ok := p.ids[name]; ok {
		return id
	}
	return strings.TrimPrefix(name, "-")
}

// park makes the token of a request.
func (p *play) park(a args) Token {
	p.token++
	p.parked[p.token] = a.name() + " " + a.d.Cmd
	return p.token
}

func (p *play) join(a args) JoinGroup {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Version = int16(a.number("v", 9))
	req.Group, req.InstanceID, req.Reason = "g", a.optional("instance"), a.optional("reason")
	req.ProtocolType = strings.Trim(a.text("type", "consumer"), "-")
	req.SessionTimeoutMillis = int32(a.duration("session", 10*time.Second).Milliseconds())
	req.RebalanceTimeoutMillis = int32(a.duration("rebalance", time.Minute).Milliseconds())
	for _, kv := range a.pairs("protocols", "range") {
		req.Protocols = append(req.Protocols, kmsg.JoinGroupRequestProtocol{Name: kv[0], Metadata: []byte(kv[1])})
	}
	e := JoinGroup{To: p.park(a), Req: req, ClientID: "client-" + a.name(), ClientHost: "/127.0.0.1"}
	p.random++
	e.Random[15] = p.random
	if a.d.HasArg("new") {
		delete(p.ids, a.name())
	}
	if id, known := p.ids[a.name()]; known {
		req.MemberID = id
	} else if strings.HasPrefix(a.name(), "ghost") {
		req.MemberID = a.name()
	} else {
		p.names[memberID(e)] = a.name()
	}
	return e
}

func (p *play) sync(a args) Event {
	req := kmsg.NewPtrSyncGroupRequest()
	req.Version = int16(a.number("v", 5))
	req.Group, req.MemberID, req.Generation = "g", p.id(a.name()), int32(a.number("gen", 1))
	req.InstanceID = a.optional("instance")
	if req.Version >= 5 {
		kind, name := a.text("type", "consumer"), a.text("protocol", "range")
		req.ProtocolType, req.Protocol = &kind, &name
		if kind == "-" {
			req.ProtocolType = nil
		}
		if name == "-" {
			req.Protocol = nil
		}
	}
	for _, kv := range a.pairs("assign") {
		req.GroupAssignment = append(req.GroupAssignment,
			kmsg.SyncGroupRequestGroupAssignment{MemberID: p.id(kv[0]), MemberAssignment: []byte(kv[1])})
	}
	return SyncGroup{To: p.park(a), Req: req}
}

func (p *play) leave(a args) Event {
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Version = int16(a.number("v", 5))
	req.Group = "g"
	for _, arg := range a.d.CmdArgs {
		if len(arg.Vals) > 0 {
			continue
		}
		one := kmsg.NewLeaveGroupRequestMember()
		name, instance, _ := strings.Cut(arg.Key, "/")
		one.MemberID = p.id(name)
		if instance != "" {
			one.InstanceID = &instance
		}
		one.Reason = a.optional("reason")
		req.MemberID = one.MemberID
		if req.Version >= 3 {
			req.Members = append(req.Members, one)
		}
	}
	return LeaveGroup{p.park(a), req}
}

func (p *play) commit(a args) Event {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Version = int16(a.number("v", 9))
	req.Group, req.MemberID, req.Generation = "g", p.id(a.name()), int32(a.number("gen", 1))
	req.InstanceID = a.optional("instance")
	topic := kmsg.NewOffsetCommitRequestTopic()
	topic.Topic = "t"
	topic.Partitions = []kmsg.OffsetCommitRequestTopicPartition{kmsg.NewOffsetCommitRequestTopicPartition()}
	req.Topics = append(req.Topics, topic)
	return OffsetCommit{To: p.park(a), Req: req}
}

// after lets time pass and runs the timers that end meanwhile.
func (p *play) after(a args) {
	d, err := time.ParseDuration(a.name())
	if err != nil {
		a.d.Fatalf(a.t, "%v", err)
	}
	end := p.now.Add(d)
	for {
		due := p.deadline(a.t)
		if due.IsZero() || due.After(end) {
			break
		}
		if due.After(p.now) {
			p.now = due
		}
		p.say("at %s", p.now.Sub(p.start))
		p.step(Tick{})
	}
	p.now = end
	p.step(Tick{})
}

// deadline is when something will happen; what the group tells its owner may be
// earlier, never later.
func (p *play) deadline(t *testing.T) time.Time {
	due, told := earliest(p.g.classic().due(), p.g.offsetsDeadline()), p.g.Deadline()
	if told.IsZero() != due.IsZero() || told.After(due) {
		t.Errorf("the group says %v, but is due at %v", told, due)
	}
	return due
}

func (p *play) say(format string, values ...any) { fmt.Fprintf(&p.out, format+"\n", values...) }

// learn keeps the id that a JoinGroup made, if it was not refused.
func (p *play) learn(e JoinGroup) {
	if id := memberID(e); e.Req.MemberID == "" && (p.parked[e.To] != "" || p.given == id) {
		p.ids[p.names[id]] = id
	}
}

// step carries out an event and prints its effects.
func (p *play) step(e Event) {
	for _, effect := range p.g.Step(p.now, e) {
		switch effect := effect.(type) {
		case Append:
			for _, r := range effect.Records {
				p.records = append(p.records, r)
				p.g.Apply(r)
				p.printRecord(r)
			}
		case Reply:
			who, waiting := p.parked[effect.To]
			if !waiting {
				p.say("reply to a request that does not wait: %d", effect.To)
			}
			delete(p.parked, effect.To)
			if joined, ok := effect.Resp.(*kmsg.JoinGroupResponse); ok {
				p.given = joined.MemberID
			}
			p.say("reply %s: %s", who, printResponse(onWire(effect.Resp)))
		}
	}
}

// onWire is a response as its receiver sees it: without what its version lacks.
func onWire(resp kmsg.Response) kmsg.Response {
	seen := kmsg.ResponseForKey(resp.Key())
	seen.SetVersion(resp.GetVersion())
	if err := seen.ReadFrom(resp.AppendTo(nil)); err != nil {
		panic(err)
	}
	return seen
}

func (p *play) printRecord(r Record) {
	switch {
	case r.Key[1] == groupMetadata && r.Value == nil:
		p.say("append tombstone of the group")
	case r.Key[1] == groupMetadata:
		v := p.g.classic().stored
		var members []string
		for _, m := range v.Members {
			members = append(members, m.MemberID+":"+string(m.Assignment))
		}
		p.say("append GroupMetadataValue generation=%d type=%s protocol=%s leader=%s members=%v since=%s",
			v.Generation, orDash(&v.ProtocolType), orDash(v.Protocol), orDash(v.Leader), members,
			time.UnixMilli(v.CurrentStateTimestamp).Sub(p.start))
	default:
		p.say("append offset")
	}
}

// printState ends what is printed of each command: state, who waits, next deadline.
func (p *play) printState(t *testing.T) {
	overview := p.g.Overview()
	if overview.Type != "classic" {
		p.say("type %s", overview.Type)
	}
	var waiting []string
	for _, who := range p.parked {
		waiting = append(waiting, who)
	}
	sort.Strings(waiting)
	line := overview.State
	if p.g.Vacant() {
		line = "no group"
	}
	if len(waiting) > 0 {
		line += ", waiting: " + strings.Join(waiting, ", ")
	}
	if due := p.deadline(t); !due.IsZero() {
		line += ", deadline " + due.Sub(p.start).String()
	}
	p.say("%s", line)
}

func (p *play) describe() {
	d := p.g.Describe()
	p.say("%s type=%s protocol=%s", d.State, orDash(&d.ProtocolType), orDash(&d.Protocol))
	for _, m := range d.Members {
		p.say("  %s instance=%s client=%s host=%s metadata=%s assignment=%s", m.MemberID, orDash(m.InstanceID),
			m.ClientID, m.ClientHost, m.ProtocolMetadata, m.MemberAssignment)
	}
}

// named puts names for member ids, also for those inside other words.
func (p *play) named(text string) string {
	for id, name := range p.names {
		text = strings.ReplaceAll(text, id, name)
	}
	return text
}

func orDash(s *string) string {
	if s == nil || *s == "" {
		return "-"
	}
	return *s
}

// printResponse is one line: the error if there is one, then what was filled in.
func printResponse(resp kmsg.Response) string {
	var words []string
	add := func(format string, values ...any) { words = append(words, fmt.Sprintf(format, values...)) }
	fail := func(code int16) {
		if code != 0 {
			add("%s", protocol.ErrorCode(code))
		}
	}
	switch r := resp.(type) {
	case *kmsg.JoinGroupResponse:
		fail(r.ErrorCode)
		if r.Generation != -1 {
			add("generation=%d type=%s protocol=%s leader=%s", r.Generation, orDash(r.ProtocolType), orDash(r.Protocol), orDash(&r.LeaderID))
		}
		add("member=%s", orDash(&r.MemberID))
		if r.SkipAssignment {
			add("skip-assignment")
		}
		for _, m := range r.Members {
			add("%s:%s", m.MemberID, m.ProtocolMetadata)
		}
	case *kmsg.SyncGroupResponse:
		fail(r.ErrorCode)
		if r.ErrorCode == 0 {
			add("type=%s protocol=%s assignment=%s", orDash(r.ProtocolType), orDash(r.Protocol), orDash(new(string(r.MemberAssignment))))
		}
	case *kmsg.HeartbeatResponse:
		add("%s", protocol.ErrorCode(r.ErrorCode))
	case *kmsg.LeaveGroupResponse:
		add("%s", protocol.ErrorCode(r.ErrorCode))
		for _, m := range r.Members {
			add("%s/%s:%s", orDash(&m.MemberID), orDash(m.InstanceID), protocol.ErrorCode(m.ErrorCode))
		}
	case *kmsg.OffsetCommitResponse:
		add("%s", protocol.ErrorCode(r.Topics[0].Partitions[0].ErrorCode))
	case *kmsg.DeleteGroupsResponse:
		add("%s", protocol.ErrorCode(r.Groups[0].ErrorCode))
	}
	return strings.Join(words, " ")
}
