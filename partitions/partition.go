package partitions

import (
	"time"

	"klamm/protocol"
)

// Config is what a topic's configuration means to the records of its partitions.
type Config struct {
	MaxMessageBytes      int   // max.message.bytes: the largest batch, header included
	LogAppendTime        bool  // message.timestamp.type=LogAppendTime
	TimestampBeforeMaxMs int64 // message.timestamp.before.max.ms
	TimestampAfterMaxMs  int64 // message.timestamp.after.max.ms
	Compacted            bool  // cleanup.policy has compact: every record needs a key
	// Recompress tells that compression.type names a codec, which every batch is to have, at
	// Compression's level; else each keeps its producer's.
	Recompress  bool
	Compression protocol.Compression
	// MaxDecompressed is max.decompressed.message.bytes, the largest record of a compressed
	// batch, without its size in front; 0: without limit.
	MaxDecompressed int

	SegmentBytes       int64 // segment.bytes; 0: without limit
	SegmentIndexBytes  int64 // segment.index.bytes: a segment whose index is full is left; 0: without limit
	IndexIntervalBytes int64 // index.interval.bytes: how much of a segment lies between two entries
	Deletes            bool  // cleanup.policy has delete: the two limits that follow count
	RetentionMs        int64 // retention.ms; negative: for ever
	RetentionBytes     int64 // retention.bytes; negative: without limit
	SegmentMs          int64 // segment.ms, by the timestamps of records; 0: without limit

	MinCompactionLagMs int64   // min.compaction.lag.ms: how old a record is at least when it is cleaned away
	MaxCompactionLagMs int64   // max.compaction.lag.ms: how old a segment may get that is not cleaned
	MinCleanableRatio  float64 // min.cleanable.dirty.ratio: of the log, how much has to be dirty
	DeleteRetentionMs  int64   // delete.retention.ms: how long tombstones and markers outlive the first cleaning

	// ProducerIDExpiration is how long a producer that is silent is remembered
	// (producer.id.expiration.ms, a config of the broker).
	ProducerIDExpiration time.Duration
	ProducerIDCheck      time.Duration // how often is looked for such producers (producer.id.expiration.check.interval.ms)
}

// Batch is one validated record batch, ready to be appended. Bytes aliases the
// request; Append copies them. Timestamp type and max timestamp of Header are those
// that the log is to have, and are patched in where Bytes says something else.
type Batch struct {
	Header protocol.BatchHeader
	Bytes  []byte
	// NewestDelta is the offset delta of the first record with the max timestamp.
	NewestDelta int32
	// Coordinated tells that a coordinator has written the batch, which has no sequence.
	Coordinated bool
	// Tried tells that TryTransaction was asked about the batch. If its transaction has
	// ended since then it is refused, as nobody would end what it began.
	Tried bool
}

// RecordError names one record of a batch that was refused, and why (KIP-467).
type RecordError struct {
	Index   int32
	Message string
}

// Refusal is why a batch or an append was refused; nil means that it was not.
// Message may be empty: Kafka then sends a null message.
type Refusal struct {
	Code    protocol.ErrorCode
	Message string
	Records []RecordError
	// ByLog tells that Kafka's log refused: the answer bears its log start offset,
	// which is else -1.
	ByLog bool
}

// ErrorCode is r's code; None when there is no refusal.
func (r *Refusal) ErrorCode() protocol.ErrorCode {
	if r == nil {
		return protocol.None
	}
	return r.Code
}

// Appended is where a batch went. Each number is -1 where there is none.
type Appended struct {
	BaseOffset      int64
	LogAppendTimeMs int64 // -1 with CreateTime
	LogStartOffset  int64
	Refusal         *Refusal
	// Duplicate tells that the batch had been appended before: the offset is the one
	// that it got then, and nothing new is in the log.
	Duplicate bool
}

// Partition is the log of one partition with its watermarks, leader epochs and
// producer states. The zero value is an empty one.
type Partition struct {
	log       log
	segments  segments
	size      int64        // bytes of batches in segments
	start     int64        // log start offset
	end       int64        // log end offset: that of the next record
	epoch     int32        // current leader epoch
	epochs    []epochStart // empty while there has been no epoch but the current one, from start on
	producers map[int64]*producer
	txns      transactions
	trying    map[int64]attempt // by producer id

	dirty       int64 // first dirty offset: that of the first record that no cleaning has seen
	uncleanable bool  // a batch cannot be read, so that neither compaction nor retention may touch the log
}

// New returns an empty partition with leader epoch 0.
func New() *Partition { return new(Partition) }

// LogStartOffset is the offset of the first record that can be read.
func (p *Partition) LogStartOffset() int64 { return p.start }

// LogEndOffset is the offset that the next record gets.
func (p *Partition) LogEndOffset() int64 { return p.end }

// HighWatermark is the offset below which records are safe to read. With one
// replica that is all of them.
func (p *Partition) HighWatermark() int64 { return p.end }

// Size is how many bytes of batches are in the segments of the log, headers included. Batches
// below the log start offset count until ApplyRetention deletes their segment, as in Kafka.
func (p *Partition) Size() int64 { return p.size }

// Segments is how many segments the log has.
func (p *Partition) Segments() int { return len(p.segments) }

// Append checks the producer's sequence and appends the batch: it is copied once,
// and base offset, leader epoch, timestamp type and max timestamp are patched in.
// The answer, which it fills in, may be that of an earlier append of the same batch. It
// mirrors org.apache.kafka.storage.internals.log.UnifiedLog.appendAsLeader.
func (p *Partition) Append(now time.Time, cfg *Config, b *Batch, done *Appended) {
	h := &b.Header
	if cfg.SegmentBytes > 0 && int64(len(b.Bytes)) > cfg.SegmentBytes {
		*done = Appended{BaseOffset: -1, LogAppendTimeMs: -1, LogStartOffset: -1, Refusal: &Refusal{Code: protocol.RecordListTooLarge}}
		return
	}
	if h.HasProducer() {
		if known, ok := p.checkProducer(b); !ok {
			*done = known
			return
		}
	}
	base := p.end
	p.keep(now, cfg, b)
	if h.HasProducer() {
		p.noteProducer(h, base)
	}
	done.BaseOffset, done.LogAppendTimeMs, done.LogStartOffset = base, -1, p.start
	done.Refusal, done.Duplicate = nil, false
	if h.LogAppendTime() {
		done.LogAppendTimeMs = h.MaxTimestampMs
	}
}

// keep puts a batch at the end of the log.
func (p *Partition) keep(now time.Time, cfg *Config, b *Batch) {
	h, base := &b.Header, p.end
	p.segments.append(now, cfg, base, len(b.Bytes), h, TimestampOffset{h.MaxTimestampMs, base + int64(b.NewestDelta), p.epoch})
	p.size += int64(len(b.Bytes))
	kept := p.log.append(base, b.Bytes, h.MaxTimestampMs)
	protocol.SetBaseOffset(kept, base)
	protocol.SetLeaderEpoch(kept, p.epoch)
	protocol.SetMaxTimestamp(kept, h.MaxTimestampMs, h.LogAppendTime())
	p.end = base + int64(h.LastOffsetDelta) + 1
}

func (p *Partition) refuse(code protocol.ErrorCode) Appended {
	return Appended{
		BaseOffset: -1, LogAppendTimeMs: -1, LogStartOffset: p.start,
		Refusal: refusedByLog(code),
	}
}

// Read is what a fetch sees from one offset.
type Read struct {
	Batches          [][]byte // straight from the log: never to be changed; the last batch may be cut, as Kafka cuts it
	Size             int      // bytes in Batches
	HighWatermark    int64
	LastStableOffset int64
	LogStartOffset   int64
	Code             protocol.ErrorCode // OffsetOutOfRange, or None
	Diverging        *EpochEnd          // where the reader's log leaves ours (KIP-595); nil: it does not
	// Aborted are the aborted transactions that what was read may belong to, for readers
	// of committed records.
	Aborted []AbortedTxn
}

// From says what to read.
type From struct {
	Offset    int64
	LastEpoch int32 // of the record before Offset in the reader's log; -1 if it does not say
	MaxBytes  int   // of all batches together
	MinOne    bool  // the first batch comes whatever its size; else nothing comes when it does not fit
	Committed bool  // only what lies below the last stable offset
}

// Read fills r with batches, of one segment as in Kafka. r.Batches is used again where it
// has room. What it gets stays valid while the log goes on growing.
func (p *Partition) Read(r *Read, from From) {
	offset := from.Offset
	*r = Read{
		Batches: r.Batches[:0], HighWatermark: p.HighWatermark(),
		LastStableOffset: p.LastStableOffset(), LogStartOffset: p.start,
	}
	if from.LastEpoch >= 0 {
		end := p.EndOfEpoch(from.LastEpoch)
		if end.EndOffset < 0 || offset < p.start {
			r.Code = protocol.OffsetOutOfRange
			return
		}
		if end.Epoch < from.LastEpoch || end.EndOffset < offset {
			r.Diverging = &end
			return
		}
	}
	if offset < p.start || offset > p.end {
		r.Code = protocol.OffsetOutOfRange
		return
	}
	if from.Committed {
		p.readCommitted(r, from)
	} else if offset < p.end {
		p.readBelow(p.end, r, from)
	}
}

// readBelow reads batches below limit, of the segment of the first one, which lies behind
// the offset where cleaning has left a gap. No transaction that begins at upTo or behind it
// has written to what was read.
func (p *Partition) readBelow(limit int64, r *Read, from From) (upTo int64) {
	at := p.log.seek(from.Offset)
	first := baseOffset(p.log.at(at))
	if first >= limit {
		return from.Offset
	}
	end := p.segments.endOf(first)
	r.Batches, r.Size, upTo = p.log.read(r.Batches, at, min(limit, end), from.MaxBytes, from.MinOne)
	return min(upTo, end)
}

// readCommitted reads up to the last stable offset.
func (p *Partition) readCommitted(r *Read, from From) {
	if from.Offset >= r.LastStableOffset {
		return
	}
	upTo := p.readBelow(r.LastStableOffset, r, from)
	if len(p.txns.aborted) > 0 {
		r.Aborted = p.txns.abortedBetween(from.Offset, min(upTo, p.end))
	}
}

// DeleteRecords moves the log start offset up to before, -1 meaning the high
// watermark, and frees the memory below it by whole chunks. It returns the log start
// offset as it is then, which is also the low watermark, or OffsetOutOfRange and
// InvalidOffset for an offset above the high watermark. It never moves back.
func (p *Partition) DeleteRecords(before int64) (lowWatermark int64, code protocol.ErrorCode) {
	if before == -1 {
		before = p.HighWatermark()
	}
	if before < 0 || before > p.HighWatermark() {
		return InvalidOffset, protocol.OffsetOutOfRange
	}
	p.moveStart(before)
	return p.start, protocol.None
}

// moveStart moves the log start offset up and forgets what lies below it.
func (p *Partition) moveStart(start int64) {
	if start > p.start {
		p.start = start
		p.log.release(start, p.end)
		p.trimEpochs()
		p.txns.trim(start)
	}
}

// InvalidOffset is the low watermark of a DeleteRecords that failed
// (DeleteRecordsResponse.INVALID_LOW_WATERMARK), and of all else that has no offset.
const InvalidOffset int64 = -1
