package kafkatest

import (
	"slices"

	"klamm/broker"
)

// Group is what the coordinator knows of a group. A group that nobody has joined,
// and that has no committed offset, is Dead and has nothing, as Kafka describes it.
func (c *Cluster) Group(id string) Group {
	g, ok := c.broker.Group(id)
	if !ok {
		return Group{ID: id, State: "Dead"}
	}
	return g
}

// Groups are the ids of all groups, sorted.
func (c *Cluster) Groups() []string { return c.broker.Groups() }

// WaitGroup waits until the group is as holds wants it, and returns it. what says,
// for the message of a failure, what is waited for. holds is called at each change.
//
//	k.WaitGroup("orders", "no lag", func(g kafkatest.Group) bool {
//		return len(g.Commits) == 4 && g.Lag() == 0
//	})
func (c *Cluster) WaitGroup(id, what string, holds func(Group) bool) Group {
	c.t.Helper()
	var g Group
	c.wait(func() (bool, string) {
		g = c.Group(id)
		return holds(g), sprintf("group %q: %s", id, what)
	}, func() string { return c.dumpGroup(id) })
	return g
}

// WaitGroupStable waits until the group is Stable with exactly n members, and
// returns it. With n = 0 it waits until the group has no members.
func (c *Cluster) WaitGroupStable(id string, n int) Group {
	c.t.Helper()
	what := sprintf("stable with %d members", n)
	if n == 0 {
		what = "empty"
	}
	return c.WaitGroup(id, what, func(g Group) bool {
		return len(g.Members) == n && (g.State == "Stable" || n == 0 && (g.State == "Empty" || g.State == "Dead"))
	})
}

// WaitAssigned waits until the group is Stable and a member has been given the
// partition, and returns that member.
func (c *Cluster) WaitAssigned(id, topic string, partition int32) Member {
	c.t.Helper()
	tp := TopicPartition{Topic: topic, Partition: partition}
	g := c.WaitGroup(id, sprintf("%v assigned", tp), func(g Group) bool {
		_, ok := g.Owner(tp)
		return ok && g.State == "Stable"
	})
	owner, _ := g.Owner(tp)
	return owner
}

// WaitCommitted waits until the group has committed offset, or a later one, for
// the partition, and returns what it has committed. The offset is that of the next
// record to read: a group that has read ten records from the start commits 10.
func (c *Cluster) WaitCommitted(id, topic string, partition int32, offset int64) Commit {
	c.t.Helper()
	tp := TopicPartition{Topic: topic, Partition: partition}
	g := c.WaitGroup(id, sprintf("offset %d of %v committed", offset, tp), func(g Group) bool {
		commit, ok := g.Committed(tp)
		return ok && commit.Offset >= offset
	})
	commit, _ := g.Committed(tp)
	return commit
}

// WaitConsumed waits until the group has committed the end of every partition of the
// topic that has records: it has read, and committed, all that there is.
func (c *Cluster) WaitConsumed(id, topic string) Group {
	c.t.Helper()
	return c.WaitGroup(id, sprintf("all of topic %q committed", topic), func(g Group) bool {
		view, ok := c.broker.Topic(topic)
		for i, p := range view.Partitions {
			commit, committed := g.Committed(TopicPartition{Topic: topic, Partition: int32(i)})
			if p.End > p.Start && (!committed || commit.Offset < p.End) {
				return false
			}
		}
		return ok
	})
}

// Crash makes the client with this client id disappear as a killed process does:
// its connections are cut, it is refused until Revive, and its sessions in all
// groups expire now instead of after their session timeout. If several clients
// share the id, all of them crash.
func (c *Cluster) Crash(clientID string) {
	c.t.Helper()
	if len(c.broker.Memberships(clientID)) == 0 && !slices.Contains(c.broker.Clients(), clientID) {
		c.t.Fatalf("kafkatest: crash: no client has the id %q\n%s", clientID, c.dumpClients())
	}
	if err := c.broker.RefuseClient(clientID); err != nil {
		c.t.Fatalf("kafkatest: crash: %v", err)
	}
	for _, m := range c.broker.Memberships(clientID) {
		c.expire(m)
	}
}

// Revive lets a crashed client connect again.
func (c *Cluster) Revive(clientID string) { c.broker.AcceptClient(clientID) }

// ExpireSession ends the session of each member of the group that has this client
// id, as if no heartbeat had come for its session timeout. Unlike after Crash the
// client lives on, finds out, and joins again.
func (c *Cluster) ExpireSession(group, clientID string) {
	c.t.Helper()
	expired := false
	for _, m := range c.broker.Memberships(clientID) {
		if m.Group == group {
			c.expire(m)
			expired = true
		}
	}
	if !expired {
		c.t.Fatalf("kafkatest: expire: group %q has no member of client %q\n%s", group, clientID, c.dumpGroup(group))
	}
}

// expire ends one session. The group may be gone by now, which is as good.
func (c *Cluster) expire(m broker.Membership) { _ = c.broker.ExpireMember(m.Group, m.Member) }

// Rebalance makes the group rebalance, as if a member had asked for it.
func (c *Cluster) Rebalance(group string) {
	c.t.Helper()
	if err := c.broker.ForceRebalance(group, "the test wants it"); err != nil {
		c.t.Fatalf("kafkatest: rebalance: %v\n%s", err, c.dumpGroups())
	}
}
