package broker

import (
	"encoding/binary"
	"math"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// noOperations stands for authorized operations that were not asked for.
const noOperations = math.MinInt32

// Operations that everyone may do where there is no authorizer, as bits
// (AclEntry.supportedOperations).
const (
	topicOperations   = 1<<3 | 1<<4 | 1<<5 | 1<<6 | 1<<7 | 1<<8 | 1<<10 | 1<<11
	clusterOperations = 1<<5 | 1<<7 | 1<<8 | 1<<9 | 1<<10 | 1<<11 | 1<<12
)

// metadataTopic is one topic of a Metadata answer.
type metadataTopic struct {
	code     protocol.ErrorCode
	name     string
	nameless bool // the name is null: an unknown topic id (v12 on)
	id       protocol.UUID
	topic    *topic // nil where there is an error
}

// metadata answers Metadata v0-13 (KafkaApis.handleTopicMetadataRequest). The
// answer is encoded by hand: all topics are kept encoded until one changes.
func (c *Cluster) metadata(call *call, req *kmsg.MetadataRequest, resp *kmsg.MetadataResponse) {
	version := req.Version
	all := req.Topics == nil || version == 0 && len(req.Topics) == 0
	if !all {
		if code := unreadableMetadata(req); code != protocol.None {
			refuseMetadata(req, resp, code)
			return
		}
	}
	operations := int32(noOperations)
	if version >= 8 && req.IncludeTopicAuthorizedOperations {
		operations = topicOperations
	}
	b := c.appendMetadataHead(make([]byte, 0, 256), call, version)
	head, listed := len(b), []byte(nil)
	if all {
		listed = c.image.Load().encodedTopics(version, operations)
	} else {
		topics := c.metadataTopics(req)
		b = appendArrayLen(b, len(topics), version >= 9)
		for i := range topics {
			b = topics[i].append(b, version, operations)
		}
	}
	if version >= 8 && version <= 10 {
		operations = noOperations
		if req.IncludeClusterAuthorizedOperations {
			operations = clusterOperations
		}
		b = appendInt32(b, operations)
	}
	if version >= 13 {
		b = append(b, 0, 0) // error code
	}
	b = appendNoTags(b, version >= 9)
	call.raw = b
	if all {
		call.answerAround(b[:head], listed, b[head:])
	}
}

// answerAround answers with shared bytes between two others; they are not copied.
func (c *call) answerAround(head, shared, tail []byte) {
	start, before := c.begin()
	out := &c.conn.out
	out.buf = append(out.buf, head...)
	out.splice(shared)
	out.buf = append(out.buf, tail...)
	out.end(start, before)
	c.silent = true // answered
}

// unreadableMetadata is why the request is refused as a whole. Versions 10 and 11
// have topic ids on the wire that Kafka does not take before v12; and a topic
// with neither name nor id, where none has an id, makes it fail.
func unreadableMetadata(req *kmsg.MetadataRequest) protocol.ErrorCode {
	nameless, named := false, false
	for i := range req.Topics {
		t := &req.Topics[i]
		hasID := t.TopicID != [16]byte{}
		if req.Version < 12 && (t.Topic == nil || hasID) {
			return protocol.InvalidRequest
		}
		nameless = nameless || t.Topic == nil
		named = named || hasID
	}
	if nameless && !named {
		return protocol.UnknownServerError
	}
	return protocol.None
}

// refuseMetadata answers a request that is refused as a whole
// (MetadataRequest.getErrorResponse).
func refuseMetadata(req *kmsg.MetadataRequest, resp *kmsg.MetadataResponse, code protocol.ErrorCode) {
	for i := range req.Topics {
		t := kmsg.NewMetadataResponseTopic()
		t.ErrorCode = int16(code)
		name := ""
		if req.Topics[i].Topic != nil {
			name = *req.Topics[i].Topic
		}
		t.Topic, t.TopicID = &name, req.Topics[i].TopicID
		resp.Topics = append(resp.Topics, t)
	}
	resp.ControllerID = -1
	resp.ErrorCode = int16(code)
}

// appendMetadataHead appends all that comes before the topics.
func (c *Cluster) appendMetadataHead(b []byte, call *call, version int16) []byte {
	flexible := version >= 9
	if version >= 3 {
		b = appendInt32(b, 0) // throttle time
	}
	host, port := call.conn.advertised()
	b = appendArrayLen(b, 1, flexible)
	b = appendInt32(b, nodeID)
	b = appendString(b, host, flexible)
	b = appendInt32(b, port)
	if version >= 1 {
		b = appendNullableString(b, "", flexible) // rack
	}
	b = appendNoTags(b, flexible)
	if version >= 2 {
		b = appendString(b, c.id, flexible)
	}
	if version >= 1 {
		b = appendInt32(b, nodeID) // controller
	}
	return b
}

func appendInt32(b []byte, n int32) []byte { return binary.BigEndian.AppendUint32(b, uint32(n)) }

// metadataTopics are the topics asked for, each once, those made by the request among them.
// As soon as one is named by id, names do not count.
func (c *Cluster) metadataTopics(req *kmsg.MetadataRequest) []metadataTopic {
	image := c.image.Load()
	if topics := topicsByID(image, req); topics != nil {
		return topics
	}
	s := c.settings.Load()
	create := (req.AllowAutoTopicCreation || req.Version < 4) && s.autoCreateTopics
	topics := make([]metadataTopic, 0, len(req.Topics))
	var invalid, missing []metadataTopic
	seen := make(map[string]bool, len(req.Topics))
	for i := range req.Topics {
		if req.Topics[i].Topic == nil {
			continue
		}
		name := *req.Topics[i].Topic
		if seen[name] {
			continue
		}
		seen[name] = true
		if t := image.byName.get(name); t != nil {
			topics = append(topics, metadataTopic{name: name, id: t.id, topic: t})
			continue
		}
		if invalidTopicName(name) != "" {
			invalid = append(invalid, metadataTopic{code: protocol.InvalidTopicException, name: name})
		} else {
			missing = append(missing, metadataTopic{code: protocol.UnknownTopicOrPartition, name: name})
		}
	}
	if create {
		c.createMissing(missing)
	}
	return append(append(topics, invalid...), missing...)
}

// createMissing creates the topics that do not exist, as far as that is possible, all
// at once, as AutoTopicCreationManager does. The request that asks for it does not wait
// for them, so that its answer calls them UNKNOWN_TOPIC_OR_PARTITION, and clients ask again.
func (c *Cluster) createMissing(missing []metadataTopic) {
	if len(missing) == 0 {
		return
	}
	c.mu.Lock()
	defer c.changes.notify()
	defer c.mu.Unlock()
	image, s := c.image.Load(), c.settings.Load()
	plans := make([]*topicPlan, 0, len(missing))
	for i := range missing {
		if name := missing[i].name; name != clusterMetadataTopicName && image.byName.get(name) == nil {
			plan := autoPlan(name, s)
			plans = append(plans, &plan)
		}
	}
	c.carryOut(plans, false) // what is refused stays unknown
}

// topicsByID are the topics asked for by id; nil if none is.
func topicsByID(image *topicImage, req *kmsg.MetadataRequest) (unknown []metadataTopic) {
	var known []metadataTopic
	seen := make(map[protocol.UUID]bool)
	for i := range req.Topics {
		id := protocol.UUID(req.Topics[i].TopicID)
		if id == (protocol.UUID{}) || seen[id] {
			continue
		}
		seen[id] = true
		if t := image.byID.get(id); t != nil {
			known = append(known, metadataTopic{name: t.name, id: id, topic: t})
		} else {
			unknown = append(unknown, metadataTopic{code: protocol.UnknownTopicId, nameless: true, id: id})
		}
	}
	return append(unknown, known...)
}

// append encodes the topic.
func (m *metadataTopic) append(b []byte, version int16, operations int32) []byte {
	flexible := version >= 9
	b = binary.BigEndian.AppendUint16(b, uint16(m.code))
	if m.nameless {
		b = appendNullableString(b, "", flexible)
	} else {
		b = appendString(b, m.name, flexible)
	}
	if version >= 10 {
		b = append(b, m.id[:]...)
	}
	if version >= 1 {
		b = append(b, boolByte(isInternalTopic(m.name)))
	}
	n := 0
	if m.topic != nil {
		n = len(m.topic.partitions)
	}
	b = appendArrayLen(b, n, flexible)
	for i := range n {
		b = appendMetadataPartition(b, int32(i), version)
	}
	if version >= 8 {
		if m.nameless {
			operations = noOperations
		}
		b = appendInt32(b, operations)
	}
	return appendNoTags(b, flexible)
}

// appendMetadataPartition encodes a partition that the only node leads.
func appendMetadataPartition(b []byte, index int32, version int16) []byte {
	flexible := version >= 9
	b = append(b, 0, 0) // error code
	b = appendInt32(b, index)
	b = appendInt32(b, nodeID)
	if version >= 7 {
		b = appendInt32(b, 0) // leader epoch
	}
	b = appendInt32(appendArrayLen(b, 1, flexible), nodeID) // replicas
	b = appendInt32(appendArrayLen(b, 1, flexible), nodeID) // in-sync replicas
	if version >= 5 {
		b = appendArrayLen(b, 0, flexible) // offline replicas
	}
	return appendNoTags(b, flexible)
}

func boolByte(v bool) byte {
	if v {
		return 1
	}
	return 0
}

// metadataCache keeps the array of all topics as it was encoded last, for each
// version, without and with authorized operations.
type metadataCache [14][2]atomic.Pointer[[]byte]

// encodedTopics is the array of all topics. It is encoded when it is asked for
// first; two who ask at once do the same work twice.
func (image *topicImage) encodedTopics(version int16, operations int32) []byte {
	which := 0
	if operations != noOperations {
		which = 1
	}
	slot := &image.metadata[version][which]
	if cached := slot.Load(); cached != nil {
		return *cached
	}
	b := appendArrayLen(nil, len(image.list), version >= 9)
	for _, t := range image.list {
		m := metadataTopic{name: t.name, id: t.id, topic: t}
		b = m.append(b, version, operations)
	}
	slot.Store(&b)
	return b
}
