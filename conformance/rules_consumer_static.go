package conformance

const consumerStaticSource = "KIP-848, GroupMetadataManager.getOrMaybeSubscribeStaticConsumerGroupMember"

// consumerStaticRules are about members with a group instance id.
func consumerStaticRules() []Rule {
	return []Rule{
		must("groups.consumer.static.join", "A static member is shown with its instance id.", consumerStaticSource, func(c *Conversation) {
			g, t, a := c.Group("readers"), c.Topic("orders", 2), c.Conn("a")
			consumerNow(a, staticConsumer(enter(g, "one", t), "i"))
			consumerNow(a, staticConsumer(consumerBeat(g, "one", 2), "i"))
			consumersDescribed(a, g)
		}),
		must("groups.consumer.static.unreleased", "The instance id of a member that is there is UNRELEASED_INSTANCE_ID.", consumerStaticSource, func(c *Conversation) {
			g, t, a := c.Group("readers"), c.Topic("orders", 2), c.Conn("a")
			consumerNow(a, staticConsumer(enter(g, "one", t), "i"))
			consumerNow(a, staticConsumer(enter(g, "two", t), "i"))
			consumerNow(a, staticConsumer(enter(g, "one", t), "i"))
		}),
		must("groups.consumer.static.fenced", "A heartbeat with an instance id of another member is FENCED_INSTANCE_ID, with one of nobody UNKNOWN_MEMBER_ID.", consumerStaticSource, func(c *Conversation) {
			g, t, a := c.Group("readers"), c.Topic("orders", 2), c.Conn("a")
			consumerNow(a, staticConsumer(enter(g, "one", t), "i"))
			for _, epoch := range []int32{2, -1, -2} {
				consumerNow(a, staticConsumer(consumerBeat(g, "two", epoch), "i"))
				consumerNow(a, staticConsumer(consumerBeat(g, "one", epoch), "j"))
			}
		}),
		must("groups.consumer.static.away", "A static member that leaves for a while keeps its place; the others go on as they are.", consumerStaticSource, func(c *Conversation) {
			g, t, a, b := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a"), c.Conn("b")
			staticPairUp(g, t, a, b)
			consumerNow(b, staticConsumer(consumerBeat(g, "two", -2), "j"))
			consumersDescribed(a, g)
			consumerNow(a, consumerBeat(g, "one", 3))
			consumerNow(b, staticConsumer(consumerBeat(g, "two", 3), "j"))
			consumerNow(b, consumerBeat(g, "two", 3))
		}),
		must("groups.consumer.static.back", "Who comes with the instance id of a member that is away takes its place, with its partitions and without a new epoch.", consumerStaticSource, func(c *Conversation) {
			g, t, a, b := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a"), c.Conn("b")
			staticPairUp(g, t, a, b)
			consumerNow(b, staticConsumer(consumerBeat(g, "two", -2), "j"))
			consumerNow(b, staticConsumer(enter(g, "three", t), "j"))
			consumersDescribed(a, g)
			consumerNow(a, consumerBeat(g, "one", 3))
			consumerNow(b, staticConsumer(consumerBeat(g, "two", 3), "j"))
		}),
		must("groups.consumer.static.back-with-its-id", "A static member may come back with the id that it had.", consumerStaticSource, func(c *Conversation) {
			g, t, a, b := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a"), c.Conn("b")
			staticPairUp(g, t, a, b)
			consumerNow(b, staticConsumer(consumerBeat(g, "two", -2), "j"))
			consumerNow(b, staticConsumer(enter(g, "two", t), "j"))
			consumersDescribed(a, g)
		}),
		must("groups.consumer.static.back-otherwise", "Who takes a place and subscribes to other topics makes a new epoch.", consumerStaticSource, func(c *Conversation) {
			g, t, u, a, b := c.Prompt("readers"), c.Topic("orders", 2), c.Topic("payments", 2), c.Conn("a"), c.Conn("b")
			staticPairUp(g, t, a, b)
			consumerNow(b, staticConsumer(consumerBeat(g, "two", -2), "j"))
			consumerNow(b, staticConsumer(enter(g, "three", u), "j"))
			consumersDescribed(a, g)
		}),
		must("groups.consumer.static.leave", "A static member that leaves for good is gone, and a new one with its instance id begins anew.", consumerStaticSource, func(c *Conversation) {
			g, t, a, b := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a"), c.Conn("b")
			staticPairUp(g, t, a, b)
			consumerNow(b, staticConsumer(consumerBeat(g, "two", -1), "j"))
			consumersDescribed(a, g)
			consumerNow(b, staticConsumer(enter(g, "three", t), "j"))
			consumersDescribed(a, g)
		}),
		must("groups.consumer.static.becomes", "A dynamic member that joins again with an instance id is static from then on.", consumerStaticSource, func(c *Conversation) {
			g, t, a := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a")
			consumerNow(a, enter(g, "one", t))
			consumerNow(a, staticConsumer(enter(g, "one", t), "i"))
			consumersDescribed(a, g)
			consumerNow(a, staticConsumer(enter(g, "two", t), "i"))
		}),
		must("groups.consumer.static.leave-dynamically", "A static member may leave without naming its instance id.", consumerStaticSource, func(c *Conversation) {
			g, t, a := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a")
			consumerNow(a, staticConsumer(enter(g, "one", t), "i"))
			consumerNow(a, consumerBeat(g, "one", -1))
			consumersDescribed(a, g)
		}),
		must("groups.consumer.static.away-while-revoking", "Who goes away in the middle of giving up leaves that free.", consumerStaticSource, func(c *Conversation) {
			g, t, a, b := c.Prompt("readers"), c.Topic("orders", 4), c.Conn("a"), c.Conn("b")
			consumerNow(a, staticConsumer(enter(g, "one", t), "i"))
			consumerNow(b, staticConsumer(enter(g, "two", t), "j"))
			consumerNow(a, staticConsumer(consumerBeat(g, "one", 2), "i"))
			consumerNow(a, staticConsumer(consumerBeat(g, "one", -2), "i"))
			consumersDescribed(a, g)
			consumerNow(b, staticConsumer(consumerBeat(g, "two", 3), "j"))
			consumerNow(a, staticConsumer(enter(g, "three", t), "i"))
			consumersDescribed(a, g)
		}),
	}
}

// staticPairUp is pairUp with static members i and j.
func staticPairUp(g string, t Topic, a, b *Conn) {
	consumerNow(a, staticConsumer(enter(g, "one", t), "i"))
	consumerNow(b, staticConsumer(enter(g, "two", t), "j"))
	consumerNow(a, having(g, "one", 2, t))
	consumerNow(b, consumerBeat(g, "two", 3))
}
