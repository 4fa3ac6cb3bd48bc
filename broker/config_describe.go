package broker

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// configDocsText is the documentation of all configs in Kafka's words: table,
// name and text of one in each line.
//
//go:embed config_docs.txt
var configDocsText string

// configDocs is the documentation by table and name. It is read when somebody asks.
var configDocs = sync.OnceValue(func() map[[2]string]string {
	docs := make(map[[2]string]string)
	for line := range strings.Lines(configDocsText) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 3)
		docs[[2]string{f[0], f[1]}] = strings.ReplaceAll(f[2], `\n`, "\n")
	}
	return docs
})

// describeConfigs answers DescribeConfigs v1-4 (ConfigHelper.describeConfigs).
func (c *Cluster) describeConfigs(call *call, req *kmsg.DescribeConfigsRequest, resp *kmsg.DescribeConfigsResponse) {
	d := &configDescriber{s: c.settings.Load(), image: c.image.Load(), listeners: "PLAINTEXT://" + c.Addr(),
		synonyms: req.IncludeSynonyms, documentation: req.IncludeDocumentation}
	known := true
	for i := range req.Resources {
		known = known && isConfigResource(req.Resources[i].ResourceType)
	}
	for i := range req.Resources {
		rr := &req.Resources[i]
		r := kmsg.NewDescribeConfigsResponseResource()
		r.ResourceType, r.ResourceName = rr.ResourceType, rr.ResourceName
		refused := apiError{code: protocol.InvalidRequest}
		if known {
			r.Configs, refused = d.describe(rr)
		}
		message := ""
		if refused.message != noMessage && refused.code != protocol.None {
			message = refused.text()
		}
		r.ErrorCode, r.ErrorMessage = int16(refused.code), &message
		resp.Resources = append(resp.Resources, r)
		if call.grows(len(r.Configs) * describedSize) {
			return
		}
	}
}

// describedSize is about how many bytes one config takes in an answer.
const describedSize = 512

func isConfigResource(kind kmsg.ConfigResourceType) bool {
	switch kind {
	case kmsg.ConfigResourceTypeTopic, kmsg.ConfigResourceTypeBroker, kmsg.ConfigResourceTypeBrokerLogger,
		kmsg.ConfigResourceTypeClientMetrics, kmsg.ConfigResourceTypeGroupConfig:
		return true
	}
	return false
}

// configDescriber is one DescribeConfigs request on its way.
type configDescriber struct {
	s             *settings
	image         *topicImage
	listeners     string
	synonyms      bool
	documentation bool
}

type describedConfig = kmsg.DescribeConfigsResponseResourceConfig

func (d *configDescriber) describe(r *kmsg.DescribeConfigsRequestResource) ([]describedConfig, apiError) {
	name := r.ResourceName
	switch r.ResourceType {
	case kmsg.ConfigResourceTypeTopic:
		if reason := invalidTopicName(name); reason != "" {
			return nil, apiError{protocol.InvalidTopicException, reason}
		}
		t := d.image.byName.get(name)
		if t == nil {
			return nil, apiError{protocol.UnknownTopicOrPartition, noMessage}
		}
		return d.each(r, topicConfigs, t.configs, func(name string) describedConfig { return d.topicConfig(t, name) }), apiError{}
	case kmsg.ConfigResourceTypeBroker:
		return d.describeBroker(r)
	case kmsg.ConfigResourceTypeBrokerLogger:
		if refused := checkBrokerID(name, "Broker id must not be empty", ""); refused.code != protocol.None {
			return nil, refused
		}
		return d.each(r, nil, map[string]string{rootLogger: ""}, loggerConfig), apiError{}
	case kmsg.ConfigResourceTypeClientMetrics:
		if name == "" {
			return nil, apiError{protocol.InvalidRequest, "Client metrics subscription name must not be empty"}
		}
		set := d.s.metrics[name]
		return d.each(r, metricsConfigs, nil, func(name string) describedConfig { return d.metricsConfig(set, name) }), apiError{}
	}
	if name == "" {
		return nil, apiError{protocol.InvalidRequest, "Group name must not be empty"}
	}
	set := d.s.groups[name]
	return d.each(r, groupConfigs, set, func(name string) describedConfig { return d.groupConfig(set, name) }), apiError{}
}

// each describes the configs of the table and those set besides, or the ones of
// them that are asked for, in Kafka's order: what is not in the table comes first.
func (d *configDescriber) each(r *kmsg.DescribeConfigsRequestResource, table configTable, set map[string]string,
	describe func(string) describedConfig) []describedConfig {
	names := slices.DeleteFunc(inJavaOrder(set), func(name string) bool { return table.find(name) != nil })
	names = append(names, table.ranked()...)
	if len(r.ConfigNames) > 0 {
		names = slices.DeleteFunc(names, func(name string) bool { return !slices.Contains(r.ConfigNames, name) })
	}
	configs := make([]describedConfig, 0, len(names))
	for _, name := range names {
		configs = append(configs, describe(name))
	}
	return configs
}

func (d *configDescriber) describeBroker(r *kmsg.DescribeConfigsRequestResource) ([]describedConfig, apiError) {
	if r.ResourceName == "" {
		return d.each(r, nil, d.s.cluster, func(name string) describedConfig { return d.brokerConfig(name, false) }), apiError{}
	}
	if refused := checkBrokerID(r.ResourceName, "", " or empty string,"); refused.code != protocol.None {
		return nil, refused
	}
	set := cloneMap(d.s.cluster)
	for name, value := range d.s.node {
		set[name] = value
	}
	return d.each(r, brokerConfigs, set, func(name string) describedConfig { return d.brokerConfig(name, true) }), apiError{}
}

// checkBrokerID judges the name of a broker resource.
func checkBrokerID(name, empty, orEmpty string) apiError {
	if name == "" {
		return apiError{protocol.InvalidRequest, empty}
	}
	id, err := strconv.ParseInt(name, 10, 32)
	if err != nil {
		return apiError{protocol.InvalidRequest, "Broker id must be an integer, but it is: " + name}
	}
	if id != nodeID {
		return apiError{protocol.InvalidRequest, fmt.Sprintf("Unexpected broker id, expected %d%s but received %s", nodeID, orEmpty, name)}
	}
	return apiError{}
}
