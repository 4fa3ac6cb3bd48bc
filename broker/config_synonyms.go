package broker

import (
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// synonym is a broker config that a topic config follows, and how many units of
// the topic config one of its units is.
type synonym struct {
	name  string
	times int64
}

const (
	minuteMs = 60 * 1000
	hourMs   = 60 * minuteMs
)

// topicSynonyms are the broker configs that the topic configs with more than one
// follow; the first that is set counts (ServerTopicConfigSynonyms).
var topicSynonyms = map[string][]synonym{
	"flush.ms":          {{"log.flush.interval.ms", 1}, {"log.flush.scheduler.interval.ms", 1}},
	"retention.ms":      {{"log.retention.ms", 1}, {"log.retention.minutes", minuteMs}, {"log.retention.hours", hourMs}},
	"segment.jitter.ms": {{"log.roll.jitter.ms", 1}, {"log.roll.jitter.hours", hourMs}},
	"segment.ms":        {{"log.roll.ms", 1}, {"log.roll.hours", hourMs}},
}

// synonyms are the broker configs that d, of a topic or group, follows, the one
// that counts most first.
func (d *configDef) synonyms() []synonym {
	if d.synonym != "" {
		return []synonym{{d.synonym, 1}}
	}
	return topicSynonyms[d.name]
}

// convert is the value of the broker config y in units of the topic config.
func (y synonym) convert(value string) string {
	if y.times == 1 {
		return value
	}
	n, err := strconv.ParseInt(javaTrim(value), 10, 64)
	if err != nil {
		return value
	}
	return strconv.FormatInt(n*y.times, 10)
}

// sourced is a value and where it comes from.
type sourced struct {
	value  string
	source kmsg.ConfigSource
}

// levels are the places where a broker config can be set, the one that counts most first.
func (s *settings) levels() [3]struct {
	values map[string]string
	source kmsg.ConfigSource
} {
	return [3]struct {
		values map[string]string
		source kmsg.ConfigSource
	}{
		{s.node, kmsg.ConfigSourceDynamicBrokerConfig},
		{s.cluster, kmsg.ConfigSourceDynamicDefaultBrokerConfig},
		{s.static, kmsg.ConfigSourceStaticBrokerConfig},
	}
}

// topicEffective is the value of a topic config where configs are set for the
// topic (KafkaConfigSchema.resolveEffectiveTopicConfig).
func (s *settings) topicEffective(configs map[string]string, d *configDef) sourced {
	if v, ok := configs[d.name]; ok {
		return sourced{v, kmsg.ConfigSourceDynamicTopicConfig}
	}
	synonyms := d.synonyms()
	for _, level := range s.levels() {
		for _, y := range synonyms {
			if v, ok := level.values[y.name]; ok {
				return sourced{y.convert(v), level.source}
			}
		}
	}
	return sourced{d.def, kmsg.ConfigSourceDefaultConfig}
}

// topicValue is the value alone.
func (s *settings) topicValue(configs map[string]string, name string) string {
	d := topicConfigs.find(name)
	if d == nil {
		return configs[name]
	}
	return s.topicEffective(configs, d).value
}

// configFamily are the configs that say the same in different units, the one
// that counts most first (DynamicBrokerConfig.brokerConfigSynonyms).
func configFamily(name string) []string {
	switch name {
	case "log.roll.ms", "log.roll.hours":
		return []string{"log.roll.ms", "log.roll.hours"}
	case "log.roll.jitter.ms", "log.roll.jitter.hours":
		return []string{"log.roll.jitter.ms", "log.roll.jitter.hours"}
	case "log.flush.interval.ms":
		return []string{"log.flush.interval.ms", "log.flush.scheduler.interval.ms"}
	case "log.retention.ms", "log.retention.minutes", "log.retention.hours":
		return []string{"log.retention.ms", "log.retention.minutes", "log.retention.hours"}
	}
	if def := brokerConfig(name); def != nil && def.name != name {
		return []string{name, def.name} // a listener prefix
	}
	return []string{name}
}
