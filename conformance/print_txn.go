package conformance

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// controlBatch is the attribute bit of a batch of control records.
const controlBatch = 0x20

// deleteHorizon is that of a batch whose base timestamp is a delete horizon (KIP-534).
const deleteHorizon = 0x40

// readBatch is the header of a batch of magic 2, and its records still packed.
type readBatch struct {
	base                int64
	attributes, epoch   int16
	lastDelta, sequence int32
	producer            int64
	packed              []byte
}

// cutBatch takes the first batch off raw; nil when there is no whole one.
func cutBatch(raw []byte) (b *readBatch, rest []byte) {
	if len(raw) < batchHeadSize || raw[atMagic] != 2 {
		return nil, raw
	}
	size := atLength + 4 + int(int32(binary.BigEndian.Uint32(raw[atLength:])))
	if size < batchHeadSize || size > len(raw) {
		return nil, raw
	}
	return &readBatch{
		base:       int64(binary.BigEndian.Uint64(raw)),
		attributes: int16(binary.BigEndian.Uint16(raw[atAttributes:])),
		lastDelta:  int32(binary.BigEndian.Uint32(raw[23:])),
		producer:   int64(binary.BigEndian.Uint64(raw[43:])),
		epoch:      int16(binary.BigEndian.Uint16(raw[51:])),
		sequence:   int32(binary.BigEndian.Uint32(raw[53:])),
		packed:     raw[batchHeadSize:size],
	}, raw[size:]
}

// keyValue is what a coordinator's record says.
type keyValue struct{ Key, Value []byte }

// records are the batch's records; what cannot be read is left out.
func (b *readBatch) records() []keyValue {
	data, err := decompress(b.attributes&7, b.packed)
	if err != nil {
		return nil
	}
	var all []keyValue
	for len(data) > 0 {
		n, w := binary.Varint(data)
		if w <= 0 || n < 1 || n > int64(len(data)-w) {
			break
		}
		r := recordReader{data: data[w+1 : w+int(n)]}
		r.varint()
		r.varint()
		kv := keyValue{r.bytes(), r.bytes()}
		if !r.bad {
			all = append(all, kv)
		}
		data = data[w+int(n):]
	}
	return all
}

// batchHead is who wrote a batch, if that is a producer with an id.
func (p *printer) batchHead(b *readBatch) string {
	if b.producer == -1 && b.attributes == 0 {
		return ""
	}
	return fmt.Sprintf(" Attributes=%#x ProducerID=%s ProducerEpoch=%d BaseSequence=%d", b.attributes, p.names.number("", "ProducerID", b.producer), b.epoch, b.sequence)
}

// controlRecord is a record of a control batch, as EndTransactionMarker has it.
func (p *printer) controlRecord(key, value []byte) string {
	if len(key) != 4 || len(value) != 6 {
		return "Key=" + p.blob(key) + " Value=" + p.blob(value)
	}
	kind := "COMMIT"
	switch t := binary.BigEndian.Uint16(key[2:]); t {
	case 0:
		kind = "ABORT"
	case 1:
	default:
		kind = fmt.Sprintf("type %d", t)
	}
	return fmt.Sprintf("%s KeyVersion=%d ValueVersion=%d CoordinatorEpoch=%s", kind, binary.BigEndian.Uint16(key), binary.BigEndian.Uint16(value),
		p.names.number("", "CoordinatorEpoch", int64(int32(binary.BigEndian.Uint32(value[2:])))))
}

// coordinatorRecord is a record of a coordinator's topic.
func (p *printer) coordinatorRecord(topic string, key, value []byte) string {
	if topic == transactionTopic {
		return p.transactionRecord(key, value)
	}
	return p.offsetsRecord(key, value)
}

// txnStates are the states of a transaction by their number in the log, as
// TransactionState has them.
var txnStates = []string{"Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort", "Dead", "PrepareEpochFence"}

// transactionRecord is a TransactionLogKey with its TransactionLogValue.
func (p *printer) transactionRecord(key, value []byte) string {
	var k kmsg.TxnMetadataKey
	if err := k.ReadFrom(key); err != nil {
		return "a key that cannot be read: " + p.blob(key)
	}
	line := fmt.Sprintf("TransactionLogKey v%d TransactionalID=%q", k.Version, p.names.text(k.TransactionalID))
	if value == nil {
		return line + " null"
	}
	var v kmsg.TxnMetadataValue
	if err := v.ReadFrom(value); err != nil {
		return line + " and a value that cannot be read"
	}
	state := strconv.Itoa(int(v.State))
	if int(v.State) < len(txnStates) {
		state = txnStates[v.State]
	}
	n := p.names
	pid := func(id int64) string { return n.number("", "ProducerID", id) }
	line += fmt.Sprintf(" TransactionLogValue v%d ProducerID=%s ProducerEpoch=%d TransactionTimeoutMs=%d TransactionStatus=%s TransactionPartitions=%s LastUpdateTimestampMs=%s StartTimestampMs=%s",
		v.Version, pid(v.ProducerID), v.ProducerEpoch, v.TimeoutMillis, state, p.txnPartitions(v.Topics), n.millis(v.LastUpdateTimestamp), n.millis(v.StartTimestamp))
	if v.Version > 0 {
		line += fmt.Sprintf(" PreviousProducerID=%s NextProducerID=%s ClientTransactionVersion=%d NextProducerEpoch=%d",
			pid(v.PreviousProducerID), pid(v.NextProducerID), v.ClientTransactionVersion, v.NextProducerEpoch)
	}
	if v.UnknownTags.Len() > 0 {
		line += " and unknown tags"
	}
	return line
}

func (p *printer) txnPartitions(topics []kmsg.TxnMetadataValueTopic) string {
	if topics == nil {
		return "null"
	}
	var all []string
	for _, t := range topics {
		slices.Sort(t.Partitions)
		// The offsets topic may have any number of partitions.
		if t.Topic == offsetsTopic {
			all = append(all, fmt.Sprintf("%s:(%d)", t.Topic, len(t.Partitions)))
			continue
		}
		all = append(all, fmt.Sprintf("%s:%d", p.names.text(t.Topic), t.Partitions))
	}
	slices.Sort(all)
	return "{" + strings.Join(all, " ") + "}"
}

// offsetsRecord is a record of __consumer_offsets; of others than offsets and groups it
// tells the type only.
func (p *printer) offsetsRecord(key, value []byte) string {
	if len(key) < 2 {
		return "a key that cannot be read: " + p.blob(key)
	}
	switch version := int16(binary.BigEndian.Uint16(key)); {
	case version <= 1:
		return p.offsetRecord(key, value)
	case version == 2:
		var k kmsg.GroupMetadataKey
		if err := k.ReadFrom(key); err != nil {
			return "a key that cannot be read: " + p.blob(key)
		}
		what := "with a value"
		if value == nil {
			what = "null"
		}
		return fmt.Sprintf("GroupMetadataKey v%d Group=%q %s", k.Version, p.names.text(k.Group), what)
	default:
		return fmt.Sprintf("a record of type %d", version)
	}
}

func (p *printer) offsetRecord(key, value []byte) string {
	var k kmsg.OffsetCommitKey
	if err := k.ReadFrom(key); err != nil {
		return "a key that cannot be read: " + p.blob(key)
	}
	line := fmt.Sprintf("OffsetCommitKey v%d Group=%q Topic=%q Partition=%d", k.Version, p.names.text(k.Group), p.names.text(k.Topic), k.Partition)
	if value == nil {
		return line + " null"
	}
	var v kmsg.OffsetCommitValue
	if err := v.ReadFrom(value); err != nil {
		return line + " and a value that cannot be read"
	}
	line += fmt.Sprintf(" OffsetCommitValue v%d Offset=%d LeaderEpoch=%d Metadata=%q CommitTimestamp=%s", v.Version, v.Offset, v.LeaderEpoch, v.Metadata, p.names.millis(v.CommitTimestamp))
	if v.Version >= 4 {
		line += " TopicID=" + p.names.topicID(v.TopicID)
	}
	return line
}

func decimal[T int16 | int32](v T) string { return strconv.FormatInt(int64(v), 10) }
