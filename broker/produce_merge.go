package broker

import (
	"slices"

	"klamm/partitions"
	"klamm/protocol"
)

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
				kept[i].mergeRecords(r.version, p.records)
				continue
			}
			partitionAt[place{at, p.index}] = len(kept)
			kept, of = append(kept, p), append(of, at)
			topics[at].partitions++
		}
	}
	r.topics, r.partitions = topics, byTopic(kept, of)
}

// mergeRecords takes in the records of a partition that is named again. Of those that
// can be read the last are appended; when there are others, too, their error is the
// answer all the same.
func (p *producedPartition) mergeRecords(version int16, records []byte) {
	before, after := fieldCode(version, p.records), fieldCode(version, records)
	if after != protocol.None {
		p.spoiled = after
	} else if before != protocol.None {
		p.spoiled = before
	}
	if after == protocol.None || before != protocol.None {
		p.records = records
	}
}

func fieldCode(version int16, records []byte) protocol.ErrorCode {
	if records == nil {
		return protocol.None
	}
	return partitions.CheckField(version, records)
}

// byTopic brings the partitions of each topic together.
func byTopic(kept []producedPartition, of []int) []producedPartition {
	order := make([]int, len(of))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return of[a] - of[b] })
	sorted := make([]producedPartition, len(kept))
	for i, from := range order {
		sorted[i] = kept[from]
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
