package partitions

import (
	"time"

	"klamm/protocol"
)

// Config is what a topic's configuration means to one of its partitions.
type Config struct {
	MaxMessageBytes      int   // max.message.bytes: the largest batch, header included
	LogAppendTime        bool  // message.timestamp.type=LogAppendTime
	TimestampBeforeMaxMs int64 // message.timestamp.before.max.ms
	TimestampAfterMaxMs  int64 // message.timestamp.after.max.ms
	Compacted            bool  // cleanup.policy has compact: every record needs a key
}

// Batch is one validated record batch, ready to be appended. Bytes aliases the
// request; Append copies them.
type Batch struct {
	Header protocol.BatchHeader
	Bytes  []byte
}

// RecordError names one record of a batch that was refused, and why (KIP-467).
type RecordError struct {
	Index   int32
	Message string
}

// Refusal is why a batch or an append was refused. The zero value means that it
// was not. Message may be empty: the error code then speaks for itself.
type Refusal struct {
	Code    protocol.ErrorCode
	Message string
	Records []RecordError
}

// Appended is where a batch went.
type Appended struct {
	BaseOffset      int64
	LogAppendTimeMs int64 // -1 with CreateTime
	LogStartOffset  int64
	Refusal         Refusal
}

// Partition is the log of one partition with its watermarks and producer states.
type Partition struct {
	cfg Config
}

// New returns an empty partition with leader epoch 0.
func New(cfg Config) *Partition { return &Partition{cfg: cfg} }

// Validate does the part of an append that needs no lock: it checks the records
// field of a Produce request as Kafka does (one batch, magic 2, sizes, CRC, codec,
// count, each record, timestamps). The bytes are not changed and not copied.
// It mirrors org.apache.kafka.storage.internals.log.LogValidator.
func Validate(cfg *Config, now time.Time, records []byte) (Batch, Refusal) {
	return Batch{}, Refusal{}
}

// Append checks the producer's sequence and appends the batch: it is copied once,
// its base offset and leader epoch (and, with LogAppendTime, its timestamp) are patched in.
func (p *Partition) Append(now time.Time, b Batch) Appended { return Appended{} }

// Read is what a fetch sees from one offset.
type Read struct {
	Batches          [][]byte // whole batches, straight from the log: never to be changed
	Size             int      // bytes in Batches
	HighWatermark    int64
	LastStableOffset int64
	LogStartOffset   int64
	Code             protocol.ErrorCode // OffsetOutOfRange, or None
}

// Read returns batches from offset on, at most maxBytes together; when minOne is
// set the first batch comes whatever its size. The result stays valid while the
// log goes on growing.
func (p *Partition) Read(offset int64, maxBytes int, minOne bool) Read { return Read{} }
