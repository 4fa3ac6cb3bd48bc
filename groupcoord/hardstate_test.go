package groupcoord

import (
	"fmt"
	"strings"
)

// hardState prints all that the records of a group determine.
func hardState(g *Group) string {
	var b strings.Builder
	o := &g.offsets
	fmt.Fprintf(&b, "stored=%t\n", o.stored)
	for _, name := range o.topicNames() {
		t := o.topics[name]
		for _, p := range t.partitionIDs() {
			c := t.partitions[p]
			fmt.Fprintf(&b, "%s-%d offset=%d time=%d record=%d epoch=%d expires=%d id=%x", name, p, c.offset,
				c.timestamp, c.record, c.leaderEpoch, c.expires(), t.topicID(&c))
			if c.more != nil {
				fmt.Fprintf(&b, " metadata=%q", c.more.metadata)
			}
			b.WriteByte('\n')
		}
	}
	if c, ok := g.kind.(*consumer); ok {
		b.WriteString(consumerState(c))
	}
	if g.classic().stored != nil {
		fmt.Fprintf(&b, "%x\n", g.classic().stored.AppendTo(nil))
	}
	return b.String()
}

// replay is a group that got the records and nothing else.
func replay(cfg Config, log []Record) *Group {
	g := New("g", cfg)
	for _, r := range log {
		g.Apply(r)
	}
	return g
}

// consumerState prints the hard state of a consumer group, and what is counted from it.
func consumerState(c *consumer) string {
	var b strings.Builder
	fmt.Fprintf(&b, "epoch=%d hash=%d assignment=%d at %d old=%t\n", c.epoch, c.hash, c.assignmentEpoch, c.assignedMs, c.oldMetadata)
	for _, id := range sortedKeys(c.members) {
		m := *c.members[id]
		classic := m.classic
		m.classic = nil
		fmt.Fprintf(&b, "%s instance=%v rack=%v assignor=%v classic=%v", id, text(m.instance), text(m.rack), text(m.assignor), classic)
		m.instance, m.rack, m.assignor = nil, nil, nil
		fmt.Fprintf(&b, " %v\n", m)
	}
	fmt.Fprintf(&b, "target=%v owners=%v epochs=%v resolved=%v\n", c.target, c.owners, c.epochs, c.resolved)
	fmt.Fprintf(&b, "static=%v topics=%v regexes=%v assignors=%v classics=%d protocols=%v settled=%d\n",
		c.static, c.topics, c.regexes, c.assignors, c.classics, c.protocols, c.settled)
	return b.String()
}

func text(s *string) string {
	if s == nil {
		return "-"
	}
	return *s
}
