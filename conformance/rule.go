package conformance

import (
	"cmp"
	"slices"
	"strings"
)

// Severity is how much a broken rule matters.
type Severity int

const (
	// Must is a rule that a client can see and act on.
	Must Severity = iota
	// Timing is a rule about when something happens, not what.
	Timing
	// Within is a rule about what goes on within a broker: a client can see it, as where
	// a fetch ends or what a coordinator writes to its own topic, and has no reason to act
	// on it. A broken one is broken in a detail.
	Within
)

// String is "must", "timing" or "within".
func (s Severity) String() string {
	switch s {
	case Timing:
		return "timing"
	case Within:
		return "within"
	}
	return "must"
}

// Rule is one thing that Apache Kafka does every time.
type Rule struct {
	// ID names the rule from the general to the particular, such as
	// "groups.classic.join.member-id-required". Its first word is its family.
	ID string
	// Says states the rule in one sentence.
	Says string
	// Source is where Kafka states or implements it: a KIP, the protocol guide, a class.
	Source string
	// Severity is Must unless told otherwise.
	Severity Severity
	// Timed tells that the conversation waits for time to pass: real seconds on a
	// foreign target, none where the clock can be moved.
	Timed bool
	// VersionByVersion tells that each exchange stands for itself: what a target does
	// not advertise is left out, and the others are compared.
	VersionByVersion bool
	// Profile names the broker settings that the rule needs; "" needs none.
	Profile string
	// Run holds the conversation. It need not check anything: what is said is what
	// is compared.
	Run func(c *Conversation)
}

// Family is the first word of the rule's id.
func (r Rule) Family() string {
	family, _, _ := strings.Cut(r.ID, ".")
	return family
}

// Rules are all rules, ordered by id.
func Rules() []Rule {
	all := slices.Concat(
		apiVersionsRules(), everyVersionRules(), overClaimRules(), frameRules(), metadataRules(), topicRules(), describeRules(),
		produceRules(), recompressRules(), idempotentRules(),
		fetchRules(), fetchSessionRules(), logOffsetRules(), within(segmentRules()), within(rollRules()), retentionRules(), renewedRules(),
		compactionRules(), compactionTimeRules(), compactionTxnRules(), logLimitRules(), recompressionRules(),
		logEdgeRules(), groupEdgeRules(), configEdgeRules(), profileRules(),
		replaceConfigRules(), namedConfigRules(), listResourceRules(), logDirRules(), electionRules(), reassignmentRules(),
		producerStateRules(), txnRules(), quorumRules(), featureRules(), featureDowngradeRules(), quotaRules(), quotaRequestRules(), scramRules(), unsecuredRules(),
		coordinatorRules(), joinRules(), syncRules(), heartbeatRules(),
		leaveRules(), staticRules(), groupTimerRules(), memberRules(), within(storedRules()), expiryRules(), brokerLimitRules(), groupAdminRules(), commitRules(), committedRules(),
		oddGroupRules(), largeGroupRules(), malformedTextRules(), idleRules(), connectionLimitRules(), logProperties(), groupProperties(),
		consumerHeartbeatRules(), consumerAssignRules(), consumerStaticRules(),
		consumerConvertRules(), consumerGroupRules(), consumerTimedRules(), consumerDealRules(),
		shareFetchRules(), shareSessionRules(), shareAckRules(), shareGroupRules(), shareOffsetRules(),
		scriptRules(),
	)
	slices.SortFunc(all, func(a, b Rule) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// within gives rules the severity Within.
func within(rules []Rule) []Rule {
	for i := range rules {
		rules[i].Severity = Within
	}
	return rules
}

// must is a rule of severity Must.
func must(id, says, source string, run func(c *Conversation)) Rule {
	return Rule{ID: id, Says: says, Source: source, Run: run}
}
