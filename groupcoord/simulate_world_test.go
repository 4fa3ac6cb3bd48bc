package groupcoord

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// world is a group, its owner, and everybody who talks to it. Whatever happens in it
// is checked at once; the first thing that is wrong ends it.
type world struct {
	cfg     Config
	now     time.Time
	g       *Group
	shadow  *Group   // fed with records and nothing else
	log     []Record // since it was compacted
	logEnd  int64
	latest  map[string]Record // of each key: what a compacted log still has
	clients []*client
	topics  []string
	steps   int

	lastToken Token
	asked     map[Token]*question // without an answer so far
	seen      checks
	trace     func(format string, args ...any) // nil: quiet
}

// question is a request that was sent.
type question struct {
	from    *client // nil: nobody waits
	what    Event
	member  string // the member id in it
	forgone bool   // Kafka never answers it: it was overtaken, or its sender left
}

// checks is what the checker remembers.
type checks struct {
	life       int               // counts the groups that this group id has been
	generation int32             // of this life
	leaders    map[int32]string  // by generation: who was told to lead
	owners     map[slot]string   // who was told to own what
	identity   map[string]string // of a member id: its group instance id, or itself
}

// slot is a partition in a generation of a life.
type slot struct {
	life       int
	generation int32
	partition  byte
}

// wrong is what a check that failed panics with.
type wrong string

func (w *world) fail(format string, args ...any) { panic(wrong(fmt.Sprintf(format, args...))) }

func newWorld(variant byte, clients int) *world {
	cfg := Config{
		MinSessionTimeout: time.Second, MaxSessionTimeout: 30 * time.Minute, OffsetMetadataMaxSize: 20,
		OffsetsRetention: time.Hour, OffsetsRetentionCheckInterval: 10 * time.Minute,
	}
	if variant&1 != 0 {
		cfg.InitialRebalanceDelay = 3 * time.Second
	}
	if variant&2 != 0 {
		cfg.MaxSize = 1 + clients/2
	}
	w := &world{
		cfg: cfg, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), g: New("g", cfg), shadow: New("g", cfg),
		topics: []string{"t", "u"}, asked: map[Token]*question{}, latest: map[string]Record{},
		seen: checks{leaders: map[int32]string{}, owners: map[slot]string{}, identity: map[string]string{}},
	}
	for i := range clients {
		w.clients = append(w.clients, newClient(w, i, variant))
	}
	return w
}

// send lets a client ask; the token of the question is given to the event.
func (w *world) send(from *client, member string, make func(Token) Event) {
	w.lastToken++
	e := make(w.lastToken)
	w.asked[w.lastToken] = &question{from: from, what: e, member: member}
	if from != nil {
		from.waits = w.lastToken
	}
	w.step(e)
}

// step is one event, all that the owner does about it, and the checks.
func (w *world) step(e Event) {
	w.steps++
	if w.trace != nil {
		w.trace("%s %s", w.now.Format("15:04:05.000"), eventText(e))
	}
	life, state, generation := w.seen.life, w.g.classic().state, w.g.classic().generation
	told := map[string]bool{} // who got a generation in this step
	promised := false
	for _, effect := range w.g.Step(w.now, e) {
		switch effect := effect.(type) {
		case Append:
			if promised {
				w.fail("%s was answered before it was written down", eventText(e))
			}
			w.append(effect.Records)
		case Reply:
			switch resp := effect.Resp.(type) {
			case *kmsg.JoinGroupResponse:
				told[resp.MemberID] = resp.ErrorCode == 0
			case *kmsg.SyncGroupResponse:
				promised = resp.ErrorCode == 0
			case *kmsg.OffsetCommitResponse, *kmsg.OffsetDeleteResponse, *kmsg.DeleteGroupsResponse:
				promised = true
			}
			w.answer(effect)
		}
	}
	w.checkParked(e)
	w.checkGeneration(life)
	w.checkTransition(e, state, generation, told)
	w.checkTimers(e)
	if w.steps%32 == 0 {
		w.checkShadow()
	}
	if w.steps%1000 == 0 {
		w.shadow = replay(w.cfg, w.log)
		w.checkShadow()
	}
}

func (w *world) append(records []Record) {
	if len(records) == 0 {
		w.fail("an empty batch is appended")
	}
	for _, r := range records {
		r.Offset = w.logEnd
		w.logEnd++
		w.log = append(w.log, r)
		w.latest[string(r.Key)] = r
		w.g.Apply(r)
		w.shadow.Apply(r)
		if r.Value == nil && len(r.Key) > 1 && r.Key[1] == groupMetadata {
			w.seen.life++
			w.seen.generation = 0
			clear(w.seen.leaders)
			if c := w.g.classic(); c.generation != 0 || c.protocolType != "" || len(c.members)+len(c.pending) > 0 {
				w.fail("the group is taken back in state %s, and something of it stays", c.state)
			}
		}
	}
}

// answer checks a reply by itself and gives it to who asked.
func (w *world) answer(r Reply) {
	q := w.asked[r.To]
	if q == nil {
		w.fail("a reply to %d, which nobody waits for: %s", r.To, replyText(r.Resp))
	}
	if q.forgone {
		w.fail("a reply to %d, which had been given up: %s", r.To, replyText(r.Resp))
	}
	delete(w.asked, r.To)
	if w.trace != nil {
		w.trace("    reply to %s: %s", eventText(q.what), replyText(r.Resp))
	}
	w.checkReply(q, r.Resp)
	if q.from != nil {
		q.from.hear(r.To, r.Resp)
	}
}

// checkReply checks what a reply says against what all replies have said.
func (w *world) checkReply(q *question, resp kmsg.Response) {
	switch resp := resp.(type) {
	case *kmsg.JoinGroupResponse:
		if resp.ErrorCode != 0 {
			return
		}
		if req := q.what.(JoinGroup).Req; req.InstanceID != nil {
			w.seen.identity[resp.MemberID] = *req.InstanceID
		}
		if resp.Generation < w.seen.generation {
			w.fail("generation %d after %d", resp.Generation, w.seen.generation)
		}
		if lead := w.seen.leaders[resp.Generation]; lead != "" && w.who(lead) != w.who(resp.LeaderID) {
			w.fail("generation %d has two leaders, %s and %s", resp.Generation, lead, resp.LeaderID)
		}
		w.seen.leaders[resp.Generation] = resp.LeaderID
	case *kmsg.SyncGroupResponse:
		if resp.ErrorCode != 0 {
			return
		}
		req := q.what.(SyncGroup).Req
		for _, partition := range resp.MemberAssignment {
			at := slot{w.seen.life, req.Generation, partition}
			who := w.who(req.MemberID)
			if owner := w.seen.owners[at]; owner != "" && owner != who {
				w.fail("partition %d has two owners in generation %d, %s and %s", partition, req.Generation, owner, who)
			}
			w.seen.owners[at] = who
		}
	case *kmsg.OffsetCommitResponse:
		w.checkCommitted(q.what.(OffsetCommit).Req, resp)
	}
}

// who is a member, whatever its id is at the moment.
func (w *world) who(id string) string {
	if instance := w.seen.identity[id]; instance != "" {
		return instance
	}
	return id
}

// checkCommitted looks for what was just committed.
func (w *world) checkCommitted(req *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse) {
	for i, t := range resp.Topics {
		for j, p := range t.Partitions {
			if p.ErrorCode != 0 {
				continue
			}
			ask := kmsg.NewOffsetFetchRequestGroup()
			ask.Topics = []kmsg.OffsetFetchRequestGroupTopic{{Topic: t.Topic, Partitions: []int32{p.Partition}}}
			got := w.g.FetchOffsets(w.now, ask, false).Topics[0].Partitions[0].Offset
			if want := req.Topics[i].Partitions[j].Offset; got != want {
				w.fail("%s-%d is %d after a commit of %d", t.Topic, p.Partition, got, want)
			}
		}
	}
}

// checkParked sees to it that no question is lost: each one without an answer is
// parked in the group, but for those that Kafka forgets, which this event must
// explain.
func (w *world) checkParked(e Event) {
	parked, joining := map[Token]bool{}, 0
	for m := range w.g.classic().all() {
		if m.join.waiting {
			joining++
		}
		for _, p := range [...]parkedAs{{m.join, "JoinGroup"}, {m.sync, "SyncGroup"}} {
			if !p.waiting {
				continue
			}
			if q := w.asked[p.to]; q == nil || q.forgone || parked[p.to] {
				w.fail("%s %d is parked, but is answered or parked twice", p.kind, p.to)
			}
			parked[p.to] = true
		}
	}
	if w.g.classic().awaitingJoin != joining {
		w.fail("%d members wait for a generation, the group counts %d", joining, w.g.classic().awaitingJoin)
	}
	for id := range w.g.classic().pendingSync {
		// Of a static member that was replaced meanwhile Kafka waits for the former id, too.
		if w.g.classic().members[id] == nil && w.who(id) == id {
			w.fail("the group waits for a SyncGroup of %s, who is no member", id)
		}
	}
	for token, q := range w.asked {
		if parked[token] || q.forgone {
			continue
		}
		if !overtaken(q, e) {
			w.fail("%s is lost", eventText(q.what))
		}
		q.forgone = true
		if q.from != nil {
			q.from.giveUp(token)
		}
	}
}

type parkedAs struct {
	parked
	kind string
}

// overtaken tells that Kafka forgets the question when e happens: the same member
// asks the same again, or leaves while its SyncGroup is parked.
func overtaken(q *question, e Event) bool {
	switch q.what.(type) {
	case JoinGroup:
		again, ok := e.(JoinGroup)
		return ok && q.member != "" && again.Req.MemberID == q.member
	case SyncGroup:
		switch e := e.(type) {
		case SyncGroup:
			return e.Req.MemberID == q.member
		case LeaveGroup:
			return true
		}
	}
	return false
}

// checkGeneration: within one life of the group, generations only grow.
func (w *world) checkGeneration(life int) {
	got := w.g.classic().generation
	if w.seen.life == life && got < w.seen.generation {
		w.fail("generation %d after %d", got, w.seen.generation)
	}
	w.seen.generation = got
}

// checkTransition: a generation begins with members that were all told of it, static
// ones that are away excepted, and becomes Stable by the leader's word alone.
func (w *world) checkTransition(e Event, before state, generation int32, told map[string]bool) {
	c := w.g.classic()
	switch {
	case c.state == completingRebalance && generation != c.generation:
		for m := range c.all() {
			if m.instance == nil && !told[m.id] {
				w.fail("generation %d begins with %s, who was not told", c.generation, m.id)
			}
		}
	case c.state == stable && before == completingRebalance:
		sync, ok := e.(SyncGroup)
		if !ok || w.who(sync.Req.MemberID) != w.who(w.seen.leaders[c.generation]) {
			w.fail("generation %d became Stable by %s, not by its leader %s", c.generation, eventText(e), w.seen.leaders[c.generation])
		}
	}
}

// checkTimers: after a tick nothing is overdue.
func (w *world) checkTimers(e Event) {
	if _, tick := e.(Tick); !tick {
		return
	}
	if at := w.g.Deadline(); !at.IsZero() && !at.After(w.now) {
		w.fail("after the tick at %s the deadline is %s", w.now.Format(time.TimeOnly), at.UTC().Format(time.TimeOnly))
	}
}

// checkShadow compares with the group that got the records alone.
func (w *world) checkShadow() {
	if live, shadow := hardState(w.g), hardState(w.shadow); live != shadow {
		w.fail("the records give another state.\nlive:\n%s\nfrom the records:\n%s", live, shadow)
	}
}

// pass lets time go on to until, with a tick at each deadline on the way.
func (w *world) pass(until time.Time) {
	idle := 0
	for {
		at := w.g.Deadline()
		if at.IsZero() || at.After(until) {
			break
		}
		if at.After(w.now) {
			w.now = at
		}
		before := len(w.log) + len(w.asked)
		w.step(Tick{})
		idle++
		if len(w.log)+len(w.asked) != before {
			idle = 0
		}
		// A member's session that was prolonged, an initial delay that was, an offset that
		// was committed anew: each may cost one tick that does nothing.
		if idle > 1000 {
			w.fail("the timer goes off again and again, and nothing happens")
		}
	}
	w.now = until
}

// reload moves the coordinator: whoever waits is told so by the owner. The log has
// been compacted meanwhile.
func (w *world) reload() {
	for token, q := range w.asked {
		delete(w.asked, token)
		if q.from != nil && !q.forgone {
			q.from.giveUp(token)
		}
	}
	w.log = slices.SortedFunc(maps.Values(w.latest), func(a, b Record) int { return int(a.Offset - b.Offset) })
	reloaded := replay(w.cfg, w.log)
	if len(w.g.offsets.topics) == 0 && w.g.classic().stored == nil {
		// Of a simple group whose last offset is gone nothing is left in such a log.
		w.g.offsets.stored = reloaded.offsets.stored
	}
	w.shadow = reloaded
	w.checkShadow()
	w.g, w.shadow = reloaded, replay(w.cfg, w.log)
	if w.g.classic().stored != nil {
		w.seen.generation = w.g.classic().stored.Generation
	} else {
		w.seen.generation = 0
	}
	for generation := range w.seen.leaders {
		if generation > w.seen.generation {
			delete(w.seen.leaders, generation) // it was never stored
		}
	}
	w.step(Loaded{})
}

func replyText(resp kmsg.Response) string {
	switch resp := resp.(type) {
	case *kmsg.JoinGroupResponse:
		return fmt.Sprintf("%s member=%s generation=%d leader=%s", protocol.ErrorCode(resp.ErrorCode), resp.MemberID,
			resp.Generation, resp.LeaderID)
	case *kmsg.SyncGroupResponse:
		return fmt.Sprintf("%s assignment=%v", protocol.ErrorCode(resp.ErrorCode), resp.MemberAssignment)
	case *kmsg.HeartbeatResponse:
		return protocol.ErrorCode(resp.ErrorCode).String()
	}
	return scriptReply(resp)
}

func eventText(e Event) string {
	switch e := e.(type) {
	case JoinGroup:
		return fmt.Sprintf("JoinGroup#%d v%d member=%q instance=%s", e.To, e.Req.Version, e.Req.MemberID, textOf(e.Req.InstanceID))
	case SyncGroup:
		return fmt.Sprintf("SyncGroup#%d member=%q generation=%d assignment=%d", e.To, e.Req.MemberID, e.Req.Generation,
			len(e.Req.GroupAssignment))
	case Heartbeat:
		return fmt.Sprintf("Heartbeat#%d member=%q generation=%d", e.To, e.Req.MemberID, e.Req.Generation)
	case LeaveGroup:
		return fmt.Sprintf("LeaveGroup#%d member=%q members=%d", e.To, e.Req.MemberID, len(e.Req.Members))
	case OffsetCommit:
		return fmt.Sprintf("OffsetCommit#%d v%d member=%q generation=%d", e.To, e.Req.Version, e.Req.MemberID, e.Req.Generation)
	}
	return fmt.Sprintf("%T", e)
}

func textOf(p *string) string {
	if p == nil {
		return "-"
	}
	return *p
}
