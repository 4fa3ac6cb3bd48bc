package groupcoord

import (
	"maps"

	"klamm/protocol"
)

// reconcile brings a member a step nearer to its target: first it must give up what it
// is not to have, then it gets the epoch of the target with all that is free, and what
// others still have follows when they gave it up. It mirrors CurrentAssignmentBuilder.
// owns is what the member says it has; nil when it does not say.
func (s *consumerStep) reconcile(m *consumerMember, epoch int32, target partitionSet, subscribed bool, owns partitionSet) (*consumerMember, *refusal) {
	if !subscribed && m.reached(epoch) {
		return m, nil
	}
	r := reconciler{s: s, m: m, epoch: epoch, target: target, owns: owns}
	next, no := r.next(subscribed)
	if no != nil || next == m {
		return m, no
	}
	if next.epoch == m.epoch && next.previousEpoch == m.previousEpoch && next.state == m.state &&
		next.assigned.equal(m.assigned) && next.revoking.equal(m.revoking) {
		return m, nil
	}
	s.write(s.g.currentRecord(next))
	if next.classic == nil {
		if next.state == unrevokedPartitions {
			s.awaitRevocation(next)
		} else {
			s.c.timers.rebalances.cancel(&s.c.timers.of(next.id).rebalance)
		}
	}
	return next, nil
}

// reconciler is one member on its way to a target.
type reconciler struct {
	s      *consumerStep
	m      *consumerMember
	epoch  int32
	target partitionSet
	owns   partitionSet
}

func (r *reconciler) next(subscribed bool) (*consumerMember, *refusal) {
	switch r.m.state {
	case memberStable:
		if r.m.epoch != r.epoch {
			return r.advance(r.m.epoch), nil
		}
		if subscribed {
			return r.dropUnsubscribed(), nil
		}
	case unrevokedPartitions:
		switch {
		case !r.stillOwns(r.m.revoking):
			return r.advance(r.m.epoch), nil
		case subscribed:
			return r.dropUnsubscribed(), nil
		}
	case unreleasedPartitions:
		return r.advance(r.m.epoch), nil
	case unknownMemberState:
		if r.owns == nil || len(r.owns) > 0 {
			return nil, &refusal{protocol.FencedMemberEpoch, "The consumer group member is in a unknown state. " +
				"The member must abandon all its partitions and rejoin."}
		}
		return r.advance(r.epoch), nil
	}
	return r.m, nil
}

// stillOwns tells that the member has, or may have, one of the partitions.
func (r *reconciler) stillOwns(set partitionSet) bool {
	if r.owns == nil {
		return true
	}
	for topic, partitions := range r.owns {
		for p := range partitions {
			if set.has(topic, p) {
				return true
			}
		}
	}
	return false
}

// wants tells whether the member subscribes to a topic that exists.
func (r *reconciler) wants(topic protocol.UUID) bool {
	t, ok := r.s.image.TopicByID(topic)
	return ok && r.s.c.subscribesTo(r.m, t.Name)
}

// dropUnsubscribed makes the member give up what it no longer subscribes to, at its epoch.
func (r *reconciler) dropUnsubscribed() *consumerMember {
	next := *r.m
	next.assigned, next.revoking = partitionSet{}, r.m.revoking.clone()
	for topic, partitions := range r.m.assigned {
		if r.wants(topic) {
			next.assigned[topic] = partitions
			continue
		}
		if next.revoking[topic] == nil {
			next.revoking[topic] = map[int32]int32{}
		}
		maps.Copy(next.revoking[topic], partitions)
	}
	if len(next.assigned) == len(r.m.assigned) {
		return r.m
	}
	next.moveTo(r.m.epoch)
	if len(next.revoking) > 0 && r.stillOwns(next.revoking) {
		next.state = unrevokedPartitions
		return &next
	}
	next.revoking = r.m.revoking
	return &next
}

// advance makes the member one of the target's epoch with all that is free, unless it
// must give something up before: then it stays at the given epoch.
func (r *reconciler) advance(epoch int32) *consumerMember {
	kept, revoked, added, unreleased := r.compare()
	next := *r.m
	if len(revoked) > 0 && r.stillOwns(revoked) {
		next.moveTo(epoch)
		next.state, next.assigned, next.revoking = unrevokedPartitions, kept, revoked
		return &next
	}
	for topic, partitions := range added {
		for p := range partitions {
			kept.add(topic, p, r.epoch)
		}
	}
	next.moveTo(r.epoch)
	next.state, next.assigned, next.revoking = memberStable, kept, partitionSet{}
	if unreleased {
		next.state = unreleasedPartitions
	}
	return &next
}

// compare tells what the member keeps, what it must give up, what it can have, and
// whether there is something that others still have.
func (r *reconciler) compare() (kept, revoked, added partitionSet, unreleased bool) {
	kept, revoked, added = partitionSet{}, partitionSet{}, partitionSet{}
	for topic, partitions := range r.m.assigned {
		wanted := r.wants(topic)
		for p, epoch := range partitions {
			if wanted && r.target.has(topic, p) {
				kept.add(topic, p, epoch)
			} else {
				revoked.add(topic, p, epoch)
			}
		}
	}
	for topic, partitions := range r.target {
		if !r.wants(topic) {
			continue
		}
		for p := range partitions {
			switch {
			case kept.has(topic, p):
			case r.s.c.currentEpoch(topic, p) != -1 && !r.m.revoking.has(topic, p):
				unreleased = true
			default:
				added.add(topic, p, r.epoch)
			}
		}
	}
	return kept, revoked, added, unreleased
}
