package broker

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/partitions"
	"klamm/protocol"
)

// fetchScratch is what a connection keeps from one Fetch request to the next.
type fetchScratch struct {
	req    kmsg.FetchRequest
	reads  []fetchRead
	parked waiter
}

// fetchRead is one partition of a fetch on its way from request to answer.
type fetchRead struct {
	fetchedPartition
	cached *cachedPartition // its place in the fetch session, nil without one
	name   string           // of a topic that the session found by id before
	source *partition       // nil when code says why there is none
	result partitions.Read
}

// fetchedPartition is what a client asks of one partition.
type fetchedPartition struct {
	topic            string // before v13
	topicID          protocol.UUID
	index            int32
	offset           int64
	maxBytes         int32
	currentEpoch     int32
	lastFetchedEpoch int32
}

// serveFetch serves Fetch: the hot path, like produce. It answers when enough
// bytes are there, something is wrong, or the wait is over (DelayedFetch).
func (c *call) serveFetch(body []byte) error {
	body, err := protocol.CheckRequest(c.header.Key, c.header.Version, body)
	if err != nil {
		return err
	}
	defer c.dropReads(len(body))
	scratch := &c.conn.fetch
	req := &scratch.req
	// Reading sets the fields of the version only: what the request before had must go.
	*req = kmsg.FetchRequest{Version: c.header.Version, Topics: req.Topics}
	if err := req.ReadFrom(body); err != nil {
		return err
	}
	session, code := c.fetchSession(req)
	switch {
	case code == protocol.UnknownServerError:
		c.answerFetchFailure(req, code)
		return nil
	case code != protocol.None:
		return c.answerFetchError(code)
	}
	reads := c.findFetched(session, req)
	if !isIsolation(req.IsolationLevel) && anyFound(reads) {
		c.answerFetchFailure(req, protocol.UnknownServerError)
		return nil
	}
	size, wait := c.readAll(reads, req)
	if wait && size < fetchMinBytes(req) {
		if !c.parkFetch(reads, req) {
			return errGone
		}
		c.readAll(reads, req)
	}
	code = unanswerable(reads, c.header.Version)
	switch {
	case code == protocol.None:
		c.answerFetch(req, session, reads)
	case code == protocol.UnsupportedVersion && session.session != nil:
		session.session.withNews(reads) // Kafka fails after it has noted them as told
		fallthrough
	default:
		c.answerFetchFailure(req, code)
	}
	return nil
}

// unanswerable tells why Kafka cannot put an answer together: what follows a topic
// whose id is zero makes it look at a name that is not there (FetchResponse.matchingTopic),
// and before v12 no answer has a place for a diverging epoch, which a session that
// began with a later version can ask for.
func unanswerable(reads []fetchRead, version int16) protocol.ErrorCode {
	for i := range reads {
		r := &reads[i]
		if r.source == nil && version >= 13 && r.topicID == (protocol.UUID{}) && i < len(reads)-1 {
			return protocol.UnknownServerError
		}
		if r.result.Diverging != nil && version < 12 {
			return protocol.UnsupportedVersion
		}
	}
	return protocol.None
}

// dropReads lets go of the log's memory: a connection that fetches nothing more
// must not keep it from being freed. A request or a session larger than usual goes
// as well.
func (c *call) dropReads(size int) {
	const usual, usualReads = 64 << 10, 1024
	scratch := &c.conn.fetch
	clear(scratch.reads)
	if size > usual || cap(scratch.reads) > usualReads {
		scratch.req, scratch.reads = kmsg.FetchRequest{}, nil
	}
}

// findFetched looks up the partitions to read: those of the session, else those of the request.
func (c *call) findFetched(s *fetchContext, req *kmsg.FetchRequest) []fetchRead {
	reads := c.conn.fetch.reads[:0]
	if s.session != nil {
		reads = s.session.appendReads(reads)
	} else {
		reads = appendRequested(reads, req)
	}
	c.conn.fetch.reads = reads
	image := c.cluster.image.Load()
	for i := range reads {
		reads[i].find(image, c.header.Version)
	}
	missingLast(reads)
	return reads
}

// missingLast puts the partitions that do not exist behind the others, as Kafka
// answers them: first those whose topic's id it does not know.
func missingLast(reads []fetchRead) {
	var unknown, missing []fetchRead
	found := reads[:0]
	for _, r := range reads {
		switch {
		case !r.missing():
			found = append(found, r)
		case r.result.Code == protocol.UnknownTopicId:
			unknown = append(unknown, r)
		default:
			missing = append(missing, r)
		}
	}
	n := len(found) + copy(reads[len(found):], unknown)
	copy(reads[n:], missing)
}

// missing tells that Kafka does not come to read the partition.
func (r *fetchRead) missing() bool {
	return r.source == nil && r.result.Code != protocol.InconsistentTopicId
}

func anyFound(reads []fetchRead) bool { return len(reads) > 0 && !reads[0].missing() }

func (r *fetchRead) find(image *topicImage, version int16) {
	t := image.byName.get(r.topic)
	if version >= 13 {
		t = image.byID.get(r.topicID)
	}
	switch {
	case t != nil:
		if r.source = t.partition(r.index); r.source == nil {
			r.refuse(protocol.UnknownTopicOrPartition)
		}
		r.name = t.name
	case version < 13:
		r.refuse(protocol.UnknownTopicOrPartition)
	case r.name == "":
		r.refuse(protocol.UnknownTopicId)
	case image.byName.get(r.name).partition(r.index) != nil: // deleted and made again, under another id
		r.refuse(protocol.InconsistentTopicId)
	default:
		r.refuse(protocol.UnknownTopicOrPartition)
	}
}

func (r *fetchRead) refuse(code protocol.ErrorCode) {
	r.result = partitions.Read{Code: code, HighWatermark: -1, LastStableOffset: -1, LogStartOffset: -1}
}

// readAll reads each partition within the limits of the request: the first
// non-empty one gives at least one batch, whatever its size (KIP-74). wait tells
// whether waiting for more makes sense; a partition that cannot be read stops the wait.
func (c *call) readAll(reads []fetchRead, req *kmsg.FetchRequest) (size int, wait bool) {
	limit := min(int(req.MaxBytes), c.cluster.settings.Load().fetchMaxBytes)
	wait = req.MaxWaitMillis > 0 && anyFound(reads)
	for i := range reads {
		r := &reads[i]
		if r.source == nil {
			wait = wait && r.missing()
			continue
		}
		r.source.read(r, req, min(limit, int(r.maxBytes)), size == 0)
		size += r.result.Size
		limit = max(limit-r.result.Size, 0)
		if r.result.Code != protocol.None || r.result.Diverging != nil {
			wait = false
		}
	}
	return size, wait
}

// fetchMinBytes is how many bytes make a fetch worth answering.
func fetchMinBytes(req *kmsg.FetchRequest) int { return int(min(req.MinBytes, req.MaxBytes)) }

// parkFetch waits until enough has arrived or the wait is over. It returns false
// when there is nobody left to answer.
func (c *call) parkFetch(reads []fetchRead, req *kmsg.FetchRequest) bool {
	w := &c.conn.fetch.parked
	if w.wake == nil {
		w.wake = make(chan struct{}, 1)
	}
	select {
	case <-w.wake: // left over from the fetch before
	default:
	}
	w.missing.Store(int64(fetchMinBytes(req)))
	for i := range reads {
		if p := reads[i].source; p != nil {
			p.await(w, &reads[i], req.IsolationLevel == readCommitted)
		}
	}
	_, how := park(c.conn, w.wake, time.Duration(req.MaxWaitMillis)*time.Millisecond)
	for i := range reads {
		if p := reads[i].source; p != nil {
			p.forgo(w)
		}
	}
	return how != gone
}

// isFollower tells whether the fetch is that of another broker; no broker follows here.
func isFollower(req *kmsg.FetchRequest) bool {
	if req.Version >= 15 {
		return req.ReplicaState.ID >= 0
	}
	return req.ReplicaID >= 0
}

// read reads what the fetch asks of the partition, at most maxBytes. To a follower it
// says that it is none (Partition.followerReplicaOrThrow).
func (p *partition) read(r *fetchRead, req *kmsg.FetchRequest, maxBytes int, minOne bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.deleted {
		r.refuse(protocol.UnknownTopicOrPartition)
		return
	}
	if code := p.log.CheckLeaderEpoch(max(r.currentEpoch, -1)); code != protocol.None {
		r.refuse(code)
		return
	}
	if isFollower(req) {
		code := protocol.NotLeaderOrFollower
		if r.currentEpoch >= 0 {
			code = protocol.UnknownLeaderEpoch
		}
		r.refuse(code)
		return
	}
	p.log.Read(&r.result, partitions.From{
		Offset: r.offset, LastEpoch: r.lastFetchedEpoch, MaxBytes: max(maxBytes, 0), MinOne: minOne, Committed: req.IsolationLevel == readCommitted,
	})
	end := r.result.HighWatermark
	if req.IsolationLevel == readCommitted {
		end = r.result.LastStableOffset
	}
	switch {
	case r.result.Code != protocol.None:
		r.refuse(r.result.Code)
	case maxBytes < 0 && r.offset < end:
		r.refuse(protocol.UnknownServerError) // what comes of LogSegment.read's IllegalArgumentException
	}
}

// await registers a parked fetch and takes off what has arrived since it was read.
func (p *partition) await(w *waiter, r *fetchRead, committed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var now partitions.Read
	p.log.Read(&now, partitions.From{Offset: r.offset, LastEpoch: -1, MaxBytes: int(r.maxBytes), MinOne: true, Committed: committed})
	size := min(now.Size, int(r.maxBytes))
	p.waiters = append(p.waiters, waiting{w, int(r.maxBytes) - size, committed})
	if now.Code != protocol.None || p.deleted {
		w.now()
	}
	w.take(size)
}

// appendRequested adds the partitions that a request without a session names.
func appendRequested(reads []fetchRead, req *kmsg.FetchRequest) []fetchRead {
	for i := range req.Topics {
		rt := &req.Topics[i]
		for j := range rt.Partitions {
			reads = append(reads, fetchRead{fetchedPartition: requestedPartition(rt, &rt.Partitions[j])})
		}
	}
	return withoutRepeats(reads)
}

// withoutRepeats drops the partitions that were asked for before in the same request: the
// place is that of the first time, the wish that of the last.
func withoutRepeats(reads []fetchRead) []fetchRead {
	if len(reads) < 2 {
		return reads
	}
	kept := reads[:0]
	at := make(map[sessionKey]int, len(reads))
	for _, r := range reads {
		key := sessionKey{r.topic, r.topicID, r.index}
		if i, asked := at[key]; asked {
			kept[i] = r
			continue
		}
		at[key] = len(kept)
		kept = append(kept, r)
	}
	return kept
}

func requestedPartition(rt *kmsg.FetchRequestTopic, rp *kmsg.FetchRequestTopicPartition) fetchedPartition {
	return fetchedPartition{
		topic:            rt.Topic,
		topicID:          protocol.UUID(rt.TopicID),
		index:            rp.Partition,
		offset:           rp.FetchOffset,
		maxBytes:         rp.PartitionMaxBytes,
		currentEpoch:     rp.CurrentLeaderEpoch,
		lastFetchedEpoch: rp.LastFetchedEpoch,
	}
}
