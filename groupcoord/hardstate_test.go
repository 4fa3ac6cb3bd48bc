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
