package conformance

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"klamm/protocol"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// A cold broker answers these for a while after a topic or a coordinator was made.
// They are waited out outside the transcript.
var coldErrors = []protocol.ErrorCode{
	protocol.UnknownTopicOrPartition, protocol.LeaderNotAvailable, protocol.NotLeaderOrFollower,
	protocol.CoordinatorLoadInProgress, protocol.CoordinatorNotAvailable, protocol.NotCoordinator,
	protocol.ConcurrentTransactions, protocol.UnknownTopicId,
}

const (
	settleTries = 400                   // how often something cold is asked again
	settlePause = 25 * time.Millisecond // between two of these; the first ones are shorter
)

// errorCodes are all error codes in an answer.
func errorCodes(v reflect.Value) []protocol.ErrorCode {
	var codes []protocol.ErrorCode
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			codes = errorCodes(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			codes = append(codes, errorCodes(v.Index(i))...)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.Name == "ErrorCode" {
				codes = append(codes, protocol.ErrorCode(v.Field(i).Int()))
			} else if f.IsExported() {
				codes = append(codes, errorCodes(v.Field(i))...)
			}
		}
	}
	return codes
}

func isCold(resp kmsg.Response) bool {
	return slices.ContainsFunc(errorCodes(reflect.ValueOf(resp)), func(e protocol.ErrorCode) bool {
		return slices.Contains(coldErrors, e)
	})
}

// until asks req again until done likes the answer; nothing of it is in the transcript.
func until[T kmsg.Response](c *Conversation, req kmsg.Request, done func(T) bool) T {
	resp, ok := tried(c, settleTries, req, done)
	if !ok {
		c.say("what was awaited did not happen: %s v%d", kmsg.Key(req.Key()).Name(), req.GetVersion())
		panic(ended{})
	}
	return resp
}

// tried asks req up to tries times; ok tells whether done liked the last answer.
func tried[T kmsg.Response](c *Conversation, tries int, req kmsg.Request, done func(T) bool) (resp T, ok bool) {
	for try := range tries {
		if resp = ask[T](c.setup, req); done(resp) {
			return resp, true
		}
		c.pause(min(time.Millisecond<<min(try, 10), settlePause))
	}
	return resp, false
}

func warm[T kmsg.Response](resp T) bool { return !isCold(resp) }

// pause lets d pass.
func (c *Conversation) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.ctx.Done():
		c.fail(context.Cause(c.ctx))
	}
}

// Wait lets d pass as a part of the conversation; for timed rules only.
func (c *Conversation) Wait(d time.Duration) {
	c.say("\n# %v pass", d)
	c.pause(d)
}

// Topic makes a topic, ready to be written to. configs are names and values in turn.
// The topic keeps its records for ever, so that fixed timestamps may lie in the past.
func (c *Conversation) Topic(label string, partitions int32, configs ...string) Topic {
	t := Topic{Name: c.Name(label)}
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Version, req.TimeoutMillis = 7, 10_000
	rt := kmsg.NewCreateTopicsRequestTopic()
	rt.Topic, rt.NumPartitions, rt.ReplicationFactor = t.Name, partitions, 1
	configs = append([]string{"retention.ms", "-1"}, configs...)
	for i := 0; i < len(configs); i += 2 {
		rc := kmsg.NewCreateTopicsRequestTopicConfig()
		rc.Name, rc.Value = configs[i], &configs[i+1]
		rt.Configs = append(rt.Configs, rc)
	}
	req.Topics = append(req.Topics, rt)
	resp := ask[*kmsg.CreateTopicsResponse](c.setup, req)
	if len(resp.Topics) != 1 || resp.Topics[0].ErrorCode != 0 {
		c.say("topic %s cannot be made: %v", c.names.text(t.Name), errorCodes(reflect.ValueOf(resp)))
		panic(ended{})
	}
	t.ID = resp.Topics[0].TopicID
	c.names.know(protocol.UUID(t.ID).String(), label+" id")
	c.topics = append(c.topics, t.Name)
	c.ready(t.Name, partitions)
	return t
}

// Topic is a topic of a conversation.
type Topic struct {
	Name string
	ID   [16]byte
}

// ready waits until every partition of a topic has a leader that answers.
func (c *Conversation) ready(topic string, partitions int32) {
	meta := kmsg.NewPtrMetadataRequest()
	meta.Version = 12
	meta.Topics = []kmsg.MetadataRequestTopic{{Topic: &topic}}
	until(c, meta, warm[*kmsg.MetadataResponse])
	offsets := kmsg.NewPtrListOffsetsRequest()
	offsets.Version = 7
	rt := kmsg.NewListOffsetsRequestTopic()
	rt.Topic = topic
	for p := range partitions {
		rp := kmsg.NewListOffsetsRequestTopicPartition()
		rp.Partition, rp.Timestamp = p, -1
		rt.Partitions = append(rt.Partitions, rp)
	}
	offsets.Topics = append(offsets.Topics, rt)
	until(c, offsets, warm[*kmsg.ListOffsetsResponse])
}

// Mine has a topic that the rule made itself deleted at the end.
func (c *Conversation) Mine(topics ...string) { c.topics = append(c.topics, topics...) }

func (c *Conversation) deleteTopics() {
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.Version, req.TimeoutMillis = 5, 10_000
	req.TopicNames = c.topics
	if !c.target.Offer.Has(req.Key(), req.Version) {
		return
	}
	c.setup.drop() // a target may have ended it meanwhile
	was := c.err
	defer func() {
		if _, ok := recover().(ended); ok {
			c.err = cmp.Or(was, fmt.Errorf("topics %q could not be deleted", c.topics))
		}
	}()
	ask[*kmsg.DeleteTopicsResponse](c.setup, req)
}

// Group is a fresh group id whose coordinator answers.
func (c *Conversation) Group(label string) string {
	group := c.Name(label)
	c.awaitCoordinator(group)
	return group
}

func (c *Conversation) awaitCoordinator(group string) {
	find := kmsg.NewPtrFindCoordinatorRequest()
	find.Version, find.CoordinatorKeys = 4, []string{group}
	until(c, find, warm[*kmsg.FindCoordinatorResponse])
	fetch := kmsg.NewPtrOffsetFetchRequest()
	fetch.Version, fetch.Group = 7, group
	until(c, fetch, warm[*kmsg.OffsetFetchResponse])
}

// AwaitGroup waits, outside the transcript, until the group has this state and as many
// members: a request that was sent and is not answered yet has then been seen.
func (c *Conversation) AwaitGroup(group, state string, members int) {
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Version, req.Groups = 5, []string{group}
	until(c, req, func(resp *kmsg.DescribeGroupsResponse) bool {
		return len(resp.Groups) == 1 && resp.Groups[0].State == state && len(resp.Groups[0].Members) == members
	})
}
