package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// deleteTopics answers DeleteTopics v1-6 (ControllerApis.deleteTopics). Kafka
// shuffles the answers; here refusals come first, in the order of the request.
func (c *Cluster) deleteTopics(call *call, req *kmsg.DeleteTopicsRequest, resp *kmsg.DeleteTopicsResponse) {
	if !c.settings.Load().deleteTopics {
		code := protocol.TopicDeletionDisabled
		if req.Version < 3 {
			code = protocol.InvalidRequest
		}
		refuseDeletion(req, resp, code)
		return
	}
	names, ids, repeated := deletedTopics(req, resp)
	if len(names)+len(ids) > 0 && req.TimeoutMillis <= 0 {
		resp.Topics = nil
		refuseDeletion(req, resp, protocol.RequestTimedOut)
		return
	}
	var gone []*topic
	c.mu.Lock()
	image := c.image.Load()
	byID := make(map[*topic]bool, len(ids))
	for _, id := range ids {
		if t := image.byID.get(id); t != nil {
			byID[t] = true
			gone = append(gone, t)
		} else {
			appendDeletion(resp, nil, id, apiError{code: protocol.UnknownTopicId})
		}
	}
	for _, id := range repeated {
		byID[image.byID.get(id)] = true
	}
	for _, name := range names {
		switch t := image.byName.get(name); {
		case t == nil:
			appendDeletion(resp, &name, protocol.UUID{}, apiError{code: protocol.UnknownTopicOrPartition})
		case byID[t]:
			byID[t] = false
			appendDeletion(resp, &name, t.id, apiError{protocol.InvalidRequest,
				"The provided topic name maps to an ID that was already supplied."})
		default:
			gone = append(gone, t)
		}
	}
	gone = withoutFalse(gone, byID)
	c.removeTopics(gone)
	c.mu.Unlock()
	c.topicsRemoved(gone)
	for _, t := range gone {
		appendDeletion(resp, &t.name, t.id, apiError{})
	}
}

// withoutFalse leaves out the topics that were named in both ways.
func withoutFalse(topics []*topic, byID map[*topic]bool) []*topic {
	kept := topics[:0]
	for _, t := range topics {
		if once, ok := byID[t]; once || !ok {
			kept = append(kept, t)
		}
	}
	return kept
}

// deletedTopics are the names and the ids that the request has once each. The
// others are refused; repeated are the ids among them.
func deletedTopics(req *kmsg.DeleteTopicsRequest, resp *kmsg.DeleteTopicsResponse) (names []string, ids, repeated []protocol.UUID) {
	names = append(names, req.TopicNames...)
	for i := range req.Topics {
		t := &req.Topics[i]
		switch id := protocol.UUID(t.TopicID); {
		case t.Topic == nil && id == protocol.UUID{}:
			appendDeletion(resp, nil, id, apiError{protocol.InvalidRequest, "Neither topic name nor id were specified."})
		case t.Topic == nil:
			ids = append(ids, id)
		case id == protocol.UUID{}:
			names = append(names, *t.Topic)
		default:
			appendDeletion(resp, t.Topic, id, apiError{protocol.InvalidRequest, "You may not specify both topic name and topic id."})
		}
	}
	names = once(names, func(name string) {
		appendDeletion(resp, &name, protocol.UUID{}, apiError{protocol.InvalidRequest, "Duplicate topic name."})
	})
	ids = once(ids, func(id protocol.UUID) {
		repeated = append(repeated, id)
		appendDeletion(resp, nil, id, apiError{protocol.InvalidRequest, "Duplicate topic id."})
	})
	return names, ids, repeated
}

// once are the items that are there once; each other one is given to refuse, once.
func once[T comparable](items []T, refuse func(T)) []T {
	count := make(map[T]int, len(items))
	for _, item := range items {
		count[item]++
	}
	kept := items[:0]
	for _, item := range items {
		switch n := count[item]; {
		case n == 1:
			kept = append(kept, item)
		case n > 1:
			count[item] = -1
			refuse(item)
		}
	}
	return kept
}

// refuseDeletion refuses the request as a whole (DeleteTopicsRequest.getErrorResponse).
func refuseDeletion(req *kmsg.DeleteTopicsRequest, resp *kmsg.DeleteTopicsResponse, code protocol.ErrorCode) {
	for _, name := range req.TopicNames {
		appendDeletion(resp, &name, protocol.UUID{}, apiError{code, noMessage})
	}
	for i := range req.Topics {
		appendDeletion(resp, req.Topics[i].Topic, protocol.UUID(req.Topics[i].TopicID), apiError{code, noMessage})
	}
}

func appendDeletion(resp *kmsg.DeleteTopicsResponse, name *string, id protocol.UUID, refused apiError) {
	t := kmsg.NewDeleteTopicsResponseTopic()
	t.Topic, t.TopicID = name, id
	t.ErrorCode, t.ErrorMessage = int16(refused.code), refused.pointer()
	resp.Topics = append(resp.Topics, t)
}

// removeTopics takes topics out of the image. The caller holds c.mu, and calls
// topicsRemoved once it does not.
func (c *Cluster) removeTopics(gone []*topic) {
	if len(gone) == 0 {
		return
	}
	edit := c.editTopics()
	edit.remove(gone)
	edit.publish()
}

// topicsRemoved wakes the fetches that wait for deleted topics, and tells the
// groups, which forget the offsets committed for them.
func (c *Cluster) topicsRemoved(gone []*topic) {
	if len(gone) == 0 {
		return
	}
	names := make([]string, 0, len(gone))
	for _, t := range gone {
		for _, p := range t.partitions {
			p.close()
		}
		names = append(names, t.name)
	}
	c.groupsTopicsDeleted(names)
	c.changes.notify()
}
