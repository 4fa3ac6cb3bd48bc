package partitions

import (
	"errors"
	"time"

	"klamm/protocol"
)

// recompress checks the records of a batch whose topic asks for another codec than its
// producer chose, and writes them anew. As all of them are read then, offsets that do not count
// up are no error, and sizes in front of records have to be true. It mirrors
// LogValidator.validateMessagesAndAssignOffsetsCompressed and buildRecordsAndAssignOffsets.
func (b *Batch) recompress(cfg *Config, d *protocol.Decompressor, now time.Time, in *Produced) *Refusal {
	h := &b.Header
	compressed := h.Codec() != protocol.CodecNone
	payload := b.Bytes[protocol.BatchOverhead:]
	if compressed {
		var err error
		if payload, err = b.decompress(d); err != nil {
			return refuseCompressed(err)
		}
	}
	reader := protocol.ReadRecords(payload, h.NumRecords)
	if compressed {
		if refused := checkSizes(cfg, reader); refused != nil {
			return refused
		}
	}
	check := recordCheck{cfg: cfg, nowMs: now.UnixMilli(), batchTime: h.LogAppendTime(), maxMs: protocol.NoTimestampMs}
	walked := reader
	check.records(&walked, h, in)
	if err := walked.Err(); err != nil {
		if errors.Is(err, protocol.ErrRecordSize) && !compressed {
			return refusedByLog(protocol.UnknownServerError)
		}
		return refusedByLog(protocol.InvalidRecord)
	}
	if check.count > 0 {
		return check.refusal()
	}
	return b.rebuild(cfg, check.nowMs, reader, in.Compressor)
}

// rebuild writes the batch anew. What Kafka's writer will not write is an error that it did not
// foresee, and that error comes before the one of a batch that has become too large.
func (b *Batch) rebuild(cfg *Config, nowMs int64, records protocol.RecordReader, c *protocol.Compressor) *Refusal {
	h := &b.Header
	if h.Transactional() && h.ProducerID == protocol.NoProducerID ||
		h.ProducerID != protocol.NoProducerID && (h.ProducerEpoch == protocol.NoProducerEpoch || h.BaseSequence < 0) {
		return refusedByLog(protocol.UnknownServerError)
	}
	if c == nil {
		c = new(protocol.Compressor)
	}
	appendTimeMs, maxPlain := int64(-1), protocol.DecompressLimit
	if cfg.LogAppendTime {
		appendTimeMs = nowMs
	}
	if cfg.Compression.Codec == protocol.CodecNone {
		maxPlain = min(maxPlain, cfg.MaxMessageBytes) // what is larger is refused below all the same
	}
	batch, newest, err := c.Rebuild(*h, cfg.Compression, appendTimeMs, maxPlain, records)
	switch {
	case errors.Is(err, protocol.ErrTooLarge), err == nil && len(batch) > cfg.MaxMessageBytes:
		return &Refusal{Code: protocol.MessageTooLarge}
	case err != nil:
		return refusedByLog(protocol.UnknownServerError)
	}
	b.Bytes, b.NewestDelta = batch, newest
	b.Header, _ = protocol.ParseBatchHeader(batch)
	return nil
}
