package broker

import (
	"encoding/binary"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/partitions"
	"klamm/protocol"
)

// Fetch sessions (KIP-227), as org.apache.kafka.server.FetchManager keeps them: a
// client names its partitions once and then only what changed, and the answers
// leave out the partitions with nothing new.

// fetchSessions is the cache of all sessions.
type fetchSessions struct {
	mu   sync.Mutex
	byID map[int32]*fetchSession
	made uint64 // counts the random ids
}

// fetchSession is what a client has asked for so far.
type fetchSession struct {
	id       int32
	byIDs    bool // partitions are named by topic id (v13 on)
	created  time.Time
	lastUsed time.Time // guarded by fetchSessions.mu

	mu         sync.Mutex
	epoch      int32
	partitions []*cachedPartition
	index      map[sessionKey]*cachedPartition
}

type sessionKey struct {
	topic   string
	topicID protocol.UUID
	index   int32
}

// cachedPartition is one partition of a session, with what the client was told of it last.
type cachedPartition struct {
	fetchedPartition
	name           string // of the topic, once it was found by its id
	highWatermark  int64
	logStartOffset int64
	removed        bool
}

// fetchContext says how a request takes part in a session: not at all (the zero
// value), by making one, or by going on with one.
type fetchContext struct {
	create  bool
	session *fetchSession // of an incremental fetch
}

const (
	finalEpoch         = -1              // ends the session: a full fetch without one
	initialEpoch       = 0               // makes a new session
	sessionEvictionAge = 2 * time.Minute // FetchSession.EVICTION_MS of Kafka: min.incremental.fetch.session.eviction.ms
)

// fetchSession finds the session of a request and brings it up to date.
func (c *call) fetchSession(req *kmsg.FetchRequest) (*fetchContext, protocol.ErrorCode) {
	sessions := &c.cluster.sessions
	if !hasSessionShard(req.SessionID) {
		return nil, protocol.UnknownServerError
	}
	if req.SessionEpoch == initialEpoch || req.SessionEpoch == finalEpoch {
		if req.SessionID != 0 {
			sessions.remove(req.SessionID)
		}
		return &fetchContext{create: req.SessionEpoch == initialEpoch && c.header.Version >= 7}, protocol.None
	}
	s := sessions.touch(req.SessionID, c.now)
	if s == nil {
		return nil, protocol.FetchSessionIdNotFound
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.epoch != req.SessionEpoch {
		return nil, protocol.InvalidFetchSessionEpoch
	}
	if s.byIDs != (c.header.Version >= 13) {
		return nil, protocol.FetchSessionTopicIdError
	}
	s.update(req)
	if len(s.partitions) == 0 {
		sessions.remove(s.id)
		return &fetchContext{}, protocol.None
	}
	s.epoch = nextEpoch(s.epoch)
	return &fetchContext{session: s}, protocol.None
}

// hasSessionShard tells whether a session may have this id: Kafka looks for others in a
// part of its cache that there is not (FetchSessionCache.getCacheShard).
func hasSessionShard(id int32) bool {
	const shards = 8
	const each = (1<<31 - 1) / shards
	return id > -each && id < shards*each
}

// nextEpoch is the epoch after e; it wraps around to 1, as 0 begins a session.
func nextEpoch(e int32) int32 {
	if e == 1<<31-1 {
		return 1
	}
	return e + 1
}

// update adds and changes the partitions that the request names and takes out
// those that it forgets.
func (s *fetchSession) update(req *kmsg.FetchRequest) {
	for i := range req.Topics {
		for j := range req.Topics[i].Partitions {
			asked := requestedPartition(&req.Topics[i], &req.Topics[i].Partitions[j])
			if cached := s.index[asked.key(s.byIDs)]; cached != nil {
				cached.fetchedPartition = asked
			} else {
				s.add(&cachedPartition{fetchedPartition: asked, highWatermark: -1, logStartOffset: -1})
			}
		}
	}
	forgotten := false
	for _, ft := range req.ForgottenTopics {
		for _, index := range ft.Partitions {
			key := fetchedPartition{topic: ft.Topic, topicID: protocol.UUID(ft.TopicID), index: index}.key(s.byIDs)
			if cached := s.index[key]; cached != nil {
				cached.removed, forgotten = true, true
				delete(s.index, key)
			}
		}
	}
	if forgotten {
		s.compact()
	}
}

func (s *fetchSession) add(p *cachedPartition) {
	s.partitions = append(s.partitions, p)
	s.index[p.key(s.byIDs)] = p
}

// compact drops removed partitions, in one pass for all of them.
func (s *fetchSession) compact() {
	kept := s.partitions[:0]
	for _, p := range s.partitions {
		if !p.removed {
			kept = append(kept, p)
		}
	}
	clear(s.partitions[len(kept):])
	s.partitions = kept
}

// key tells partitions of a session apart.
func (p fetchedPartition) key(byID bool) sessionKey {
	if byID {
		return sessionKey{topicID: p.topicID, index: p.index}
	}
	return sessionKey{topic: p.topic, index: p.index}
}

// appendReads adds all partitions of the session, in its order.
func (s *fetchSession) appendReads(reads []fetchRead) []fetchRead {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.partitions {
		reads = append(reads, fetchRead{fetchedPartition: p.fetchedPartition, cached: p, name: p.name})
	}
	return reads
}

// withNews keeps the reads that an incremental answer has to show, and moves
// the partitions that gave data to the end of the session, so that the others
// come first next time.
func (s *fetchSession) withNews(reads []fetchRead) []fetchRead {
	s.mu.Lock()
	defer s.mu.Unlock()
	news := reads[:0]
	var served []*cachedPartition
	for _, r := range reads {
		r.cached.name = r.name
		if !r.cached.changed(&r.result) {
			continue
		}
		if r.result.Size > 0 && !r.cached.removed {
			served = append(served, r.cached)
			r.cached.removed = true
		}
		news = append(news, r)
	}
	if len(served) > 0 {
		s.compact()
		for _, p := range served {
			p.removed = false
		}
		s.partitions = append(s.partitions, served...)
	}
	return news
}

// changed tells whether the client has to be told of a result, and notes what it
// is told (CachedPartition.maybeUpdateResponseData).
func (p *cachedPartition) changed(r *partitions.Read) bool {
	must := r.Size > 0 || r.Diverging != nil
	if p.highWatermark != r.HighWatermark {
		p.highWatermark, must = r.HighWatermark, true
	}
	if p.logStartOffset != r.LogStartOffset {
		p.logStartOffset, must = r.LogStartOffset, true
	}
	if r.Code != protocol.None {
		p.highWatermark, must = -1, true
	}
	return must
}

// touch returns a session, or nil, and notes that it is in use.
func (fs *fetchSessions) touch(id int32, now time.Time) *fetchSession {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	s := fs.byID[id]
	if s != nil {
		s.lastUsed = now
	}
	return s
}

func (fs *fetchSessions) remove(id int32) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	delete(fs.byID, id)
}

// newFetchSession makes a session of the reads of a full fetch and returns its
// id, or 0 when the cache is full of sessions in use.
func (c *call) newFetchSession(reads []fetchRead) int32 {
	s := &fetchSession{
		byIDs: c.header.Version >= 13, epoch: 1, created: c.now, lastUsed: c.now,
		partitions: make([]*cachedPartition, 0, len(reads)),
		index:      make(map[sessionKey]*cachedPartition, len(reads)),
	}
	for i := range reads {
		r := &reads[i]
		if s.index[r.key(s.byIDs)] == nil {
			p := &cachedPartition{fetchedPartition: r.fetchedPartition, name: r.name}
			p.highWatermark, p.logStartOffset = r.result.HighWatermark, r.result.LogStartOffset
			s.add(p)
		}
	}
	fs := &c.cluster.sessions
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if len(fs.byID) >= c.cluster.settings.Load().fetchSessionSlots && !fs.evict(c.now) {
		return 0
	}
	if fs.byID == nil {
		fs.byID = make(map[int32]*fetchSession)
	}
	for s.id == 0 || fs.byID[s.id] != nil {
		r := c.cluster.random("fetch session", "", fs.made)
		fs.made++
		s.id = int32(binary.BigEndian.Uint32(r[:]) & 0x7fffffff)
	}
	fs.byID[s.id] = s
	return s.id
}

// evict drops the session that was not used for longest, if that is long enough.
func (fs *fetchSessions) evict(now time.Time) bool {
	var oldest *fetchSession
	for _, s := range fs.byID {
		if oldest == nil || s.lastUsed.Before(oldest.lastUsed) {
			oldest = s
		}
	}
	if oldest == nil || now.Sub(oldest.lastUsed) < sessionEvictionAge {
		return false
	}
	delete(fs.byID, oldest.id)
	return true
}
