package broker

import (
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// configResourceTypes are the types that ListConfigResources lists, in its order.
var configResourceTypes = [...]kmsg.ConfigResourceType{
	kmsg.ConfigResourceTypeGroupConfig, kmsg.ConfigResourceTypeClientMetrics, kmsg.ConfigResourceTypeBrokerLogger,
	kmsg.ConfigResourceTypeBroker, kmsg.ConfigResourceTypeTopic,
}

// listConfigResources answers ListConfigResources v0-1 (KIP-714, KIP-1142): of
// groups and subscriptions those that have configs, of topics all. v0 knows
// subscriptions only.
func (c *Cluster) listConfigResources(call *call, req *kmsg.ListConfigResourcesRequest, resp *kmsg.ListConfigResourcesResponse) {
	wanted := make(map[kmsg.ConfigResourceType]bool, len(configResourceTypes))
	for _, kind := range req.ResourceTypes {
		if !isConfigResource(kmsg.ConfigResourceType(kind)) {
			resp.ErrorCode = int16(protocol.UnsupportedVersion)
			return
		}
		wanted[kmsg.ConfigResourceType(kind)] = true
	}
	if req.Version == 0 {
		wanted = map[kmsg.ConfigResourceType]bool{kmsg.ConfigResourceTypeClientMetrics: true}
	}
	s, image := c.settings.Load(), c.image.Load()
	for _, kind := range configResourceTypes {
		if len(wanted) > 0 && !wanted[kind] {
			continue
		}
		for _, name := range configResourcesOf(kind, s, image) {
			r := kmsg.NewListConfigResourcesResponseConfigResource()
			r.Name, r.Type = name, int8(kind)
			resp.ConfigResources = append(resp.ConfigResources, r)
		}
	}
}

func configResourcesOf(kind kmsg.ConfigResourceType, s *settings, image *topicImage) (names []string) {
	switch kind {
	case kmsg.ConfigResourceTypeGroupConfig:
		return inJavaOrder(s.groups)
	case kmsg.ConfigResourceTypeClientMetrics:
		return inJavaOrder(s.metrics)
	case kmsg.ConfigResourceTypeTopic:
		for _, t := range image.list {
			names = append(names, t.name)
		}
		return names
	}
	return []string{strconv.Itoa(nodeID)}
}
