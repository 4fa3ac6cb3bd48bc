package broker

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/partitions"
	"klamm/protocol"
)

// shareFetch is a ShareFetch on its way.
type shareFetch struct {
	c       *Cluster
	call    *call
	req     *kmsg.ShareFetchRequest
	key     shareMember
	session *shareSession // of a request that goes on with one
	reads   []shareRead
	acks    shareAcks
	limit   int // bytes
	minimum int
	reading bool // read_committed
}

// shareRead is one partition of a share fetch.
type shareRead struct {
	*shareSessionPartition
	part     *sharePartition
	refused  apiError
	answered bool
	offset   int64
	records  []byte
	acquired []partitions.Acquired
}

// shareFetch answers ShareFetch v1-2 (KafkaApis.handleShareFetchRequest).
func (c *Cluster) shareFetch(call *call, req *kmsg.ShareFetchRequest, resp *kmsg.ShareFetchResponse) {
	if code := checkShareFetch(req); code != protocol.None {
		resp.ErrorCode = int16(code)
		return
	}
	f := &shareFetch{c: c, call: call, req: req, key: shareMember{*req.GroupID, *req.MemberID}}
	code := f.begin()
	if code == protocol.ShareSessionLimitReached {
		f.sit()
	}
	if code != protocol.None {
		resp.ErrorCode = int16(code)
		return
	}
	f.acks = c.acknowledgeShared(call.now, f.key, f.ackTopics(), req.Version >= 2, req.IsRenewAck)
	if req.IsRenewAck {
		f.reads = nil
	} else if req.ShareAcquireMode != 0 && req.ShareAcquireMode != 1 && f.anyFound() {
		f.acks.commit()
		resp.ErrorCode = int16(protocol.UnknownServerError)
		return
	}
	if !f.run() {
		call.hangUp = errGone
		return
	}
	f.answer(resp)
	if req.ShareSessionEpoch == finalEpoch {
		c.endShareSession(call.now, f.session)
	}
}

func checkShareFetch(req *kmsg.ShareFetchRequest) protocol.ErrorCode {
	switch {
	case req.GroupID == nil || !isShareMemberID(req.MemberID):
		return protocol.InvalidRequest
	case req.IsRenewAck && (req.MaxBytes != 0 || req.MinBytes != 0 || req.MaxRecords != 0 || req.MaxWaitMillis != 0):
		return protocol.InvalidRequest
	}
	return protocol.None
}

// begin makes or finds the session, and what is to be read
// (SharePartitionManager.newContext).
func (f *shareFetch) begin() protocol.ErrorCode {
	named, withAcks := f.named()
	ss := &f.c.shareSessions
	switch f.req.ShareSessionEpoch {
	case initialEpoch:
		switch {
		case withAcks:
			return protocol.InvalidRequest
		case hasRepeats(named):
			return protocol.UnknownServerError // Kafka's set takes none twice
		case !ss.begin(f.key, append([]*shareSessionPartition(nil), named...), f.call.conn, f.c.settings.Load().shareMaxSessions):
			return protocol.ShareSessionLimitReached
		}
	default:
		ss.mu.Lock()
		defer ss.mu.Unlock()
		s, code := ss.next(f.key, f.req.ShareSessionEpoch)
		if code != protocol.None {
			return code
		}
		if f.session = s; f.req.ShareSessionEpoch == finalEpoch {
			return protocol.None
		}
		s.update(named, f.forgotten())
		named = s.partitions
	}
	f.find(named)
	return protocol.None
}

// named are the partitions of the request, and whether it acknowledges something.
func (f *shareFetch) named() (named []*shareSessionPartition, withAcks bool) {
	image := f.c.image.Load()
	for i := range f.req.Topics {
		rt := &f.req.Topics[i]
		name := ""
		if t := image.byID.get(protocol.UUID(rt.TopicID)); t != nil {
			name = t.name
		}
		for j := range rt.Partitions {
			rp := &rt.Partitions[j]
			named = append(named, &shareSessionPartition{sharePartitionID: sharePartitionID{rt.TopicID, rp.Partition}, name: name})
			withAcks = withAcks || len(rp.AcknowledgementBatches) > 0
		}
	}
	return named, withAcks
}

func hasRepeats(named []*shareSessionPartition) bool {
	seen := make(map[sharePartitionID]bool, len(named))
	for _, p := range named {
		if seen[p.sharePartitionID] {
			return true
		}
		seen[p.sharePartitionID] = true
	}
	return false
}

func (f *shareFetch) forgotten() (ids []sharePartitionID) {
	for i := range f.req.ForgottenTopicsData {
		ft := &f.req.ForgottenTopicsData[i]
		for _, p := range ft.Partitions {
			ids = append(ids, sharePartitionID{ft.TopicID, p})
		}
	}
	return ids
}

// find looks up the partitions of a session. Which one is first goes round from request
// to request (PartitionRotateStrategy); those that are not there come last.
func (f *shareFetch) find(named []*shareSessionPartition) {
	var missing []shareRead
	image := f.c.image.Load()
	for _, p := range named {
		r := shareRead{shareSessionPartition: p}
		switch {
		case p.name == "":
			r.refused.code = protocol.UnknownTopicId
		case image.byName.get(p.name).partition(p.partition) == nil:
			r.refused.code = protocol.UnknownTopicOrPartition
		default:
			f.reads = append(f.reads, r)
			continue
		}
		missing = append(missing, r)
	}
	if n := len(f.reads); n > 1 && f.req.ShareSessionEpoch >= 1 {
		at := int(f.req.ShareSessionEpoch) % n
		f.reads = append(append(make([]shareRead, 0, n+len(missing)), f.reads[at:]...), f.reads[:at]...)
	}
	f.reads = append(f.reads, missing...)
}

func (f *shareFetch) anyFound() bool {
	return len(f.reads) > 0 && f.reads[0].refused.code == protocol.None
}

// sit lets a request that is refused for want of sessions wait, so that its client does
// not come again at once.
func (f *shareFetch) sit() {
	if f.req.MaxWaitMillis > 0 {
		park(f.call.conn, make(chan struct{}), f.wait())
	}
}

func (f *shareFetch) wait() time.Duration {
	return time.Duration(f.req.MaxWaitMillis) * time.Millisecond
}

// run acquires records, and waits for some where it may. It returns false when there is
// nobody left to answer. What the request itself gives back can be acquired after the
// first look only, as in Kafka, where it has to be written first.
func (f *shareFetch) run() bool {
	defer f.acks.commit()
	if !f.anyFound() || f.req.MaxRecords == 0 || f.req.MaxBytes == 0 {
		return true
	}
	s := f.c.settings.Load()
	f.limit = min(int(f.req.MaxBytes), s.fetchMaxBytes)
	f.minimum = min(int(f.req.MinBytes), f.limit)
	f.reading = s.shareReadsCommitted(f.key.group)
	for i := range f.reads {
		if r := &f.reads[i]; r.refused.code == protocol.None {
			f.open(r)
		}
	}
	if f.attempt(false) {
		return true
	}
	f.acks.commit()
	if f.req.MaxWaitMillis <= 0 {
		f.attempt(true)
		return true
	}
	return f.park()
}

// open finds the share partition of a read. One that cannot be read does not end the
// wait for the others.
func (f *shareFetch) open(r *shareRead) {
	source := f.c.image.Load().byID.get(r.topic).partition(r.partition)
	if source == nil {
		r.refused = apiError{protocol.UnknownTopicOrPartition, protocol.UnknownTopicOrPartition.Message()}
		return
	}
	r.part, r.refused = f.c.openSharePartition(f.call.now, shareKey(f.key.group, r.topic, r.partition), source)
}

// park tries again whenever something has changed, until the wait is over.
func (f *shareFetch) park() bool {
	w := &waiter{wake: make(chan struct{}, 1)}
	for i := range f.reads {
		if p := f.reads[i].part; p != nil {
			p.await(w, f.reading)
			defer p.forgo(w)
		}
	}
	over := time.Now().Add(f.wait())
	for !f.attempt(false) {
		left := time.Until(over)
		if left <= 0 {
			f.attempt(true)
			return true
		}
		switch _, how := park(f.call.conn, w.wake, left); how {
		case gone:
			return false
		case timedOut:
			f.attempt(true)
			return true
		}
	}
	return true
}

// attempt acquires records if enough of them are there, or anyway when it is the last
// one. It mirrors DelayedShareFetch.tryComplete and onComplete.
func (f *shareFetch) attempt(last bool) (done bool) {
	var ready []*shareRead
	for i := range f.reads {
		if r := &f.reads[i]; r.part != nil && r.part.next(r) {
			ready = append(ready, r)
		}
	}
	if len(ready) == 0 {
		return last
	}
	each := f.limit / len(ready)
	if !last && !f.enough(ready, each) {
		return false
	}
	size, count := 0, 0
	for i, r := range ready {
		maxBytes := each
		if i == 0 {
			maxBytes += f.limit % len(ready)
		}
		n, acquired := r.part.acquire(f, r, min(maxBytes, max(f.limit-size, 0)), size == 0, int(f.req.MaxRecords)-count)
		size += n
		count += acquired
		r.answered = true
	}
	return true
}

// next notes what to read next; false when nothing can be acquired.
func (p *sharePartition) next(r *shareRead) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone || !p.configured().CanAcquire() {
		return false
	}
	r.offset = p.machine.NextFetchOffset()
	return true
}

// enough tells whether what can be read makes the fetch worth answering, or something
// cannot be read (DelayedShareFetch.isMinBytesSatisfied).
func (f *shareFetch) enough(ready []*shareRead, each int) bool {
	size := 0
	for _, r := range ready {
		n, now := r.part.source.available(r.offset, f.reading)
		if now {
			return true
		}
		size += min(n, each)
	}
	return size >= f.minimum
}

// available is how many bytes can be read from an offset on; now when that should be
// done whatever their number is: there is nothing at that offset any more, or it lies in
// a segment that is full.
func (p *partition) available(offset int64, committed bool) (n int, now bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	end := p.log.HighWatermark()
	if committed {
		end = p.log.LastStableOffset()
	}
	if offset < p.log.LogStartOffset() || offset > p.log.HighWatermark() || p.log.InOlderSegment(offset, end) {
		return 0, true
	}
	return p.log.SizeBetween(offset, end), false
}
