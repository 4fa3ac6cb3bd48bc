package conformance

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

func coordinatorRules() []Rule {
	return []Rule{
		must("coordinator.every-version", "Every version of FindCoordinator finds the coordinator of a group.", "FindCoordinatorRequest", func(c *Conversation) {
			g := c.Group("readers")
			for v := range int16(7) {
				ask[*kmsg.FindCoordinatorResponse](c.Conn("a"), findCoordinator(v, 0, g))
			}
		}),
		must("coordinator.batch", "From v4 on several keys are answered, each with the coordinator or an error.", "KIP-699", func(c *Conversation) {
			g, h := c.Group("readers"), c.Group("writers")
			for v := int16(4); v <= 6; v++ {
				ask[*kmsg.FindCoordinatorResponse](c.Conn("a"), findCoordinator(v, 0, g, h, g))
			}
			ask[*kmsg.FindCoordinatorResponse](c.Conn("a"), findCoordinator(4, 0))
		}),
		must("coordinator.unknown-type", "A key type that does not exist is INVALID_REQUEST.", "FindCoordinatorRequest.CoordinatorType", func(c *Conversation) {
			g := c.Group("readers")
			for _, v := range []int16{1, 3, 4, 6} {
				for _, kind := range []int8{3, -1, 127} {
					c.Conn("a").Send(findCoordinator(v, kind, g)).Answer()
				}
			}
		}),
		must("coordinator.share-type-too-early", "The key type of share groups needs v6.", "KIP-932", func(c *Conversation) {
			g := c.Group("readers")
			for _, v := range []int16{1, 4, 5} {
				c.Conn("a").Send(findCoordinator(v, 2, g)).Answer()
			}
		}),
		must("coordinator.empty-key", "The empty group id has a coordinator as any other.", "KafkaApis.getCoordinator", func(c *Conversation) {
			c.Group("warm")
			for _, v := range []int16{0, 3, 4} {
				c.Conn("a").Send(findCoordinator(v, 0, "")).Answer()
			}
		}),
	}
}
