package broker

import (
	"sync"
	"time"

	"klamm/broker/sharecoord"
	"klamm/groupcoord"
	"klamm/protocol"
)

// shareStates are the states of all share groups on all partitions: the share
// coordinator. Its lock is taken after that of a share partition and before that of a
// partition of the log.
type shareStates struct {
	mu    sync.Mutex
	byKey map[sharecoord.Key]*sharecoord.State
}

func shareKey(group string, topic protocol.UUID, partition int32) sharecoord.Key {
	return sharecoord.Key{Group: group, Topic: topic, Partition: partition}
}

// shareStatePartition is the partition of __share_group_state that the records of a state
// go to (SharePartitionKey.asCoordinatorKey). The topic is made when the first one needs it.
func (c *Cluster) shareStatePartition(k sharecoord.Key) (*partition, error) {
	t, err := c.internalTopic(shareGroupTopicName)
	if err != nil {
		return nil, err
	}
	return t.coordinated(shareCoordinatorKey(k)), nil
}

// change applies what make says to the state of a key; make returns the record to write, if there is one.
func (st *shareStates) change(now time.Time, k sharecoord.Key, records *partition, make func(s *sharecoord.State) (sharecoord.Record, bool)) {
	st.mu.Lock()
	defer st.mu.Unlock()
	s := st.byKey[k]
	if s == nil {
		s = new(sharecoord.State)
	}
	r, writes := make(s)
	if !writes {
		return
	}
	records.appendInternal(now, []protocol.Record{{Key: r.Key, Value: r.Value}})
	s.Apply(r)
	switch {
	case !s.Known():
		delete(st.byKey, k)
	case st.byKey == nil:
		st.byKey = map[sharecoord.Key]*sharecoord.State{k: s}
	default:
		st.byKey[k] = s
	}
}

func (c *Cluster) initializeShareState(now time.Time, groupID string, epoch int32, start groupcoord.ShareStart) (code protocol.ErrorCode) {
	k := shareKey(groupID, start.Topic, start.Partition)
	records, err := c.shareStatePartition(k)
	if err != nil {
		return protocol.CoordinatorNotAvailable
	}
	if c.image.Load().byID.get(start.Topic).partition(start.Partition) == nil {
		return protocol.UnknownTopicOrPartition
	}
	c.shareStates.change(now, k, records, func(s *sharecoord.State) (r sharecoord.Record, writes bool) {
		r, code = s.Initialize(now, k, epoch, start.StartOffset)
		return r, code == protocol.None
	})
	return code
}

func (c *Cluster) deleteShareState(now time.Time, k sharecoord.Key) {
	if records, err := c.shareStatePartition(k); err == nil {
		c.shareStates.change(now, k, records, func(s *sharecoord.State) (sharecoord.Record, bool) { return s.Delete(k) })
	}
}

// writeShareState writes what a share partition has changed.
func (c *Cluster) writeShareState(now time.Time, k sharecoord.Key, records *partition, w *sharecoord.Write) (code protocol.ErrorCode) {
	c.shareStates.change(now, k, records, func(s *sharecoord.State) (r sharecoord.Record, writes bool) {
		r, code = s.Write(now, k, w, c.settings.Load().shareUpdatesPerSnapshot)
		return r, code == protocol.None
	})
	return code
}

// readShareState reads the state for a share partition whose leader has an epoch.
func (c *Cluster) readShareState(now time.Time, k sharecoord.Key, records *partition, leaderEpoch int32) (state sharecoord.Snapshot, code protocol.ErrorCode) {
	c.shareStates.change(now, k, records, func(s *sharecoord.State) (r sharecoord.Record, writes bool) {
		r, writes, code = s.Read(now, k, leaderEpoch, c.settings.Load().shareUpdatesPerSnapshot)
		state = s.Snapshot()
		return r, writes
	})
	return state, code
}

// shareSummary is the state as descriptions show it.
func (c *Cluster) shareSummary(k sharecoord.Key) sharecoord.Snapshot {
	c.shareStates.mu.Lock()
	defer c.shareStates.mu.Unlock()
	if s := c.shareStates.byKey[k]; s != nil {
		return s.Snapshot()
	}
	return new(sharecoord.State).Snapshot()
}

// shareTopicsDeleted forgets share partitions and states of topics that are gone
// (ShareCoordinatorShard.maybeCleanupShareState); with the topic of the states all of them go.
func (c *Cluster) shareTopicsDeleted(now time.Time, statesToo bool) {
	image := c.image.Load()
	c.shareStates.mu.Lock()
	if statesToo {
		c.shareStates.byKey = nil
	}
	var gone []sharecoord.Key
	for k := range c.shareStates.byKey {
		if image.byID.get(k.Topic) == nil {
			gone = append(gone, k)
		}
	}
	c.shareStates.mu.Unlock()
	for _, k := range gone {
		c.deleteShareState(now, k)
	}
	for _, p := range c.sharePartitions.all() {
		if statesToo || image.byID.get(p.key.Topic) == nil {
			p.fence()
		}
	}
}
