package conformance

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// connectionLimitRules are about how many connections a broker has. They have it for
// themselves, but for a connection of before that may still be on its way out.
func connectionLimitRules() []Rule {
	return []Rule{
		{
			ID: "connections.limit-per-ip", Says: "A connection beyond max.connections.per.ip is ended at once, and one that ends makes room.",
			Source: "ConnectionQuotas.inc", Profile: "few-connections-per-ip", Run: func(c *Conversation) {
				for _, name := range []string{"a", "b", "d"} {
					connected(c, name)
				}
				c.Conn("e").Send(metadata(9)).Answer()
				c.Conn("a").Close()
				connected(c, "e")
				ask[*kmsg.MetadataResponse](c.Conn("e"), metadata(9))
				c.Conn("a").Send(metadata(9)).Answer()
				for _, name := range []string{"b", "d", "e"} {
					ask[*kmsg.MetadataResponse](c.Conn(name), metadata(9))
				}
			},
		},
		{
			ID: "connections.limit", Says: "A connection beyond max.connections waits until another one ends.",
			Source: "ConnectionQuotas.waitForConnectionSlot", Severity: Timing, Timed: true, Profile: "few-connections", Run: func(c *Conversation) {
				for _, name := range []string{"a", "b", "d"} {
					connected(c, name)
				}
				e := c.Conn("e")
				waiting := e.Send(metadata(9))
				if e.arrived(time.Second) {
					c.Note("it does not wait")
				}
				ask[*kmsg.MetadataResponse](c.Conn("b"), metadata(9))
				c.Conn("a").Close()
				waiting.Answer()
				ask[*kmsg.MetadataResponse](c.Conn("d"), metadata(9))
			},
		},
	}
}

// connected opens a connection, outside the transcript, once there is room for it.
func connected(c *Conversation, name string) {
	a := c.Conn(name)
	a.silent = true
	for try := range settleTries {
		if a.Send(metadata(9)).Answer() != nil {
			break
		}
		c.pause(min(time.Millisecond<<min(try, 10), settlePause))
	}
	a.silent = false
}
