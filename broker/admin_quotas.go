package broker

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// The types of what a quota is for (ClientQuotaEntity).
const (
	quotaUser     = "user"
	quotaClientID = "client-id"
	quotaIP       = "ip"
)

// quotaEntity is what a quota is for: names by type, nil for the default of the type.
type quotaEntity map[string]*string

// key tells entities apart. Its text is that of Kafka's, with lengths in front so
// that no name can look like another.
func (e quotaEntity) key() string {
	var b strings.Builder
	for _, kind := range inSizedJavaOrder(e) {
		if name := e[kind]; name == nil {
			fmt.Fprintf(&b, "%d:%s;", len(kind), kind)
		} else {
			fmt.Fprintf(&b, "%d:%s=%d:%s;", len(kind), kind, len(*name), *name)
		}
	}
	return b.String()
}

// String is the text form that Kafka puts into messages.
func (e quotaEntity) String() string {
	parts := make([]string, 0, len(e))
	for _, kind := range inSizedJavaOrder(e) {
		name := "null"
		if e[kind] != nil {
			name = *e[kind]
		}
		parts = append(parts, kind+"="+name)
	}
	return "ClientQuotaEntity(entries={" + strings.Join(parts, ", ") + "})"
}

// clientQuota are the quotas of one entity, by their keys. It is immutable.
type clientQuota struct {
	entity quotaEntity
	values map[string]float64
}

// alterClientQuotas answers AlterClientQuotas v0-1 (KIP-546, ClientQuotaControlManager).
// Quotas are kept and described; nobody is slowed down by them.
func (c *Cluster) alterClientQuotas(call *call, req *kmsg.AlterClientQuotasRequest, resp *kmsg.AlterClientQuotasResponse) {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := cloneMap(c.quotas)
	places := make(map[string]int, len(req.Entries))
	for i := range req.Entries {
		entity := make(quotaEntity)
		for _, part := range req.Entries[i].Entity {
			entity[part.Type] = part.Name
		}
		key := entity.key()
		place, again := places[key]
		if !again {
			place = len(resp.Entries)
			places[key] = place
			resp.Entries = append(resp.Entries, quotaAnswer(entity))
		}
		ops, twice := quotaOps(req.Entries[i].Ops)
		var refused apiError
		if again || twice {
			refused = apiError{protocol.InvalidRequest, "Ignoring duplicate entity " + entity.String()}
		} else {
			refused = alterQuota(next, entity, key, ops)
		}
		resp.Entries[place].ErrorCode, resp.Entries[place].ErrorMessage = int16(refused.code), refused.pointer()
	}
	if !req.ValidateOnly {
		c.quotas = next
	}
}

func quotaAnswer(entity quotaEntity) kmsg.AlterClientQuotasResponseEntry {
	entry := kmsg.NewAlterClientQuotasResponseEntry()
	for _, kind := range inSizedJavaOrder(entity) {
		part := kmsg.NewAlterClientQuotasResponseEntryEntity()
		part.Type, part.Name = kind, entity[kind]
		entry.Entity = append(entry.Entity, part)
	}
	return entry
}

// quotaOps are the changes in Kafka's order; twice tells that a key is there twice.
func quotaOps(list []kmsg.AlterClientQuotasRequestEntryOp) (ops []kmsg.AlterClientQuotasRequestEntryOp, twice bool) {
	byKey := make(map[string]kmsg.AlterClientQuotasRequestEntryOp, len(list))
	var keys []string
	for _, op := range list {
		if _, ok := byKey[op.Key]; ok {
			twice = true
			continue
		}
		byKey[op.Key] = op
		keys = append(keys, op.Key)
	}
	for _, key := range javaOrder(keys, 1) {
		ops = append(ops, byKey[key])
	}
	return ops, twice
}

// alterQuota changes the quotas of one entity, all as told or none.
func alterQuota(all map[string]clientQuota, entity quotaEntity, key string, ops []kmsg.AlterClientQuotasRequestEntryOp) apiError {
	if refused := checkQuotaEntity(entity); refused.code != protocol.None {
		return refused
	}
	values := cloneMap(all[key].values)
	for _, op := range ops {
		if op.Remove {
			delete(values, op.Key)
			continue
		}
		_, ofIP := entity[quotaIP]
		if reason := refuseQuota(ofIP, op.Key, op.Value); reason != "" {
			return apiError{protocol.InvalidRequest, reason}
		}
		values[op.Key] = op.Value
	}
	if len(values) == 0 {
		delete(all, key)
	} else {
		all[key] = clientQuota{entity, values}
	}
	return apiError{}
}

func checkQuotaEntity(entity quotaEntity) apiError {
	invalid := func(reason string) apiError { return apiError{protocol.InvalidRequest, reason} }
	if len(entity) == 0 {
		return invalid("Invalid empty client quota entity")
	}
	for _, kind := range inSizedJavaOrder(entity) {
		if !isQuotaType(kind) {
			return invalid("Unhandled client quota entity type: " + kind)
		}
		if name := entity[kind]; name != nil && *name == "" {
			return invalid("Empty " + kind + " not supported")
		}
	}
	ip, ofIP := entity[quotaIP]
	if ofIP && len(entity) > 1 {
		return invalid("Invalid quota entity combination, IP entity shouldnot be combined with User or ClientId")
	}
	// Kafka looks names up; here the only name is that of this machine.
	if ofIP && ip != nil && *ip != "localhost" && !isAddress(*ip) {
		return invalid(*ip + " is not a valid IP or resolvable host.")
	}
	return apiError{}
}

// isAddress tells whether s is an address as java.net.InetAddress.getByName reads
// it: IPv6 with or without brackets, IPv4 of four numbers or less, the last of which
// then stands for all bytes that are left.
func isAddress(s string) bool {
	if inner, ok := strings.CutPrefix(s, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		a, err := netip.ParseAddr(inner)
		return ok && err == nil && a.Is6()
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	numbers := strings.Split(s, ".")
	for i, text := range numbers {
		bits := 8
		if i == len(numbers)-1 {
			bits = 8 * (4 - i)
		}
		if _, err := strconv.ParseUint(text, 10, max(bits, 8)); err != nil || i > 3 {
			return false
		}
	}
	return true
}

func isQuotaType(kind string) bool {
	return kind == quotaUser || kind == quotaClientID || kind == quotaIP
}

// refuseQuota is why a quota cannot have a value (QuotaConfig, validateQuotaKeyValue).
func refuseQuota(ofIP bool, name string, value float64) string {
	highest, kind := 0.0, ""
	switch {
	case ofIP && name == "connection_creation_rate":
		highest, kind = math.MaxInt32, "an INT"
	case !ofIP && (name == "producer_byte_rate" || name == "consumer_byte_rate"):
		highest, kind = math.MaxInt64, "a LONG"
	case !ofIP && (name == "request_percentage" || name == "controller_mutation_rate"):
	default:
		return "Invalid configuration key " + name
	}
	const epsilon = 1e-6
	switch {
	case math.IsNaN(value) || math.IsInf(value, 0):
		return "Quota " + name + " must be a finite number"
	case value <= 0:
		return "Quota " + name + " must be greater than 0"
	case kind != "" && value > highest:
		return "Proposed value for " + name + " is too large for " + kind + "."
	case kind != "" && math.Mod(value, 1) > epsilon:
		return name + " cannot be a fractional value."
	}
	return ""
}

// describeClientQuotas answers DescribeClientQuotas v0-1 (ClientQuotasImage.describe).
func (c *Cluster) describeClientQuotas(call *call, req *kmsg.DescribeClientQuotasRequest, resp *kmsg.DescribeClientQuotasResponse) {
	if refused := checkQuotaFilter(req.Components); refused.code != protocol.None {
		resp.ErrorCode, resp.ErrorMessage = int16(refused.code), refused.pointer()
		return
	}
	empty := ""
	resp.ErrorMessage = &empty
	resp.Entries = []kmsg.DescribeClientQuotasResponseEntry{}
	c.mu.Lock()
	quotas := c.quotas
	c.mu.Unlock()
	for _, key := range inJavaOrder(quotas) {
		q := quotas[key]
		if req.Strict && len(q.entity) != len(req.Components) || !q.matches(req.Components) {
			continue
		}
		entry := kmsg.NewDescribeClientQuotasResponseEntry()
		for _, kind := range inSizedJavaOrder(q.entity) {
			part := kmsg.NewDescribeClientQuotasResponseEntryEntity()
			part.Type, part.Name = kind, q.entity[kind]
			entry.Entity = append(entry.Entity, part)
		}
		for _, name := range inJavaOrder(q.values) {
			value := kmsg.NewDescribeClientQuotasResponseEntryValue()
			value.Key, value.Value = name, q.values[name]
			entry.Values = append(entry.Values, value)
		}
		resp.Entries = append(resp.Entries, entry)
	}
}

// checkQuotaFilter judges what shall be described.
func checkQuotaFilter(components []kmsg.DescribeClientQuotasRequestComponent) apiError {
	invalid := func(reason string) apiError { return apiError{protocol.InvalidRequest, reason} }
	seen := make(map[string]bool, len(components))
	for i := range components {
		switch f := &components[i]; {
		case f.EntityType == "":
			return invalid("Invalid empty entity type.")
		case seen[f.EntityType]:
			return invalid("Entity type " + f.EntityType + " cannot appear more than once in the filter.")
		case !isQuotaType(f.EntityType):
			return apiError{protocol.UnsupportedVersion, "Unsupported entity type " + f.EntityType}
		case f.MatchType < kmsg.QuotasMatchTypeExact || f.MatchType > kmsg.QuotasMatchTypeAny:
			return invalid(fmt.Sprintf("Unknown match type %d", int8(f.MatchType)))
		case f.MatchType == kmsg.QuotasMatchTypeExact && f.Match == nil:
			return invalid("Request specified MATCH_TYPE_EXACT, but set match string to null.")
		case f.MatchType == kmsg.QuotasMatchTypeDefault && f.Match != nil:
			return invalid("Request specified MATCH_TYPE_DEFAULT, but also specified a match string.")
		case f.MatchType == kmsg.QuotasMatchTypeAny && f.Match != nil:
			return invalid("Request specified MATCH_TYPE_SPECIFIED, but also specified a match string.")
		}
		seen[components[i].EntityType] = true
	}
	if seen[quotaIP] && len(seen) > 1 {
		return invalid("Invalid entity filter component combination. IP filter component should not be used with " +
			"user or clientId filter component.")
	}
	return apiError{}
}

// matches tells whether the entity has every type of the filter, named as the filter wants.
func (q clientQuota) matches(components []kmsg.DescribeClientQuotasRequestComponent) bool {
	return !slices.ContainsFunc(components, func(f kmsg.DescribeClientQuotasRequestComponent) bool {
		name, ok := q.entity[f.EntityType]
		if !ok || f.MatchType == kmsg.QuotasMatchTypeAny {
			return !ok
		}
		return (name == nil) != (f.Match == nil) || name != nil && *name != *f.Match
	})
}
