package conformance

import (
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// transactionalIDs are the labels of the transactional ids that a script names, in order.
func (s Script) transactionalIDs() []string {
	var all []string
	for _, step := range s.Steps {
		all = transactionalIDsIn(all, step.Fields)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func transactionalIDsIn(all []string, fields map[string]any) []string {
	for name, value := range fields {
		switch value := value.(type) {
		case string:
			if label, is := strings.CutPrefix(value, "$"); is && (name == "TransactionalID" || name == "TransactionID") {
				all = append(all, label)
			}
		case []any:
			for _, one := range value {
				if m, ok := one.(map[string]any); ok {
					all = transactionalIDsIn(all, m)
				}
			}
		}
	}
	return all
}

// endTries is how often a transaction that was ended is looked at until it has its
// markers. A few never get them: a partition refuses a marker below its epochs for ever.
const endTries = 40

// awaitEnd waits, outside the transcript, until what a request has ended has its markers.
func (p *player) awaitEnd(id string) {
	if p.stuck[id] || !p.c.target.Offer.Has(int16(kmsg.DescribeTransactions), 0) {
		return
	}
	_, ended := tried(p.c, endTries*p.patient, describeTransactions(id), func(resp *kmsg.DescribeTransactionsResponse) bool {
		return !slices.ContainsFunc(resp.TransactionStates, func(s kmsg.DescribeTransactionsResponseTransactionState) bool {
			return strings.HasPrefix(s.State, "Prepare")
		})
	})
	if !ended {
		p.stuck[id] = true
	}
}
