package partitions

import (
	"bytes"
	"testing"
	"time"

	"klamm/protocol"
)

// FuzzValidate produces any bytes: nothing may panic, what is accepted can be read
// and looked into, and is kept but for what the log patches.
func FuzzValidate(f *testing.F) {
	for codec := protocol.CodecNone; codec <= protocol.CodecZstd; codec++ {
		f.Add(goodBatch(f, codec), false, false)
	}
	f.Add(withMagic(goodBatch(f, 0), 1), true, true)
	f.Fuzz(func(t *testing.T, records []byte, logAppendTime, sealed bool) {
		if sealed && len(records) >= protocol.BatchOverhead {
			records = bytes.Clone(records)
			records[magicAt] = 2
			protocol.SealBatch(records) // so that more than the CRC is tried
		}
		cfg := defaults()
		cfg.LogAppendTime = logAppendTime
		d := protocol.Decompressor{Limit: 1 << 20}
		now := time.UnixMilli(1_700_000_000_000)
		Inspect(9, records)
		Inspect(6, records)
		var batch Batch
		if batch.Validate(&cfg, &d, now, &Produced{Topic: "t", Version: 9, Records: records}) != nil {
			return
		}
		p := New()
		var done Appended
		p.Append(now, &cfg, &batch, &done)
		if done.Refusal != nil || p.LogEndOffset() != int64(batch.Header.NumRecords) {
			t.Fatalf("a valid batch of %d records was refused by an empty partition: %+v", batch.Header.NumRecords, done)
		}
		var r Read
		p.Read(&r, From{LastEpoch: -1, MaxBytes: 1 << 30, MinOne: true})
		kept := bytes.Join(r.Batches, nil)
		h, _ := protocol.ParseBatchHeader(kept)
		if h.CRC != protocol.BatchCRC(kept) || h.Size() != len(kept) || h.LogAppendTime() != logAppendTime {
			t.Fatalf("kept as %+v in %d bytes", h, len(kept))
		}
		if !bytes.Equal(kept[protocol.BatchOverhead:], batch.Bytes[protocol.BatchOverhead:]) {
			t.Fatal("the records were changed")
		}
		if h.MaxTimestampMs >= 0 && p.FindOffset(MaxTimestamp, &d).TimestampMs != h.MaxTimestampMs {
			t.Fatalf("max timestamp %d is not found", h.MaxTimestampMs)
		}
		p.FindOffset(0, &d)
		p.Records(0, 10)
	})
}
