package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/partitions"
	"klamm/protocol"
)

// acquire reads records and acquires what can be acquired of them; it tells how many bytes
// were read, and how many records were acquired (ShareFetchUtils.processFetchResponse).
func (p *sharePartition) acquire(f *shareFetch, r *shareRead, maxBytes int, minOne bool, maxRecords int) (size, count int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return 0, 0
	}
	r.offset = p.machine.NextFetchOffset()
	var read partitions.Read
	p.source.mu.Lock()
	p.source.log.Read(&read, partitions.From{Offset: r.offset, LastEpoch: -1, MaxBytes: maxBytes, MinOne: minOne, Committed: f.reading})
	logStart := p.source.log.LogStartOffset()
	p.source.mu.Unlock()
	if read.Code == protocol.OffsetOutOfRange {
		p.machine.MoveStart(logStart)
		return 0, 0
	}
	batches := read.LogBatches()
	r.acquired, count = p.machine.Acquire(f.call.now, partitions.Acquire{
		Member: f.key.member, RecordLimit: f.req.ShareAcquireMode == 1, BatchSize: int(f.req.BatchSize),
		MaxRecords: maxRecords, From: r.offset, Read: batches, Aborted: read.Aborted,
	})
	p.arm(f.call.now)
	if len(r.acquired) > 0 {
		r.records = sliceShared(&read, batches, r.acquired)
	}
	return read.Size, count
}

// sliceShared is what was read, without the batches in front and at the end of which
// nothing was acquired (ShareFetchUtils.maybeSliceFetchRecords).
func sliceShared(read *partitions.Read, batches []partitions.LogBatch, acquired []partitions.Acquired) []byte {
	all := make([]byte, 0, read.Size)
	for _, part := range read.Batches {
		all = append(all, part...)
	}
	if len(batches) < 2 {
		return all
	}
	first, last := acquired[0].First, acquired[len(acquired)-1].Last
	from, to := 0, batches[0].Size
	for _, b := range batches[1:] {
		if b.Base > last && b.Base > first {
			break
		}
		if b.Base <= first {
			from = to
		}
		to += b.Size
	}
	return all[from:to]
}

// answer puts the answer together: what was read, and how the acknowledgements went.
func (f *shareFetch) answer(resp *kmsg.ShareFetchResponse) {
	s := f.c.settings.Load()
	resp.AcquisitionLockTimeoutMillis = s.shareLockMs(f.key.group)
	f.told()
	for i := range f.reads {
		r := &f.reads[i]
		if !r.answered && r.refused.code == protocol.None {
			continue
		}
		p := kmsg.NewShareFetchResponseTopicPartition()
		p.Partition, p.ErrorCode, p.Records = r.partition, int16(r.refused.code), r.records
		if r.refused.message != "" {
			p.ErrorMessage = &r.refused.message
		}
		if p.Records == nil {
			p.Records = []byte{}
		}
		for _, a := range r.acquired {
			p.AcquiredRecords = append(p.AcquiredRecords, kmsg.ShareFetchResponseTopicPartitionAcquiredRecord{
				FirstOffset: a.First, LastOffset: a.Last, DeliveryCount: a.DeliveryCount,
			})
		}
		t := sharedTopicOf(resp, r.topic)
		t.Partitions = append(t.Partitions, p)
	}
	f.answerAcks(resp)
}

// told leaves out what a session that goes on need not be told of
// (ShareSessionContext.PartitionIterator).
func (f *shareFetch) told() {
	if f.session == nil || f.req.ShareSessionEpoch == finalEpoch {
		return
	}
	f.c.shareSessions.mu.Lock()
	defer f.c.shareSessions.mu.Unlock()
	for i := range f.reads {
		r := &f.reads[i]
		failed := r.refused.code != protocol.None
		if !r.answered && !failed {
			continue
		}
		if len(r.records) > 0 {
			f.session.moveBack(r.shareSessionPartition)
		} else if !failed && !r.news {
			r.answered = false
		}
		r.news = failed
	}
}

// moveBack puts a partition behind the others.
func (s *shareSession) moveBack(p *shareSessionPartition) {
	for i, other := range s.partitions {
		if other == p {
			copy(s.partitions[i:], s.partitions[i+1:])
			s.partitions[len(s.partitions)-1] = p
			return
		}
	}
}

func sharedTopicOf(resp *kmsg.ShareFetchResponse, id protocol.UUID) *kmsg.ShareFetchResponseTopic {
	for i := range resp.Topics {
		if resp.Topics[i].TopicID == id {
			return &resp.Topics[i]
		}
	}
	t := kmsg.NewShareFetchResponseTopic()
	t.TopicID = id
	resp.Topics = append(resp.Topics, t)
	return &resp.Topics[len(resp.Topics)-1]
}

// answerAcks fills in how the acknowledgements of the request went.
func (f *shareFetch) answerAcks(resp *kmsg.ShareFetchResponse) {
	for _, a := range f.acks.list {
		t := sharedTopicOf(resp, a.topic)
		var p *kmsg.ShareFetchResponseTopicPartition
		for i := range t.Partitions {
			if t.Partitions[i].Partition == a.partition {
				p = &t.Partitions[i]
			}
		}
		if p == nil {
			one := kmsg.NewShareFetchResponseTopicPartition()
			one.Partition, one.Records = a.partition, []byte{}
			t.Partitions = append(t.Partitions, one)
			p = &t.Partitions[len(t.Partitions)-1]
		}
		p.AcknowledgeErrorCode = int16(a.refused.code)
		if a.refused.message != "" {
			p.AcknowledgeErrorMessage = &a.refused.message
		}
	}
}
