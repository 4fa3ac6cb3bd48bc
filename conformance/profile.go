package conformance

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Profile is a set of broker settings that rules need.
type Profile struct {
	// Name is what Rule.Profile says.
	Name string
	// Settings are broker configs by Kafka's names.
	Settings map[string]string
}

// Profiles are all profiles, by name.
func Profiles() map[string]Profile {
	all := map[string]Profile{}
	for _, p := range []Profile{
		{"brief-ids", map[string]string{"transactional.id.expiration.ms": "3000", "transaction.remove.expired.transaction.cleanup.interval.ms": "100"}},
		{"brief-producers", map[string]string{"producer.id.expiration.ms": "3000", "producer.id.expiration.check.interval.ms": "100"}},
		{"fast-aborts", map[string]string{"transaction.abort.timed.out.transaction.cleanup.interval.ms": "100"}},
		{"no-authorizer", map[string]string{"authorizer.class.name": ""}},
		{"no-verification", map[string]string{"transaction.partition.verification.enable": "false"}},
		{"short-transactions", map[string]string{"transaction.max.timeout.ms": "30000"}},
		{"auto-creation-off", map[string]string{"auto.create.topics.enable": "false"}},
		{"deletion-off", map[string]string{"delete.topic.enable": "false"}},
		{"short-idle", map[string]string{"connections.max.idle.ms": "4000"}},
		{"few-connections", map[string]string{"max.connections": "3"}},
		{"few-connections-per-ip", map[string]string{"max.connections.per.ip": "3"}},
		{"joins-gather", map[string]string{"group.initial.rebalance.delay.ms": "2000"}},
		{"no-fetch-sessions", map[string]string{"max.incremental.fetch.session.cache.slots": "0"}},
		{"short-requests", map[string]string{"socket.request.max.bytes": "10000"}},
		{"short-retention", map[string]string{"offsets.retention.minutes": "1", "offsets.retention.check.interval.ms": "1000"}},
		{"quick-cleaner", map[string]string{"log.cleaner.backoff.ms": "100"}},
		{"short-log-retention", map[string]string{"log.retention.check.interval.ms": "200"}},
		{"short-sessions", map[string]string{"group.min.session.timeout.ms": "1000", "group.max.session.timeout.ms": "120000"}},
		{"small-fetches", map[string]string{"fetch.max.bytes": "1024"}},
		{"small-groups", map[string]string{"group.max.size": "2"}},
		{"small-pages", map[string]string{"max.request.partition.size.limit": "2"}},
		{"small-metadata", map[string]string{"offset.metadata.max.bytes": "8"}},
		{"three-partitions", map[string]string{"num.partitions": "3"}},
	} {
		all[p.Name] = p
	}
	return all
}

// Settings asks a target for those of its broker configs that a profile names. A target
// that does not tell has none.
func Settings(ctx context.Context, target Target) (map[string]string, error) {
	has := map[string]string{}
	err := talk(ctx, target, func(c *Conversation) {
		meta := ask[*kmsg.MetadataResponse](c.setup, metadata(9))
		if len(meta.Brokers) == 0 {
			return
		}
		req := kmsg.NewPtrDescribeConfigsRequest()
		req.Version = 1
		resource := kmsg.NewDescribeConfigsRequestResource()
		resource.ResourceType = kmsg.ConfigResourceTypeBroker
		resource.ResourceName = strconv.Itoa(int(meta.Brokers[0].NodeID))
		for _, p := range Profiles() {
			resource.ConfigNames = slices.AppendSeq(resource.ConfigNames, maps.Keys(p.Settings))
		}
		req.Resources = append(req.Resources, resource)
		for _, r := range ask[*kmsg.DescribeConfigsResponse](c.setup, req).Resources {
			for _, config := range r.Configs {
				if config.Value != nil {
					has[config.Name] = *config.Value
				}
			}
		}
	})
	if _, ok := err.(NotOffered); ok {
		err = nil
	}
	return has, err
}

// ConfigNames asks a target for the names of the configs that a resource has.
func ConfigNames(ctx context.Context, target Target, resource kmsg.DescribeConfigsRequestResource) (names []string, err error) {
	err = talk(ctx, target, func(c *Conversation) {
		req := kmsg.NewPtrDescribeConfigsRequest()
		req.Version, req.Resources = 4, []kmsg.DescribeConfigsRequestResource{resource}
		for _, r := range ask[*kmsg.DescribeConfigsResponse](c.setup, req).Resources {
			for _, config := range r.Configs {
				names = append(names, config.Name)
			}
		}
	})
	return names, err
}

// Lacks tells which setting of the rule's profile is not among has; "" means none.
func (r Rule) Lacks(has map[string]string) string {
	settings := Profiles()[r.Profile].Settings
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if has[name] != settings[name] {
			return fmt.Sprintf("needs the broker setting %s=%s (profile %s)", name, settings[name], r.Profile)
		}
	}
	return ""
}
