package conformance

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	consumerSource = "KIP-848, GroupMetadataManager.consumerGroupHeartbeat"
	validSource    = "GroupCoordinatorService.throwIfConsumerGroupHeartbeatRequestIsInvalid"
)

// consumerHeartbeatRules are about one member and its heartbeats.
func consumerHeartbeatRules() []Rule {
	return []Rule{
		must("groups.consumer.join", "The first member of a group gets all partitions at once, and both epochs are those of its join.", consumerSource, func(c *Conversation) {
			for v := range int16(2) {
				g, t, a := c.Group(fmt.Sprintf("readers-%d", v)), c.Topic(fmt.Sprintf("orders-%d", v), 3), c.Conn("a")
				req := enter(g, "one", t)
				req.Version = v
				consumerNow(a, req)
				consumersDescribed(a, g)
			}
		}),
		must("groups.consumer.member-id.made", "Version 0 makes an id for a member that brings none; version 1 does not.", consumerSource, func(c *Conversation) {
			g, t := c.Group("readers"), c.Topic("orders", 1)
			for v := range int16(2) {
				req := enter(g, "", t)
				req.Version = v
				resp := consumerNow(c.setup, req) // the id is another each time
				if resp.MemberID != nil {
					c.say("v%d: the id has %d characters", v, len(*resp.MemberID))
				} else {
					c.say("v%d: error %d", v, resp.ErrorCode)
				}
			}
		}),
		must("groups.consumer.keep-alive", "A heartbeat that says nothing is answered without an assignment, one that says everything with it.", consumerSource, func(c *Conversation) {
			g, t, a := c.Group("readers"), c.Topic("orders", 2), c.Conn("a")
			epoch := consumerNow(a, enter(g, "one", t)).MemberEpoch
			consumerNow(a, consumerBeat(g, "one", epoch))
			consumerNow(a, having(g, "one", epoch, t, 0, 1))
			full := having(g, "one", epoch, t, 0, 1)
			full.RebalanceTimeoutMillis, full.SubscribedTopicNames = longSession, []string{t.Name}
			consumerNow(a, full)
			full.SubscribedTopicNames = nil
			consumerNow(a, full)
		}),
		must("groups.consumer.rejoin", "A member that joins again keeps its epoch and is told its assignment.", consumerSource, func(c *Conversation) {
			g, t, a := c.Group("readers"), c.Topic("orders", 2), c.Conn("a")
			consumerNow(a, enter(g, "one", t))
			consumerNow(a, enter(g, "one", t))
			consumersDescribed(a, g)
		}),
		must("groups.consumer.leave", "Who leaves is gone at once, and the group is Empty with an epoch of its own.", consumerSource, func(c *Conversation) {
			g, t, a := c.Group("readers"), c.Topic("orders", 2), c.Conn("a")
			consumerNow(a, enter(g, "one", t))
			consumerNow(a, consumerBeat(g, "one", -1))
			consumersDescribed(a, g)
			consumerNow(a, consumerBeat(g, "one", -1))
			consumerNow(a, enter(g, "one", t))
		}),
		must("groups.consumer.unknown", "A heartbeat of a group, or of a member, that there is not, is GROUP_ID_NOT_FOUND or UNKNOWN_MEMBER_ID.", consumerSource, func(c *Conversation) {
			g, t, a := c.Group("readers"), c.Topic("orders", 2), c.Conn("a")
			for _, epoch := range []int32{1, -1} {
				consumerNow(a, consumerBeat(g, "one", epoch))
				left := staticConsumer(consumerBeat(g, "one", epoch), "i")
				consumerNow(a, left)
			}
			consumerNow(a, staticConsumer(consumerBeat(g, "one", -2), "i"))
			consumerNow(a, enter(g, "one", t))
			for _, epoch := range []int32{1, -1} {
				consumerNow(a, consumerBeat(g, "two", epoch))
			}
		}),
		must("groups.consumer.fenced", "A member with a greater epoch than it was given, or with a smaller one and more than it was given, is FENCED_MEMBER_EPOCH.", consumerSource, func(c *Conversation) {
			g, t, a := c.Prompt("readers"), c.Topic("orders", 2), c.Conn("a")
			consumerNow(a, enter(g, "one", t))
			consumerNow(a, consumerBeat(g, "one", 3))
			consumerNow(a, consumerBeat(g, "one", 1))
			consumerNow(a, having(g, "one", 1, t, 0, 1))
			consumerNow(a, having(g, "one", 0, t, 0, 1))
			consumerNow(c.Conn("b"), enter(g, "two", t))
			consumerNow(a, having(g, "one", 2, t, 0, 1))
			consumerNow(a, having(g, "one", 2, t, 0))
			consumerNow(a, having(g, "one", 2, t, 0, 1))
			consumerNow(a, having(g, "one", 2, t, 0))
			consumerNow(a, having(g, "one", 2, t))
			consumerNow(a, consumerBeat(g, "one", 2))
			consumerNow(a, having(g, "one", 1, t))
		}),
		must("groups.consumer.invalid", "A request that says too little, or what cannot be, is INVALID_REQUEST with a text.", validSource, invalidConsumerBeats),
		must("groups.consumer.unsupported-assignor", "An assignor that the broker does not have is UNSUPPORTED_ASSIGNOR.", validSource, func(c *Conversation) {
			g, t, a := c.Group("readers"), c.Topic("orders", 2), c.Conn("a")
			for _, name := range []string{"sticky", "", "Uniform"} {
				req := enter(g, "one", t)
				req.ServerAssignor = &name
				consumerNow(a, req)
			}
			consumersDescribed(a, g)
		}),
		must("groups.consumer.null-changes-nothing", "What a heartbeat leaves out stays as it was said before.", consumerSource, func(c *Conversation) {
			g, t, a := c.Group("readers"), c.Topic("orders", 2), c.Conn("a")
			req := enter(g, "one", t)
			req.RackID, req.ServerAssignor = kmsg.StringPtr("rack"), kmsg.StringPtr("range")
			epoch := consumerNow(a, req).MemberEpoch
			consumerNow(a, consumerBeat(g, "one", epoch))
			consumersDescribed(a, g)
			req = consumerBeat(g, "one", epoch)
			req.RackID = kmsg.StringPtr("other")
			consumerNow(a, req)
			consumersDescribed(a, g)
		}),
		must("groups.consumer.subscribe-nothing", "A member may subscribe to nothing, or to topics that do not exist.", consumerSource, func(c *Conversation) {
			g, a := c.Prompt("readers"), c.Conn("a")
			epoch := consumerNow(a, enter(g, "one")).MemberEpoch
			consumersDescribed(a, g)
			req := consumerBeat(g, "one", epoch)
			req.SubscribedTopicNames = []string{c.Name("nowhere"), c.Name("nowhere"), ""}
			consumerNow(a, req)
			consumersDescribed(a, g)
		}),
		must("groups.consumer.subscription-changes", "A changed subscription is a new group epoch; what is no longer subscribed to must be given up.", consumerSource, func(c *Conversation) {
			g, t, u, a := c.Prompt("readers"), c.Topic("orders", 2), c.Topic("payments", 1), c.Conn("a")
			epoch := consumerNow(a, enter(g, "one", t)).MemberEpoch
			req := having(g, "one", epoch, t, 0, 1)
			req.SubscribedTopicNames = []string{t.Name, u.Name}
			epoch = consumerNow(a, req).MemberEpoch
			req = consumerBeat(g, "one", epoch)
			req.SubscribedTopicNames = []string{u.Name}
			consumerNow(a, req)
			consumersDescribed(a, g)
			epoch = consumerNow(a, having(g, "one", epoch, u, 0)).MemberEpoch
			consumersDescribed(a, g)
			consumerNow(a, having(g, "one", epoch, u, 0))
		}),
		must("groups.consumer.interval", "Within consumer.assignment.interval.ms of the last target assignment there is no other: who joins meanwhile has the epoch of the last one and nothing.", "KIP-1263", func(c *Conversation) {
			g, t, a := c.groupWith("readers", "consumer.assignment.interval.ms", "15000"), c.Topic("orders", 2), c.Conn("a")
			consumerNow(a, enter(g, "one", t))
			consumerNow(c.Conn("b"), enter(g, "two", t))
			consumersDescribed(a, g)
			consumerNow(a, consumerBeat(g, "one", 2))
			consumerNow(c.Conn("b"), consumerBeat(g, "two", 2))
		}),
		must("groups.consumer.heartbeat-interval", "The answer tells the group's consumer.heartbeat.interval.ms.", "KIP-848", func(c *Conversation) {
			g, t, a := c.groupWith("readers", "consumer.heartbeat.interval.ms", "7000"), c.Topic("orders", 2), c.Conn("a")
			consumerNow(a, enter(g, "one", t))
		}),
	}
}

func invalidConsumerBeats(c *Conversation) {
	g, t, a := c.Group("readers"), c.Topic("orders", 1), c.Conn("a")
	for _, change := range []func(*kmsg.ConsumerGroupHeartbeatRequest){
		func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.MemberID = " " },
		func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.Version, r.MemberID = 0, " " },
		func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.Version, r.MemberID, r.MemberEpoch = 0, "", 1 },
		func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.Version, r.MemberID, r.MemberEpoch = 0, "", -1 },
		func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.Version, r.MemberID, r.MemberEpoch = 0, "", -2 },
		func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.InstanceID = kmsg.StringPtr("") },
		func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.RackID = kmsg.StringPtr("\t") },
		func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.RebalanceTimeoutMillis = -1 },
		func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.Topics = nil },
		func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.Topics = having(g, "", 0, t, 0).Topics },
		func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.SubscribedTopicNames = nil },
		func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.MemberEpoch = -2 },
		func(r *kmsg.ConsumerGroupHeartbeatRequest) { r.MemberEpoch = -3 },
		func(r *kmsg.ConsumerGroupHeartbeatRequest) {
			r.RackID, r.InstanceID = kmsg.StringPtr(" "), kmsg.StringPtr(" ")
		},
	} {
		req := enter(g, "one", t)
		change(req)
		consumerNow(a, req)
	}
	consumersDescribed(a, g)
}
