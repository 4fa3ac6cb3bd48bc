package conformance

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	reconcileSource = "KIP-848, CurrentAssignmentBuilder"
	uniformSource   = "KIP-848, UniformAssignor"
	rangeSource     = "KIP-848, RangeAssignor"
)

// consumerAssignRules are about several members: who gets what, and when.
func consumerAssignRules() []Rule {
	return []Rule{
		must("groups.consumer.reconcile.second", "A partition is given up, and that is said, before the next member gets it.", reconcileSource, func(c *Conversation) {
			g, t, a, b := c.Prompt("readers"), c.Topic("orders", 4), c.Conn("a"), c.Conn("b")
			consumerNow(a, enter(g, "one", t))
			consumerNow(b, enter(g, "two", t))
			consumersDescribed(a, g)
			consumerNow(a, consumerBeat(g, "one", 2))
			consumersDescribed(a, g)
			consumerNow(b, consumerBeat(g, "two", 3))
			consumerNow(a, consumerBeat(g, "one", 2))
			consumerNow(a, having(g, "one", 2, t, 0, 1))
			consumersDescribed(a, g)
			consumerNow(b, consumerBeat(g, "two", 3))
			consumersDescribed(a, g)
			consumerNow(a, consumerBeat(g, "one", 3))
			consumerNow(b, consumerBeat(g, "two", 3))
		}),
		must("groups.consumer.reconcile.gives-up-at-once", "Who says at once that it does not have what it must give up is at the new epoch at once.", reconcileSource, func(c *Conversation) {
			g, t, a, b := c.Prompt("readers"), c.Topic("orders", 4), c.Conn("a"), c.Conn("b")
			consumerNow(a, enter(g, "one", t))
			consumerNow(b, enter(g, "two", t))
			consumerNow(a, having(g, "one", 2, t))
			consumerNow(b, consumerBeat(g, "two", 3))
			consumersDescribed(a, g)
		}),
		must("groups.consumer.reconcile.member-leaves", "What a member had that leaves goes to the others at their next heartbeats.", reconcileSource, func(c *Conversation) {
			g, t, a, b := c.Prompt("readers"), c.Topic("orders", 3), c.Conn("a"), c.Conn("b")
			pairUp(g, t, a, b)
			consumerNow(b, consumerBeat(g, "two", -1))
			consumersDescribed(a, g)
			consumerNow(a, consumerBeat(g, "one", 3))
			consumersDescribed(a, g)
		}),
		must("groups.consumer.reconcile.target-moves-on", "A target that changes while a member gives partitions up is looked at when it has.", reconcileSource, func(c *Conversation) {
			g, t, a, b := c.Prompt("readers"), c.Topic("orders", 4), c.Conn("a"), c.Conn("b")
			consumerNow(a, enter(g, "one", t))
			consumerNow(b, enter(g, "two", t))
			consumerNow(a, consumerBeat(g, "one", 2))
			consumerNow(c.Conn("c"), enter(g, "three", t))
			consumersDescribed(a, g)
			consumerNow(a, consumerBeat(g, "one", 2))
			consumerNow(a, having(g, "one", 2, t, 0, 1))
			consumerNow(b, consumerBeat(g, "two", 3))
			consumerNow(c.Conn("c"), consumerBeat(g, "three", 4))
			consumersDescribed(a, g)
			consumerNow(a, having(g, "one", 4, t, 0, 1))
			consumersDescribed(a, g)
		}),
		must("groups.consumer.reconcile.previous-epoch", "A member that did not get the answer with its new epoch may ask again with the former one.", reconcileSource, func(c *Conversation) {
			g, t, a, b := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a"), c.Conn("b")
			pairUp(g, t, a, b)
			consumerNow(b, consumerBeat(g, "two", -1))
			consumerNow(a, having(g, "one", 3, t, 0))
			consumerNow(a, having(g, "one", 3, t, 0))
			consumerNow(a, having(g, "one", 3, t, 0, 1))
			consumerNow(a, consumerBeat(g, "one", 3))
			consumerNow(a, having(g, "one", 2, t, 0))
		}),
		must("groups.consumer.assignor.votes", "The assignor that most members ask for is taken; the broker's first one without votes.", consumerSource, func(c *Conversation) {
			g, t := c.Prompt("readers"), c.Topic("orders", 4)
			for i, name := range []string{"", "range", "uniform", "uniform", "range", "range"} {
				req := enter(g, fmt.Sprintf("member-%d", i), t)
				if name != "" {
					req.ServerAssignor = &name
				}
				consumerNow(c.Conn("a"), req)
				consumersDescribed(c.Conn("a"), g)
			}
		}),
		must("groups.consumer.assignor.change", "A change of the assignor is a new group epoch only if another is taken.", consumerSource, func(c *Conversation) {
			g, t, a := c.Prompt("readers"), c.Topic("orders", 4), c.Conn("a")
			consumerNow(a, enter(g, "one", t))
			for i, name := range []string{"uniform", "range", "range", "uniform"} {
				req := consumerBeat(g, "one", []int32{2, 2, 3, 3}[i])
				req.ServerAssignor = &name
				consumerNow(a, req)
			}
			consumersDescribed(a, g)
		}),
		must("groups.consumer.uniform.even", "The uniform assignor gives all members as many partitions, or one more, in the order of Java's hash table of their ids.", uniformSource, func(c *Conversation) {
			dealt(c, "uniform", 10, "one", "two", "three", "four")
		}),
		must("groups.consumer.uniform.more-members", "With more members than partitions some have none.", uniformSource, func(c *Conversation) {
			dealt(c, "uniform", 2, "red", "green", "blue", "white")
		}),
		must("groups.consumer.uniform.many", "Of many partitions the order within a member is that of Java's hash table of numbers.", uniformSource, func(c *Conversation) {
			dealt(c, "uniform", 40, "m1", "m2", "m3")
		}),
		must("groups.consumer.uniform.crowd", "The order of a crowd of members is that of Java's hash table.", uniformSource, func(c *Conversation) {
			var ids []string
			for i := range 26 {
				ids = append(ids, fmt.Sprintf("consumer-%c", 'a'+i))
			}
			dealt(c, "uniform", 30, ids...)
		}),
		must("groups.consumer.range.even", "The range assignor deals out ranges in the order of the member ids.", rangeSource, func(c *Conversation) {
			dealt(c, "range", 10, "one", "two", "three", "four")
		}),
		must("groups.consumer.range.static-first", "Static members come first, by their instance ids.", rangeSource, func(c *Conversation) {
			g, t, a := c.Prompt("readers"), c.Topic("orders", 7), c.Conn("a")
			for _, m := range [][2]string{{"a", ""}, {"b", "z"}, {"c", "y"}, {"Z", ""}} {
				req := enter(g, m[0], t)
				req.ServerAssignor = kmsg.StringPtr("range")
				if m[1] != "" {
					req.InstanceID = &m[1]
				}
				consumerNow(a, req)
			}
			consumersDescribed(a, g)
		}),
		must("groups.consumer.range.more-members", "With more members than partitions the last ones have none.", rangeSource, func(c *Conversation) {
			dealt(c, "range", 2, "red", "green", "blue", "white")
		}),
		must("groups.consumer.uniform.sticky", "Who has partitions keeps as many of them as are its share, whoever comes and goes.", uniformSource, func(c *Conversation) { comeAndGo(c, "uniform") }),
		must("groups.consumer.range.not-sticky", "The range assignor does not look at what members have.", rangeSource, func(c *Conversation) { comeAndGo(c, "range") }),
		must("groups.consumer.uniform.mixed", "Members that subscribe to different topics share each among its subscribers as evenly as can be.", uniformSource, func(c *Conversation) { mixedTopics(c, "uniform") }),
		must("groups.consumer.range.mixed", "The range assignor deals each topic out among its subscribers.", rangeSource, func(c *Conversation) { mixedTopics(c, "range") }),
	}
}

// pairUp makes a and b members of a group with two members that have reached epoch 3.
func pairUp(g string, t Topic, a, b *Conn) {
	consumerNow(a, enter(g, "one", t))
	consumerNow(b, enter(g, "two", t))
	consumerNow(a, having(g, "one", 2, t))
	consumerNow(b, consumerBeat(g, "two", 3))
}

// dealt has members join one by one and shows the target after each.
func dealt(c *Conversation, assignor string, partitions int32, ids ...string) {
	g, t, a := c.Prompt("readers"), c.Topic("orders", partitions), c.Conn("a")
	for _, id := range ids {
		req := enter(g, id, t)
		req.ServerAssignor = &assignor
		consumerNow(a, req)
		if len(ids) < 10 {
			consumersDescribed(a, g)
		}
	}
	consumersDescribed(a, g)
}

func comeAndGo(c *Conversation, assignor string) {
	g, t, a := c.Prompt("readers"), c.Topic("orders", 9), c.Conn("a")
	for _, id := range []string{"one", "two", "three", "four"} {
		req := enter(g, id, t)
		req.ServerAssignor = &assignor
		consumerNow(a, req)
	}
	for _, id := range []string{"two", "four", "one"} {
		consumerNow(a, consumerBeat(g, id, -1))
		req := enter(g, id+" again", t)
		req.ServerAssignor = &assignor
		consumerNow(a, req)
		consumersDescribed(a, g)
	}
}

func mixedTopics(c *Conversation, assignor string) {
	g, a := c.Prompt("readers"), c.Conn("a")
	x, y, z := c.Topic("x", 5), c.Topic("y", 3), c.Topic("z", 1)
	for _, m := range []struct {
		id     string
		topics []Topic
	}{{"one", []Topic{x}}, {"two", []Topic{x, y}}, {"three", []Topic{x, y, z}}, {"four", []Topic{y}}, {"one", []Topic{x, y}}} {
		req := enter(g, m.id, m.topics...)
		req.ServerAssignor = &assignor
		consumerNow(a, req)
		consumersDescribed(a, g)
	}
	consumerNow(a, consumerBeat(g, "two", -1))
	consumerNow(a, enter(g, "five", x, y, z))
	consumersDescribed(a, g)
}
