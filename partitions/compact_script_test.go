package partitions

import (
	"fmt"
	"strings"

	"github.com/cockroachdb/datadriven"

	"klamm/protocol"
)

// keyed are the records of records=(a:1,a:2,b): key and value, a tombstone where there is no
// ":". The last timestamp counts for what has none of its own.
func keyed(d *datadriven.TestData, stamps []int64) (records []protocol.Record) {
	for i := range d.CmdArgs {
		if arg := &d.CmdArgs[i]; arg.Key == "records" {
			for n, one := range arg.Vals {
				r := protocol.Record{TimestampMs: stamps[min(n, len(stamps)-1)]}
				key, value, whole := strings.Cut(one, ":")
				if r.Key = []byte(key); whole {
					r.Value = []byte(value)
				}
				records = append(records, r)
			}
		}
	}
	return records
}

// clean cleans the log when that is due, or whatever can be cleaned if told to.
func (s *stage) clean(d *datadriven.TestData) string {
	due, ok := s.p.CleaningDue(s.now, &s.cfg)
	if d.HasArg("roll") {
		s.p.Roll(s.now)
	} else if !ok {
		return "nothing is due\n"
	} else if due.After(s.now) {
		return fmt.Sprintf("due at %d\n", due.UnixMilli())
	}
	c := s.p.BeginCleaning(s.now, &s.cfg)
	if c == nil {
		return "nothing to clean\n"
	}
	c.Run()
	s.p.FinishCleaning(c)
	return s.everything()
}

// everything is all segments and batches, as they stand in the log.
func (s *stage) everything() string {
	var out strings.Builder
	all := batches{chunks: s.p.log.chunks}
	for i := range s.p.segments {
		one := &s.p.segments[i]
		fmt.Fprintf(&out, "segment %d: %d bytes\n", one.base, one.size)
		for all.next(s.p.segments.endOf(one.base)) {
			describeKept(&out, &all.header, all.batch)
		}
	}
	for _, a := range s.p.txns.aborted {
		fmt.Fprintf(&out, "aborted: producer %d from %d\n", a.ProducerID, a.FirstOffset)
	}
	fmt.Fprintf(&out, "first dirty offset %d, %d bytes in %d chunks\n", s.p.firstDirty(), s.p.log.size, len(s.p.log.chunks))
	return out.String()
}

func describeKept(out *strings.Builder, h *protocol.BatchHeader, batch []byte) {
	fmt.Fprintf(out, "  %d..%d", h.BaseOffset, h.LastOffset())
	if h.CRC != protocol.BatchCRC(batch) {
		out.WriteString(" BAD CRC")
	}
	if h.Codec() != protocol.CodecNone {
		fmt.Fprintf(out, " %v", h.Codec())
	}
	if h.HasProducer() {
		fmt.Fprintf(out, " producer %d epoch %d sequence %d..%d", h.ProducerID, h.ProducerEpoch, h.BaseSequence, h.LastSequence())
	}
	if ms, ok := h.DeleteHorizonMs(); ok {
		fmt.Fprintf(out, " horizon %d", ms)
	}
	fmt.Fprintf(out, " newest %d:", h.MaxTimestampMs)
	records, _, err := protocol.DecodeBatch(nil, batch, nil)
	for _, r := range records {
		switch {
		case h.Control():
			_, kind, _ := protocol.ParseControlKey(r.Key)
			fmt.Fprintf(out, " %d marker %d", r.Offset, kind)
		case r.Value == nil:
			fmt.Fprintf(out, " %d %s (%d)", r.Offset, r.Key, r.TimestampMs)
		default:
			fmt.Fprintf(out, " %d %s:%s (%d)", r.Offset, r.Key, r.Value, r.TimestampMs)
		}
	}
	if err != nil {
		fmt.Fprintf(out, " %v", err)
	}
	out.WriteString("\n")
}
