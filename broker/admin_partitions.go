package broker

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// createPartitions answers CreatePartitions v0-3 (ControllerApis.createPartitions):
// first the names that the request has twice, then the others in the order of a
// hash table.
func (c *Cluster) createPartitions(call *call, req *kmsg.CreatePartitionsRequest, resp *kmsg.CreatePartitionsResponse) {
	twice := duplicates(req.Topics, func(t kmsg.CreatePartitionsRequestTopic) string { return t.Topic })
	asked := make(map[string]*kmsg.CreatePartitionsRequestTopic, len(req.Topics))
	for i := range req.Topics {
		if t := &req.Topics[i]; !twice[t.Topic] {
			asked[t.Topic] = t
		}
	}
	answer := func(name string, refused apiError) {
		t := kmsg.NewCreatePartitionsResponseTopic()
		t.Topic, t.ErrorCode, t.ErrorMessage = name, int16(refused.code), refused.pointer()
		resp.Topics = append(resp.Topics, t)
	}
	c.mu.Lock()
	names := inJavaOrder(asked)
	results, refused := c.addPartitions(names, asked, req.ValidateOnly, req.TimeoutMillis)
	c.mu.Unlock()
	c.changes.notify()
	if refused.code != protocol.None {
		for i := range req.Topics {
			answer(req.Topics[i].Topic, refused)
		}
		return
	}
	for _, name := range inJavaOrder(twice) {
		answer(name, apiError{protocol.InvalidRequest, "Duplicate topic name."})
	}
	for i, name := range names {
		answer(name, results[i])
	}
}

// addPartitions gives topics more partitions, or judges only. It returns one
// result for each name, or why the request as a whole is refused
// (ReplicationControlManager.createPartitions). The caller holds c.mu.
func (c *Cluster) addPartitions(names []string, asked map[string]*kmsg.CreatePartitionsRequestTopic,
	validateOnly bool, timeoutMs int32) ([]apiError, apiError) {
	if len(names) > 0 && timeoutMs <= 0 {
		return nil, apiError{protocol.RequestTimedOut, noMessage}
	}
	image := c.image.Load()
	total := int64(0)
	for _, name := range names {
		if t := image.byName.get(name); t != nil {
			total += max(int64(asked[name].Count)-int64(len(t.partitions)), 0)
		}
	}
	if total > maxPartitionsPerRequest {
		return nil, apiError{protocol.PolicyViolation, "Excessively large number of additional partitions per request."}
	}
	results := make([]apiError, len(names))
	edit := c.editTopics()
	for i, name := range names {
		t := image.byName.get(name)
		results[i] = checkNewPartitions(t, asked[name])
		if results[i].code == protocol.None {
			edit.grow(t, asked[name].Count)
		}
	}
	if !validateOnly {
		edit.publish()
	}
	return results, apiError{}
}

func checkNewPartitions(t *topic, asked *kmsg.CreatePartitionsRequestTopic) apiError {
	if t == nil {
		return apiError{protocol.UnknownTopicOrPartition, noMessage}
	}
	have, want := int32(len(t.partitions)), asked.Count
	switch {
	case want == have:
		return apiError{protocol.InvalidPartitions, fmt.Sprintf("Topic already has %d partition(s).", have)}
	case want < have:
		return apiError{protocol.InvalidPartitions, fmt.Sprintf(
			"The topic %s currently has %d partition(s); %d would not be an increase.", t.name, have, want)}
	case asked.Assignment == nil:
		return apiError{}
	case len(asked.Assignment) != int(want-have):
		return apiError{protocol.InvalidReplicaAssignment, fmt.Sprintf(
			"Attempted to add %d additional partition(s), but only %d assignment(s) were specified.",
			want-have, len(asked.Assignment))}
	}
	for _, a := range asked.Assignment {
		if refused := checkAssignment(a.Replicas, 1); refused.code != protocol.None {
			return refused
		}
	}
	return apiError{}
}
