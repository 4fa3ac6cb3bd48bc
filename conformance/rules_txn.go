package conformance

import "slices"

// txnRules are the rules of transactions, by chapter.
func txnRules() []Rule {
	return slices.Concat(
		txnInitRules(), txnFenceRules(), txnPartitionsRules(), txnOffsetsRules(), txnCommitRules(), txnEndRules(), txnMarkerRules(), txnDescribeRules(), txnListRules(), txnFetchRules(), txnListOffsetsRules(), txnProduceRules(), txnProducerRules(), txnPendingRules(), within(txnLogRules()), txnTimedRules(), txnProtocolRules(), txnEdgeRules(), txnEpochRules(),
	)
}
