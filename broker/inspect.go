package broker

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/partitions"
	"klamm/protocol"
)

// What follows is for whoever holds the cluster in the same process: a look at
// topics and records, and a way to write them, without a client.

// KafkaVersion is the release of Apache Kafka that the broker behaves as.
const KafkaVersion = "4.4.0"

// ErrClosed tells that the cluster has been closed.
var ErrClosed = errors.New("the cluster is closed")

// TopicPartition names one partition of a topic.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// String is the usual text form, such as "orders-0".
func (tp TopicPartition) String() string { return fmt.Sprintf("%s-%d", tp.Topic, tp.Partition) }

func (tp TopicPartition) compare(other TopicPartition) int {
	return cmp.Or(cmp.Compare(tp.Topic, other.Topic), cmp.Compare(tp.Partition, other.Partition))
}

// Header is one header of a record. A nil Value is null.
type Header struct {
	Key   string
	Value []byte
}

// Record is one record of a partition. A nil Key or Value is null; a nil Value is
// a tombstone in a compacted topic.
type Record struct {
	TopicPartition
	Offset int64
	// Timestamp is when the record was made, or, in a topic with
	// message.timestamp.type=LogAppendTime, appended. Kafka keeps milliseconds.
	Timestamp  time.Time
	Key, Value []byte
	Headers    []Header
}

// TopicView is a topic as it is at one moment.
type TopicView struct {
	Name       string
	Internal   bool // made by the broker for itself, such as __consumer_offsets
	Partitions []PartitionView
}

// PartitionView is where the log of a partition begins and ends at one moment.
type PartitionView struct {
	Start int64 // offset of the first record that is left (log start offset)
	End   int64 // offset that the next record will have (log end offset)
}

// Records is how many offsets there are from Start to End.
func (p PartitionView) Records() int64 { return p.End - p.Start }

// Watch returns a channel that holds a signal as soon as anything has changed
// after the call: records, groups, topics. Look at the cluster after Watch and
// after each signal, and nothing is missed, without polling. stop ends it.
func (c *Cluster) Watch() (changed <-chan struct{}, stop func()) { return c.changes.subscribe() }

// Done is closed when the cluster is.
func (c *Cluster) Done() <-chan struct{} { return c.done }

// CreateTopic creates a topic, judged as a CreateTopics request is judged. The
// error has Kafka's words.
func (c *Cluster) CreateTopic(t Topic) error {
	if c.isClosed() {
		return ErrClosed
	}
	if err := c.addTopic(t); err != nil {
		return err
	}
	c.changes.notify()
	return nil
}

// Topics are all topics, sorted by name.
func (c *Cluster) Topics() []TopicView {
	image := c.image.Load()
	views := make([]TopicView, 0, len(image.list))
	for _, t := range image.list {
		views = append(views, t.view())
	}
	slices.SortFunc(views, func(a, b TopicView) int { return cmp.Compare(a.Name, b.Name) })
	return views
}

// Topic is the topic of that name; ok is false where there is none.
func (c *Cluster) Topic(name string) (view TopicView, ok bool) {
	t := c.image.Load().byName.get(name)
	if t == nil {
		return TopicView{}, false
	}
	return t.view(), true
}

func (t *topic) view() TopicView {
	view := TopicView{Name: t.name, Internal: t.internal, Partitions: make([]PartitionView, len(t.partitions))}
	for i, p := range t.partitions {
		view.Partitions[i] = p.view()
	}
	return view
}

func (p *partition) view() PartitionView {
	p.mu.Lock()
	defer p.mu.Unlock()
	return PartitionView{Start: p.log.LogStartOffset(), End: p.log.HighWatermark()}
}

// Append writes records to a partition as a producer would and returns the offset
// of the first one. Their topic, partition and offset are not looked at; a zero
// timestamp means now. A topic that does not exist is created, if the broker does so
// for a client. The error says what was refused, in Kafka's words; records before
// the refused one may have been written.
func (c *Cluster) Append(tp TopicPartition, records ...Record) (first int64, err error) {
	if len(records) == 0 {
		return -1, errors.New("no records")
	}
	p, err := c.partitionForAppend(tp)
	if err != nil {
		return -1, err
	}
	defer c.changes.notify()
	now := time.Now()
	first = -1
	for len(records) > 0 {
		batch := batchOf(now, records)
		records = records[len(batch):]
		bytes, err := protocol.AppendBatch(nil, protocol.PlainBatch(), nil, batch)
		if err != nil {
			return first, err
		}
		var done partitions.Appended
		p.append(&done, now, nil, &partitions.Produced{
			Topic: tp.Topic, Partition: tp.Partition, Version: c.api(int16(kmsg.Produce)).max, Records: bytes,
		})
		if done.Refusal != nil {
			return first, refusalError(tp, done.Refusal)
		}
		if first < 0 {
			first = done.BaseOffset
		}
	}
	return first, nil
}

func (c *Cluster) partitionForAppend(tp TopicPartition) (*partition, error) {
	if c.isClosed() {
		return nil, ErrClosed
	}
	t := c.image.Load().byName.get(tp.Topic)
	if t == nil {
		if !c.settings.Load().autoCreateTopics {
			return nil, fmt.Errorf("topic %q does not exist", tp.Topic)
		}
		if err := c.CreateTopic(Topic{Name: tp.Topic}); err != nil {
			return nil, err
		}
		t = c.image.Load().byName.get(tp.Topic)
	}
	switch p := t.partition(tp.Partition); {
	case t == nil:
		return nil, fmt.Errorf("topic %q was deleted meanwhile", tp.Topic)
	case t.internal:
		return nil, fmt.Errorf("topic %q is written by the broker alone", tp.Topic)
	case p != nil:
		return p, nil
	}
	return nil, fmt.Errorf("topic %q has %d partitions, %d is none of them", tp.Topic, len(t.partitions), tp.Partition)
}

// appendBatchBytes is how large a batch of Append grows before the next one begins.
const appendBatchBytes = 256 << 10

// batchOf makes a batch of the first records, as many as it should hold.
func batchOf(now time.Time, records []Record) []protocol.Record {
	var batch []protocol.Record
	size := 0
	for i := range records {
		r := &records[i]
		at := r.Timestamp
		if at.IsZero() {
			at = now
		}
		one := protocol.Record{TimestampMs: at.UnixMilli(), Key: r.Key, Value: r.Value}
		size += len(r.Key) + len(r.Value)
		for _, h := range r.Headers {
			one.Headers = append(one.Headers, protocol.RecordHeader{Key: h.Key, Value: h.Value})
			size += len(h.Key) + len(h.Value)
		}
		if len(batch) > 0 && size > appendBatchBytes {
			break
		}
		batch = append(batch, one)
	}
	return batch
}

func refusalError(tp TopicPartition, refused *partitions.Refusal) error {
	message := refused.Message
	if message == "" {
		message = refused.Code.Message()
	}
	for _, r := range refused.Records {
		message += fmt.Sprintf(" Record %d: %s", r.Index, r.Message)
	}
	return fmt.Errorf("%v: %v: %s", tp, refused.Code, message)
}

// readBytes is how much of a log Read looks at in one go.
const readBytes = 1 << 20

// Read returns records of a partition from offset on, some of them: go on with
// the offset behind the last one. It returns none at the end of the log. An offset
// before the log's start means its start. The records are copies.
func (c *Cluster) Read(tp TopicPartition, offset int64) ([]Record, error) {
	p := c.image.Load().byName.get(tp.Topic).partition(tp.Partition)
	if p == nil {
		return nil, fmt.Errorf("partition %v does not exist", tp)
	}
	for {
		var found []Record
		before := p.moveUp(&offset)
		for _, run := range p.runs(offset) {
			var err error
			if found, err = appendRecords(found, tp, run, &offset); err != nil {
				return found, err
			}
		}
		if len(found) > 0 || offset == before {
			return found, nil
		}
	}
}

// appendRecords adds the records of the whole batches in run that are not before
// *offset, which is moved behind them. Control records are left out.
func appendRecords(found []Record, tp TopicPartition, run []byte, offset *int64) ([]Record, error) {
	for {
		header, ok := protocol.ParseBatchHeader(run)
		if !ok || header.Size() > len(run) {
			return found, nil
		}
		decoded, rest, err := protocol.DecodeBatch(nil, run, nil)
		if err != nil {
			return found, fmt.Errorf("%v: the batch at offset %d: %w", tp, header.BaseOffset, err)
		}
		for i := range decoded {
			if decoded[i].Offset >= *offset && !header.Control() {
				found = append(found, newRecord(tp, &decoded[i]))
			}
		}
		run, *offset = rest, header.LastOffset()+1
	}
}

// moveUp moves an offset before the log's start to the start, and returns it.
func (p *partition) moveUp(offset *int64) int64 {
	*offset = max(*offset, p.view().Start)
	return *offset
}

// runs returns runs of batches from offset on, the last of which may be cut. There
// are none when the log has been deleted up to an offset behind.
func (p *partition) runs(offset int64) [][]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	var r partitions.Read
	p.log.Read(&r, partitions.From{Offset: offset, LastEpoch: -1, MaxBytes: readBytes, MinOne: true})
	return r.Batches
}

func newRecord(tp TopicPartition, r *protocol.Record) Record {
	record := Record{
		TopicPartition: tp,
		Offset:         r.Offset,
		Timestamp:      time.UnixMilli(r.TimestampMs),
		Key:            slices.Clone(r.Key),
		Value:          slices.Clone(r.Value),
	}
	for _, h := range r.Headers {
		record.Headers = append(record.Headers, Header{Key: h.Key, Value: slices.Clone(h.Value)})
	}
	return record
}
