package conformance

import (
	"math"
	"reflect"
	"slices"
	"strings"

	"klamm/protocol"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// The topics in which coordinators keep what they know.
const (
	transactionTopic = "__transaction_state"
	offsetsTopic     = "__consumer_offsets"
)

// noTopic begins the line of a transcript that tells that a coordinator has no topic.
const noTopic = "there is no topic "

// TransactionalID is a fresh transactional id, whose coordinator answers where the
// target has one; a broker without transactions is not waited for long.
func (c *Conversation) TransactionalID(label string) string {
	id := c.Name(label)
	if !c.target.Offer.Has(int16(kmsg.DescribeTransactions), 0) {
		tried(c, settleTries/10, findCoordinator(4, 1, id), warm[*kmsg.FindCoordinatorResponse])
		return id
	}
	until(c, findCoordinator(4, 1, id), warm[*kmsg.FindCoordinatorResponse])
	until(c, describeTransactions(id), warm[*kmsg.DescribeTransactionsResponse])
	if c.names.coordinatorEpoch == nil {
		until(c, initProducer(0), warm[*kmsg.InitProducerIDResponse]) // producer ids come in blocks, and the first is waited for
		_, epoch, _ := c.findLog(transactionTopic, id)
		c.names.coordinatorEpoch = &epoch
	}
	return id
}

// AwaitTransaction waits, outside the transcript, until a transaction that was ended has
// its markers: Kafka answers before it writes them.
func (c *Conversation) AwaitTransaction(id string) {
	until(c, describeTransactions(id), func(resp *kmsg.DescribeTransactionsResponse) bool {
		return !slices.ContainsFunc(resp.TransactionStates, func(s kmsg.DescribeTransactionsResponseTransactionState) bool {
			return strings.HasPrefix(s.State, "Prepare")
		})
	})
}

// AwaitTransactionState waits, outside the transcript, until a transaction has this state,
// to which it comes without a request.
func (c *Conversation) AwaitTransactionState(id, state string) {
	until(c, describeTransactions(id), func(resp *kmsg.DescribeTransactionsResponse) bool {
		return len(resp.TransactionStates) == 1 && resp.TransactionStates[0].State == state
	})
}

// logOf is the partition of a coordinator's topic that holds what belongs to key, and
// the epoch of its leader; the conversation cannot go on without.
func (c *Conversation) logOf(topic, key string) (partition, leaderEpoch int32) {
	partition, leaderEpoch, ok := c.findLog(topic, key)
	if !ok {
		c.say("this needs the topic %s", topic)
		panic(ended{})
	}
	return partition, leaderEpoch
}

// findLog is logOf; ok tells whether the target has the topic.
func (c *Conversation) findLog(topic, key string) (partition, leaderEpoch int32, ok bool) {
	if c.topicless[topic] {
		return 0, 0, false
	}
	meta, _ := tried(c, settleTries/4, metadata(12, topic), warm[*kmsg.MetadataResponse])
	if len(meta.Topics) != 1 || len(meta.Topics[0].Partitions) == 0 {
		c.topicless[topic] = true
		return 0, 0, false
	}
	count := int32(len(meta.Topics[0].Partitions))
	if hash := javaHash(key); hash != math.MinInt32 { // of which Utils.abs is 0
		partition = max(hash, -hash) % count
	}
	for _, p := range meta.Topics[0].Partitions {
		if p.Partition == partition {
			leaderEpoch = p.LeaderEpoch
		}
	}
	return partition, leaderEpoch, true
}

// javaHash is String.hashCode of an ASCII string, by which Kafka finds coordinators.
func javaHash(s string) int32 {
	var h int32
	for _, b := range []byte(s) {
		h = 31*h + int32(b)
	}
	return h
}

// CoordinatorLog reads the part of a coordinator's topic that a conversation writes.
type CoordinatorLog struct {
	c         *Conversation
	topic     Topic
	partition int32
	next      int64
	there     bool // the target has the topic
}

// TransactionLog is where the coordinator of a transactional id writes, from now on.
func (c *Conversation) TransactionLog(id string) *CoordinatorLog { return c.log(transactionTopic, id) }

// OffsetsLog is where the coordinator of a group writes, from now on.
func (c *Conversation) OffsetsLog(group string) *CoordinatorLog { return c.log(offsetsTopic, group) }

func (c *Conversation) log(topic, key string) *CoordinatorLog {
	l := &CoordinatorLog{c: c, topic: Topic{Name: topic}}
	if l.partition, _, l.there = c.findLog(topic, key); !l.there {
		return l
	}
	ends := until(c, listOffsets(7, topic, l.partition, -1), warm[*kmsg.ListOffsetsResponse])
	l.next = ends.Topics[0].Partitions[0].Offset
	return l
}

// Show adds to the transcript what the conversation has written since the last time, and
// nothing of what others have.
func (l *CoordinatorLog) Show() {
	l.c.say("\n# what is new in %s", l.topic.Name)
	if !l.there {
		l.c.say(noTopic+"%s", l.topic.Name)
		return
	}
	for {
		req := fetch(12, l.topic, l.partition, l.next)
		resp := ask[*kmsg.FetchResponse](l.c.setup, req)
		part := resp.Topics[0].Partitions[0]
		if part.ErrorCode != 0 {
			l.c.say("%s", protocol.ErrorCode(part.ErrorCode).Name())
			panic(ended{})
		}
		read := l.next
		for raw := part.RecordBatches; len(raw) > 0; {
			b, rest := cutBatch(raw)
			if b == nil {
				break
			}
			if b.base >= l.next {
				l.show(b)
				read = b.base + int64(b.lastDelta) + 1
			}
			raw = rest
		}
		if read == l.next {
			return
		}
		l.next = read
	}
}

// show prints the batch when it is the conversation's own: by the names in its keys, or,
// for a marker, by its producer. What is others' must not take part in the naming.
func (l *CoordinatorLog) show(b *readBatch) {
	p := l.c.printer
	control := b.attributes&controlBatch != 0
	if control && !p.names.isKnown("producer", b.producer) {
		return
	}
	for _, r := range b.records() {
		switch {
		case control:
			l.c.say("marker%s: %s", p.batchHead(b), p.controlRecord(r.Key, r.Value))
		case strings.Contains(string(r.Key), l.c.tag):
			l.c.say("batch%s: %s", p.batchHead(b), p.coordinatorRecord(l.topic.Name, r.Key, r.Value))
		}
	}
}

// errorNames are the names of all error codes in an answer.
func errorNames(resp kmsg.Response) []string {
	var all []string
	for _, code := range errorCodes(reflect.ValueOf(resp)) {
		all = append(all, code.Name())
	}
	return all
}
