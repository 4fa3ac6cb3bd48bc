package groupcoord

import (
	"maps"
	"slices"
)

// Generation is the generation of the membership: 0 before the first one. It is
// not part of any answer that Kafka gives about a group, but of what members say.
func (g *Group) Generation() int32 { return g.classic().generation }

// Leader is the member id of the member that assigns; empty without one.
func (g *Group) Leader() string { return g.classic().leader }

// PendingMembers are the member ids that were given out and that nobody has
// joined with yet (KIP-394), sorted.
func (g *Group) PendingMembers() []string { return slices.Sorted(maps.Keys(g.classic().pending)) }
