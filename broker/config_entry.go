package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

// configSynonym is one place that a value can come from.
type configSynonym = kmsg.DescribeConfigsResponseResourceConfigConfigSynonym

// entry describes one config. Its source is that of the first synonym.
func (d *configDescriber) entry(table, name string, def *configDef, value *string, synonyms []configSynonym) describedConfig {
	e := kmsg.NewDescribeConfigsResponseResourceConfig()
	e.Name = name
	e.Value = value
	e.Source = kmsg.ConfigSourceDefaultConfig
	if len(synonyms) > 0 {
		e.Source = synonyms[0].Source
	}
	if def == nil { // Kafka keeps what it knows nothing of to itself
		e.Value, e.IsSensitive = nil, true
	} else {
		e.ConfigType = def.kind
		if e.IsSensitive = def.sensitive(); e.IsSensitive {
			e.Value = nil
		}
	}
	if e.IsSensitive {
		for i := range synonyms {
			synonyms[i].Value = nil
		}
	}
	if d.synonyms {
		e.ConfigSynonyms = synonyms
	}
	if d.documentation && def != nil {
		if doc, ok := configDocs()[[2]string{table, def.name}]; ok {
			e.Documentation = &doc
		}
	}
	return e
}

func newSynonym(name string, value *string, source kmsg.ConfigSource) configSynonym {
	s := kmsg.NewDescribeConfigsResponseResourceConfigConfigSynonym()
	s.Name, s.Value, s.Source = name, value, source
	return s
}

// topicConfig describes a config of a topic.
func (d *configDescriber) topicConfig(t *topic, name string) describedConfig {
	def := topicConfig(name)
	value := def.show(d.s.topicEffective(t.configs, def).value)
	var synonyms []configSynonym
	if _, set := t.configs[name]; set {
		synonyms = append(synonyms, newSynonym(name, &value, kmsg.ConfigSourceDynamicTopicConfig))
	}
	if follows := def.synonyms(); len(follows) > 0 {
		synonyms = append(synonyms, d.brokerSynonyms(follows[0].name)...)
	}
	return d.entry("topic", name, def, &value, synonyms)
}

// groupConfig describes a config of a group.
func (d *configDescriber) groupConfig(set map[string]string, name string) describedConfig {
	def := groupConfig(name)
	var synonyms []configSynonym
	value, own := set[name]
	switch {
	case own:
		value = def.show(value)
		synonyms = append(synonyms, newSynonym(name, &value, kmsg.ConfigSourceGroupConfig))
	case def.kind == kmsg.ConfigTypeString && def.synonym != name && brokerConfigs.find(def.synonym) != nil:
		value = def.def // the first of a list of assignors
		if list := splitConfigList(d.s.value(def.synonym)); len(list) > 0 {
			value = list[0]
		}
	case brokerConfigs.find(def.synonym) != nil:
		value = def.show(d.s.value(def.synonym))
	default:
		value = def.def
	}
	if brokerConfigs.find(def.synonym) == nil {
		synonyms = append(synonyms, newSynonym(def.synonym, &def.def, kmsg.ConfigSourceDefaultConfig))
	} else {
		synonyms = append(synonyms, d.brokerSynonyms(def.synonym)...)
	}
	e := d.entry("group", name, def, &value, synonyms)
	if doc, internal := internalGroupDocs[name]; internal && d.documentation {
		e.Documentation = &doc
	}
	return e
}

// brokerConfig describes a config of the broker, or of all brokers.
func (d *configDescriber) brokerConfig(name string, ofBroker bool) describedConfig {
	def := dynamicConfig(name)
	synonyms := d.brokerSynonyms(name)
	value, has := d.shown(name, def)
	if !ofBroker {
		raw := d.s.cluster[name]
		value, has = raw, true
		synonyms = []configSynonym{newSynonym(name, &raw, kmsg.ConfigSourceDynamicDefaultBrokerConfig)}
	}
	var shown *string
	if has {
		shown = &value
	}
	e := d.entry("broker", name, def, shown, synonyms)
	e.ReadOnly = brokerConfigs.find(name) == nil && rateConfigs.find(name) == nil || def.readOnly
	return e
}

// shown is the effective value of a broker config as it is shown; false: null.
func (d *configDescriber) shown(name string, def *configDef) (string, bool) {
	if name == "listeners" {
		return d.listeners, true
	}
	if v, ok := d.s.lookup(name); ok && def != nil {
		return def.show(v), true
	}
	if def == nil || def.null {
		return "", false
	}
	return def.def, true
}

// brokerSynonyms are the places that the value of a broker config can come from,
// the one that counts first. The configs of one family, such as log.retention.ms
// and log.retention.hours, stand in for each other once the one asked for is set
// (ConfigHelper.configSynonyms).
func (d *configDescriber) brokerSynonyms(name string) []configSynonym {
	var found []configSynonym
	family := configFamily(name)
	for _, level := range d.s.levels() {
		for _, member := range family {
			if v, ok := level.values[member]; ok {
				found = append(found, newSynonym(member, &v, level.source))
			} else if member == "listeners" && level.source == kmsg.ConfigSourceStaticBrokerConfig {
				found = append(found, newSynonym(member, &d.listeners, level.source))
			}
		}
	}
	for _, member := range family {
		if def := brokerConfigs.find(member); def != nil && !def.null {
			found = append(found, newSynonym(member, &def.def, kmsg.ConfigSourceDefaultConfig))
		}
	}
	for len(found) > 0 && found[0].Name != name {
		found = found[1:]
	}
	return found
}

// metricsConfig describes a config of a client metrics subscription.
func (d *configDescriber) metricsConfig(set map[string]string, name string) describedConfig {
	def := metricsConfigs.find(name)
	value, own := set[name]
	if !own {
		return d.entry("metrics", name, def, &def.def, nil)
	}
	value = def.show(value)
	return d.entry("metrics", name, def, &value, []configSynonym{newSynonym(name, &value, kmsg.ConfigSourceClientMetricsConfig)})
}

// loggerConfig describes a logger.
func loggerConfig(name string) describedConfig {
	e := kmsg.NewDescribeConfigsResponseResourceConfig()
	level := "INFO"
	e.Name, e.Value, e.Source = name, &level, kmsg.ConfigSourceDynamicBrokerLoggerConfig
	return e
}
