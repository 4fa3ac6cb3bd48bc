package groupcoord

import (
	"time"

	"klamm/protocol"
)

// memberState is where a member is on its way to its target assignment, as in Kafka's
// MemberState. The values are those of the records.
type memberState int8

const (
	memberStable         memberState = 0   // it has what it is to have, as far as that is free
	unrevokedPartitions  memberState = 1   // it must give partitions up before it gets on
	unreleasedPartitions memberState = 2   // it waits for partitions that others still have
	unknownMemberState   memberState = 127 // a record of a later Kafka says what is not known here
)

// consumer is the membership of a consumer group (KIP-848), as in Kafka's ConsumerGroup:
// the coordinator assigns. The group epoch counts what changed, the assignment epoch is
// the group epoch that the target assignment was computed for, and a member has the
// epoch of the target that it has reached. All of this is hard state, and what is
// counted from it; only the timers and the image are soft.
type consumer struct {
	epoch           int32
	hash            uint64 // of the topics that members subscribe to
	assignmentEpoch int32
	assignedMs      int64 // when the target was computed; 0: the next one need not wait
	members         map[string]*consumerMember
	target          map[string]partitionSet            // by member id
	owners          map[protocol.UUID]map[int32]string // the target the other way round
	epochs          map[protocol.UUID]map[int32]int32  // epoch of the member that has the partition, or gives it up
	resolved        map[string]resolvedRegex           // by regular expression
	oldMetadata     bool                               // a record of before 4.1 holds the topics, and is to go

	static    map[string]string      // member ids by group instance id
	topics    map[string]subscribers // by topic name
	regexes   map[string]int         // members by regular expression
	assignors map[string]int         // members by the assignor that they ask for
	classics  int                    // members that speak the classic protocol
	protocols map[string]int         // ... by the protocols that they support
	settled   int                    // members that have reached the target
	revision  int64                  // counts changes of topics

	image  TopicImage     // that the hash was computed from; nil: not known
	toFind map[string]int // regular expressions that are to be looked at right after this step
	timers consumerTimers
}

// subscribers counts who subscribes to a topic (SubscriptionCount).
type subscribers struct{ names, regexes int }

// consumerMember is a member of a consumer group (ConsumerGroupMember). It is replaced
// as a whole and never changed.
type consumerMember struct {
	id                   string
	epoch, previousEpoch int32
	state                memberState
	instance, rack       *string
	clientID, clientHost string
	rebalanceTimeoutMs   int32
	topics               []string // sorted, each once
	regex                string   // empty: none
	assignor             *string
	assigned             partitionSet // what it has
	revoking             partitionSet // what it must give up
	classic              *classicPart // nil: it speaks the consumer protocol
}

// classicPart is what a member has that speaks the classic protocol.
type classicPart struct {
	sessionTimeoutMs int32
	protocols        []assignor
}

// The epochs with which a member says that it goes.
const (
	leaveEpoch       int32 = -1
	leaveStaticEpoch int32 = -2
)

func newConsumer() *consumer {
	return &consumer{
		epoch: 1, assignmentEpoch: 1,
		members: map[string]*consumerMember{}, target: map[string]partitionSet{},
		owners: map[protocol.UUID]map[int32]string{}, epochs: map[protocol.UUID]map[int32]int32{},
		resolved: map[string]resolvedRegex{}, static: map[string]string{}, topics: map[string]subscribers{},
		regexes: map[string]int{}, assignors: map[string]int{}, protocols: map[string]int{},
		timers: consumerTimers{byMember: map[string]*memberTimers{}},
	}
}

func newConsumerMember(id string) *consumerMember {
	return &consumerMember{id: id, previousEpoch: -1, rebalanceTimeoutMs: -1}
}

// reached tells that the member has all that the target of an epoch gives it.
func (m *consumerMember) reached(epoch int32) bool {
	return m.state == memberStable && m.epoch == epoch
}

// moveTo makes the member one of another epoch.
func (m *consumerMember) moveTo(epoch int32) { m.previousEpoch, m.epoch = m.epoch, epoch }

// currentEpoch is the epoch of who has a partition; -1 when it is free.
func (c *consumer) currentEpoch(topic protocol.UUID, partition int32) int32 {
	if epoch, ok := c.epochs[topic][partition]; ok {
		return epoch
	}
	return -1
}

// stateName is Kafka's ConsumerGroupState.
func (c *consumer) stateName() string {
	switch {
	case len(c.members) == 0:
		return "Empty"
	case c.epoch > c.assignmentEpoch:
		return "Assigning"
	case c.settled < len(c.members):
		return "Reconciling"
	}
	return "Stable"
}

// step is for kind.
func (c *consumer) step(g *Group, now time.Time, e Event) []Effect {
	s := consumerStep{g: g, c: c, now: now, image: c.image}
	switch e := e.(type) {
	case ConsumerGroupHeartbeat:
		s.heartbeat(e)
	case JoinGroup:
		if len(c.members) == 0 {
			return c.joinEmpty(g, now, e)
		}
		s.joinClassic(e)
	case SyncGroup:
		s.syncClassic(e)
	case Heartbeat:
		s.heartbeatClassic(e)
	case LeaveGroup:
		s.leaveClassic(e)
	case Loaded:
		s.loaded()
	case Tick:
		s.tick()
	case ExpireMember:
		s.expireMember(e.MemberID)
	case ForceRebalance:
		s.forceRebalance()
	default:
		return refuse(e)
	}
	return s.effects()
}

// consumerStep is an event on its way through the membership of a consumer group. What
// it writes is gathered: all of it is one batch, and if something is wrong, nothing is.
type consumerStep struct {
	g       *Group
	c       *consumer
	now     time.Time
	image   TopicImage
	records []Record
	replies []Effect
	again   bool // there is more to do at once
}

func (s *consumerStep) write(r ...Record) { s.records = append(s.records, r...) }

// effects are the records, then the answers, then what is left to do.
func (s *consumerStep) effects() (out []Effect) {
	if len(s.records) > 0 {
		s.g.offsets.create(s.now.UnixMilli())
		out = append(out, Append{Records: s.records})
	}
	out = append(out, s.replies...)
	if s.again {
		out = append(out, Again{})
	}
	return out
}

// refusal is why a request is refused: Kafka's error and its text.
type refusal struct {
	code protocol.ErrorCode
	text string
}
