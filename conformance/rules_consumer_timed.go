package conformance

import (
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// consumerTimedRules are about what happens to a consumer group when time passes.
func consumerTimedRules() []Rule {
	rules := append(consumerTimeoutRules(), classicTimeoutRules()...)
	for i := range rules {
		rules[i].Timed = true
	}
	return rules
}

func consumerTimeoutRules() []Rule {
	return []Rule{
		must("groups.consumer.timed.rebalance", "Who does not give up in its rebalance timeout what it has to is out, and the others get what it had.", "KIP-848", func(c *Conversation) {
			g, t, a, b := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a"), c.Conn("b")
			req := enter(g, "one", t)
			req.RebalanceTimeoutMillis = 1500
			consumerNow(a, req)
			consumerNow(b, enter(g, "two", t))
			consumerNow(a, consumerBeat(g, "one", 2))
			consumerNow(a, consumerBeat(g, "one", 2))
			c.Wait(2500 * time.Millisecond)
			consumerNow(a, consumerBeat(g, "one", 2))
			consumerNow(b, consumerBeat(g, "two", 3))
			consumersDescribed(b, g)
		}),
		must("groups.consumer.timed.rebalance-met", "Who gives up in time goes on, and its rebalance timeout ends with that.", "KIP-848", func(c *Conversation) {
			g, t, a, b := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a"), c.Conn("b")
			req := enter(g, "one", t)
			req.RebalanceTimeoutMillis = 1500
			consumerNow(a, req)
			consumerNow(b, enter(g, "two", t))
			consumerNow(a, consumerBeat(g, "one", 2))
			consumerNow(a, having(g, "one", 2, t, 0))
			c.Wait(2500 * time.Millisecond)
			consumerNow(a, consumerBeat(g, "one", 3))
			consumersDescribed(b, g)
		}),
		must("groups.consumer.timed.interval", "When consumer.assignment.interval.ms has passed the next heartbeat brings the new target.", "KIP-1263", func(c *Conversation) {
			g, t, a, b := c.groupWith("readers", "consumer.assignment.interval.ms", "2000"), c.Topic("orders", 2), c.Conn("a"), c.Conn("b")
			consumerNow(a, enter(g, "one", t))
			consumerNow(b, enter(g, "two", t))
			consumerNow(a, consumerBeat(g, "one", 2))
			c.Wait(3 * time.Second)
			consumersDescribed(a, g)
			consumerNow(a, consumerBeat(g, "one", 2))
			consumersDescribed(a, g)
		}),
	}
}

// classicTimeoutRules are about the timeouts of classic members, and long ones.
func classicTimeoutRules() []Rule {
	return []Rule{
		must("groups.consumer.timed.classic-session", "A classic member has its own session timeout.", "KIP-848", func(c *Conversation) {
			g, t, a, b := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a"), c.Conn("b")
			consumerNow(a, enter(g, "one", t))
			req := classicJoin(9, g, "classic", t)
			req.SessionTimeoutMillis = 6_000
			joinNow(b, req)
			syncConsumer(b, g, "classic", 3)
			c.Wait(7500 * time.Millisecond)
			beat(b, g, "classic", 3)
			consumersDescribed(a, g)
		}),
		must("groups.consumer.timed.classic-sync", "A classic member that does not ask for its assignment in its rebalance timeout is out.", "KIP-848", func(c *Conversation) {
			g, t, a, b := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a"), c.Conn("b")
			consumerNow(a, enter(g, "one", t))
			req := classicJoin(9, g, "classic", t)
			req.RebalanceTimeoutMillis = 1500
			joinNow(b, req)
			c.Wait(2500 * time.Millisecond)
			beat(b, g, "classic", 3)
			consumersDescribed(a, g)
		}),
		must("groups.consumer.timed.session", "Who is not heard of in its session timeout is out, a static member that is away too.", "KIP-848", func(c *Conversation) {
			g, t, a, b := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a"), c.Conn("b")
			consumerNow(a, enter(g, "one", t))
			consumerNow(b, staticConsumer(enter(g, "two", t), "j"))
			consumerNow(b, staticConsumer(consumerBeat(g, "two", -2), "j"))
			c.Wait(40 * time.Second)
			consumerNow(a, consumerBeat(g, "one", 2))
			c.Wait(8 * time.Second)
			consumersDescribed(a, g)
			consumerNow(a, having(g, "one", 2, t, 0, 1))
			c.Wait(47 * time.Second)
			consumersDescribed(a, g)
			consumerNow(a, consumerBeat(g, "one", 4))
		}),
		must("groups.consumer.timed.regex", "A new topic is found by a regular expression ten seconds after the last look at the earliest.", "KIP-848", func(c *Conversation) {
			g, t, a := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a")
			c.aware(g, []string{t.Name})
			regex := "orders.*" + c.tag
			c.names.know(regex, "orders.*TAG")
			matched(c, a, g, "one", regex, 1)
			u := c.Topic("orders-new", 1)
			c.aware(g, []string{u.Name})
			consumerNow(a, consumerBeat(g, "one", 2))
			c.Wait(11 * time.Second)
			consumerNow(a, consumerBeat(g, "one", 2))
			c.Wait(2 * time.Second)
			consumerNow(a, consumerBeat(g, "one", 2))
			consumersDescribed(a, g)
		}),
	}
}

// consumerDealRules are about what the assignors make of groups of several sizes.
func consumerDealRules() (rules []Rule) {
	sources := map[string]string{"uniform": uniformSource, "range": rangeSource}
	for _, assignor := range []string{"uniform", "range"} {
		for _, size := range []struct {
			partitions int32
			members    int
		}{{1, 3}, {3, 2}, {7, 3}, {12, 5}, {16, 7}, {17, 4}, {24, 2}, {33, 6}, {64, 9}} {
			id := fmt.Sprintf("groups.consumer.%s.deal-%d-to-%d", assignor, size.partitions, size.members)
			says := fmt.Sprintf("The %s assignor deals %d partitions to %d members that come one by one as Kafka's does.", assignor, size.partitions, size.members)
			rules = append(rules, must(id, says, sources[assignor], func(c *Conversation) {
				var ids []string
				for i := range size.members {
					ids = append(ids, fmt.Sprintf("member %d of %s", i*i+7, assignor))
				}
				dealt(c, assignor, size.partitions, ids...)
			}))
		}
		rules = append(rules, must("groups.consumer."+assignor+".switch", "Members that change to the "+assignor+" assignor are dealt anew as Kafka's does.", sources[assignor], func(c *Conversation) {
			g, t, a := c.Prompt("readers"), c.Topic("orders", 11), c.Conn("a")
			other := map[string]string{"uniform": "range", "range": "uniform"}[assignor]
			for _, name := range []string{"one", "two", "three"} {
				req := enter(g, name, t)
				req.ServerAssignor = &other
				consumerNow(a, req)
			}
			for _, name := range []string{"one", "two", "three"} {
				req := enter(g, name, t)
				req.ServerAssignor = &assignor
				consumerNow(a, req)
				consumersDescribed(a, g)
			}
		}), must("groups.consumer."+assignor+".grow", "When a topic grows the "+assignor+" assignor deals what is new as Kafka's does.", sources[assignor], func(c *Conversation) {
			g, t, a := c.Prompt("readers"), c.Topic("orders", 3), c.Conn("a")
			for _, name := range []string{"one", "two", "three"} {
				req := enter(g, name, t)
				req.ServerAssignor = &assignor
				consumerNow(a, req)
			}
			grow := kmsg.NewPtrCreatePartitionsRequest()
			grow.Version, grow.TimeoutMillis = 3, 10_000
			rt := kmsg.NewCreatePartitionsRequestTopic()
			rt.Topic, rt.Count = t.Name, 8
			grow.Topics = append(grow.Topics, rt)
			ask[*kmsg.CreatePartitionsResponse](c.setup, grow)
			c.ready(t.Name, 8)
			c.awaitEpoch(g, 5)
			consumersDescribed(a, g)
		}))
	}
	return rules
}

// awaitEpoch has the members of a group heartbeat, outside the transcript, until the
// group has an epoch.
func (c *Conversation) awaitEpoch(group string, epoch int32) {
	until(c, describeConsumers(1, group), func(resp *kmsg.ConsumerGroupDescribeResponse) bool {
		for _, m := range resp.Groups[0].Members {
			ask[*kmsg.ConsumerGroupHeartbeatResponse](c.setup, consumerBeat(group, m.MemberID, m.MemberEpoch))
		}
		return resp.Groups[0].Epoch == epoch && resp.Groups[0].AssignmentEpoch == epoch
	})
}
