package partitions

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"klamm/protocol"
)

// stage is the partition that a script plays on. The time is what the command says.
type stage struct {
	cfg Config
	p   *Partition
	now time.Time
}

// TestScripts plays testdata/*/*.txt; -rewrite shows what changed.
func TestScripts(t *testing.T) {
	for _, dir := range []string{"testdata/log", "testdata/producer", "testdata/txn", "testdata/compact"} {
		datadriven.Walk(t, dir, func(t *testing.T, path string) {
			s := &stage{cfg: defaults(), p: New(), now: time.UnixMilli(1000)}
			datadriven.RunTest(t, path, s.play)
		})
	}
}

func (s *stage) play(t *testing.T, d *datadriven.TestData) string {
	if d.HasArg("at") {
		s.now = time.UnixMilli(number(t, d, "at", 0))
	}
	switch d.Cmd {
	case "topic":
		s.cfg.LogAppendTime = d.HasArg("log-append-time")
		s.cfg.Compacted = d.HasArg("compacted")
		s.cfg.MaxMessageBytes = int(number(t, d, "max-message-bytes", 1048588))
		s.cfg.SegmentBytes, s.cfg.SegmentMs = number(t, d, "segment-bytes", 0), number(t, d, "segment-ms", 0)
		s.cfg.Deletes = !d.HasArg("no-deletion")
		s.cfg.RetentionMs, s.cfg.RetentionBytes = number(t, d, "retention-ms", -1), number(t, d, "retention-bytes", -1)
		s.cfg.MinCompactionLagMs, s.cfg.MaxCompactionLagMs = number(t, d, "min-compaction-lag-ms", 0), number(t, d, "max-compaction-lag-ms", math.MaxInt64)
		s.cfg.DeleteRetentionMs, s.cfg.MinCleanableRatio = number(t, d, "delete-retention-ms", 86400000), float64(number(t, d, "min-cleanable-percent", 50))/100
		s.cfg.SegmentIndexBytes, s.cfg.IndexIntervalBytes = number(t, d, "segment-index-bytes", 0), number(t, d, "index-interval-bytes", 4096)
		return ""
	case "append":
		return s.append(t, d)
	case "read":
		return s.read(t, d)
	case "find":
		return s.find(d)
	case "delete-records":
		low, code := s.p.DeleteRecords(number(t, d, "before", 0))
		return fmt.Sprintf("%v low watermark %d\n", code, low)
	case "become-leader":
		s.p.BecomeLeader(int32(number(t, d, "epoch", 0)))
		return ""
	case "end-of-epoch":
		if code := s.p.CheckLeaderEpoch(int32(number(t, d, "current", -1))); code != protocol.None {
			return code.Name() + "\n"
		}
		end := s.p.EndOfEpoch(int32(number(t, d, "epoch", 0)))
		return fmt.Sprintf("epoch %d ends at %d\n", end.Epoch, end.EndOffset)
	case "commit", "abort":
		return s.mark(t, d)
	case "producers":
		var out strings.Builder
		for _, p := range s.p.ActiveProducers() {
			fmt.Fprintf(&out, "%d: epoch %d, last sequence %d, coordinator epoch %d, transaction from %d\n",
				p.ID, p.Epoch, p.LastSequence, p.CoordinatorEpoch, p.TxnStart)
		}
		return out.String()
	case "expire-producers":
		s.p.ExpireProducers(s.now, time.Duration(number(t, d, "after", 0))*time.Millisecond)
		return fmt.Sprintf("%d producers left\n", s.p.Producers())
	case "retention":
		s.p.ApplyRetention(s.now, &s.cfg)
		out := fmt.Sprintf("start %d, %d bytes in %d segments\n", s.p.LogStartOffset(), s.p.Size(), len(s.p.segments))
		if due, ok := s.p.RetentionDue(s.now, &s.cfg); ok {
			out += fmt.Sprintf("next at %d\n", due.UnixMilli())
		}
		return out
	case "clean":
		return s.clean(d)
	case "log":
		return s.everything()
	case "state":
		return fmt.Sprintf("start %d, high watermark %d, last stable offset %d, %d bytes in %d chunks\n",
			s.p.LogStartOffset(), s.p.HighWatermark(), s.p.LastStableOffset(), s.p.Size(), len(s.p.log.chunks))
	}
	t.Fatalf("unknown command %q", d.Cmd)
	return ""
}

func number(t *testing.T, d *datadriven.TestData, key string, otherwise int64) int64 {
	if d.HasArg(key) {
		d.ScanArgs(t, key, &otherwise)
	}
	return otherwise
}

// append makes one batch of the timestamps given, by default one of the time now.
func (s *stage) append(t *testing.T, d *datadriven.TestData) string {
	h := protocol.PlainBatch()
	h.ProducerID = number(t, d, "producer", -1)
	h.ProducerEpoch = int16(number(t, d, "epoch", -1))
	h.BaseSequence = int32(number(t, d, "sequence", -1))
	if d.HasArg("in-transaction") {
		h.Attributes |= protocol.AttrTransactional
	}
	for codec := protocol.CodecNone; codec <= protocol.CodecZstd; codec++ {
		if d.HasArg(codec.String()) {
			h.Attributes |= int16(codec)
		}
	}
	stamps := []int64{s.now.UnixMilli()}
	for i := range d.CmdArgs {
		if arg := &d.CmdArgs[i]; arg.Key == "timestamps" {
			stamps = make([]int64, len(arg.Vals))
			for j := range arg.Vals {
				arg.Scan(t, j, &stamps[j])
			}
		}
	}
	var records []protocol.Record
	for _, stamp := range stamps {
		r := protocol.Record{TimestampMs: stamp, Key: []byte("key"), Value: make([]byte, number(t, d, "size", 10))}
		if d.HasArg("keyless") {
			r.Key = nil
		}
		records = append(records, r)
	}
	if d.HasArg("records") {
		records = keyed(d, stamps)
	}
	for range number(t, d, "more", 0) {
		records = append(records, records[0])
	}
	bytes, err := protocol.AppendBatch(nil, h, nil, records)
	if err != nil {
		t.Fatal(err)
	}
	if d.HasArg("try") || d.HasArg("joined") {
		header, _ := protocol.ParseBatchHeader(bytes)
		s.p.TryTransaction(s.now, &header, d.HasArg("joined"))
	}
	if d.HasArg("try") {
		return "tried\n"
	}
	var batch Batch
	if refusal := batch.Validate(&s.cfg, nil, s.now, &Produced{Topic: "t", Partition: 3, Version: 9, Records: bytes, Tried: d.HasArg("joined") || d.HasArg("tried")}); refusal != nil {
		return refused(refusal)
	}
	var done Appended
	s.p.Append(s.now, &s.cfg, &batch, &done)
	if done.Refusal != nil {
		return refused(done.Refusal)
	}
	out := fmt.Sprintf("offset %d", done.BaseOffset)
	if done.LogAppendTimeMs >= 0 {
		out += fmt.Sprintf(" at %d", done.LogAppendTimeMs)
	}
	if done.Duplicate {
		out += " (again)"
	}
	return out + "\n"
}

func refused(r *Refusal) string {
	out := r.Code.Name() + "\n"
	if r.Message != "" {
		out += r.Message + "\n"
	}
	for _, e := range r.Records {
		out += fmt.Sprintf("record %d: %s\n", e.Index, e.Message)
	}
	return out
}

// mark ends a producer's transaction.
func (s *stage) mark(t *testing.T, d *datadriven.TestData) string {
	offset, code := s.p.AppendMarker(s.now, &s.cfg, Marker{
		ProducerID: number(t, d, "producer", -1), ProducerEpoch: int16(number(t, d, "epoch", 0)),
		CoordinatorEpoch: int32(number(t, d, "coordinator", 0)), Commit: d.Cmd == "commit", EpochBump: d.HasArg("bump"),
	})
	if code != protocol.None {
		return code.Name() + "\n"
	}
	return fmt.Sprintf("offset %d, last stable offset %d\n", offset, s.p.LastStableOffset())
}

func (s *stage) read(t *testing.T, d *datadriven.TestData) string {
	var r Read
	s.p.Read(&r, From{
		Offset: number(t, d, "offset", 0), LastEpoch: int32(number(t, d, "last-epoch", -1)),
		MaxBytes: int(number(t, d, "max", 1<<30)), MinOne: !d.HasArg("not-even-one"), Committed: d.HasArg("committed"),
	})
	if r.Code != protocol.None {
		return r.Code.Name() + "\n"
	}
	if r.Diverging != nil {
		return fmt.Sprintf("diverging: epoch %d ends at %d\n", r.Diverging.Epoch, r.Diverging.EndOffset)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%d bytes\n", r.Size)
	for _, a := range r.Aborted {
		fmt.Fprintf(&out, "aborted: producer %d from %d\n", a.ProducerID, a.FirstOffset)
	}
	for _, part := range r.Batches {
		for len(part) > 0 {
			h, ok := protocol.ParseBatchHeader(part)
			if !ok || h.Size() > len(part) {
				fmt.Fprintf(&out, "%d bytes of a batch\n", len(part))
				break
			}
			part = describeBatch(&out, &h, part)
		}
	}
	return out.String()
}

func describeBatch(out *strings.Builder, h *protocol.BatchHeader, b []byte) (rest []byte) {
	if h.CRC != protocol.BatchCRC(b[:h.Size()]) {
		out.WriteString("BAD CRC ")
	}
	records, rest, err := protocol.DecodeBatch(nil, b, nil)
	if err != nil {
		fmt.Fprintf(out, "%v\n", err)
	}
	fmt.Fprintf(out, "%d..%d of epoch %d, %v, timestamps", h.BaseOffset, h.LastOffset(), h.PartitionLeaderEpoch, h.Codec())
	for _, r := range records[:min(len(records), 5)] {
		fmt.Fprintf(out, " %d", r.TimestampMs)
	}
	out.WriteString("\n")
	return rest
}

func (s *stage) find(d *datadriven.TestData) string {
	names := map[string]int64{
		"latest": LatestTimestamp, "earliest": EarliestTimestamp, "max-timestamp": MaxTimestamp,
		"earliest-local": EarliestLocalTimestamp, "latest-tiered": LatestTieredTimestamp, "earliest-pending-upload": EarliestPendingUploadTimestamp,
	}
	var out strings.Builder
	for _, arg := range d.CmdArgs {
		timestampMs, named := names[arg.Key]
		if !named {
			fmt.Sscan(arg.Key, &timestampMs)
		}
		found, _ := s.p.FindOffset(&s.cfg, timestampMs, nil)
		fmt.Fprintf(&out, "%s: offset %d, timestamp %d, epoch %d\n", arg.Key, found.Offset, found.TimestampMs, found.LeaderEpoch)
	}
	return out.String()
}
