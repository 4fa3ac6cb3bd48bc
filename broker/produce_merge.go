package broker

import "slices"

// merge brings a request into the form that Kafka makes of it, a map: topics
// without partitions are gone, a topic that is named twice is one, and of a
// partition that is named twice the later records count.
func (r *produceRequest) merge() {
	if r.plain() {
		return
	}
	type place struct {
		topic int
		index int32
	}
	topicAt, partitionAt := make(map[string]int), make(map[place]int)
	var topics []producedTopic
	var kept []producedPartition
	var of []int // the topic of each kept partition
	next := 0
	for _, t := range r.topics {
		own := r.partitions[next : next+t.partitions]
		next += t.partitions
		if len(own) == 0 {
			continue
		}
		at, ok := topicAt[string(t.id[:])+string(t.name)]
		if !ok {
			at = len(topics)
			topicAt[string(t.id[:])+string(t.name)] = at
			topics = append(topics, producedTopic{name: t.name, id: t.id})
		}
		for _, p := range own {
			if i, ok := partitionAt[place{at, p.index}]; ok {
				kept[i].records = p.records
				continue
			}
			partitionAt[place{at, p.index}] = len(kept)
			kept, of = append(kept, p), append(of, at)
			topics[at].partitions++
		}
	}
	r.topics, r.partitions = topics, byTopic(kept, of)
}

// byTopic brings the partitions of each topic together.
func byTopic(partitions []producedPartition, of []int) []producedPartition {
	order := make([]int, len(of))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return of[a] - of[b] })
	sorted := make([]producedPartition, len(partitions))
	for i, from := range order {
		sorted[i] = partitions[from]
	}
	return sorted
}

// plain tells at little cost that there is nothing to merge in the request that
// producers send most: one topic with ascending partitions.
func (r *produceRequest) plain() bool {
	next := 0
	for i := range r.topics {
		t := &r.topics[i]
		if t.partitions == 0 {
			return false
		}
		own := r.partitions[next : next+t.partitions]
		next += t.partitions
		for j := 1; j < len(own); j++ {
			if own[j].index <= own[j-1].index {
				return false
			}
		}
	}
	return len(r.topics) == 1
}
