package broker

import (
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// configResource names what a config belongs to.
type configResource struct {
	kind kmsg.ConfigResourceType
	name string
}

// incrementalAlterConfigs answers IncrementalAlterConfigs v0-1 (KIP-339).
func (c *Cluster) incrementalAlterConfigs(call *call, req *kmsg.IncrementalAlterConfigsRequest, resp *kmsg.IncrementalAlterConfigsResponse) {
	for i, refused := range c.changeConfigs(req.Resources, false, req.ValidateOnly) {
		r := kmsg.NewIncrementalAlterConfigsResponseResource()
		r.ResourceType, r.ResourceName = req.Resources[i].ResourceType, req.Resources[i].ResourceName
		r.ErrorCode, r.ErrorMessage = int16(refused.code), refused.pointer()
		resp.Resources = append(resp.Resources, r)
	}
}

// alterConfigs answers AlterConfigs v0-2, which replaces all that is set for a
// resource. Kafka never answers a request that names a resource twice; here both
// are refused.
func (c *Cluster) alterConfigs(call *call, req *kmsg.AlterConfigsRequest, resp *kmsg.AlterConfigsResponse) {
	changes := make([]kmsg.IncrementalAlterConfigsRequestResource, len(req.Resources))
	for i := range req.Resources {
		r := &req.Resources[i]
		changes[i].ResourceType, changes[i].ResourceName = r.ResourceType, r.ResourceName
		for _, cfg := range r.Configs {
			set := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
			set.Name, set.Op, set.Value = cfg.Name, kmsg.IncrementalAlterConfigOpSet, cfg.Value
			changes[i].Configs = append(changes[i].Configs, set)
		}
	}
	for i, refused := range c.changeConfigs(changes, true, req.ValidateOnly) {
		r := kmsg.NewAlterConfigsResponseResource()
		r.ResourceType, r.ResourceName = req.Resources[i].ResourceType, req.Resources[i].ResourceName
		r.ErrorCode, r.ErrorMessage = int16(refused.code), refused.pointer()
		resp.Resources = append(resp.Resources, r)
	}
}

// changeConfigs changes the configs of resources, or judges only, and tells for
// each why it was refused; with replace, what is not named is deleted. As in Kafka
// each resource is judged by the broker first (ConfigAdminManager) and then by the
// controller (ConfigurationControlManager); one resource that is refused does not
// hold up another.
func (c *Cluster) changeConfigs(resources []kmsg.IncrementalAlterConfigsRequestResource, replace, validateOnly bool) []apiError {
	times := make(map[configResource]int, len(resources))
	for i := range resources {
		times[configResource{resources[i].ResourceType, resources[i].ResourceName}]++
	}
	results := make([]apiError, len(resources))
	reached := make([]bool, len(resources)) // the controller, which may fail on all that reach it
	c.mu.Lock()
	e := &configEdit{topicEdit: c.editTopics()}
	for i := range resources {
		r := &resources[i]
		if times[configResource{r.ResourceType, r.ResourceName}] > 1 {
			results[i] = apiError{protocol.InvalidRequest, "Each resource must appear at most once."}
			continue
		}
		if replace {
			e.deleteOthers(r)
		}
		if results[i] = preprocessConfigs(e.s, r, replace); results[i].code == protocol.None {
			results[i], reached[i] = e.alter(r), true
		}
	}
	if !e.failed && !validateOnly {
		e.publish()
	}
	c.mu.Unlock()
	c.changes.notify()
	if e.failed {
		for i := range results {
			if reached[i] {
				results[i] = apiError{protocol.UnknownServerError, noMessage}
			}
		}
	}
	return results
}

// preprocessConfigs is the broker's part of judging a resource (ConfigAdminManager.preprocess).
// Log levels cannot be replaced.
func preprocessConfigs(s *settings, r *kmsg.IncrementalAlterConfigsRequestResource, replace bool) apiError {
	seen := make(map[string]bool, len(r.Configs))
	for i := range r.Configs {
		if seen[r.Configs[i].Name] {
			return apiError{protocol.InvalidRequest, "Error due to duplicate config keys"}
		}
		seen[r.Configs[i].Name] = true
	}
	var null []string
	for i := range r.Configs {
		if r.Configs[i].Value == nil && r.Configs[i].Op != kmsg.IncrementalAlterConfigOpDelete {
			null = append(null, r.Configs[i].Name)
		}
	}
	if null != nil {
		return apiError{protocol.InvalidRequest, "Null value not supported for : " + strings.Join(null, ", ")}
	}
	switch r.ResourceType {
	case kmsg.ConfigResourceTypeTopic, kmsg.ConfigResourceTypeGroupConfig, kmsg.ConfigResourceTypeClientMetrics:
		return apiError{}
	case kmsg.ConfigResourceTypeBrokerLogger:
		if !replace {
			return alterLogger(r)
		}
	case kmsg.ConfigResourceTypeBroker:
		return s.checkBrokerChange(r)
	}
	return apiError{protocol.InvalidRequest, "Unknown resource type " + strconv.Itoa(int(r.ResourceType))}
}

// configEdit is a change of configs on its way, under the cluster's lock.
type configEdit struct {
	*topicEdit
	failed bool // the request made Kafka fail: it is refused as a whole
	broker bool // broker configs have changed

	ownGroups, ownMetrics bool // s.groups and s.metrics are copies of this edit's
}

// deleteOthers has the request delete what is set for the resource and not named.
func (e *configEdit) deleteOthers(r *kmsg.IncrementalAlterConfigsRequestResource) {
	named := make(map[string]bool, len(r.Configs))
	for i := range r.Configs {
		named[r.Configs[i].Name] = true
	}
	for _, name := range inJavaOrder(e.current(r)) {
		if !named[name] {
			cfg := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
			cfg.Name, cfg.Op = name, kmsg.IncrementalAlterConfigOpDelete
			r.Configs = append(r.Configs, cfg)
		}
	}
}

// current is what is set for a resource.
func (e *configEdit) current(r *kmsg.IncrementalAlterConfigsRequestResource) map[string]string {
	switch r.ResourceType {
	case kmsg.ConfigResourceTypeTopic:
		if t := e.next.byName.get(r.ResourceName); t != nil {
			return t.configs
		}
	case kmsg.ConfigResourceTypeBroker:
		switch r.ResourceName {
		case "":
			return e.s.cluster
		case strconv.Itoa(nodeID):
			return e.s.node
		}
	case kmsg.ConfigResourceTypeGroupConfig:
		return e.s.groups[r.ResourceName]
	case kmsg.ConfigResourceTypeClientMetrics:
		return e.s.metrics[r.ResourceName]
	}
	return nil
}

// alter is the controller's part: it works out what the configs of the resource
// would be, judges them and takes them into the edit.
func (e *configEdit) alter(r *kmsg.IncrementalAlterConfigsRequestResource) apiError {
	if len(r.Configs) > 0 && r.ResourceType == kmsg.ConfigResourceTypeBrokerLogger {
		return apiError{}
	}
	r.Configs = inOrderOfWork(r.Configs)
	if e.failed = e.failed || failsOnOp(r); e.failed {
		return apiError{}
	}
	switch r.ResourceType {
	case kmsg.ConfigResourceTypeTopic:
		return e.alterTopic(r)
	case kmsg.ConfigResourceTypeBroker:
		return e.alterBroker(r)
	case kmsg.ConfigResourceTypeGroupConfig:
		return e.alterGroup(r)
	case kmsg.ConfigResourceTypeClientMetrics:
		return e.alterMetrics(r)
	}
	return apiError{}
}

func (e *configEdit) alterTopic(r *kmsg.IncrementalAlterConfigsRequestResource) apiError {
	t := e.next.byName.get(r.ResourceName)
	next, refused := applyOps(e.current(r), r, topicConfigs)
	if refused.code != protocol.None {
		return refused
	}
	if r.ResourceName == "" {
		return apiError{protocol.InvalidRequest, "Default topic resources are not allowed."}
	}
	if reason := invalidTopicName(r.ResourceName); reason != "" {
		return apiError{protocol.InvalidTopicException, reason}
	}
	if refused := e.s.checkTopicConfigs(next); refused.code != protocol.None {
		return refused
	}
	if t == nil {
		return apiError{protocol.UnknownTopicOrPartition, "The topic '" + r.ResourceName + "' does not exist."}
	}
	e.configure(t, next)
	return apiError{}
}

func (e *configEdit) alterBroker(r *kmsg.IncrementalAlterConfigsRequestResource) apiError {
	next, refused := applyOps(e.current(r), r, brokerConfigs)
	if refused.code != protocol.None {
		return refused
	}
	// What eligible leader replicas need of min.insync.replicas (KIP-966).
	const minISR = "min.insync.replicas"
	for i := range r.Configs {
		if e.s.elr() && r.ResourceName != "" && r.Configs[i].Name == minISR {
			return apiError{protocol.InvalidConfig, "Broker-level " + minISR + " cannot be altered while ELR is enabled."}
		}
	}
	if _, ok := next[minISR]; e.s.elr() && r.ResourceName == "" && !ok {
		return apiError{protocol.InvalidConfig, "Cluster-level " + minISR + " cannot be removed while ELR is enabled."}
	}
	changed := *e.s
	switch r.ResourceName {
	case "":
		changed.cluster = next
	case strconv.Itoa(nodeID):
		changed.node = next
	default: // Kafka keeps what is set for "01", and nobody reads it
		return apiError{}
	}
	changed.compute()
	e.s, e.broker = &changed, true
	return apiError{}
}

func (e *configEdit) alterGroup(r *kmsg.IncrementalAlterConfigsRequestResource) apiError {
	next, refused := applyOps(e.current(r), r, nil)
	if refused.code != protocol.None {
		return refused
	}
	if r.ResourceName == "" {
		return apiError{protocol.InvalidRequest, "Default group resources are not allowed."}
	}
	if refused := e.s.checkGroupConfigs(next); refused.code != protocol.None {
		return refused
	}
	changed := *e.s
	changed.groups = withConfigs(e.s.groups, &e.ownGroups, r.ResourceName, next)
	e.s = &changed
	return apiError{}
}

func (e *configEdit) alterMetrics(r *kmsg.IncrementalAlterConfigsRequestResource) apiError {
	next, refused := applyOps(e.current(r), r, nil)
	if refused.code != protocol.None {
		return refused
	}
	if r.ResourceName == "" {
		return apiError{protocol.InvalidRequest, "Subscription name can't be empty"}
	}
	if refused := checkMetricsConfigs(next); refused.code != protocol.None {
		return refused
	}
	changed := *e.s
	changed.metrics = withConfigs(e.s.metrics, &e.ownMetrics, r.ResourceName, next)
	e.s = &changed
	return apiError{}
}

// withConfigs is all with the configs of one resource replaced. The first change
// of an edit makes a copy, which the edit then owns, so that a request costs as
// much as it is long.
func withConfigs(all map[string]map[string]string, own *bool, name string, configs map[string]string) map[string]map[string]string {
	next := all
	if !*own {
		next, *own = cloneMap(all), true
	}
	if len(configs) == 0 {
		delete(next, name)
	} else {
		next[name] = configs
	}
	return next
}

// publish makes the changes count: those of the broker for the partitions of all topics.
func (e *configEdit) publish() {
	e.c.useSettings(e.s)
	if e.broker {
		e.reconfigured = e.next.list
		e.c.upkeep.reconfigure(e.s)
	}
	e.topicEdit.publish()
}
