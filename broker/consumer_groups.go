package broker

import (
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/groupcoord"
	"klamm/protocol"
)

// Consumer groups (KIP-848). The rules are groupcoord's; here each request finds its
// group, and a group its configuration.

// consumerGroupHeartbeat answers ConsumerGroupHeartbeat v0-1.
func (c *Cluster) consumerGroupHeartbeat(call *call, req *kmsg.ConsumerGroupHeartbeatRequest, resp *kmsg.ConsumerGroupHeartbeatResponse) {
	give(resp, call.ask(req.Group, func(g *group, to groupcoord.Token) groupcoord.Event {
		g.joins++
		return groupcoord.ConsumerGroupHeartbeat{
			To: to, Req: req, Topics: c.image.Load(),
			ClientID: call.header.ClientID, ClientHost: call.conn.clientHost(),
			Random: c.random("member", g.id, g.life<<32|g.joins),
		}
	}))
}

// consumerGroupDescribe answers ConsumerGroupDescribe v0-1.
func (c *Cluster) consumerGroupDescribe(call *call, req *kmsg.ConsumerGroupDescribeRequest, resp *kmsg.ConsumerGroupDescribeResponse) {
	for _, id := range req.Groups {
		d := c.describeConsumerGroup(id)
		if req.IncludeAuthorizedOperations && d.ErrorCode == 0 {
			d.AuthorizedOperations = groupOperations
		}
		resp.Groups = append(resp.Groups, d)
		if call.grows(describedConsumerGroupSize(&d)) {
			return
		}
	}
}

// describedConsumerGroupSize is about how many bytes a group takes in an answer.
func describedConsumerGroupSize(d *kmsg.ConsumerGroupDescribeResponseGroup) int {
	size := 0
	for i := range d.Members {
		m := &d.Members[i]
		size += 256 + len(m.MemberID) + len(m.ClientID) + len(m.SubscribedTopics)*16
		for _, t := range m.Assignment.TopicPartitions {
			size += 128 + 4*len(t.Partitions)
		}
	}
	return size
}

func (c *Cluster) describeConsumerGroup(id string) kmsg.ConsumerGroupDescribeResponseGroup {
	d := kmsg.NewConsumerGroupDescribeResponseGroup()
	d.Group = id
	if id == "" {
		d.ErrorCode = int16(protocol.InvalidGroupId)
		return d
	}
	why := "Group " + id + " not found."
	if g := c.groups.get(id); g != nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		if !g.gone && g.machine.Listed() {
			if d, ok := g.machine.DescribeConsumer(c.image.Load()); ok {
				return d
			}
			why = "Group " + id + " is not a consumer group."
		}
	}
	d.ErrorCode, d.ErrorMessage = int16(protocol.GroupIdNotFound), &why
	return d
}

// groupConfig is what the configuration means to a group: what is set for it, and else
// what is set for the broker.
func (s *settings) groupConfig(id string) groupcoord.Config {
	cfg := s.group
	set := s.groups[id]
	ms := func(name string) time.Duration {
		value, ok := set[name]
		if !ok {
			value = s.value("group." + name)
		}
		n, _ := strconv.ParseInt(javaTrim(value), 10, 64)
		return time.Duration(n) * time.Millisecond
	}
	cfg.ConsumerSessionTimeout = ms("consumer.session.timeout.ms")
	cfg.ConsumerHeartbeatInterval = ms("consumer.heartbeat.interval.ms")
	cfg.ConsumerAssignmentInterval = ms("consumer.assignment.interval.ms")
	cfg.ShareSessionTimeout = ms("share.session.timeout.ms")
	cfg.ShareHeartbeatInterval = ms("share.heartbeat.interval.ms")
	cfg.ShareAssignmentInterval = ms("share.assignment.interval.ms")
	return cfg
}

// migrates tells whether group.consumer.migration.policy allows a way.
func (s *settings) migrates(way string) bool {
	policy := strings.ToLower(javaTrim(s.value("group.consumer.migration.policy")))
	return policy == "bidirectional" || policy == way
}
