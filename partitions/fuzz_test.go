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
	var pack protocol.Compressor
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
		for codec := protocol.CodecNone; codec <= protocol.CodecZstd; codec++ {
			compressedAnew(t, &cfg, codec, &pack, records, now)
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
		if newest, code := p.FindOffset(&cfg, MaxTimestamp, &d); h.MaxTimestampMs >= 0 && newest.TimestampMs != h.MaxTimestampMs {
			t.Fatalf("max timestamp %d is not found: %v", h.MaxTimestampMs, code)
		}
		p.FindOffset(&cfg, 0, &d)
		p.Records(0, 10)
	})
}

// compressedAnew produces records that are valid to a topic with a codec of its own: what is
// kept has the same records.
func compressedAnew(t *testing.T, cfg *Config, codec protocol.Codec, pack *protocol.Compressor, records []byte, now time.Time) {
	own := *cfg
	own.Compression = Compression{Own: true, Codec: codec}
	d := protocol.Decompressor{Limit: 1 << 20}
	var batch Batch
	if refused := batch.Validate(&own, &d, now, &Produced{Topic: "t", Version: 9, Records: records, Compressor: pack}); refused != nil {
		return // too large by now, or a record whose size is wrong, which only some look at
	}
	if batch.Header.Codec() != codec {
		t.Fatalf("kept as %+v", batch.Header)
	}
	want, _, err := protocol.DecodeBatch(nil, records, &d)
	if err != nil {
		return // which skimming did not see
	}
	got, rest, err := protocol.DecodeBatch(nil, batch.Bytes, &d)
	if err != nil || len(rest) > 0 || len(got) != len(want) {
		t.Fatalf("%d records became %d: %v", len(want), len(got), err)
	}
	for i := range got {
		if !bytes.Equal(got[i].Key, want[i].Key) || !bytes.Equal(got[i].Value, want[i].Value) || len(got[i].Headers) != len(want[i].Headers) ||
			got[i].TimestampMs != want[i].TimestampMs && !own.LogAppendTime {
			t.Fatalf("record %d is %+v, was %+v", i, got[i], want[i])
		}
	}
}
