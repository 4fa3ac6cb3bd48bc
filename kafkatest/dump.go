package kafkatest

import (
	"fmt"
	"strings"
)

// What there is, for the messages of failures.

func (c *Cluster) dumpTopics() string {
	var b strings.Builder
	for _, t := range c.broker.Topics() {
		if t.Internal {
			continue
		}
		fmt.Fprintf(&b, "topic %q:", t.Name)
		for i, p := range t.Partitions {
			fmt.Fprintf(&b, " %d:[%d,%d)", i, p.Start, p.End)
		}
		b.WriteByte('\n')
	}
	if b.Len() == 0 {
		return "there is no topic"
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (c *Cluster) dumpClients() string {
	clients := c.broker.Clients()
	if len(clients) == 0 {
		return "no client is connected"
	}
	return fmt.Sprintf("connected clients: %q", clients)
}

func (c *Cluster) dumpGroups() string {
	groups := c.broker.Groups()
	if len(groups) == 0 {
		return "there is no group"
	}
	return fmt.Sprintf("groups: %q", groups)
}

// dumpGroup shows the group, and what else bears on why it is not as expected.
func (c *Cluster) dumpGroup(id string) string {
	g, ok := c.broker.Group(id)
	if !ok {
		return fmt.Sprintf("group %q does not exist\n%s\n%s", id, c.dumpGroups(), c.dumpClients())
	}
	var b strings.Builder
	fmt.Fprintf(&b, "group %q: %s, generation %d", id, g.State, g.Generation)
	if g.Protocol != "" {
		fmt.Fprintf(&b, ", protocol %s", g.Protocol)
	}
	if g.Reason != "" {
		fmt.Fprintf(&b, ", last rebalance: %s", g.Reason)
	}
	b.WriteByte('\n')
	for _, m := range g.Members {
		fmt.Fprintf(&b, "  member %s of client %q at %s", m.ID, m.ClientID, m.ClientHost)
		if m.InstanceID != "" {
			fmt.Fprintf(&b, ", instance %q", m.InstanceID)
		}
		fmt.Fprintf(&b, ": assigned %v\n", m.Assigned)
	}
	for _, commit := range g.Commits {
		fmt.Fprintf(&b, "  committed %v: offset %d, lag %d\n", commit.TopicPartition, commit.Offset, commit.Lag)
	}
	return b.String() + c.dumpTopics() + "\n" + c.dumpClients()
}
