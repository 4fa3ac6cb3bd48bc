package conformance

import "time"

// beyondIdle is longer than connections.max.idle.ms of the profile short-idle.
const beyondIdle = 6 * time.Second

// idleRules: nothing outlives connections.max.idle.ms without a word of the client,
// not even what waits for an answer.
func idleRules() []Rule {
	timed := func(id, says string, run func(c *Conversation)) Rule {
		return Rule{ID: id, Says: says, Source: "Selector.IdleExpiryManager", Severity: Timing, Timed: true, Profile: "short-idle", Run: run}
	}
	return []Rule{
		timed("connections.idle", "A connection that is silent for connections.max.idle.ms is ended; one that speaks is not.", func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			beat(a, g, "nobody", 1)
			for range 3 {
				beat(b, g, "nobody", 1)
				c.Wait(2 * time.Second)
			}
			a.Send(heartbeat(4, g, "nobody", 1)).Answer()
			beat(b, g, "nobody", 1)
		}),
		timed("connections.idle-parked-join", "A connection is ended after connections.max.idle.ms, though its join is parked; the member stays.", func(c *Conversation) {
			g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
			single(a, g)
			joining := b.Send(join(9, g, newMember(b, g)))
			c.AwaitGroup(g, "PreparingRebalance", 2)
			c.Wait(beyondIdle)
			joining.Answer()
			described(c.Conn("d"), g)
		}),
		timed("connections.idle-parked-fetch", "A connection is ended after connections.max.idle.ms, though its fetch waits.", func(c *Conversation) {
			t := c.Topic("orders", 1)
			req := fetch(12, t, 0, 0)
			req.MaxWaitMillis, req.MinBytes = 15_000, 1
			c.Conn("a").Send(req).Answer()
		}),
	}
}
