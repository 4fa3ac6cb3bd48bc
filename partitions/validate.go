package partitions

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"klamm/protocol"
)

// Produced is the records field of one partition of a Produce request, and whose it is.
type Produced struct {
	Topic     string
	Partition int32
	Version   int16 // of the request
	Records   []byte
	Tried     bool // goes to Batch
	// Compressor compresses the batch anew where its topic asks for another codec. It is the
	// caller's, the batch stays in it until its next use, and it may be nil.
	Compressor *protocol.Compressor
}

// maxRecordErrors bounds how many records of a batch are named in a refusal, because
// a small compressed batch can hold very many. Kafka names them all.
const maxRecordErrors = 10_000

// Validate does the part of an append that needs no lock: it checks the records
// field of a Produce request as Kafka does (one batch, magic 2, sizes, CRC, codec,
// count, each record, timestamps) and fills b, or says why it refuses. The bytes are
// not changed and not copied, unless compression.type asks for another codec; what follows
// the batch and is none itself is cut off. d is the caller's, and may be nil.
// It mirrors ProduceRequest.validateRecords, UnifiedLog.analyzeAndValidateRecords
// and org.apache.kafka.storage.internals.log.LogValidator, in this order.
func (b *Batch) Validate(cfg *Config, d *protocol.Decompressor, now time.Time, in *Produced) *Refusal {
	size, code := oneBatch(in.Version, in.Records)
	if code != protocol.None {
		return &Refusal{Code: code}
	}
	b.Bytes, b.Tried = in.Records[:size], in.Tried
	var ok bool
	if b.Header, ok = protocol.ParseBatchHeader(b.Bytes); !ok {
		return &Refusal{Code: protocol.CorruptMessage}
	}
	if refused := b.checkHeader(cfg); refused != nil {
		return refused
	}
	if cfg.Recompress && cfg.Compression.Codec != b.Header.Codec() {
		return b.recompress(cfg, d, now, in)
	}
	return b.checkRecords(cfg, d, now, in)
}

// CheckField is the part of Validate that Kafka does before it turns to the log, for an
// answer that does not depend on it: the field must hold one batch of magic 2.
func CheckField(version int16, records []byte) protocol.ErrorCode {
	_, code := oneBatch(version, records)
	return code
}

// oneBatch returns the size of the one batch of magic 2 that the field must hold.
func oneBatch(version int16, records []byte) (int, protocol.ErrorCode) {
	size, problem := nextBatch(records)
	switch {
	case problem != "":
		return 0, protocol.CorruptMessage
	case size == 0 || records[magicAt] != 2:
		return 0, protocol.InvalidRecord
	}
	codec := protocol.Codec(records[attributesAt+1]) & protocol.Codec(protocol.AttrCodec)
	if version < 7 && codec == protocol.CodecZstd {
		return 0, protocol.UnsupportedCompressionType
	}
	next, problem := nextBatch(records[size:])
	switch {
	case problem != "":
		return 0, protocol.CorruptMessage
	case next > 0:
		return 0, protocol.InvalidRecord
	}
	return size, protocol.None
}

// checkHeader checks all that the header alone can tell; nil means that it is well.
func (b *Batch) checkHeader(cfg *Config) *Refusal {
	h := &b.Header
	switch {
	case h.BaseOffset != 0:
		return refusedByLog(protocol.InvalidRecord)
	case len(b.Bytes) > cfg.MaxMessageBytes:
		return &Refusal{Code: protocol.MessageTooLarge}
	case h.CRC != protocol.BatchCRC(b.Bytes):
		return &Refusal{Code: protocol.CorruptMessage}
	case !h.Codec().Known():
		return refusedByLog(protocol.UnknownServerError)
	case h.NumRecords <= 0 || int64(h.LastOffsetDelta)+1 != int64(h.NumRecords):
		return refusedByLog(protocol.InvalidRecord)
	case h.Control():
		return refusedByLog(protocol.InvalidRecord)
	case h.HasProducer() && h.BaseSequence < 0:
		return refusedByLog(protocol.InvalidRecord)
	}
	return nil
}

// checkRecords looks at each record, and settles the batch's timestamp type and
// max timestamp.
func (b *Batch) checkRecords(cfg *Config, d *protocol.Decompressor, now time.Time, in *Produced) *Refusal {
	h := &b.Header
	compressed := h.Codec() != protocol.CodecNone
	reader := protocol.ReadRecords(b.Bytes[protocol.BatchOverhead:], h.NumRecords)
	if compressed {
		payload, err := b.decompress(d)
		if err != nil {
			return refuseCompressed(err)
		}
		reader = protocol.SkimRecords(payload, h.NumRecords)
		if refused := checkSizes(cfg, reader); refused != nil {
			return refused
		}
	}
	nowMs := now.UnixMilli()
	check := recordCheck{cfg: cfg, nowMs: nowMs, compressed: compressed, batchTime: h.LogAppendTime(), maxMs: protocol.NoTimestampMs}
	inOrder := check.records(&reader, h, in)
	if err := reader.Err(); err != nil {
		if errors.Is(err, protocol.ErrRecordSize) {
			return refusedByLog(protocol.UnknownServerError)
		}
		return refusedByLog(protocol.InvalidRecord)
	}
	if check.count > 0 {
		return check.refusal()
	}
	if compressed && !inOrder {
		// Kafka sets out to write the batch anew and fails, for it kept no keys and values.
		return refusedByLog(protocol.UnknownServerError)
	}
	if cfg.LogAppendTime {
		h.Attributes |= protocol.AttrLogAppendTime
		h.MaxTimestampMs = nowMs
		b.NewestDelta = check.firstDelta
	} else {
		h.Attributes &^= protocol.AttrLogAppendTime
		h.MaxTimestampMs = check.maxMs
		b.NewestDelta = check.maxDelta
	}
	return nil
}

// decompress returns the plain records of a compressed batch, which are d's.
func (b *Batch) decompress(d *protocol.Decompressor) ([]byte, error) {
	if d == nil {
		d = new(protocol.Decompressor)
	}
	return d.Decompress(b.Header.Codec(), b.Bytes[protocol.BatchOverhead:])
}

// recordLimit is the largest record of a compressed batch that is read, in bytes; 0 is no limit.
func (cfg *Config) recordLimit() int {
	if cfg.MaxDecompressed == protocol.LargestRecord {
		return 0
	}
	return cfg.MaxDecompressed
}

// checkSizes refuses a record of a compressed batch above max.decompressed.message.bytes. It
// is a walk of its own, for hardly anybody sets that.
func checkSizes(cfg *Config, r protocol.RecordReader) *Refusal {
	limit := cfg.recordLimit()
	if limit == 0 {
		return nil
	}
	var v protocol.RecordView
	for {
		if r.NextSize() > limit {
			return refusedByLog(protocol.InvalidRecord)
		}
		if !r.Next(&v) {
			return nil
		}
	}
}

// refusedByLog is what the log refuses without a word.
func refusedByLog(code protocol.ErrorCode) *Refusal { return &Refusal{Code: code, ByLog: true} }

// refuseCompressed is the answer to a payload that its codec cannot read. Kafka has
// none of its own for it. It reads on without end where ErrTooLarge stands; a client
// that is told MESSAGE_TOO_LARGE splits the batch.
func refuseCompressed(err error) *Refusal {
	if errors.Is(err, protocol.ErrTooLarge) {
		return &Refusal{Code: protocol.MessageTooLarge}
	}
	return refusedByLog(protocol.UnknownServerError)
}

// recordCheck is the walk over the records of one batch.
type recordCheck struct {
	cfg                  *Config
	nowMs                int64
	compressed           bool
	batchTime            bool  // the batch says that its records bear the time of an append
	maxMs                int64 // the largest timestamp, -1 at least
	maxDelta, firstDelta int32 // offset deltas of the first record that has it, and of the first of all
	errors               []RecordError
	count                int // of records with an error, named or not
	untimely             bool
}

// records walks, and tells whether the offsets of the records count up from 0.
func (c *recordCheck) records(r *protocol.RecordReader, h *protocol.BatchHeader, in *Produced) (inOrder bool) {
	var v protocol.RecordView
	inOrder = true
	needKey, ownTime := c.cfg.Compacted, !c.cfg.LogAppendTime
	for i := c.ordinary(r, h); r.Next(&v); i++ {
		timestampMs := h.BaseTimestampMs + v.TimestampDelta
		if c.batchTime {
			timestampMs = h.MaxTimestampMs
		}
		if i == 0 { // else it was ordinary, which is 0
			c.firstDelta = v.OffsetDelta
		}
		if timestampMs > c.maxMs {
			c.maxMs, c.maxDelta = timestampMs, v.OffsetDelta
		}
		if v.OffsetDelta != i {
			inOrder = false
		}
		if needKey && v.Key == nil || c.batchTime || ownTime && c.outOfRange(timestampMs) {
			c.judge(i, &v, timestampMs, in)
		}
	}
	return inOrder
}

// ordinary steps over the records at the start of a batch that need no look at each of
// them, and returns how many there are.
func (c *recordCheck) ordinary(r *protocol.RecordReader, h *protocol.BatchHeader) int32 {
	const far = 1 << 60 // so that no sum of times overflows
	if c.compressed || c.batchTime || h.BaseTimestampMs < 0 || h.BaseTimestampMs > far {
		return 0
	}
	o := r.Ordinary()
	oldest, newest := h.BaseTimestampMs+o.MinDelta, h.BaseTimestampMs+o.MaxDelta
	switch {
	case o.Count == 0, c.cfg.Compacted && o.Keyless:
		return 0
	case !c.cfg.LogAppendTime && (c.outOfRange(oldest) || c.outOfRange(newest)):
		return 0
	}
	r.Skip(&o)
	if newest > c.maxMs {
		c.maxMs, c.maxDelta = newest, o.MaxAt
	}
	return o.Count
}

// judge decides on a record that something may be wrong with.
func (c *recordCheck) judge(i int32, v *protocol.RecordView, timestampMs int64, in *Produced) {
	switch {
	case c.cfg.Compacted && v.Key == nil:
		c.add(i, fmt.Sprintf("Compacted topic cannot accept message without key in topic partition %s-%d", in.Topic, in.Partition))
	case !c.cfg.LogAppendTime && timestampMs != protocol.NoTimestampMs:
		if c.outOfRange(timestampMs) {
			c.untimely = true
			c.add(i, fmt.Sprintf("Timestamp %d of message with offset %d is out of range. The timestamp should be within [%d, %d]",
				timestampMs, v.OffsetDelta, c.nowMs-c.cfg.TimestampBeforeMaxMs, c.nowMs+c.cfg.TimestampAfterMaxMs))
		}
	case c.batchTime:
		c.untimely = true
		c.add(i, fmt.Sprintf("Invalid timestamp type in message %s. Producer should not set timestamp type to LogAppendTime.",
			c.describe(v, timestampMs)))
	}
}

// outOfRange compares as Kafka does, differences that overflow included.
func (c *recordCheck) outOfRange(timestampMs int64) bool {
	age := c.nowMs - timestampMs
	return age > c.cfg.TimestampBeforeMaxMs || -age > c.cfg.TimestampAfterMaxMs
}

// describe is the text of Kafka's record, of which there are two kinds.
func (c *recordCheck) describe(v *protocol.RecordView, timestampMs int64) string {
	kind, key, value := "DefaultRecord", len(v.Key), len(v.Value)
	if c.compressed {
		kind = "PartialDefaultRecord"
		if v.Key == nil {
			key = -1
		}
		if v.Value == nil {
			value = -1
		}
	}
	return fmt.Sprintf("%s(offset=%d, timestamp=%d, key=%d bytes, value=%d bytes)", kind, v.OffsetDelta, timestampMs, key, value)
}

func (c *recordCheck) add(index int32, message string) {
	c.count++
	if len(c.errors) < maxRecordErrors {
		c.errors = append(c.errors, RecordError{Index: index, Message: message})
	}
}

func (c *recordCheck) refusal() *Refusal {
	if c.untimely {
		return &Refusal{
			Code: protocol.InvalidTimestamp, ByLog: true, Records: c.errors,
			Message: "One or more records have been rejected due to invalid timestamp",
		}
	}
	var first []string
	for _, e := range c.errors[:min(3, len(c.errors))] {
		first = append(first, fmt.Sprintf("RecordError(batchIndex=%d, message='%s')", e.Index, e.Message))
	}
	return &Refusal{
		Code: protocol.InvalidRecord, ByLog: true, Records: c.errors,
		Message: fmt.Sprintf("One or more records have been rejected due to %d record errors in total, and only showing the first three errors at most: [%s]",
			c.count, strings.Join(first, ", ")),
	}
}
