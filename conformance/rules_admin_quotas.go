package conformance

import (
	"math"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	quotaUser   = "user"
	quotaClient = "client-id"
	quotaIP     = "ip"
	producerBPS = "producer_byte_rate"
	consumerBPS = "consumer_byte_rate"
)

func quotaRules() []Rule {
	const source = "KIP-546, ClientQuotaControlManager"
	return []Rule{
		must("quotas.every-version", "Every version of AlterClientQuotas sets quotas, and every version of DescribeClientQuotas describes them.", "KIP-546", func(c *Conversation) {
			user, a := c.Name("alice"), c.Conn("a")
			for v := range int16(2) {
				a.Send(alterQuota(v, producerBPS, 1000+float64(v), quotaUser, user)).Answer()
				quotaIs(c, user, producerBPS, 1000+float64(v))
				a.Send(describeQuotas(v, exactly(quotaUser, user))).Answer()
			}
			quotasGone(c, user)
		}),
		must("quotas.keys", "Each key is set and removed by itself; removing what is not set is nothing.", source, quotaKeys),
		must("quotas.unknown-keys", "Keys that an entity cannot have are refused, but may be removed.", source, func(c *Conversation) {
			user, a := c.Name("alice"), c.Conn("a")
			a.Send(alterQuota(1, "no_such_rate", 1, quotaUser, user)).Answer()
			a.Send(alterQuota(1, "connection_creation_rate", 1, quotaUser, user)).Answer()
			a.Send(alterQuota(1, producerBPS, 1, quotaIP, "127.0.0.1")).Answer()
			req := alterQuota(1, "no_such_rate", 1, quotaUser, user)
			req.Entries[0].Ops[0].Remove = true
			a.Send(req).Answer()
			a.Send(alterQuota(1, producerBPS, 1, quotaUser, user, "no_such_rate", consumerBPS)).Answer()
			a.Send(describeQuotas(1, exactly(quotaUser, user))).Answer()
		}),
		must("quotas.values", "A quota is greater than zero, and a byte rate a whole number that fits.", source, func(c *Conversation) {
			user, a := c.Name("alice"), c.Conn("a")
			for _, value := range []float64{0, -1, -1.5, 1.5, 0.5, 0.9999999, 1e30, math.NaN(), math.Inf(1)} {
				a.Send(alterQuota(1, producerBPS, value, quotaUser, user)).Answer()
			}
			for _, value := range []float64{0, -0.5, math.NaN(), math.Inf(-1)} {
				a.Send(alterQuota(1, "request_percentage", value, quotaUser, user)).Answer()
				a.Send(alterQuota(1, "controller_mutation_rate", value, quotaClient, user)).Answer()
			}
			for _, value := range []float64{-1, 1.5, 3e9} {
				a.Send(alterQuota(1, "connection_creation_rate", value, quotaIP, "127.0.0.1")).Answer()
			}
		}),
		must("quotas.bad-entities", "Entities without a type, of an unknown one, with an empty name, and an IP with others are refused.", source, func(c *Conversation) {
			a := c.Conn("a")
			a.Send(alterQuota(1, producerBPS, 1)).Answer()
			a.Send(alterQuotaOf(1, producerBPS, [2]string{"team", "red"})).Answer()
			a.Send(alterQuotaOf(1, producerBPS, [2]string{"", "red"})).Answer()
			a.Send(alterQuotaOf(1, producerBPS, [2]string{quotaUser, ""})).Answer()
			a.Send(alterQuotaOf(1, producerBPS, [2]string{quotaUser, c.Name("alice")}, [2]string{quotaIP, "127.0.0.1"})).Answer()
		}),
		must("quotas.addresses", "An IP is an IPv4 or IPv6 address, in any form that Java reads.", "InetAddress.getByName", func(c *Conversation) {
			for _, ip := range []string{"127.0.0.1", "::1", "[::1]", "10.0.0", "10", "localhost", "300.0.0.1", "1.2.3.4.5", "[::1", "not an address"} {
				req := alterQuotaOf(1, "connection_creation_rate", [2]string{quotaIP, ip})
				req.ValidateOnly = true
				c.Conn("a").Send(req).Answer()
			}
		}),
	}
}

func quotaRequestRules() []Rule {
	const source = "KIP-546, ClientQuotaControlManager"
	return []Rule{
		must("quotas.twice", "An entity named twice keeps its first change but answers with a refusal, and a key named twice changes nothing.", source, func(c *Conversation) {
			user, other, a := c.Name("alice"), c.Name("bob"), c.Conn("a")
			req := alterQuota(1, producerBPS, 1, quotaUser, user)
			req.Entries = append(req.Entries, alterQuota(1, consumerBPS, 1, quotaUser, user).Entries[0])
			a.Send(req).Answer()
			quotaIs(c, user, producerBPS, 1)
			a.Send(describeQuotas(1, exactly(quotaUser, user))).Answer()
			a.Send(alterQuota(1, producerBPS, 1, quotaUser, other, producerBPS)).Answer()
			a.Send(describeQuotas(1, exactly(quotaUser, other))).Answer()
			quotasGone(c, user)
		}),
		must("quotas.validate-only", "A request that only validates sets nothing.", "KIP-546", func(c *Conversation) {
			user, a := c.Name("alice"), c.Conn("a")
			for _, key := range []string{producerBPS, "no_such_rate"} {
				req := alterQuota(1, key, 1, quotaUser, user)
				req.ValidateOnly = true
				a.Send(req).Answer()
			}
			a.Send(describeQuotas(1, exactly(quotaUser, user))).Answer()
		}),
		must("quotas.filter", "A filter matches entities that have its types, and strictly those that have no others.", "ClientQuotasImage.describe", quotaFilters),
		must("quotas.bad-filters", "Filters with an empty, unknown or repeated type, an unknown kind of match, or a name too many or too few are refused.", "ClientQuotasImage.describe", badQuotaFilters),
	}
}

// exactly is a filter for one name.
func exactly(kind, name string) kmsg.DescribeClientQuotasRequestComponent {
	return quotaFilter(kind, kmsg.QuotasMatchTypeExact, &name)
}

func quotaFilter(kind string, match kmsg.QuotasMatchType, name *string) kmsg.DescribeClientQuotasRequestComponent {
	f := kmsg.NewDescribeClientQuotasRequestComponent()
	f.EntityType, f.MatchType, f.Match = kind, match, name
	return f
}

func describeQuotas(version int16, filters ...kmsg.DescribeClientQuotasRequestComponent) *kmsg.DescribeClientQuotasRequest {
	req := kmsg.NewPtrDescribeClientQuotasRequest()
	req.Version, req.Components = version, filters
	return req
}

// alterQuota sets keys, the first and those at the end, of one entity of one type to
// a value; without a type the entity has none.
func alterQuota(version int16, key string, value float64, entity ...string) *kmsg.AlterClientQuotasRequest {
	req := alterQuotaOf(version, key)
	e := &req.Entries[0]
	e.Ops[0].Value = value
	if len(entity) > 1 {
		part := kmsg.NewAlterClientQuotasRequestEntryEntity()
		part.Type, part.Name = entity[0], &entity[1]
		e.Entity = append(e.Entity, part)
		for _, key := range entity[2:] {
			op := e.Ops[0]
			op.Key = key
			e.Ops = append(e.Ops, op)
		}
	}
	return req
}

// alterQuotaOf sets one key of an entity of several types to 1.
func alterQuotaOf(version int16, key string, parts ...[2]string) *kmsg.AlterClientQuotasRequest {
	req := kmsg.NewPtrAlterClientQuotasRequest()
	req.Version = version
	e := kmsg.NewAlterClientQuotasRequestEntry()
	for i := range parts {
		part := kmsg.NewAlterClientQuotasRequestEntryEntity()
		part.Type, part.Name = parts[i][0], &parts[i][1]
		e.Entity = append(e.Entity, part)
	}
	op := kmsg.NewAlterClientQuotasRequestEntryOp()
	op.Key, op.Value = key, 1
	e.Ops = append(e.Ops, op)
	req.Entries = append(req.Entries, e)
	return req
}

// quotaIs waits, outside the transcript, until a quota of a user has this value.
func quotaIs(c *Conversation, user, key string, value float64) {
	until(c, describeQuotas(1, exactly(quotaUser, user)), func(r *kmsg.DescribeClientQuotasResponse) bool {
		for _, e := range r.Entries {
			for _, v := range e.Values {
				if v.Key == key && v.Value == value {
					return true
				}
			}
		}
		return false
	})
}

// quotasGone removes, outside the transcript, the quotas that a user has.
func quotasGone(c *Conversation, user string) {
	resp := ask[*kmsg.DescribeClientQuotasResponse](c.setup, describeQuotas(1, exactly(quotaUser, user)))
	req := kmsg.NewPtrAlterClientQuotasRequest()
	req.Version = 1
	for _, found := range resp.Entries {
		e := kmsg.NewAlterClientQuotasRequestEntry()
		for _, part := range found.Entity {
			p := kmsg.NewAlterClientQuotasRequestEntryEntity()
			p.Type, p.Name = part.Type, part.Name
			e.Entity = append(e.Entity, p)
		}
		for _, v := range found.Values {
			op := kmsg.NewAlterClientQuotasRequestEntryOp()
			op.Key, op.Remove = v.Key, true
			e.Ops = append(e.Ops, op)
		}
		req.Entries = append(req.Entries, e)
	}
	ask[*kmsg.AlterClientQuotasResponse](c.setup, req)
	until(c, describeQuotas(1, exactly(quotaUser, user)), func(r *kmsg.DescribeClientQuotasResponse) bool { return len(r.Entries) == 0 })
}

func quotaKeys(c *Conversation) {
	user, a := c.Name("alice"), c.Conn("a")
	a.Send(alterQuota(1, producerBPS, 3, quotaUser, user, consumerBPS, "request_percentage", "controller_mutation_rate")).Answer()
	quotaIs(c, user, "request_percentage", 3)
	a.Send(describeQuotas(1, exactly(quotaUser, user))).Answer()
	req := alterQuota(1, producerBPS, 3, quotaUser, user, consumerBPS)
	req.Entries[0].Ops[0].Remove = true
	req.Entries[0].Ops[1].Value = 4
	a.Send(req).Answer()
	quotaIs(c, user, consumerBPS, 4)
	a.Send(describeQuotas(1, exactly(quotaUser, user))).Answer()
	req.Entries[0].Ops = req.Entries[0].Ops[:1]
	a.Send(req).Answer()
	quotasGone(c, user)
	a.Send(describeQuotas(1, exactly(quotaUser, user))).Answer()
}

func quotaFilters(c *Conversation) {
	user, client, a := c.Name("alice"), c.Name("app"), c.Conn("a")
	req := alterQuotaOf(1, producerBPS, [2]string{quotaUser, user}, [2]string{quotaClient, client})
	req.Entries = append(req.Entries, alterQuota(1, producerBPS, 2, quotaUser, user).Entries[0])
	byDefault := alterQuotaOf(1, producerBPS, [2]string{quotaUser, user}, [2]string{quotaClient, ""})
	byDefault.Entries[0].Entity[1].Name = nil
	req.Entries = append(req.Entries, byDefault.Entries[0])
	a.Send(req).Answer()
	until(c, describeQuotas(1, exactly(quotaUser, user)), func(r *kmsg.DescribeClientQuotasResponse) bool { return len(r.Entries) == 3 })
	ofUser := exactly(quotaUser, user)
	for _, filters := range [][]kmsg.DescribeClientQuotasRequestComponent{
		{ofUser},
		{ofUser, exactly(quotaClient, client)},
		{ofUser, quotaFilter(quotaClient, kmsg.QuotasMatchTypeAny, nil)},
		{ofUser, quotaFilter(quotaClient, kmsg.QuotasMatchTypeDefault, nil)},
		{ofUser, exactly(quotaClient, "another")},
		{exactly(quotaClient, client)},
		{exactly(quotaIP, client)},
	} {
		for _, strict := range []bool{false, true} {
			req := describeQuotas(1, filters...)
			req.Strict = strict
			a.Send(req).Answer()
		}
	}
	req2 := describeQuotas(1)
	req2.Strict = true
	a.Send(req2).Answer()
	quotasGone(c, user)
}

func badQuotaFilters(c *Conversation) {
	name := "alice"
	anyone := quotaFilter(quotaUser, kmsg.QuotasMatchTypeAny, nil)
	for _, filters := range [][]kmsg.DescribeClientQuotasRequestComponent{
		{quotaFilter("", kmsg.QuotasMatchTypeAny, nil)},
		{quotaFilter("team", kmsg.QuotasMatchTypeAny, nil)},
		{quotaFilter("team", 7, nil)},
		{anyone, anyone},
		{anyone, quotaFilter(quotaIP, kmsg.QuotasMatchTypeAny, nil)},
		{quotaFilter(quotaUser, 3, nil)},
		{quotaFilter(quotaUser, -1, nil)},
		{quotaFilter(quotaUser, kmsg.QuotasMatchTypeExact, nil)},
		{quotaFilter(quotaUser, kmsg.QuotasMatchTypeDefault, &name)},
		{quotaFilter(quotaUser, kmsg.QuotasMatchTypeAny, &name)},
	} {
		c.Conn("a").Send(describeQuotas(1, filters...)).Answer()
	}
}
