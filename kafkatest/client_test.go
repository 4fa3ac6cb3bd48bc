package kafkatest_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// client is a Kafka client of one connection that does one thing at a time.
type client struct {
	conn      net.Conn
	formatter *kmsg.RequestFormatter
	sent      int32
}

// dialer is how a client gets to the broker.
type dialer func(ctx context.Context, network, addr string) (net.Conn, error)

func dialClient(ctx context.Context, dial dialer, addr, id string) (*client, error) {
	conn, err := dial(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, formatter: kmsg.NewRequestFormatter(kmsg.FormatterClientID(id))}, nil
}

// ask sends a request of a version and waits for the answer.
func (c *client) ask(req kmsg.Request, version int16) (kmsg.Response, error) {
	req.SetVersion(version)
	c.sent++
	if _, err := c.conn.Write(c.formatter.AppendRequest(nil, req, c.sent)); err != nil {
		return nil, err
	}
	head := make([]byte, 8)
	if _, err := io.ReadFull(c.conn, head); err != nil {
		return nil, err
	}
	if got := int32(binary.BigEndian.Uint32(head[4:])); got != c.sent {
		return nil, fmt.Errorf("answer to request %d, want %d", got, c.sent)
	}
	body := make([]byte, binary.BigEndian.Uint32(head)-4)
	if _, err := io.ReadFull(c.conn, body); err != nil {
		return nil, err
	}
	if req.IsFlexible() {
		body = body[1:] // no tags
	}
	resp := req.ResponseKind()
	return resp, resp.ReadFrom(body)
}

// consumer is a member of a group that reads one topic: enough of one to show what
// kafkatest does, and to be honest about errors.
type consumer struct {
	*client
	group, topic string
	instance     *string
	partitions   int32 // of the topic, for when this member assigns

	memberID   string
	generation int32
	assigned   []int32
	next       map[int32]int64 // offset to read next, and to commit
}

const (
	sessionTimeout = 45 * time.Second
	heartbeat      = 100 * time.Millisecond
)

// errors that a consumer sees in answers.
var (
	errRebalance = errors.New("the group rebalances")
	errGone      = errors.New("the group does not know this member")
)

func codeError(code int16) error {
	switch code {
	case 0:
		return nil
	case 27:
		return errRebalance
	case 22, 25:
		return errGone
	}
	return fmt.Errorf("error code %d", code)
}

// join joins the group, again if need be, and gets an assignment.
func (c *consumer) join() error {
	for {
		members, err := c.joinOnce()
		if err == nil {
			err = c.sync(members)
		}
		switch {
		case errors.Is(err, errGone):
			c.memberID = ""
		case !errors.Is(err, errRebalance):
			return err
		}
	}
}

// joinOnce returns the members to assign partitions to, if this member is to do so.
func (c *consumer) joinOnce() ([]kmsg.JoinGroupResponseMember, error) {
	subscription := kmsg.NewConsumerMemberMetadata()
	subscription.Topics = []string{c.topic}
	protocol := kmsg.NewJoinGroupRequestProtocol()
	protocol.Name, protocol.Metadata = "range", subscription.AppendTo(nil)
	req := kmsg.NewPtrJoinGroupRequest()
	req.Group, req.MemberID, req.InstanceID, req.ProtocolType = c.group, c.memberID, c.instance, "consumer"
	req.SessionTimeoutMillis = int32(sessionTimeout.Milliseconds())
	req.RebalanceTimeoutMillis = req.SessionTimeoutMillis
	req.Protocols = []kmsg.JoinGroupRequestProtocol{protocol}
	answer, err := c.ask(req, 9)
	if err != nil {
		return nil, err
	}
	resp := answer.(*kmsg.JoinGroupResponse)
	c.memberID, c.generation = resp.MemberID, resp.Generation
	if resp.ErrorCode == 79 { // here is your member id, come again
		return c.joinOnce()
	}
	return resp.Members, codeError(resp.ErrorCode)
}

// sync brings the assignment, if there are members to assign to, and gets its own.
func (c *consumer) sync(members []kmsg.JoinGroupResponseMember) error {
	req := kmsg.NewPtrSyncGroupRequest()
	req.Group, req.MemberID, req.InstanceID, req.Generation = c.group, c.memberID, c.instance, c.generation
	req.ProtocolType, req.Protocol = kmsg.StringPtr("consumer"), kmsg.StringPtr("range")
	for i, m := range members {
		topic := kmsg.NewConsumerMemberAssignmentTopic()
		topic.Topic = c.topic
		for p := int32(i); p < c.partitions; p += int32(len(members)) {
			topic.Partitions = append(topic.Partitions, p)
		}
		assignment := kmsg.NewConsumerMemberAssignment()
		assignment.Topics = []kmsg.ConsumerMemberAssignmentTopic{topic}
		one := kmsg.NewSyncGroupRequestGroupAssignment()
		one.MemberID, one.MemberAssignment = m.MemberID, assignment.AppendTo(nil)
		req.GroupAssignment = append(req.GroupAssignment, one)
	}
	answer, err := c.ask(req, 5)
	if err != nil {
		return err
	}
	resp := answer.(*kmsg.SyncGroupResponse)
	if err := codeError(resp.ErrorCode); err != nil {
		return err
	}
	var assignment kmsg.ConsumerMemberAssignment
	if err := assignment.ReadFrom(resp.MemberAssignment); err != nil {
		return err
	}
	c.assigned = nil
	for _, t := range assignment.Topics {
		c.assigned = append(c.assigned, t.Partitions...)
	}
	return nil
}

func (c *consumer) heartbeat() error {
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group, req.MemberID, req.InstanceID, req.Generation = c.group, c.memberID, c.instance, c.generation
	answer, err := c.ask(req, 4)
	if err != nil {
		return err
	}
	return codeError(answer.(*kmsg.HeartbeatResponse).ErrorCode)
}

// commit commits an offset of one partition.
func (c *consumer) commit(partition int32, offset int64) error {
	p := kmsg.NewOffsetCommitRequestTopicPartition()
	p.Partition, p.Offset = partition, offset
	t := kmsg.NewOffsetCommitRequestTopic()
	t.Topic, t.Partitions = c.topic, []kmsg.OffsetCommitRequestTopicPartition{p}
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.MemberID, req.InstanceID, req.Generation = c.group, c.memberID, c.instance, c.generation
	req.Topics = []kmsg.OffsetCommitRequestTopic{t}
	answer, err := c.ask(req, 8)
	if err != nil {
		return err
	}
	return codeError(answer.(*kmsg.OffsetCommitResponse).Topics[0].Partitions[0].ErrorCode)
}

// poll reads what the assigned partitions have and commits it.
func (c *consumer) poll() error {
	for _, partition := range c.assigned {
		n, err := c.fetch(partition)
		if err == nil && n > 0 {
			c.next[partition] += n
			err = c.commit(partition, c.next[partition])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fetch counts the offsets of the batches that it gets.
func (c *consumer) fetch(partition int32) (n int64, err error) {
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes = partition, c.next[partition], 1<<20
	t := kmsg.NewFetchRequestTopic()
	t.Topic, t.Partitions = c.topic, []kmsg.FetchRequestTopicPartition{p}
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes = 20, 1, 1<<20
	req.Topics = []kmsg.FetchRequestTopic{t}
	answer, err := c.ask(req, 11)
	if err != nil {
		return 0, err
	}
	got := answer.(*kmsg.FetchResponse).Topics[0].Partitions[0]
	for batches := got.RecordBatches; len(batches) >= 61; {
		var batch kmsg.RecordBatch
		size := 12 + int(binary.BigEndian.Uint32(batches[8:]))
		if err := batch.ReadFrom(batches[:size]); err != nil {
			return n, err
		}
		n += batch.FirstOffset + int64(batch.LastOffsetDelta) + 1 - c.next[partition] - n
		batches = batches[size:]
	}
	return n, codeError(got.ErrorCode)
}

// consume is the program under test: it joins a group and reads and commits until
// ctx ends or its connection does.
func consume(ctx context.Context, dial dialer, addr, clientID, group, topic string, partitions int32) error {
	cl, err := dialClient(ctx, dial, addr, clientID)
	if err != nil {
		return err
	}
	defer cl.conn.Close()
	defer context.AfterFunc(ctx, func() { cl.conn.Close() })()
	c := &consumer{client: cl, group: group, topic: topic, partitions: partitions, next: make(map[int32]int64)}
	if err := c.join(); err != nil {
		return err
	}
	beat := time.NewTimer(heartbeat)
	defer beat.Stop()
	for {
		err := c.poll()
		if len(c.assigned) == 0 {
			<-beat.C // nothing to read: the next heartbeat is the next thing to do
			beat.Reset(heartbeat)
			err = c.heartbeat()
		} else if err == nil {
			select {
			case <-beat.C:
				beat.Reset(heartbeat)
				err = c.heartbeat()
			default:
			}
		}
		if errors.Is(err, errRebalance) || errors.Is(err, errGone) {
			err = c.join()
		}
		if err != nil {
			return err
		}
	}
}
