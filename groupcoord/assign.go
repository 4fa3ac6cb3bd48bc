package groupcoord

import "klamm/protocol"

// assignSpec is what an assignor is asked (GroupSpec and SubscribedTopicDescriber): pure
// values, which it does not change.
type assignSpec struct {
	ids           []string                           // of the members, in Kafka's order
	instances     map[string]string                  // group instance ids of static members
	subscriptions map[string]map[protocol.UUID]int32 // existing topics by member, with how many partitions they have
	homogeneous   bool                               // all members subscribe to the same
	target        map[string]partitionSet            // the last target assignment
	owners        map[protocol.UUID]map[int32]string // ... the other way round
}

// assign runs the assignor of a name. The result has a set for each member that gets one.
func (a *assignSpec) assign(name string) map[string]partitionSet {
	switch {
	case len(a.ids) == 0:
		return nil
	case name == "range":
		return a.assignRange()
	case a.homogeneous:
		return a.assignUniform()
	}
	return a.assignUniformMixed()
}
