package txncoord

import (
	"cmp"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const keyVersion = 0

// valueVersion is the version of the values that Kafka 4.4.0 writes: the flexible one
// unless transaction.version is 0.
func (c *Config) valueVersion() int16 { return min(c.Version, 1) }

// clientVersion2 is the transaction version of a client that speaks the protocol of
// KIP-890, as records have it.
const clientVersion2 = 2

// Apply is the only writer of hard state: called for each appended record, and again, in
// order, on reload. Records of other transactional ids and what it cannot read it ignores.
func (t *Transaction) Apply(r Record) {
	key := kmsg.NewTxnMetadataKey()
	if key.ReadFrom(r.Key) != nil || key.Version != keyVersion || key.TransactionalID != t.id {
		return
	}
	if r.Value == nil {
		fresh := New(t.id, t.cfg)
		*t = *fresh
		return
	}
	v := kmsg.NewTxnMetadataValue()
	if v.ReadFrom(r.Value) != nil {
		return
	}
	t.known = true
	t.is = metadata{
		producerID: v.ProducerID, previousID: v.PreviousProducerID, nextID: v.NextProducerID,
		epoch: v.ProducerEpoch, timeoutMs: v.TimeoutMillis, state: State(v.State),
		startMs: v.StartTimestamp, updateMs: v.LastUpdateTimestamp,
		epochBump: v.ClientTransactionVersion >= clientVersion2,
	}
	for _, topic := range v.Topics {
		for _, p := range topic.Partitions {
			t.is.partitions = append(t.is.partitions, TopicPartition{topic.Topic, p})
		}
	}
	slices.SortFunc(t.is.partitions, comparePartitions)
}

func (t *Transaction) key() []byte {
	key := kmsg.TxnMetadataKey{Version: keyVersion, TransactionalID: t.id}
	return key.AppendTo(nil)
}

// record is m as Kafka stores it.
func (t *Transaction) record(m *metadata) Record {
	v := kmsg.NewTxnMetadataValue()
	v.Version = t.cfg.valueVersion()
	v.ProducerID, v.PreviousProducerID, v.NextProducerID = m.producerID, m.previousID, m.nextID
	v.ProducerEpoch, v.TimeoutMillis, v.State = m.epoch, m.timeoutMs, kmsg.TransactionState(m.state)
	v.StartTimestamp, v.LastUpdateTimestamp = m.startMs, m.updateMs
	if m.epochBump {
		v.ClientTransactionVersion = clientVersion2
	}
	if m.state != Empty {
		v.Topics = topicsOf(m.partitions)
	}
	return Record{Key: t.key(), Value: v.AppendTo(nil)}
}

// topicsOf gathers ordered partitions by topic; it is not nil, which would be null.
func topicsOf(partitions []TopicPartition) []kmsg.TxnMetadataValueTopic {
	topics := []kmsg.TxnMetadataValueTopic{}
	for _, tp := range partitions {
		if n := len(topics); n == 0 || topics[n-1].Topic != tp.Topic {
			topics = append(topics, kmsg.TxnMetadataValueTopic{Topic: tp.Topic})
		}
		last := &topics[len(topics)-1]
		last.Partitions = append(last.Partitions, tp.Partition)
	}
	return topics
}

func comparePartitions(a, b TopicPartition) int {
	return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
}

// union is both, in order and each once.
func union(a, b []TopicPartition) []TopicPartition {
	all := slices.Concat(a, b)
	slices.SortFunc(all, comparePartitions)
	return slices.Compact(all)
}
