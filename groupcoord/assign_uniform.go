package groupcoord

import "klamm/protocol"

// topicPartition is one partition.
type topicPartition struct {
	topic     protocol.UUID
	partition int32
}

// uniform is Kafka's UniformHomogeneousAssignmentBuilder at work: all members subscribe
// to the same topics and get as many partitions as the others, or one more; who has
// partitions keeps as many of them as that allows.
type uniform struct {
	a          *assignSpec
	topics     map[protocol.UUID]int32
	quota      int // of each member
	extra      int // members that get one more
	unassigned []topicPartition
	unfilled   []unfilledMember
	assigned   map[string]partitionSet
}

// unfilledMember is a member that has room for so many partitions.
type unfilledMember struct {
	id   string
	room int
}

func (a *assignSpec) assignUniform() map[string]partitionSet {
	u := uniform{a: a, topics: a.subscriptions[a.ids[0]], assigned: make(map[string]partitionSet, len(a.ids))}
	if len(u.topics) == 0 {
		return nil
	}
	total := 0
	for _, topic := range topicOrder(u.topics) {
		for p := range u.topics[topic] {
			if _, owned := a.owners[topic][p]; !owned {
				u.unassigned = append(u.unassigned, topicPartition{topic, p})
			}
		}
		total += int(u.topics[topic])
	}
	u.quota, u.extra = total/len(a.ids), total%len(a.ids)
	for i, id := range a.ids {
		u.revoke(id, len(a.ids)-i)
	}
	u.fill()
	return u.assigned
}

// revoke takes from a member what it has above its quota, and what it no longer
// subscribes to; left is how many members have not had their turn, this one included.
func (u *uniform) revoke(id string, left int) {
	room, mayExtra := u.quota, u.extra > 0
	if mayExtra {
		room++
	}
	kept := partitionSet{}
	before := u.a.target[id]
	for _, topic := range topicOrder(before) {
		if _, ok := u.topics[topic]; !ok {
			continue
		}
		for _, p := range targetOrder(before[topic]) {
			if room > 0 {
				room--
				kept.put(topic, p)
				continue
			}
			u.unassigned = append(u.unassigned, topicPartition{topic, p})
		}
	}
	if room > 0 && mayExtra && left > u.extra {
		room--
		mayExtra = false
	}
	if room > 0 {
		u.unfilled = append(u.unfilled, unfilledMember{id, room})
	}
	if mayExtra {
		u.extra--
	}
	u.assigned[id] = kept
}

// fill gives what nobody has to those who have room.
func (u *uniform) fill() {
	next := 0
	for _, m := range u.unfilled {
		for ; m.room > 0 && next < len(u.unassigned); m.room-- {
			u.assigned[m.id].put(u.unassigned[next].topic, u.unassigned[next].partition)
			next++
		}
	}
}
