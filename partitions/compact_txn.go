package partitions

import (
	"cmp"
	"slices"

	"klamm/protocol"
)

// cleanedTxns follows the transactions of a log while a cleaning reads it, to tell which
// batches can go: those of aborted transactions, and markers once nothing of their
// transaction is left (org.apache.kafka.storage.internals.log.CleanedTransactionMetadata).
type cleanedTxns struct {
	coming    []AbortedTxn // by first offset
	aborted   map[int64]*seenAborted
	committed map[int64]bool // producers of which a batch was read and no marker yet
	marked    []AbortedTxn   // those whose marker is needed still
}

// seenAborted is an aborted transaction that has begun.
type seenAborted struct {
	AbortedTxn
	seen bool // a batch of it
}

// newCleanedTxns begins to follow a log from an offset on.
func newCleanedTxns(aborted []AbortedTxn, from int64) cleanedTxns {
	t := cleanedTxns{aborted: map[int64]*seenAborted{}, committed: map[int64]bool{}}
	for _, a := range aborted {
		if a.lastOffset >= from {
			t.coming = append(t.coming, a)
		}
	}
	slices.SortFunc(t.coming, func(a, b AbortedTxn) int { return cmp.Compare(a.FirstOffset, b.FirstOffset) })
	return t
}

// discards notes a batch and tells whether it can go.
func (t *cleanedTxns) discards(h *protocol.BatchHeader, batch []byte) bool {
	for len(t.coming) > 0 && t.coming[0].FirstOffset <= h.LastOffset() {
		if id := t.coming[0].ProducerID; t.aborted[id] == nil {
			t.aborted[id] = &seenAborted{AbortedTxn: t.coming[0]}
		}
		t.coming = t.coming[1:]
	}
	switch a := t.aborted[h.ProducerID]; {
	case h.Control():
		return t.discardsMarker(h, batch)
	case !h.Transactional():
		return false
	case a != nil:
		a.seen = true
		return true
	default:
		t.committed[h.ProducerID] = true
		return false
	}
}

// discardsMarker tells whether nothing is left of the transaction that a marker ends.
func (t *cleanedTxns) discardsMarker(h *protocol.BatchHeader, batch []byte) bool {
	records := protocol.ReadRecords(batch[protocol.BatchOverhead:], h.NumRecords)
	var v protocol.RecordView
	if !records.Next(&v) {
		return true // it was emptied before
	}
	_, kind, _ := protocol.ParseControlKey(v.Key)
	switch kind {
	case protocol.ControlAbort:
		a := t.aborted[h.ProducerID]
		delete(t.aborted, h.ProducerID)
		if a != nil && a.seen {
			t.marked = append(t.marked, a.AbortedTxn)
			return false
		}
		return true
	case protocol.ControlCommit:
		was := t.committed[h.ProducerID]
		delete(t.committed, h.ProducerID)
		return !was
	}
	return false
}
