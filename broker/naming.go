package broker

// naming is what a request asks of partitions, with each topic and each partition once,
// in the order of their first naming. The zero value is empty. P is what the request
// says of a partition.
type naming[P any] struct {
	topics []*namedTopic[P]
	byName map[string]*namedTopic[P]
	byPart map[TopicPartition]*namedPartition[P]
}

type namedTopic[P any] struct {
	name       string
	partitions []*namedPartition[P]
}

// namedPartition was named so many times, with first and last among them.
type namedPartition[P any] struct {
	index       int32
	first, last *P
	times       int
}

func (n *naming[P]) add(topic string, index int32, asked *P) {
	tp := TopicPartition{topic, index}
	p := n.byPart[tp]
	if p == nil {
		if n.byPart == nil {
			n.byName, n.byPart = make(map[string]*namedTopic[P]), make(map[TopicPartition]*namedPartition[P])
		}
		p = &namedPartition[P]{index: index, first: asked}
		n.byPart[tp] = p
		t := n.byName[topic]
		if t == nil {
			t = &namedTopic[P]{name: topic}
			n.byName[topic] = t
			n.topics = append(n.topics, t)
		}
		t.partitions = append(t.partitions, p)
	}
	p.last = asked
	p.times++
}
