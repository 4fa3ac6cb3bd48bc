package txncoord

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// TestScripts plays testdata, one transactional id a file. Times count from the start of
// the script, in seconds; producer ids that the coordinator gives out count from 100.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		s := newStage()
		datadriven.RunTest(t, path, s.play)
	})
}

type stage struct {
	t      *Transaction
	began  time.Time
	now    time.Time
	fresh  int64
	log    []Record
	answer strings.Builder
}

func newStage() *stage {
	began := time.Unix(1_700_000_000, 0)
	s := &stage{began: began, now: began, fresh: 100}
	s.t = New("tx", s.config())
	return s
}

func (s *stage) config() Config {
	return Config{AbortInterval: 10 * time.Second, Expiration: 7 * 24 * time.Hour, ExpiryInterval: time.Hour, Began: s.began, Version: 2}
}

func (s *stage) play(t *testing.T, d *datadriven.TestData) string {
	s.answer.Reset()
	number := func(key string, otherwise int64) int64 {
		if d.HasArg(key) {
			d.ScanArgs(t, key, &otherwise)
		}
		return otherwise
	}
	id, epoch := number("id", -1), int16(number("epoch", -1))
	switch d.Cmd {
	case "init":
		s.step(InitProducerID{TimeoutMs: int32(number("timeout", 60)) * 1000, ProducerID: id, ProducerEpoch: epoch})
	case "add":
		s.step(AddPartitions{ProducerID: id, ProducerEpoch: epoch, Partitions: partitionsOf(d), EpochBump: !d.HasArg("old")})
	case "verify":
		for i, code := range s.t.Verify(id, epoch, partitionsOf(d)) {
			fmt.Fprintf(&s.answer, "%v: %s\n", partitionsOf(d)[i], code.Name())
		}
	case "commit", "abort":
		s.step(EndTxn{ProducerID: id, ProducerEpoch: epoch, Commit: d.Cmd == "commit", EpochBump: !d.HasArg("old")})
	case "markers-written":
		s.step(MarkersWritten{})
	case "after":
		s.after(t, d)
	case "reload":
		s.reload()
	case "epoch": // as if the producer had come so far
		v := kmsg.NewTxnMetadataValue()
		if err := v.ReadFrom(s.log[len(s.log)-1].Value); err != nil {
			t.Fatal(err)
		}
		v.ProducerEpoch = epoch
		s.carryOut(Append{Record{Key: s.t.key(), Value: v.AppendTo(nil)}})
	case "describe":
		fmt.Fprintln(&s.answer, s.describe())
	default:
		t.Fatalf("unknown command %q", d.Cmd)
	}
	return s.answer.String()
}

func (s *stage) after(t *testing.T, d *datadriven.TestData) {
	passed, err := time.ParseDuration(d.CmdArgs[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	for until := s.now.Add(passed); ; {
		next := s.t.Deadline()
		if next.IsZero() || next.After(until) {
			s.now = until
			return
		}
		s.now = next
		s.step(Tick{})
	}
}

// reload is what a coordinator does that has just been started.
func (s *stage) reload() {
	s.t = New("tx", s.config())
	for _, r := range s.log {
		s.t.Apply(r)
	}
	if m, pending := s.t.Pending(); pending {
		fmt.Fprintf(&s.answer, "pending %s\n", describeMarkers(m))
	}
}

func (s *stage) step(e Event) {
	if s.t.NeedsProducerID(e) {
		switch with := e.(type) {
		case InitProducerID:
			with.Fresh = s.fresh
			e = with
		case EndTxn:
			with.Fresh = s.fresh
			e = with
		case Tick:
			with.Fresh = s.fresh
			e = with
		}
		s.fresh++
	}
	for _, effect := range s.t.Step(s.now, e) {
		s.carryOut(effect)
	}
}

func (s *stage) carryOut(effect Effect) {
	switch effect := effect.(type) {
	case Append:
		s.log = append(s.log, effect.Record)
		s.t.Apply(effect.Record)
		fmt.Fprintf(&s.answer, "append %s\n", s.describe())
	case Reply:
		fmt.Fprintf(&s.answer, "reply %s", effect.Code.Name())
		if effect.Code == protocol.None && effect.ProducerID >= 0 {
			fmt.Fprintf(&s.answer, " id=%d epoch=%d", effect.ProducerID, effect.ProducerEpoch)
		}
		s.answer.WriteString("\n")
	case WriteMarkers:
		fmt.Fprintf(&s.answer, "markers %s\n", describeMarkers(effect.Markers))
	}
}

func (s *stage) describe() string {
	if s.t.Vacant() {
		return "a tombstone"
	}
	d := s.t.Describe()
	out := fmt.Sprintf("%v id=%d epoch=%d previous=%d", d.State, d.ProducerID, d.ProducerEpoch, s.t.is.previousID)
	if s.t.is.nextID >= 0 {
		out += fmt.Sprintf(" next=%d", s.t.is.nextID)
	}
	if d.StartMs >= 0 {
		out += fmt.Sprintf(" began=%ds", (d.StartMs-s.began.UnixMilli())/1000)
	}
	return out + fmt.Sprintf(" %v", d.Partitions)
}

func describeMarkers(m Markers) string {
	how := "abort"
	if m.Commit {
		how = "commit"
	}
	return fmt.Sprintf("%s id=%d epoch=%d %v", how, m.ProducerID, m.ProducerEpoch, m.Partitions)
}

// String is topic-partition.
func (tp TopicPartition) String() string { return tp.Topic + "-" + strconv.Itoa(int(tp.Partition)) }

// partitionsOf are the lines of the input, each topic-partition.
func partitionsOf(d *datadriven.TestData) (all []TopicPartition) {
	for _, word := range strings.Fields(d.Input) {
		topic, index, _ := strings.Cut(word, "-")
		n, _ := strconv.Atoi(index)
		all = append(all, TopicPartition{topic, int32(n)})
	}
	return all
}
