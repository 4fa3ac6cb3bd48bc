package sharecoord

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"klamm/protocol"
)

func drawBatches(t *rapid.T) (out []Batch) {
	for range rapid.IntRange(0, 4).Draw(t, "batches") {
		first := rapid.Int64Range(0, 20).Draw(t, "first")
		out = append(out, Batch{
			First: first, Last: first + rapid.Int64Range(0, 6).Draw(t, "more"),
			State: rapid.SampledFrom([]int8{0, 2, 4}).Draw(t, "state"), DeliveryCount: int16(rapid.IntRange(1, 3).Draw(t, "count")),
		})
	}
	return out
}

// TestCombineAgainstModel: each offset has the state of the most deliveries that is
// furthest on, and batches that follow each other differ.
func TestCombineAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		old, added, start := drawBatches(t), drawBatches(t), rapid.Int64Range(-1, 10).Draw(t, "start")
		want := map[int64]Batch{}
		for _, b := range append(append([]Batch(nil), old...), added...) {
			for offset := max(b.First, start); offset <= b.Last; offset++ {
				had, known := want[offset]
				if !known || b.DeliveryCount > had.DeliveryCount || b.DeliveryCount == had.DeliveryCount && b.State > had.State {
					want[offset] = Batch{State: b.State, DeliveryCount: b.DeliveryCount}
				}
			}
		}
		got := map[int64]Batch{}
		combined := combine(old, added, start)
		for i, b := range combined {
			if i > 0 && combined[i-1].Last >= b.First {
				t.Fatalf("not in order: %v", combined)
			}
			for offset := b.First; offset <= b.Last; offset++ {
				got[offset] = Batch{State: b.State, DeliveryCount: b.DeliveryCount}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

// TestRecordsMakeTheState: what was written, applied again, is the state.
func TestRecordsMakeTheState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := Key{"workers", protocol.UUID{1}, 2}
		var s State
		var log []Record
		write := func(r Record) {
			s.Apply(r)
			log = append(log, r)
		}
		now := time.UnixMilli(5)
		for range rapid.IntRange(1, 12).Draw(t, "events") {
			switch rapid.IntRange(0, 5).Draw(t, "event") {
			case 0:
				if r, code := s.Initialize(now, k, int32(rapid.IntRange(0, 3).Draw(t, "epoch")), rapid.Int64Range(-1, 5).Draw(t, "start")); code == protocol.None {
					write(r)
				}
			case 1:
				if r, known := s.Delete(k); known {
					write(r)
				}
			default:
				w := Write{StateEpoch: s.stateEpoch, StartOffset: rapid.Int64Range(-1, 8).Draw(t, "start"), Batches: drawBatches(t)}
				if r, code := s.Write(now, k, &w, 2); code == protocol.None {
					write(r)
				} else if s.known {
					t.Fatalf("refused: %v", code)
				}
			}
		}
		var again State
		for _, r := range log {
			kind, key, ok := ParseKey(r.Key)
			if !ok || key != k || kind != snapshotKind && kind != updateKind {
				t.Fatalf("key %d %v %v", kind, key, ok)
			}
			again.Apply(r)
		}
		if diff := cmp.Diff(s, again, cmp.AllowUnexported(State{})); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestFormerEpochsAreRefused(t *testing.T) {
	k := Key{"workers", protocol.UUID{1}, 0}
	var s State
	now := time.UnixMilli(5)
	if _, code := s.Write(now, k, &Write{}, 500); code != protocol.InvalidRequest {
		t.Errorf("a write before the state began: %v", code)
	}
	r, _ := s.Initialize(now, k, 3, 7)
	s.Apply(r)
	if _, code := s.Write(now, k, &Write{StateEpoch: 2}, 500); code != protocol.FencedStateEpoch {
		t.Errorf("a write of a former epoch: %v", code)
	}
	if _, code := s.Initialize(now, k, 2, 0); code != protocol.FencedStateEpoch {
		t.Errorf("a beginning of a former epoch: %v", code)
	}
	if _, _, code := s.Read(now, k, -1, 500); code != protocol.FencedLeaderEpoch {
		t.Errorf("a read of a former leader: %v", code)
	}
}

// TestHostileRecords: what cannot be read is ignored.
func TestHostileRecords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s State
		s.Apply(Record{Key: rapid.SliceOf(rapid.Byte()).Draw(t, "key"), Value: rapid.SliceOf(rapid.Byte()).Draw(t, "value")})
		k := appendKey(nil, uint16(rapid.IntRange(0, 1).Draw(t, "kind")), Key{Group: "g"})
		s.Apply(Record{Key: k, Value: append([]byte{0, 0}, rapid.SliceOfN(rapid.Byte(), 0, 60).Draw(t, "value")...)})
	})
}
