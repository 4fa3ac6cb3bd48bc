package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/groupcoord"
	"klamm/protocol"
)

// Committed offsets. Which topics exist is the broker's knowledge, so the topics
// that do not are answered here, and the group sees the others only.

// offsetCommit commits offsets, of the existing topics and partitions.
func (c *Cluster) offsetCommit(call *call, req *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse) {
	answer := &commitAnswer{resp: resp, byID: call.header.Version >= 10}
	known := c.knownCommits(req, answer)
	if len(known) == 0 {
		return
	}
	req.Topics = known
	reply := call.ask(req.Group, func(_ *group, to groupcoord.Token) groupcoord.Event {
		return groupcoord.OffsetCommit{To: to, Req: req}
	})
	if reply == nil {
		return
	}
	committed := reply.(*kmsg.OffsetCommitResponse).Topics
	if answer.byID {
		ids := make(map[string]protocol.UUID, len(known))
		for _, rt := range known {
			ids[rt.Topic] = rt.TopicID
		}
		for i := range committed {
			committed[i].TopicID = ids[committed[i].Topic]
		}
	}
	answer.merge(committed)
}

// knownCommits returns the topics and partitions of req that exist, with their
// names, and refuses the others in the answer.
func (c *Cluster) knownCommits(req *kmsg.OffsetCommitRequest, answer *commitAnswer) []kmsg.OffsetCommitRequestTopic {
	var known []kmsg.OffsetCommitRequestTopic
	for _, rt := range req.Topics {
		t, missing := c.namedTopic(answer.byID, rt.Topic, rt.TopicID)
		refused := kmsg.NewOffsetCommitResponseTopic()
		refused.Topic, refused.TopicID = rt.Topic, rt.TopicID
		var kept []kmsg.OffsetCommitRequestTopicPartition
		for _, rp := range rt.Partitions {
			if t.partition(rp.Partition) != nil {
				kept = append(kept, rp)
				continue
			}
			p := kmsg.NewOffsetCommitResponseTopicPartition()
			p.Partition, p.ErrorCode = rp.Partition, int16(missing)
			refused.Partitions = append(refused.Partitions, p)
		}
		if t != nil {
			rt.Topic, refused.Topic = t.name, t.name
			rt.TopicID = t.id // Kafka stores it, whatever the version
		}
		if t == nil || len(refused.Partitions) > 0 {
			answer.add(&refused)
		}
		if len(kept) > 0 {
			rt.Partitions = kept
			known = append(known, rt)
		}
	}
	return known
}

// namedTopic finds a topic by id or by name; missing is the error of what is not there.
func (c *Cluster) namedTopic(byID bool, name string, id protocol.UUID) (t *topic, missing protocol.ErrorCode) {
	image := c.image.Load()
	if !byID {
		return image.byName.get(name), protocol.UnknownTopicOrPartition
	}
	if t := image.byID.get(id); t != nil {
		return t, protocol.UnknownTopicOrPartition
	}
	return nil, protocol.UnknownTopicId
}

// commitAnswer gathers the topics of an answer. Partitions of one topic, which is known
// by its id since v10, stay together (OffsetCommitResponse.Builder).
type commitAnswer struct {
	resp *kmsg.OffsetCommitResponse
	byID bool
	at   map[commitTopic]int
}

// commitTopic is how a topic of an answer is known: by one of the two.
type commitTopic struct {
	name string
	id   protocol.UUID
}

// merge adds the answer of the group. One that is all there is, is taken as it is, in
// which a topic that was named twice stands twice.
func (a *commitAnswer) merge(topics []kmsg.OffsetCommitResponseTopic) {
	if len(a.resp.Topics) == 0 {
		a.resp.Topics = topics
		return
	}
	for i := range topics {
		a.add(&topics[i])
	}
}

func (a *commitAnswer) add(t *kmsg.OffsetCommitResponseTopic) {
	key := commitTopic{name: t.Topic}
	if a.byID {
		key = commitTopic{id: t.TopicID}
	}
	if i, ok := a.at[key]; ok {
		a.resp.Topics[i].Partitions = append(a.resp.Topics[i].Partitions, t.Partitions...)
		return
	}
	if a.at == nil {
		a.at = make(map[commitTopic]int)
	}
	a.at[key] = len(a.resp.Topics)
	a.resp.Topics = append(a.resp.Topics, *t)
}

// offsetFetch answers one group before v8, several since (KIP-709).
func (c *Cluster) offsetFetch(call *call, req *kmsg.OffsetFetchRequest, resp *kmsg.OffsetFetchResponse) {
	if call.header.Version >= 8 {
		for i := range req.Groups {
			one := c.fetchGroupOffsets(call, &req.Groups[i], req.RequireStable)
			resp.Groups = append(resp.Groups, one)
			for j := range one.Topics {
				const each = 64 // about how many bytes an offset takes
				if call.grows(each * len(one.Topics[j].Partitions)) {
					return
				}
			}
		}
		return
	}
	one := kmsg.NewOffsetFetchRequestGroup()
	one.Group = req.Group
	if req.Topics != nil {
		one.Topics = []kmsg.OffsetFetchRequestGroupTopic{}
	}
	for _, rt := range req.Topics {
		t := kmsg.NewOffsetFetchRequestGroupTopic()
		t.Topic, t.Partitions = rt.Topic, rt.Partitions
		one.Topics = append(one.Topics, t)
	}
	answer := c.fetchGroupOffsets(call, &one, req.RequireStable)
	resp.ErrorCode = answer.ErrorCode
	for _, at := range answer.Topics {
		t := kmsg.NewOffsetFetchResponseTopic()
		t.Topic = at.Topic
		for _, ap := range at.Partitions {
			p := kmsg.NewOffsetFetchResponseTopicPartition()
			p.Partition, p.Offset, p.LeaderEpoch, p.Metadata, p.ErrorCode = ap.Partition, ap.Offset, ap.LeaderEpoch, ap.Metadata, ap.ErrorCode
			t.Partitions = append(t.Partitions, p)
		}
		resp.Topics = append(resp.Topics, t)
	}
}

// fetchGroupOffsets answers for one group. Since v10 topics go by their ids.
func (c *Cluster) fetchGroupOffsets(call *call, req *kmsg.OffsetFetchRequestGroup, stable bool) kmsg.OffsetFetchResponseGroup {
	byID := call.header.Version >= 10
	var unknown []kmsg.OffsetFetchResponseGroupTopic
	if byID && req.Topics != nil {
		known := []kmsg.OffsetFetchRequestGroupTopic{}
		for _, rt := range req.Topics {
			t := c.image.Load().byID.get(rt.TopicID)
			if t == nil {
				unknown = append(unknown, unknownFetched(rt))
				continue
			}
			rt.Topic = t.name
			known = append(known, rt)
		}
		req.Topics = known
	}
	answer := c.readOffsets(call, req, stable)
	if byID {
		image := c.image.Load()
		for i := range answer.Topics {
			if t := image.byName.get(answer.Topics[i].Topic); t != nil {
				answer.Topics[i].TopicID = t.id
			}
		}
	}
	answer.Topics = append(answer.Topics, unknown...)
	return answer
}

func unknownFetched(rt kmsg.OffsetFetchRequestGroupTopic) kmsg.OffsetFetchResponseGroupTopic {
	t := kmsg.NewOffsetFetchResponseGroupTopic()
	t.TopicID = rt.TopicID
	for _, index := range rt.Partitions {
		p := kmsg.NewOffsetFetchResponseGroupTopicPartition()
		p.Partition, p.Offset, p.Metadata = index, -1, kmsg.StringPtr("")
		p.ErrorCode = int16(protocol.UnknownTopicId)
		t.Partitions = append(t.Partitions, p)
	}
	return t
}

// readOffsets asks the group, or an empty one where there is none.
func (c *Cluster) readOffsets(call *call, req *kmsg.OffsetFetchRequestGroup, stable bool) kmsg.OffsetFetchResponseGroup {
	if g := c.groups.get(req.Group); g != nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		if !g.gone {
			return g.machine.FetchOffsets(call.now, *req, stable)
		}
	}
	return groupcoord.New(req.Group, groupcoord.Config{}).FetchOffsets(call.now, *req, stable)
}

// offsetDelete deletes committed offsets, of the existing topics and partitions (KIP-496).
func (c *Cluster) offsetDelete(call *call, req *kmsg.OffsetDeleteRequest, resp *kmsg.OffsetDeleteResponse) {
	refused := c.takeUnknownDeletes(req)
	reply := call.ask(req.Group, func(_ *group, to groupcoord.Token) groupcoord.Event {
		return groupcoord.OffsetDelete{To: to, Req: req}
	})
	give(resp, reply)
	if resp.ErrorCode != 0 || len(refused.topics) == 0 {
		return
	}
	for _, t := range resp.Topics {
		refused.add(t.Topic, t.Partitions...)
	}
	resp.Topics = refused.topics
}

// deletedOffsets is the answer to an OffsetDelete in which something was refused: topics
// that are named several times are one there (OffsetDeleteResponse.Builder).
type deletedOffsets struct {
	topics []kmsg.OffsetDeleteResponseTopic
	at     map[string]int
}

func (d *deletedOffsets) add(topic string, partitions ...kmsg.OffsetDeleteResponseTopicPartition) {
	i, ok := d.at[topic]
	if !ok {
		i = len(d.topics)
		d.at[topic] = i
		d.topics = append(d.topics, kmsg.OffsetDeleteResponseTopic{Topic: topic})
	}
	d.topics[i].Partitions = append(d.topics[i].Partitions, partitions...)
}

// takeUnknownDeletes takes out of req what does not exist and returns it refused. A topic
// that does not exist is in the answer even without partitions.
func (c *Cluster) takeUnknownDeletes(req *kmsg.OffsetDeleteRequest) (refused deletedOffsets) {
	refused.at = map[string]int{}
	image := c.image.Load()
	known := req.Topics[:0]
	for _, rt := range req.Topics {
		t := image.byName.get(rt.Topic)
		if t == nil {
			refused.add(rt.Topic)
		}
		var kept []kmsg.OffsetDeleteRequestTopicPartition
		for _, rp := range rt.Partitions {
			if t.partition(rp.Partition) != nil {
				kept = append(kept, rp)
				continue
			}
			refused.add(rt.Topic, kmsg.OffsetDeleteResponseTopicPartition{Partition: rp.Partition, ErrorCode: int16(protocol.UnknownTopicOrPartition)})
		}
		if len(kept) > 0 {
			rt.Partitions = kept
			known = append(known, rt)
		}
	}
	req.Topics = known
	return refused
}
