package broker

import (
	"regexp"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/broker/txncoord"
	"klamm/protocol"
)

// txnFilter is what ListTransactions asks for; its zero value takes everything
// (TransactionStateManager.listTransactionStates).
type txnFilter struct {
	states      []string
	producerIDs []int64
	pattern     *regexp.Regexp // nil: any name
	nowMs       int64
	minAgeMs    int64 // of the transaction; negative: any
}

// newTxnFilter reads the filters; unknown are the states that there are not. A request
// that names no other finds nothing.
func newTxnFilter(call *call, req *kmsg.ListTransactionsRequest) (f txnFilter, unknown []string, code protocol.ErrorCode) {
	f.states, f.producerIDs = req.StateFilters, req.ProducerIDFilters
	for _, name := range req.StateFilters {
		if !isTxnState(name) && !slices.Contains(unknown, name) {
			unknown = append(unknown, name)
		}
	}
	f.nowMs, f.minAgeMs = call.now.UnixMilli(), req.DurationFilterMillis
	if p := req.TransactionalIDPattern; p != nil && *p != "" {
		compiled, err := regexp.Compile(`\A(?:` + *p + `)\z`)
		if _, bare := regexp.Compile(*p); err != nil || bare != nil {
			return f, nil, protocol.InvalidRegularExpression
		}
		f.pattern = compiled
	}
	return f, unknown, protocol.None
}

func isTxnState(name string) bool {
	for s := txncoord.Empty; s <= txncoord.PrepareEpochFence; s++ {
		if s.String() == name {
			return true
		}
	}
	return false
}

// takes tells whether a transactional id is asked for.
func (f *txnFilter) takes(id string, d *txncoord.Description) bool {
	switch {
	case len(f.producerIDs) > 0 && !slices.Contains(f.producerIDs, d.ProducerID),
		len(f.states) > 0 && !slices.Contains(f.states, d.State.String()),
		f.minAgeMs >= 0 && f.nowMs-d.StartMs < f.minAgeMs: // what never began is very old
		return false
	}
	return f.pattern == nil || f.pattern.MatchString(id)
}
