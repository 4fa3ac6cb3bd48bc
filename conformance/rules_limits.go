package conformance

import (
	"encoding/binary"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// brokerLimitRules show the effect of broker configs that a client can only see, and
// not set.
func brokerLimitRules() []Rule {
	return []Rule{
		{
			ID: "groups.timers.joins-gather", Says: "The first join phase of a group lasts group.initial.rebalance.delay.ms, and that again while members arrive.", Source: "KIP-134",
			Severity: Timing, Timed: true, Profile: "joins-gather", Run: joinsGather,
		},
		{
			ID: "groups.timers.joins-gather-alone", Says: "The delay of the first join phase is no longer than the rebalance timeout allows, and later join phases have none.", Source: "KIP-134",
			Severity: Timing, Timed: true, Profile: "joins-gather", Run: func(c *Conversation) {
				g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
				m := newMember(a, g)
				joining := a.Send(join(9, g, m))
				c.AwaitGroup(g, "PreparingRebalance", 1)
				c.Wait(time.Second)
				described(b, g)
				answer[*kmsg.JoinGroupResponse](joining)
				syncNow(a, sync(5, g, m, 1, m, "all"))
				joinNow(a, join(9, g, m))
				described(b, g)
			},
		},
		{
			ID: "fetch.session.no-slots", Says: "Where there is no room for fetch sessions, a fetch that asks for one is answered in full without one.", Source: "KIP-227",
			Profile: "no-fetch-sessions", Run: func(c *Conversation) {
				a, t := c.Conn("a"), c.Topic("orders", 1)
				put(a, t, 0, batchOf("v"))
				req := fetch(12, t, 0, 0)
				req.SessionEpoch = 0
				get(a, req)
				get(a, req)
			},
		},
		{
			ID: "frames.too-long", Says: "A request longer than socket.request.max.bytes ends the connection, one as long does not.", Source: "NetworkReceive",
			Profile: "short-requests", Run: func(c *Conversation) {
				for _, n := range []int{10_000, 10_001} {
					a := c.Conn("a")
					body := []byte{0, 18, 0, 99, 0, 0, 0, 1, 0, 0} // a version that is refused in few words
					body = append(body, make([]byte, n-len(body))...)
					c.Note("%d bytes", n)
					resp := kmsg.NewPtrApiVersionsResponse()
					binary.BigEndian.PutUint32(body[4:], uint32(a.next()))
					a.SendRaw("ApiVersions", framed(body)).AnswerAs(resp)
				}
			},
		},
		{
			ID: "fetch.broker-max-bytes", Says: "A fetch gives no more than fetch.max.bytes, whatever the client would take, but one batch at least.", Source: "KIP-541",
			Profile: "small-fetches", Run: func(c *Conversation) {
				a, t, u := c.Conn("a"), c.Topic("orders", 2), c.Topic("bills", 1)
				for range 3 {
					put(a, t, 0, batchOf(strings.Repeat("x", 400)))
				}
				put(a, t, 1, batchOf(strings.Repeat("y", 200)))
				put(a, u, 0, batchOf(strings.Repeat("z", 2_000)))
				req := fetch(12, t, 0, 0)
				req.Topics[0].Partitions = append(req.Topics[0].Partitions, fetchPartition(1, 0))
				get(a, req)
				get(a, fetch(12, u, 0, 0))
			},
		},
		{
			ID: "topicpartitions.broker-limit", Says: "A page has no more partitions than max.request.partition.size.limit.", Source: "KIP-966",
			Profile: "small-pages", Run: func(c *Conversation) {
				a, t := c.Conn("a"), c.Topic("orders", 5)
				ask[*kmsg.DescribeTopicPartitionsResponse](a, topicPartitions(2_000, t.Name))
				ask[*kmsg.DescribeTopicPartitionsResponse](a, topicPartitions(1, t.Name))
			},
		},
	}
}

// joinsGather lets a second member join during the delay, and a third when it was
// extended; what the group does meanwhile is asked in the middle of each second.
func joinsGather(c *Conversation) {
	g, a, b, d := c.Group("readers"), c.Conn("a"), c.Conn("b"), c.Conn("d")
	first := a.Send(join(3, g, ""))
	c.AwaitGroup(g, "PreparingRebalance", 1)
	c.Wait(time.Second)
	second := b.Send(join(3, g, ""))
	c.AwaitGroup(g, "PreparingRebalance", 2)
	c.Wait(2 * time.Second)
	stateOf(c, g)
	third := d.Send(join(3, g, ""))
	c.AwaitGroup(g, "PreparingRebalance", 3)
	c.Wait(2 * time.Second)
	stateOf(c, g)
	answer[*kmsg.JoinGroupResponse](first)
	answer[*kmsg.JoinGroupResponse](second)
	answer[*kmsg.JoinGroupResponse](third)
}

// stateOf adds the state of a group to the transcript, and nothing else of it.
func stateOf(c *Conversation, group string) {
	resp := ask[*kmsg.DescribeGroupsResponse](c.setup, describe(5, group))
	c.say("the group is %s with %d members", resp.Groups[0].State, len(resp.Groups[0].Members))
}
