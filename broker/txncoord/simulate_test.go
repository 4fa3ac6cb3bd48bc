package txncoord

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"klamm/protocol"
)

// A seed drives producers that share one transactional id: they begin, write, end, come
// again with old ids and epochs, fall silent, and ask twice. After each event the checks
// of simulation hold.
func TestSimulation(t *testing.T) {
	seeds, events := uint64(128), 2500
	if testing.Short() {
		seeds = 16
	}
	for seed := range seeds {
		s := newSimulation(seed)
		for i := range events {
			if wrong := s.turn(); wrong != "" {
				t.Fatalf("seed %d, event %d: %s\nlast: %s", seed, i, wrong, s.last)
			}
		}
		if s.commits == 0 || s.fenced == 0 || s.timeouts == 0 && seed%4 == 0 {
			t.Errorf("seed %d: %d commits, %d refusals of old producers, %d time-outs: too little happened", seed, s.commits, s.fenced, s.timeouts)
		}
	}
}

// simulation is one transactional id, its owner, and its producers.
type simulation struct {
	r         *rand.Rand
	now       time.Time
	cfg       Config
	t, shadow *Transaction // the shadow is fed with records and nothing else
	log       []Record
	producers [3]simulatedProducer
	fresh     int64
	markers   *Markers // to be written
	highest   map[int64]int16
	last      string

	commits, fenced, timeouts int
}

// simulatedProducer is what a producer believes.
type simulatedProducer struct {
	id    int64
	epoch int16
	old   bool // speaks the protocol before KIP-890
}

func newSimulation(seed uint64) *simulation {
	began := time.Unix(1_700_000_000, 0)
	s := &simulation{
		r: rand.New(rand.NewPCG(seed, 3)), now: began, fresh: 100, highest: map[int64]int16{},
		cfg: Config{AbortInterval: 10 * time.Second, Expiration: time.Hour, ExpiryInterval: 10 * time.Minute, Began: began, Version: int16(seed % 3)},
	}
	s.t, s.shadow = New("tx", s.cfg), New("tx", s.cfg)
	for i := range s.producers {
		s.producers[i] = simulatedProducer{id: -1, epoch: -1, old: s.r.IntN(3) == 0}
	}
	return s
}

// turn is one event; it returns what is wrong.
func (s *simulation) turn() string {
	p := &s.producers[s.r.IntN(len(s.producers))]
	if s.r.IntN(12) == 0 {
		p = &simulatedProducer{id: s.fresh - s.r.Int64N(3), epoch: int16(s.r.IntN(4)), old: s.r.IntN(2) == 0} // a lie
	}
	switch n := s.r.IntN(100); {
	case n < 12:
		return s.initialize(p)
	case n < 45:
		return s.add(p)
	case n < 70:
		return s.end(p, s.r.IntN(3) > 0)
	case n < 88:
		return s.writeMarkers()
	case n < 94:
		return s.pass(time.Duration(s.r.IntN(20_000)) * time.Millisecond)
	case n < 95:
		return s.pass(time.Duration(s.r.IntN(120)) * time.Minute)
	default:
		return s.crash()
	}
}

func (s *simulation) initialize(p *simulatedProducer) string {
	e := InitProducerID{TimeoutMs: int32(1000 * (1 + s.r.IntN(60))), ProducerID: -1, ProducerEpoch: -1}
	if p.id >= 0 && s.r.IntN(2) == 0 {
		e.ProducerID, e.ProducerEpoch = p.id, p.epoch
	}
	if s.t.NeedsProducerID(e) {
		e.Fresh = s.fresh
		s.fresh++
	}
	reply, wrong := s.step(e)
	if reply.Code == protocol.None {
		p.id, p.epoch = reply.ProducerID, reply.ProducerEpoch
		if s.t.is.state != Empty {
			return "initialized, and " + s.t.is.state.String()
		}
	}
	return wrong
}

func (s *simulation) add(p *simulatedProducer) string {
	e := AddPartitions{ProducerID: p.id, ProducerEpoch: p.epoch, EpochBump: !p.old}
	for range 1 + s.r.IntN(3) {
		e.Partitions = append(e.Partitions, TopicPartition{fmt.Sprintf("t%d", s.r.IntN(2)), s.r.Int32N(3)})
	}
	current := s.isCurrent(p)
	reply, wrong := s.step(e)
	switch {
	case reply.Code == protocol.None && !current:
		return "a producer that is not the current one has joined"
	case reply.Code == protocol.None && s.t.is.state != Ongoing:
		return "joined, and " + s.t.is.state.String()
	case reply.Code != protocol.None && !current:
		s.fenced++
	}
	return wrong
}

func (s *simulation) end(p *simulatedProducer, commit bool) string {
	e := EndTxn{ProducerID: p.id, ProducerEpoch: p.epoch, Commit: commit, EpochBump: !p.old}
	if s.t.NeedsProducerID(e) {
		e.Fresh = s.fresh
		s.fresh++
	}
	current, before := s.isCurrent(p), s.t.is.state
	reply, wrong := s.step(e)
	if reply.Code != protocol.None {
		return wrong
	}
	switch {
	case !current && s.t.is.state.preparing():
		return "a producer that is not the current one has ended the transaction"
	case current && before == Ongoing && s.t.is.state != outcome(commit):
		return "ended, and " + s.t.is.state.String()
	case commit && before == Ongoing:
		s.commits++
	}
	p.id, p.epoch = reply.ProducerID, reply.ProducerEpoch
	return wrong
}

func (s *simulation) isCurrent(p *simulatedProducer) bool {
	return s.t.known && s.t.is.producerID == p.id && s.t.is.epoch == p.epoch
}

func (s *simulation) writeMarkers() string {
	if s.markers == nil {
		return ""
	}
	s.markers = nil
	_, wrong := s.step(MarkersWritten{})
	if s.t.is.state != CompleteCommit && s.t.is.state != CompleteAbort {
		return "all markers are written, and " + s.t.is.state.String()
	}
	return wrong
}

func (s *simulation) pass(d time.Duration) string {
	for until := s.now.Add(d); ; {
		next := s.t.Deadline()
		if next.IsZero() || next.After(until) {
			s.now = until
			return ""
		}
		if next.After(s.now) {
			s.now = next
		}
		e, before := Tick{}, s.t.is.state
		if s.t.NeedsProducerID(e) {
			e.Fresh = s.fresh
			s.fresh++
		}
		if _, wrong := s.step(e); wrong != "" {
			return wrong
		}
		if before == Ongoing && s.t.is.state == PrepareAbort {
			s.timeouts++
		}
		if s.t.Deadline() == next {
			return "a Tick at its deadline changes nothing"
		}
	}
}

// crash is the end of a coordinator; the next one has what is in the log.
func (s *simulation) crash() string {
	s.t = New("tx", s.cfg)
	for _, r := range s.log {
		s.t.Apply(r)
	}
	markers, pending := s.t.Pending()
	if s.markers = nil; pending {
		s.markers = &markers
	}
	return s.compare()
}

// step carries out what the machine says, and checks it.
func (s *simulation) step(e Event) (reply Reply, wrong string) {
	s.last = fmt.Sprintf("%T %+v in %v", e, e, s.t.Describe())
	replies, before := 0, s.t.is
	for _, effect := range s.t.Step(s.now, e) {
		switch effect := effect.(type) {
		case Reply:
			reply = effect
			replies++
		case Append:
			s.log = append(s.log, effect.Record)
			s.t.Apply(effect.Record)
			s.shadow.Apply(effect.Record)
		case WriteMarkers:
			if s.markers != nil {
				return reply, "markers are asked for while others are being written"
			}
			s.markers = &effect.Markers
		}
	}
	_, request := e.(interface{ request() })
	if wanted := request; (replies == 1) != wanted {
		return reply, fmt.Sprintf("%d replies", replies)
	}
	if wrong := s.transition(before.state, s.t.is.state); wrong != "" {
		return reply, wrong
	}
	return reply, s.compare()
}

func (InitProducerID) request() {}
func (AddPartitions) request()  {}
func (EndTxn) request()         {}

// transition compares with TransactionState.VALID_PREVIOUS_STATES.
func (s *simulation) transition(from, to State) string {
	valid := map[State][]State{
		Empty: {Empty, CompleteCommit, CompleteAbort, Ongoing}, Ongoing: {Ongoing, Empty, CompleteCommit, CompleteAbort},
		PrepareCommit: {Ongoing, PrepareCommit}, PrepareAbort: {Ongoing, Empty, CompleteCommit, CompleteAbort, PrepareAbort},
		CompleteCommit: {PrepareCommit, CompleteCommit}, CompleteAbort: {PrepareAbort, CompleteAbort},
	}
	for _, before := range valid[to] {
		if before == from && (to != Empty || from != Ongoing) {
			return ""
		}
	}
	return fmt.Sprintf("from %v to %v", from, to)
}

// compare holds the machine to its records: epochs never go back, markers wait exactly
// while the outcome is decided and not complete, and a coordinator that knows only the
// records knows as much.
func (s *simulation) compare() string {
	if !reflect.DeepEqual(s.t.is, s.shadow.is) || s.t.known != s.shadow.known {
		return fmt.Sprintf("the records say %+v, the machine %+v", s.shadow.is, s.t.is)
	}
	if s.t.is.state.preparing() != (s.markers != nil) {
		return fmt.Sprintf("%v, and markers to be written: %v", s.t.is.state, s.markers != nil)
	}
	if !s.t.known {
		return ""
	}
	if was, seen := s.highest[s.t.is.producerID]; seen && s.t.is.epoch < was {
		return fmt.Sprintf("epoch %d after %d", s.t.is.epoch, was)
	}
	s.highest[s.t.is.producerID] = s.t.is.epoch
	return ""
}
