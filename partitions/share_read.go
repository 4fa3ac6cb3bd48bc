package partitions

import (
	"cmp"
	"slices"

	"klamm/protocol"
)

// LogBatch is a batch that was read from the log, as far as a share partition looks at it.
type LogBatch struct {
	Base, Last int64
	Size       int   // bytes
	ProducerID int64 // -1 without one
	Txn        bool  // its records belong to a transaction, or end one
	Control    bool
	Aborts     bool // it is the marker of an aborted transaction
}

// LogBatches lists the whole batches of what was read.
func (r *Read) LogBatches() (out []LogBatch) {
	for _, part := range r.Batches {
		for len(part) >= protocol.BatchOverhead {
			h, ok := protocol.ParseBatchHeader(part)
			if !ok || h.Size() > len(part) {
				return out // the last one may be cut
			}
			b := LogBatch{Base: h.BaseOffset, Last: h.LastOffset(), Size: h.Size(), ProducerID: h.ProducerID, Txn: h.Transactional(), Control: h.Control()}
			if b.Control {
				b.Aborts = isAbortMarker(&h, part[protocol.BatchOverhead:h.Size()])
			}
			out = append(out, b)
			part = part[h.Size():]
		}
	}
	return out
}

// isAbortMarker looks at the first record of a control batch, which is never compressed.
func isAbortMarker(h *protocol.BatchHeader, payload []byte) bool {
	reader := protocol.ReadRecords(payload, h.NumRecords)
	var v protocol.RecordView
	if !reader.Next(&v) {
		return false
	}
	_, kind, ok := protocol.ParseControlKey(v.Key)
	return ok && kind == protocol.ControlAbort
}

// skipAborted archives the acquired records of aborted transactions and takes them out of
// the answer (SharePartition.filterAbortedTransactionalAcquiredRecords).
func (a *acquisition) skipAborted() {
	for _, b := range abortedBatches(a.Read, a.Aborted) {
		at := a.floor(b.Base)
		if at < 0 {
			continue // below what can be acquired
		}
		a.archive(b.Base, b.Last, a.within(a.batches[at].first, b.Last), RecordAcquired, true)
		a.got = cutAcquired(a.got, b)
	}
	a.count = 0
	for _, r := range a.got {
		a.count += int(r.Last - r.First + 1)
	}
}

// abortedBatches are the batches whose transactions were aborted.
func abortedBatches(read []LogBatch, aborted []AbortedTxn) (out []LogBatch) {
	aborted = slices.Clone(aborted)
	slices.SortFunc(aborted, func(x, y AbortedTxn) int { return cmp.Compare(x.FirstOffset, y.FirstOffset) })
	producers := make(map[int64]bool)
	for _, b := range read {
		if b.ProducerID < 0 {
			continue
		}
		for len(aborted) > 0 && aborted[0].FirstOffset <= b.Last {
			producers[aborted[0].ProducerID] = true
			aborted = aborted[1:]
		}
		switch {
		case b.Aborts:
			delete(producers, b.ProducerID)
		case b.Txn && producers[b.ProducerID]:
			out = append(out, b)
		}
	}
	return out
}

// cutAcquired takes the offsets of a batch out of some ranges.
func cutAcquired(ranges []Acquired, b LogBatch) (out []Acquired) {
	for _, r := range ranges {
		if r.Last < b.Base || r.First > b.Last {
			out = append(out, r)
			continue
		}
		if r.First < b.Base {
			out = append(out, Acquired{r.First, b.Base - 1, r.DeliveryCount})
		}
		if r.Last > b.Last {
			out = append(out, Acquired{b.Last + 1, r.Last, r.DeliveryCount})
		}
	}
	return out
}
