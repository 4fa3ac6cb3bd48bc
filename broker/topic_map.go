package broker

import "maps"

// topicMap is an immutable map of topics that is cheap to change: what changed
// lately lies beside the rest, and only that is copied for the next change.
// The zero value is empty.
type topicMap[K comparable] struct {
	settled map[K]*topic
	recent  map[K]*topic // these count; nil: removed
}

// maxRecent is how many changes lie beside the rest at most: a look-up costs two
// as long as there are any, a change costs as much as there are.
const maxRecent = 128

// get returns the topic, or nil.
func (m *topicMap[K]) get(key K) *topic {
	if t, ok := m.recent[key]; ok {
		return t
	}
	return m.settled[key]
}

// getBytes is get for a name that is still bytes; nothing is allocated.
func getBytes(m *topicMap[string], key []byte) *topic {
	if t, ok := m.recent[string(key)]; ok {
		return t
	}
	return m.settled[string(key)]
}

// edit returns a copy that set may change until the first settle.
func (m *topicMap[K]) edit() topicMap[K] {
	return topicMap[K]{settled: m.settled, recent: maps.Clone(m.recent)}
}

// set puts a topic in, or with nil takes it out.
func (m *topicMap[K]) set(key K, t *topic) {
	if m.recent == nil {
		m.recent = make(map[K]*topic)
	}
	m.recent[key] = t
}

// settle ends an edit.
func (m *topicMap[K]) settle() {
	if len(m.recent) <= maxRecent {
		return
	}
	all := maps.Clone(m.settled)
	if all == nil {
		all = make(map[K]*topic, len(m.recent))
	}
	for key, t := range m.recent {
		if t == nil {
			delete(all, key)
		} else {
			all[key] = t
		}
	}
	m.settled, m.recent = all, nil
}
