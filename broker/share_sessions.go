package broker

import (
	"sync"
	"time"

	"klamm/protocol"
)

// Share sessions (KIP-932), as ShareSessionCache keeps them: a member names its
// partitions once and then only what changed. When its session ends, what it has acquired
// is given back; a session ends with its connection.

// shareSessions is the cache of all sessions.
type shareSessions struct {
	mu    sync.Mutex
	byKey map[shareMember]*shareSession
}

// shareMember names a member of a share group.
type shareMember struct{ group, member string }

// shareSession is what a member has asked for so far; guarded by shareSessions.mu.
type shareSession struct {
	key        shareMember
	epoch      int32
	partitions []*shareSessionPartition // those that had records last are behind
	conn       *conn                    // that began it
}

// sharePartitionID names a partition of a topic.
type sharePartitionID struct {
	topic     protocol.UUID
	partition int32
}

// shareSessionPartition is one partition of a session. The name is that of the topic when
// it was named first, empty when there was none.
type shareSessionPartition struct {
	sharePartitionID
	name string
	news bool // the next answer has it, whether there are records or not
}

// begin makes a session in the place of an earlier one of the member; false when there
// are too many (group.share.max.share.sessions).
func (ss *shareSessions) begin(key shareMember, partitions []*shareSessionPartition, cn *conn, limit int) bool {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	delete(ss.byKey, key)
	if len(ss.byKey) >= limit {
		return false
	}
	if ss.byKey == nil {
		ss.byKey = make(map[shareMember]*shareSession)
	}
	s := &shareSession{key: key, epoch: 1, partitions: partitions, conn: cn}
	ss.byKey[key] = s
	cn.share = s
	return true
}

// next checks the epoch of a request, and makes the next one the session's.
func (ss *shareSessions) next(key shareMember, epoch int32) (*shareSession, protocol.ErrorCode) {
	s := ss.byKey[key]
	switch {
	case s == nil:
		return nil, protocol.ShareSessionNotFound
	case epoch == finalEpoch:
		return s, protocol.None
	case s.epoch != epoch:
		return nil, protocol.InvalidShareSessionEpoch
	}
	s.epoch = nextEpoch(s.epoch)
	return s, protocol.None
}

// update adds the partitions that a request names and takes out those that it forgets.
func (s *shareSession) update(named []*shareSessionPartition, forgotten []sharePartitionID) {
	known := make(map[sharePartitionID]bool, len(s.partitions))
	for _, p := range s.partitions {
		known[p.sharePartitionID] = true
	}
	for _, p := range named {
		if !known[p.sharePartitionID] {
			known[p.sharePartitionID] = true
			p.news = true
			s.partitions = append(s.partitions, p)
		}
	}
	if len(forgotten) == 0 {
		return
	}
	gone := make(map[sharePartitionID]bool, len(forgotten))
	for _, id := range forgotten {
		gone[id] = true
	}
	kept := make([]*shareSessionPartition, 0, len(s.partitions))
	for _, p := range s.partitions {
		if !gone[p.sharePartitionID] {
			kept = append(kept, p)
		}
	}
	s.partitions = kept
}

// end ends a session and gives back what its member has acquired
// (SharePartitionManager.releaseSession).
func (c *Cluster) endShareSession(now time.Time, s *shareSession) {
	c.shareSessions.mu.Lock()
	current := c.shareSessions.byKey[s.key] == s
	if current {
		delete(c.shareSessions.byKey, s.key)
	}
	partitions := s.partitions
	c.shareSessions.mu.Unlock()
	if !current {
		return
	}
	for _, p := range partitions {
		if sp := c.sharePartitions.get(shareKey(s.key.group, p.topic, p.partition)); sp != nil {
			sp.release(now, s.key.member)
		}
	}
}

// disconnected ends the session that began over a connection that has ended. When it was
// the last of its group, the group's share partitions are let go.
func (c *Cluster) shareDisconnected(cn *conn) {
	s := cn.share
	if s == nil {
		return
	}
	cn.share = nil
	c.endShareSession(time.Now(), s)
	if c.shareSessions.has(s.key.group) {
		return
	}
	for _, p := range c.sharePartitions.all() {
		if p.key.Group == s.key.group {
			p.fence()
		}
	}
}

// has tells whether a group has a session.
func (ss *shareSessions) has(group string) bool {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	for key := range ss.byKey {
		if key.group == group {
			return true
		}
	}
	return false
}
