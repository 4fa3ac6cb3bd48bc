package partitions

import (
	"slices"
	"testing"
	"time"

	"klamm/protocol"
)

// benchConfig has no limits: what is measured is not cleaning.
var benchConfig = Config{}

var benchNow = time.UnixMilli(1_700_000_000_000)

// benchBatch is a batch of about 16 KiB with records of 100 bytes.
func benchBatch(b *testing.B) []byte {
	return buildBatch(b, protocol.PlainBatch(), benchNow, 148, 100)
}

// BenchmarkStoring is the limit of BenchmarkAppend: CRC and copy into chunks of 1 MiB.
func BenchmarkStoring(b *testing.B) {
	batch := benchBatch(b)
	var chunks [][]byte
	b.SetBytes(int64(len(batch)))
	for i := 0; b.Loop(); i++ {
		if h, _ := protocol.ParseBatchHeader(batch); h.CRC != protocol.BatchCRC(batch) {
			b.Fatal("bad CRC")
		}
		if i%(1<<14) == 0 {
			chunks = nil
		}
		if n := len(chunks); n == 0 || cap(chunks[n-1])-len(chunks[n-1]) < len(batch) {
			chunks = append(chunks, make([]byte, 0, 1<<20))
		}
		last := &chunks[len(chunks)-1]
		*last = append(*last, batch...)
	}
}

func BenchmarkAppend(b *testing.B) {
	batch, cfg := benchBatch(b), defaults()
	in := Produced{Topic: "t", Version: 9, Records: batch}
	p := New()
	b.SetBytes(int64(len(batch)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%(1<<14) == 0 {
			p = New()
		}
		var checked Batch
		refusal := checked.Validate(&cfg, nil, benchNow, &in)
		if refusal != nil {
			b.Fatal(refusal)
		}
		p.Append(benchNow, &benchConfig, &checked, new(Appended))
	}
}

func BenchmarkValidate(b *testing.B) {
	batch, cfg := benchBatch(b), defaults()
	in := Produced{Topic: "t", Version: 9, Records: batch}
	b.SetBytes(int64(len(batch)))
	b.ReportAllocs()
	for b.Loop() {
		if refusal := new(Batch).Validate(&cfg, nil, benchNow, &in); refusal != nil {
			b.Fatal(refusal)
		}
	}
}

func BenchmarkValidateCompressed(b *testing.B) {
	for codec := protocol.CodecGzip; codec <= protocol.CodecZstd; codec++ {
		b.Run(codec.String(), func(b *testing.B) {
			h := protocol.PlainBatch()
			h.Attributes = int16(codec)
			cfg := defaults()
			in := Produced{Topic: "t", Version: 9, Records: buildBatch(b, h, benchNow, 148, 100)}
			var d protocol.Decompressor
			b.ReportAllocs()
			for b.Loop() {
				if refusal := new(Batch).Validate(&cfg, &d, benchNow, &in); refusal != nil {
					b.Fatal(refusal)
				}
			}
		})
	}
}

func BenchmarkAppendIdempotent(b *testing.B) {
	h := protocol.PlainBatch()
	h.ProducerID, h.ProducerEpoch, h.BaseSequence = 7, 0, 0
	checked := Batch{Bytes: buildBatch(b, h, benchNow, 1, 100)}
	checked.Header, _ = protocol.ParseBatchHeader(checked.Bytes)
	p := New()
	b.ReportAllocs()
	for i := int32(0); b.Loop(); i++ {
		if i%(1<<14) == 0 {
			p, i = New(), 0
		}
		checked.Header.BaseSequence = i
		var done Appended
		if p.Append(benchNow, &benchConfig, &checked, &done); done.Refusal != nil {
			b.Fatal(done.Refusal)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	p := New()
	checked := Batch{Bytes: benchBatch(b)}
	checked.Header, _ = protocol.ParseBatchHeader(checked.Bytes)
	for range 1 << 12 {
		p.Append(benchNow, &benchConfig, &checked, new(Appended))
	}
	var r Read
	b.ReportAllocs()
	for i := int64(0); b.Loop(); i++ {
		p.Read(&r, From{Offset: i * 7919 % p.LogEndOffset(), LastEpoch: -1, MaxBytes: 1 << 20, MinOne: true})
	}
}

// large is a size at which a log that slows down as it grows would show it.
const large = 1 << 30

// BenchmarkLargeAppend appends to a log that has just begun and to one that holds 1 GiB, in
// turn, and tells how fast the large one is beside the small one: 1 is as fast. What is too
// old goes away, as fast as the logs grow.
func BenchmarkLargeAppend(b *testing.B) {
	checked := benchLogBatch(b)
	appends := func(held int64) func() {
		cfg := &Config{SegmentBytes: 16 << 20, IndexIntervalBytes: 4096, Deletes: true, RetentionMs: -1, RetentionBytes: held + 32<<20}
		p := benchLog(checked, held)
		return func() {
			for range 256 {
				p.Append(benchNow, cfg, checked, new(Appended))
			}
			p.ApplyRetention(benchNow, cfg)
		}
	}
	inTurn(b, appends(0), appends(large))
}

// BenchmarkLargeRead reads at the start and at the end of a log of 1 GiB, in turn, and tells
// how fast the end is beside the start.
func BenchmarkLargeRead(b *testing.B) {
	p := benchLog(benchLogBatch(b), large)
	reads := func(from int64) func() {
		var r Read
		return func() {
			for i := range int64(2000) {
				p.Read(&r, From{Offset: from + i, LastEpoch: -1, MaxBytes: 100_000, MinOne: true})
			}
		}
	}
	inTurn(b, reads(0), reads(p.LogEndOffset()-10_000))
}

// inTurn runs two things one after the other, time and again, so that what disturbs one
// disturbs the other, and reports how fast the second is in the median beside the first.
func inTurn(b *testing.B, first, second func()) {
	var took [2][]time.Duration
	for b.Loop() {
		for i, run := range []func(){first, second} {
			began := time.Now()
			run()
			took[i] = append(took[i], time.Since(began))
		}
	}
	median := func(ds []time.Duration) float64 {
		slices.Sort(ds)
		return float64(ds[len(ds)/2])
	}
	b.ReportMetric(median(took[0])/median(took[1]), "end/start")
}

func benchLogBatch(b *testing.B) *Batch {
	checked := &Batch{Bytes: benchBatch(b)}
	checked.Header, _ = protocol.ParseBatchHeader(checked.Bytes)
	return checked
}

// benchLog is a log full of a batch.
func benchLog(batch *Batch, size int64) *Partition {
	p, cfg := New(), &Config{SegmentBytes: 16 << 20, IndexIntervalBytes: 4096}
	for p.Size() < size {
		p.Append(benchNow, cfg, batch, new(Appended))
	}
	return p
}
