package partitions

import (
	"klamm/protocol"
)

// Compression is what the batches of a topic are compressed with (compression.type,
// org.apache.kafka.server.record.BrokerCompressionType). The zero value leaves it to the
// producers.
type Compression struct {
	Own   bool           // the topic has a codec of its own: Codec
	Codec protocol.Codec // of Own; CodecNone is compression.type=uncompressed
	Level int            // that it is written at, as protocol.Compressor has it
}

// changes tells whether a batch of that codec is written anew.
func (c Compression) changes(codec protocol.Codec) bool { return c.Own && c.Codec != codec }

// recompress writes the batch anew in the codec of the topic. Its records are those that
// payload has, which have been looked at; their offsets count up, whatever they were, and
// the time of the first is the base of the others (LogValidator.buildRecordsAndAssignOffsets).
func (b *Batch) recompress(cfg *Config, pack *protocol.Compressor, payload []byte) *Refusal {
	if pack == nil {
		pack = new(protocol.Compressor)
	}
	h := b.Header
	was, _ := protocol.ParseBatchHeader(b.Bytes)
	plain := make([]byte, 0, len(payload))
	var v protocol.RecordView
	records := protocol.ReadRecords(payload, h.NumRecords)
	for i := int32(0); records.Next(&v); i++ {
		atMs := was.BaseTimestampMs + v.TimestampDelta
		if was.LogAppendTime() {
			atMs = was.MaxTimestampMs
		}
		if i == 0 {
			h.BaseTimestampMs = atMs
		}
		v.OffsetDelta, v.TimestampDelta = i, atMs-h.BaseTimestampMs
		plain = protocol.AppendRecordView(plain, &v)
	}
	h.Attributes = h.Attributes&^protocol.AttrCodec | int16(cfg.Compression.Codec)
	out, err := pack.AppendLevel(h.Append(nil), cfg.Compression.Codec, cfg.Compression.Level, plain)
	switch {
	case err != nil:
		panic("partitions: " + err.Error()) // codec and level have been checked when they were set
	case len(out) > cfg.MaxMessageBytes:
		return &Refusal{Code: protocol.MessageTooLarge}
	}
	protocol.SealBatch(out)
	b.Bytes = out
	b.Header, _ = protocol.ParseBatchHeader(out)
	return nil
}
