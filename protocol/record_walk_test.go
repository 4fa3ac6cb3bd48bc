package protocol

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// What Ordinary tells of the records that it found is what Next shows of
// them, it leaves off where Next goes on, and it steps over none that Next refuses.
func TestOrdinaryAgreesWithNext(t *testing.T) {
	skipped := 0
	rapid.Check(t, func(t *rapid.T) {
		payload, n := ordinaryPayload(t)
		fast, slow := ReadRecords(payload, n), ReadRecords(payload, n)
		o := fast.Ordinary()
		fast.Skip(&o)
		skipped += int(o.Count)
		var want OrdinaryRecords
		var v RecordView
		for range o.Count {
			if !slow.Next(&v) {
				t.Fatalf("record %d of %d is skipped and none: %v", want.Count, o.Count, slow.Err())
			}
			if v.NumHeaders > 0 || v.OffsetDelta != want.Count {
				t.Fatalf("record %d is skipped: %+v", want.Count, v)
			}
			keyLen := uint32(0)
			if v.Key == nil {
				keyLen = 1
			}
			want.note(v.TimestampDelta, keyLen)
		}
		want.end = slow.at
		if o != want {
			t.Fatalf("%+v, want %+v", o, want)
		}
		for more := true; more; {
			var w RecordView
			more = slow.Next(&v)
			if fast.Next(&w) != more || slow.Err() != fast.Err() {
				t.Fatalf("after %d records: %v, want %v", o.Count, fast.Err(), slow.Err())
			}
		}
	})
	if skipped == 0 {
		t.Error("no record was ever skipped")
	}
}

// ordinaryPayload is records of which most are ordinary, now and then with a byte changed.
func ordinaryPayload(t *rapid.T) (payload []byte, n int32) {
	for range rapid.IntRange(1, 12).Draw(t, "records") {
		r := genRecord(t)
		if rapid.IntRange(0, 3).Draw(t, "headers") > 0 {
			r.Headers = nil
		}
		delta := rapid.OneOf(rapid.Int64Range(-9000, 9000), rapid.Int64Range(0, 3)).Draw(t, "delta")
		payload = AppendRecord(payload, n, delta, &r)
		n++
	}
	if rapid.IntRange(0, 3).Draw(t, "change") == 0 {
		payload = slices.Clone(payload)
		payload[rapid.IntRange(0, len(payload)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
	}
	if rapid.IntRange(0, 7).Draw(t, "tail") == 0 {
		payload = append(payload, rapid.SliceOfN(rapid.Byte(), 1, 9).Draw(t, "bytes")...)
	}
	return payload, n
}
