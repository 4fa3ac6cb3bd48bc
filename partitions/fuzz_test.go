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
		f.Add(goodBatch(f, codec), false, false, byte(255))
		f.Add(goodBatch(f, codec), true, true, byte(codec))
		f.Add(goodBatch(f, codec), false, true, byte(codec+1)%5)
	}
	f.Add(withMagic(goodBatch(f, 0), 1), true, true, byte(2))
	f.Fuzz(func(t *testing.T, records []byte, logAppendTime, sealed bool, target byte) {
		if sealed && len(records) >= protocol.BatchOverhead {
			records = bytes.Clone(records)
			records[magicAt] = 2
			protocol.SealBatch(records) // so that more than the CRC is tried
		}
		came := bytes.Clone(records)
		cfg := defaults()
		cfg.LogAppendTime = logAppendTime
		cfg.Recompress, cfg.Compression.Codec = target <= byte(protocol.CodecZstd), protocol.Codec(target)
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
		if !bytes.Equal(came, records) {
			t.Fatal("what the client sent was changed")
		}
		if cfg.Recompress {
			sameRecords(t, records, kept, cfg.Compression.Codec)
		}
		if newest, code := p.FindOffset(&cfg, MaxTimestamp, &d); h.MaxTimestampMs >= 0 && newest.TimestampMs != h.MaxTimestampMs {
			t.Fatalf("max timestamp %d is not found: %v", h.MaxTimestampMs, code)
		}
		p.FindOffset(&cfg, 0, &d)
		p.Records(0, 10)
	})
}

// sameRecords sees that a batch that was compressed anew has the codec, and the records that it
// came with.
func sameRecords(t *testing.T, came, kept []byte, codec protocol.Codec) {
	h, _ := protocol.ParseBatchHeader(kept)
	old, _ := protocol.ParseBatchHeader(came)
	if h.Codec() != codec {
		t.Fatalf("%v was asked for, and %v is kept", codec, h.Codec())
	}
	if old.Codec() == codec {
		return // nothing was written anew
	}
	before, _, err := protocol.DecodeBatch(nil, came, nil)
	if err != nil {
		t.Fatalf("a batch that cannot be read was taken: %v", err)
	}
	after, rest, err := protocol.DecodeBatch(nil, kept, nil)
	if err != nil || len(rest) > 0 || len(before) != len(after) || h.LastOffsetDelta != h.NumRecords-1 {
		t.Fatalf("%d records became %d, %v", len(before), len(after), err)
	}
	for i, b := range before {
		a := after[i]
		if a.Offset != int64(i) || string(a.Key) != string(b.Key) || string(a.Value) != string(b.Value) || len(a.Headers) != len(b.Headers) ||
			!h.LogAppendTime() && a.TimestampMs != b.TimestampMs {
			t.Fatalf("record %d was %+v and is %+v", i, b, a)
		}
	}
}
