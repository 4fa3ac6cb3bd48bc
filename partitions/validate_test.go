package partitions

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"klamm/protocol"
)

// goodBatch is three records that nothing is wrong with, of the codec given.
func goodBatch(tb testing.TB, codec protocol.Codec) []byte {
	h := protocol.PlainBatch()
	h.Attributes = int16(codec)
	return buildBatch(tb, h, time.UnixMilli(1000), 3, 10)
}

// withHeader is a batch with another header, sealed again.
func withHeader(batch []byte, change func(h *protocol.BatchHeader)) []byte {
	h, _ := protocol.ParseBatchHeader(batch)
	change(&h)
	b := append(h.Append(nil), batch[protocol.BatchOverhead:]...)
	protocol.SealBatch(b)
	return b
}

// withBytes is a copy of a batch with some bytes changed, not sealed.
func withBytes(batch []byte, change func(b []byte)) []byte {
	b := bytes.Clone(batch)
	change(b)
	return b
}

func withLength(batch []byte, length int32) []byte {
	return withBytes(batch, func(b []byte) { binary.BigEndian.PutUint32(b[8:], uint32(length)) })
}

func withMagic(batch []byte, magic byte) []byte {
	return withBytes(batch, func(b []byte) { b[magicAt] = magic })
}

// What is wanted is what Apache Kafka 4.4.0 answers to the same bytes.
func TestValidate(t *testing.T) {
	good := goodBatch(t, protocol.CodecNone)
	header := func(change func(h *protocol.BatchHeader)) []byte { return withHeader(good, change) }
	corrupt, invalid := Refusal{Code: protocol.CorruptMessage}, Refusal{Code: protocol.InvalidRecord}
	invalidByLog, unknownByLog := Refusal{Code: protocol.InvalidRecord, ByLog: true}, Refusal{Code: protocol.UnknownServerError, ByLog: true}
	for _, tc := range []struct {
		name    string
		records []byte
		want    Refusal
	}{
		{"good", good, Refusal{}},
		{"null", nil, invalid},
		{"empty", []byte{}, invalid},
		{"11 bytes", good[:11], invalid},
		{"17 bytes", good[:17], invalid},
		{"one byte short", good[:len(good)-1], invalid},
		{"one byte more", append(bytes.Clone(good), 0), Refusal{}},
		{"a part of a batch behind it", append(bytes.Clone(good), good[:40]...), Refusal{}},
		{"zeros behind it", append(bytes.Clone(good), make([]byte, 20)...), corrupt},
		{"two batches", append(bytes.Clone(good), good...), invalid},
		{"magic 0", withMagic(good, 0), invalid},
		{"magic 1", withMagic(good, 1), invalid},
		{"magic 3", withMagic(good, 3), corrupt},
		{"magic -1", withMagic(good, 255), corrupt},
		{"CRC", withBytes(good, func(b []byte) { b[17] ^= 1 }), corrupt},
		{"length -1", withLength(good, -1), corrupt},
		{"length 13", withLength(good, 13), corrupt},
		{"length 14", withLength(good, 14), corrupt},
		{"length 48, all there is", withLength(good[:60], 48), corrupt},
		{"length beyond the end", withLength(good, 1<<30), invalid},
		{"no records", withHeader(good[:61], func(h *protocol.BatchHeader) {}), invalidByLog},
		{"too large", buildBatch(t, protocol.PlainBatch(), time.UnixMilli(1000), 100, 100), Refusal{Code: protocol.MessageTooLarge}},
		{"base offset 1", header(func(h *protocol.BatchHeader) { h.BaseOffset = 1 }), invalidByLog},
		{"count 0", header(func(h *protocol.BatchHeader) { h.NumRecords, h.LastOffsetDelta = 0, -1 }), invalidByLog},
		{"count -1", header(func(h *protocol.BatchHeader) { h.NumRecords, h.LastOffsetDelta = -1, -2 }), invalidByLog},
		{"count and last offset delta", header(func(h *protocol.BatchHeader) { h.NumRecords = 2 }), invalidByLog},
		{"two records of three", header(func(h *protocol.BatchHeader) { h.NumRecords, h.LastOffsetDelta = 2, 1 }), invalidByLog},
		{"four records of three", header(func(h *protocol.BatchHeader) { h.NumRecords, h.LastOffsetDelta = 4, 3 }), invalidByLog},
		{"control", header(func(h *protocol.BatchHeader) { h.Attributes |= protocol.AttrControl }), invalidByLog},
		{"transactional", header(func(h *protocol.BatchHeader) {
			h.Attributes |= protocol.AttrTransactional
			h.ProducerID, h.ProducerEpoch, h.BaseSequence = 5, 0, 0
		}), Refusal{}},
		{"transactional without producer", header(func(h *protocol.BatchHeader) { h.Attributes |= protocol.AttrTransactional }), Refusal{}},
		{"log append time", header(func(h *protocol.BatchHeader) { h.Attributes |= protocol.AttrLogAppendTime }), Refusal{}},
		{"delete horizon", header(func(h *protocol.BatchHeader) { h.Attributes |= protocol.AttrDeleteHorizon }), Refusal{}},
		{"unknown attributes", header(func(h *protocol.BatchHeader) { h.Attributes |= 0x7f00 }), Refusal{}},
		{"codec 5", header(func(h *protocol.BatchHeader) { h.Attributes = 5 }), unknownByLog},
		{"gzip that is none", header(func(h *protocol.BatchHeader) { h.Attributes = 1 }), unknownByLog},
		{"snappy that is none", header(func(h *protocol.BatchHeader) { h.Attributes = 2 }), unknownByLog},
		{"lz4 that is none", header(func(h *protocol.BatchHeader) { h.Attributes = 3 }), unknownByLog},
		{"zstd that is none", header(func(h *protocol.BatchHeader) { h.Attributes = 4 }), unknownByLog},
		{"producer without sequence", header(func(h *protocol.BatchHeader) { h.ProducerID = 7 }), invalidByLog},
		{"producer -2", header(func(h *protocol.BatchHeader) { h.ProducerID = -2 }), Refusal{}},
		{"sequence without producer", header(func(h *protocol.BatchHeader) { h.BaseSequence = 5 }), Refusal{}},
		{"far past", header(func(h *protocol.BatchHeader) { h.BaseTimestampMs = -100 }), Refusal{}},
	} {
		cfg := defaults()
		cfg.MaxMessageBytes = 2000
		var got Refusal
		if refusal := new(Batch).Validate(&cfg, nil, time.UnixMilli(1000), &Produced{Topic: "t", Version: 9, Records: tc.records}); refusal != nil {
			got = *refusal
		}
		if got.Code != tc.want.Code || got.ByLog != tc.want.ByLog || got.Message != "" {
			t.Errorf("%s: %v %q, by the log: %v; want %v, by the log: %v", tc.name, got.Code, got.Message, got.ByLog, tc.want.Code, tc.want.ByLog)
		}
	}
}

func TestValidateOldVersions(t *testing.T) {
	cfg := defaults()
	for version := int16(3); version <= 13; version++ {
		in := Produced{Topic: "t", Version: version, Records: goodBatch(t, protocol.CodecZstd)}
		got := new(Batch).Validate(&cfg, nil, time.UnixMilli(1000), &in).ErrorCode()
		if want := version < 7; (got == protocol.UnsupportedCompressionType) != want {
			t.Errorf("zstd in version %d: %v", version, got)
		}
	}
}

// Offsets inside of a batch that do not count up are kept as they are, but in a
// compressed batch, which Kafka fails to write anew.
func TestValidateOffsetsOutOfOrder(t *testing.T) {
	payload := protocol.AppendRecord(nil, 1, 0, &protocol.Record{})
	payload = protocol.AppendRecord(payload, 0, 0, &protocol.Record{})
	for codec, want := range map[protocol.Codec]protocol.ErrorCode{
		protocol.CodecNone: protocol.None, protocol.CodecGzip: protocol.UnknownServerError, protocol.CodecLZ4: protocol.UnknownServerError,
	} {
		h := protocol.PlainBatch()
		h.Magic, h.Attributes, h.NumRecords, h.LastOffsetDelta = 2, int16(codec), 2, 1
		packed, err := new(protocol.Compressor).Append(h.Append(nil), codec, payload)
		if err != nil {
			t.Fatal(err)
		}
		protocol.SealBatch(packed)
		cfg := defaults()
		if got := new(Batch).Validate(&cfg, nil, time.UnixMilli(1000), &Produced{Version: 9, Records: packed}).ErrorCode(); got != want {
			t.Errorf("%v: %v, want %v", codec, got, want)
		}
	}
}

func TestValidateCutsWhatFollows(t *testing.T) {
	good, cfg := goodBatch(t, protocol.CodecNone), defaults()
	var b Batch
	refusal := b.Validate(&cfg, nil, time.UnixMilli(1000), &Produced{Version: 9, Records: append(bytes.Clone(good), "tail"...)})
	if refusal != nil || !bytes.Equal(b.Bytes, good) {
		t.Errorf("%d bytes are kept of %d, %v", len(b.Bytes), len(good), refusal)
	}
}

func TestValidateNamesFewOfManyRecords(t *testing.T) {
	cfg := defaults()
	cfg.Compacted, cfg.MaxMessageBytes = true, 10<<20
	records := make([]protocol.Record, 2*maxRecordErrors)
	batch, err := protocol.AppendBatch(nil, protocol.PlainBatch(), nil, records)
	if err != nil {
		t.Fatal(err)
	}
	refusal := new(Batch).Validate(&cfg, nil, time.UnixMilli(1000), &Produced{Topic: "t", Version: 9, Records: batch})
	if refusal.ErrorCode() != protocol.InvalidRecord || len(refusal.Records) != maxRecordErrors {
		t.Errorf("%v names %d records", refusal.Code, len(refusal.Records))
	}
}

func TestInspect(t *testing.T) {
	good := goodBatch(t, protocol.CodecNone)
	transactional := withHeader(good, func(h *protocol.BatchHeader) { h.Attributes |= protocol.AttrTransactional })
	for _, tc := range []struct {
		name          string
		version       int16
		records       []byte
		transactional bool
		code          protocol.ErrorCode
		message       string
	}{
		{"good", 9, good, false, protocol.None, ""},
		{"null", 9, nil, false, protocol.None, ""},
		{"transactional", 9, transactional, true, protocol.None, ""},
		{"magic 1", 9, withMagic(transactional, 1), false, protocol.None, ""},
		{"magic 3", 9, withMagic(good, 3), false, protocol.CorruptMessage, "Invalid magic found in record: 3"},
		{"magic -1", 9, withMagic(good, 255), false, protocol.CorruptMessage, "Invalid magic found in record: -1"},
		{"length 13", 9, withLength(good, 13), false, protocol.CorruptMessage, "Record size 13 is less than the minimum record overhead (14)"},
		{"length 14, all there is", 9, withLength(good[:26], 14), false, protocol.UnknownServerError, ""},
		{"length 14 of more", 9, withLength(good, 14), false, protocol.None, ""},
		{"length 48, all there is", 9, withLength(good[:60], 48), false, protocol.None, ""},
		{"codec 5", 9, withHeader(good, func(h *protocol.BatchHeader) { h.Attributes = 5 }), false, protocol.None, ""},
		{"codec 5 of old", 6, withHeader(good, func(h *protocol.BatchHeader) { h.Attributes = 5 }), false, protocol.UnknownServerError, ""},
	} {
		got, refusal := Inspect(tc.version, tc.records)
		message := ""
		if refusal != nil {
			message = refusal.Message
		}
		if got != tc.transactional || refusal.ErrorCode() != tc.code || message != tc.message {
			t.Errorf("%s: transactional %v, %v %q", tc.name, got, refusal.ErrorCode(), message)
		}
	}
}
