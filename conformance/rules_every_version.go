package conformance

import (
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// firstServed are the lowest versions that Kafka 4.4.0 serves, where that is not 0.
// Produce v0 to v2 are advertised for an old client's sake and served no more.
var firstServed = map[int16]int16{0: 3, 1: 4, 2: 1, 8: 2, 9: 1, 19: 2, 20: 1, 23: 2, 32: 1, 34: 1, 35: 1, 27: 1, 29: 1, 30: 1, 31: 1, 38: 1, 39: 1, 40: 1, 41: 1}

// lastServed are the highest versions, where kmsg knows higher ones.
var lastServed = map[int16]int16{0: 13, 1: 18, 2: 11, 3: 13, 8: 10, 9: 10, 10: 6, 22: 5}

// everyVersionRules are a rule for each API: every version of it is answered, even to
// a request that asks for nothing.
func everyVersionRules() []Rule {
	var rules []Rule
	keys := make([]int16, 0, len(covered))
	for key := range covered {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		name := kmsg.Key(key).Name()
		id := "versions.served." + strings.ToLower(name)
		r := must(id, fmt.Sprintf("Every version of %s is read and answered.", name), "protocol guide", func(c *Conversation) {
			served(c, key)
		})
		r.VersionByVersion = true
		rules = append(rules, r)
	}
	return rules
}

func served(c *Conversation, key int16) {
	a := c.Conn("a")
	group := c.Name("readers")
	if c.target.Offer.Has(10, 4) && c.target.Offer.Has(9, 7) {
		c.awaitCoordinator(group)
	}
	last := kmsg.RequestForKey(key).MaxVersion()
	if v, ok := lastServed[key]; ok {
		last = min(last, v)
	}
	for v := firstServed[key]; v <= last; v++ {
		if !c.target.Offer.Has(key, v) {
			continue
		}
		a.Send(c.nothing(key, v, group)).Answer()
	}
}

// nothing is a request that asks for as little as there is, of a group where one has
// to be named.
func (c *Conversation) nothing(key, v int16, group string) kmsg.Request {
	req := kmsg.RequestForKey(key)
	req.SetVersion(v)
	if d, ok := req.(interface{ Default() }); ok {
		d.Default()
	}
	switch req := req.(type) {
	case *kmsg.ProduceRequest:
		req.Acks = -1 // acks 0 has no answer
	case *kmsg.FindCoordinatorRequest:
		req.CoordinatorKey = group
	case *kmsg.ApiVersionsRequest:
		req.ClientSoftwareName, req.ClientSoftwareVersion = "suite", "1"
	case *kmsg.MetadataRequest:
		req.Topics = []kmsg.MetadataRequestTopic{}
	case *kmsg.DescribeTopicPartitionsRequest:
		req.Topics = topicPartitions(1, c.Name("nowhere")).Topics // none are all
	case *kmsg.OffsetFetchRequest:
		req.Group = group
	case *kmsg.OffsetCommitRequest:
		req.Group = group
	case *kmsg.DescribeLogDirsRequest:
		c.logDir()
	case *kmsg.DescribeClientQuotasRequest:
		req.Components = describeQuotas(v, exactly(quotaUser, c.Name("nobody"))).Components // none are all
	case *kmsg.DescribeUserSCRAMCredentialsRequest:
		req.Users = describeScram(c.Name("nobody")).Users // none are all
	case *kmsg.DescribeACLsRequest:
		const anything = 1
		req.ResourceType, req.ResourcePatternType, req.Operation, req.PermissionType = anything, anything, anything, anything
	case *kmsg.AddPartitionsToTxnRequest:
		c.TransactionalID("payer")
		if v >= 4 { // no transaction at all has no answer
			req.Transactions = append(req.Transactions, kmsg.NewAddPartitionsToTxnRequestTransaction())
		}
	case *kmsg.UnregisterBrokerRequest:
		req.BrokerID = 4711
	}
	return req
}
