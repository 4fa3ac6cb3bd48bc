package broker

import (
	"fmt"
	"maps"
	"time"

	"klamm/groupcoord"
	"klamm/partitions"
	"klamm/protocol"
)

// topic is one topic. It is immutable but for what its partitions hold: a change
// of partitions or configs makes a new topic value in a new image.
type topic struct {
	name       string
	id         protocol.UUID
	internal   bool
	configs    map[string]string // what was set for this topic, by Kafka's names
	partitions []*partition
}

// partition returns partition i, or nil where there is none.
func (t *topic) partition(i int32) *partition {
	if t == nil || i < 0 || int(i) >= len(t.partitions) {
		return nil
	}
	return t.partitions[i]
}

// topicImage is an immutable view of all topics, replaced as a whole.
type topicImage struct {
	byName topicMap[string]
	byID   topicMap[protocol.UUID]
	// colliding has the topics by their names with underscores for dots: none may
	// be created beside one that is alike.
	colliding topicMap[string]
	list      []*topic // in the order of their creation
	made      uint64   // topics that were ever created
	metadata  metadataCache
}

var _ groupcoord.TopicImage = (*topicImage)(nil)

func emptyImage() *topicImage { return &topicImage{} }

// topicEdit is a change of topics on its way, under the cluster's lock: either
// publish shows all of it at once, or nothing happens.
type topicEdit struct {
	c            *Cluster
	s            *settings
	next         *topicImage
	reconfigured []*topic // whose partitions are to hear of it
}

// editTopics starts a change of topics. The caller holds c.mu until it has
// published the edit or given it up.
func (c *Cluster) editTopics() *topicEdit {
	old := c.image.Load()
	return &topicEdit{c: c, s: c.settings.Load(), next: &topicImage{
		byName:    old.byName.edit(),
		byID:      old.byID.edit(),
		colliding: old.colliding.edit(),
		list:      old.list, // appending does not disturb who reads the shorter list
		made:      old.made,
	}}
}

// cloneMap is maps.Clone, but never nil.
func cloneMap[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return make(map[K]V)
	}
	return maps.Clone(m)
}

// publish makes the change visible.
func (e *topicEdit) publish() {
	now := time.Now()
	for _, t := range e.reconfigured {
		cfg := partitionConfig(t.configs, e.s)
		for _, p := range t.partitions {
			p.cfg.Store(&cfg)
			p.watchAnew(now)
		}
	}
	e.next.byName.settle()
	e.next.byID.settle()
	e.next.colliding.settle()
	e.c.image.Store(e.next)
}

// create adds a topic that does not exist yet; everything has been checked.
func (e *topicEdit) create(name string, numPartitions int32, configs map[string]string) *topic {
	e.next.made++
	t := &topic{
		name:     name,
		id:       e.c.randomID("topic", name, e.next.made),
		internal: isInternalTopic(name),
		configs:  configs,
	}
	t.partitions = e.newPartitions(t, 0, numPartitions)
	e.next.byName.set(name, t)
	e.next.byID.set(t.id, t)
	if hasCollisionChars(name) {
		e.next.colliding.set(unifyCollisionChars(name), t)
	}
	e.next.list = append(e.next.list, t)
	return t
}

// newPartitions makes the partitions from up to, but without, to.
func (e *topicEdit) newPartitions(t *topic, from, to int32) []*partition {
	cfg := partitionConfig(t.configs, e.s)
	values := make([]partition, to-from)
	made := make([]*partition, to-from)
	for i := range values {
		p := &values[i]
		p.topic, p.index, p.large, p.upkeep = t.name, from+int32(i), &e.c.large, &e.c.upkeep
		p.cfg.Store(&cfg)
		p.log = partitions.New()
		made[i] = p
	}
	return made
}

// grow gives a topic more partitions.
func (e *topicEdit) grow(t *topic, numPartitions int32) {
	grown := *t
	grown.partitions = append(t.partitions[:len(t.partitions):len(t.partitions)],
		e.newPartitions(t, int32(len(t.partitions)), numPartitions)...)
	e.replace(t, &grown)
}

// configure replaces what is set for a topic.
func (e *topicEdit) configure(t *topic, configs map[string]string) {
	changed := *t
	changed.configs = configs
	e.replace(t, &changed)
	e.reconfigured = append(e.reconfigured, &changed)
}

func (e *topicEdit) replace(old, t *topic) {
	e.next.byName.set(t.name, t)
	e.next.byID.set(t.id, t)
	if hasCollisionChars(t.name) {
		e.next.colliding.set(unifyCollisionChars(t.name), t)
	}
	list := make([]*topic, len(e.next.list))
	for i, other := range e.next.list {
		if other == old {
			other = t
		}
		list[i] = other
	}
	e.next.list = list
}

// remove takes topics out.
func (e *topicEdit) remove(gone []*topic) {
	removed := make(map[*topic]bool, len(gone))
	for _, t := range gone {
		removed[t] = true
		e.next.byName.set(t.name, nil)
		e.next.byID.set(t.id, nil)
		if hasCollisionChars(t.name) {
			e.next.colliding.set(unifyCollisionChars(t.name), nil)
		}
	}
	list := make([]*topic, 0, len(e.next.list)-len(gone))
	for _, t := range e.next.list {
		if !removed[t] {
			list = append(list, t)
		}
	}
	e.next.list = list
}

// addTopic creates a topic of Config.Topics, judged as a CreateTopics request
// judges it; the error says what is wrong, in Kafka's words.
func (c *Cluster) addTopic(t Topic) error {
	plan := topicPlan{name: t.Name, numPartitions: t.Partitions, replicationFactor: -1, configs: t.Configs}
	if plan.numPartitions == 0 {
		plan.numPartitions = -1
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if refused := c.carryOut([]*topicPlan{&plan}, false); refused.code != protocol.None {
		plan.refused = refused
	}
	if plan.refused.code != protocol.None {
		return fmt.Errorf("topic %q: %s", t.Name, plan.refused.text())
	}
	return nil
}

// autoCreate creates the named topic, whose name has been checked, as a Metadata
// request or a coordinator does, unless it exists by now. It returns why that
// was not possible, with the topic where it was.
func (c *Cluster) autoCreate(name string) (*topic, apiError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.image.Load().byName.get(name); t != nil {
		return t, apiError{}
	}
	if name == clusterMetadataTopicName {
		return nil, apiError{code: protocol.InvalidRequest}
	}
	plan := autoPlan(name, c.settings.Load())
	if refused := c.carryOut([]*topicPlan{&plan}, false); refused.code != protocol.None {
		return nil, refused
	}
	return plan.made, plan.refused
}
