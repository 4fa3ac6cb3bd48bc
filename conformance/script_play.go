package conformance

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"klamm/protocol"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Which answers come at once and which are parked is seen without waiting for time: a
// parked request has been looked at when later ones, which go through the same
// coordinator, have been asked and answered.
const (
	barrierRounds = 10                   // how many later ones
	arrival       = 5 * time.Millisecond // how long an answer may be on its way after them
)

// player holds a script.
type player struct {
	c       *Conversation
	refs    *references
	waiting []*waiter
	patient int // factor on rounds and arrival, at least 1
	changes int // how often the metadata of the target was waited for
	// stuck are the transactional ids whose transactions do not get their markers.
	stuck map[string]bool
}

// waiter is a request that is parked.
type waiter struct {
	on   string // the actor
	sent *Pending
}

// play holds the script as a part of c.
func (s Script) play(c *Conversation, patient int) {
	p := &player{c: c, refs: newReferences(c), patient: patient, stuck: map[string]bool{}}
	defer p.end()
	for _, id := range s.transactionalIDs() {
		p.refs.names[id] = c.TransactionalID(id)
	}
	if epoch := c.names.coordinatorEpoch; epoch != nil {
		p.refs.known["epoch@coordinator"] = fmt.Sprint(*epoch)
	}
	for _, step := range s.Steps {
		if k := kmsg.Key(step.Key); k == kmsg.DescribeLogDirs || k == kmsg.AlterReplicaLogDirs {
			c.logDir()
		}
		p.step(step)
	}
	for _, w := range p.waiting {
		c.say("%s is parked", w.sent.on.name)
	}
}

func (p *player) step(s Step) {
	switch {
	case s.On == makesTopic:
		p.makeTopic(s)
		return
	case s.Closes:
		p.close(s.On)
		return
	}
	req, err := s.request(p.refs.resolve)
	if err != nil {
		p.c.fail(fmt.Errorf("%s: %w", s, err))
	}
	p.rehearse(req)
	p.c.say("")
	sent := p.free(s.On).Send(req)
	switch {
	case mayPark(req):
		p.waiting = append(p.waiting, &waiter{s.On, sent})
		p.settle(groupOf(req))
		return
	case hasNoAnswer(req):
		sent.NoAnswer()
		// The next request of the connection is answered after this one was done.
		sent.on.Send(findCoordinator(4, 0)).Answer()
	default:
		p.learn(s.On, req, sent.Answer())
	}
	if group := groupOf(req); len(p.waiting) > 0 && group != "" {
		p.settle(group)
	}
}

func mayPark(req kmsg.Request) bool {
	return req.Key() == int16(kmsg.JoinGroup) || req.Key() == int16(kmsg.SyncGroup)
}

func hasNoAnswer(req kmsg.Request) bool {
	p, ok := req.(*kmsg.ProduceRequest)
	return ok && p.Acks == 0
}

// groupOf is the group that a request may change.
func groupOf(req kmsg.Request) string {
	switch req := req.(type) {
	case *kmsg.JoinGroupRequest:
		return req.Group
	case *kmsg.SyncGroupRequest:
		return req.Group
	case *kmsg.LeaveGroupRequest:
		return req.Group
	case *kmsg.HeartbeatRequest:
		return req.Group
	}
	return ""
}

// free is the first connection of an actor on which nothing is parked.
func (p *player) free(on string) *Conn {
	for _, name := range []string{on, on + "b", on + "c", on + "d", on + "e"} {
		if a := p.c.Conn(name); len(a.pending) == 0 {
			return a
		}
	}
	p.c.say("all connections of %s wait", on)
	panic(ended{})
}

// settle waits until the group has seen all that was sent to it, and takes the answers.
func (p *player) settle(group string) {
	for range barrierRounds * p.patient {
		ask[*kmsg.DescribeGroupsResponse](p.c.setup, describe(5, sameHash(group)))
	}
	waiting := p.waiting
	p.waiting = nil
	for _, w := range waiting {
		if !w.sent.on.arrived(arrival * time.Duration(p.patient)) {
			p.waiting = append(p.waiting, w)
			continue
		}
		resp := w.sent.Answer()
		p.learn(w.on, w.sent.req, resp)
	}
}

// sameHash is another name with the same String.hashCode of Java, so that Kafka keeps
// both groups in one partition, whose coordinator does one thing after the other.
func sameHash(name string) string {
	chars := []rune(name)
	if len(chars) < 2 {
		return name
	}
	last := len(chars) - 1
	if chars[last] >= 'a' {
		chars[last-1], chars[last] = chars[last-1]+1, chars[last]-31
	} else {
		chars[last-1], chars[last] = chars[last-1]-1, chars[last]+31
	}
	return string(chars)
}

func (p *player) learn(on string, req kmsg.Request, resp kmsg.Response) {
	if resp == nil {
		return
	}
	p.refs.learn(on, req, resp)
	if changers[kmsg.Key(req.Key())] {
		p.awaitMetadata()
	}
	switch req := req.(type) {
	case *kmsg.EndTxnRequest:
		p.awaitEnd(req.TransactionalID)
	case *kmsg.InitProducerIDRequest:
		if req.TransactionalID != nil {
			p.awaitEnd(*req.TransactionalID)
		}
	}
}

func (p *player) makeTopic(s Step) {
	var configs []string
	for _, c := range s.Configs {
		name, value, _ := strings.Cut(c, "=")
		configs = append(configs, name, value)
	}
	t := p.c.Topic(s.Topic, s.Partitions, configs...)
	p.refs.names[s.Topic] = t.Name
	p.refs.topic(t.Name, t.ID)
}

// close ends the actor's connections, and with them what is parked on them.
func (p *player) close(on string) {
	p.waiting = slices.DeleteFunc(p.waiting, func(w *waiter) bool { return w.on == on })
	for _, a := range p.c.conns {
		if strings.HasPrefix(a.name, on) {
			a.Close()
		}
	}
}

// changers are the requests after which a target may need a while until all of it
// knows.
var changers = map[kmsg.Key]bool{
	kmsg.CreateTopics: true, kmsg.DeleteTopics: true, kmsg.CreatePartitions: true, kmsg.AlterConfigs: true, kmsg.IncrementalAlterConfigs: true,
	kmsg.AlterClientQuotas: true, kmsg.AlterUserSCRAMCredentials: true, kmsg.UpdateFeatures: true, kmsg.AlterPartitionAssignments: true,
	kmsg.ElectLeaders: true,
}

// awaitMetadata waits until the target has spread what was changed. A change of our own
// that is seen tells that the change before it was spread, once it was made after that
// one was seen: the first may be spread together with what is awaited.
func (p *player) awaitMetadata() {
	const kind, config = kmsg.ConfigResourceTypeGroupConfig, "consumer.session.timeout.ms"
	barrier := p.c.Name("barrier")
	for range 2 {
		p.changes++
		value := fmt.Sprint(45_000 + p.changes)
		alter := alterConfig(1, barrier, config, kmsg.IncrementalAlterConfigOpSet, value)
		alter.Resources[0].ResourceType = kind
		if isRefused(ask[*kmsg.IncrementalAlterConfigsResponse](p.c.setup, alter)) {
			break // the target has no configs of groups: there is nothing to see a change by
		}
		awaitConfig(p.c, kind, barrier, config, value)
	}
	p.learnTopics()
}

func isRefused(resp *kmsg.IncrementalAlterConfigsResponse) bool {
	return len(resp.Resources) != 1 || resp.Resources[0].ErrorCode != 0
}

// rehearse asks for topics that are made by being asked for until they are there, since
// Kafka answers that they are not while it makes them.
func (p *player) rehearse(req kmsg.Request) {
	m, ok := req.(*kmsg.MetadataRequest)
	if !ok || !m.AllowAutoTopicCreation && m.Version >= 4 {
		return
	}
	_, made := tried(p.c, settleTries, req, func(resp *kmsg.MetadataResponse) bool {
		return !slices.ContainsFunc(resp.Topics, func(t kmsg.MetadataResponseTopic) bool {
			e := protocol.ErrorCode(t.ErrorCode)
			return t.Topic != nil && (e == protocol.UnknownTopicOrPartition || e == protocol.LeaderNotAvailable)
		})
	})
	if made {
		p.awaitMetadata()
	}
}

// learnTopics asks for the ids of all topics that the script names.
func (p *player) learnTopics() {
	names := slices.Sorted(maps.Values(p.refs.names))
	for _, t := range ask[*kmsg.MetadataResponse](p.c.setup, metadata(12, names...)).Topics {
		if t.ErrorCode == 0 && t.Topic != nil {
			p.refs.topic(*t.Topic, t.TopicID)
			if !slices.Contains(p.c.topics, *t.Topic) {
				p.c.Mine(*t.Topic)
			}
		}
	}
}

// end gives back to the target what it would keep for long: fetch sessions, and the
// config that awaitMetadata sets.
func (p *player) end() {
	if p.c.err != nil || p.c.ctx.Err() != nil {
		return
	}
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(ended); !ok {
				panic(r)
			}
		}
	}()
	for key, session := range p.refs.known {
		if strings.HasPrefix(key, "session@") {
			req := kmsg.NewPtrFetchRequest()
			req.Version, req.SessionEpoch = 12, -1
			fmt.Sscan(session, &req.SessionID)
			ask[*kmsg.FetchResponse](p.c.setup, req)
		}
	}
	if p.changes > 0 {
		ask[*kmsg.IncrementalAlterConfigsResponse](p.c.setup, func() kmsg.Request {
			req := alterConfig(1, p.c.Name("barrier"), "consumer.session.timeout.ms", kmsg.IncrementalAlterConfigOpDelete, "")
			req.Resources[0].ResourceType = kmsg.ConfigResourceTypeGroupConfig
			return req
		}())
	}
}
