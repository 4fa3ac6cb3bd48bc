package broker

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

//go:generate go run ./internal/configgen --bootstrap 127.0.0.1:9092 --dir .

// configDef is one config of Kafka: what DescribeConfigs tells of it, and which
// values it takes. It mirrors org.apache.kafka.common.config.ConfigDef.ConfigKey.
type configDef struct {
	name     string
	rank     int // its place when Kafka lists all configs
	kind     kmsg.ConfigType
	def      string // the default
	null     bool   // there is no default
	valid    string // the valid values in the notation of Kafka's documentation; empty: all of its kind
	readOnly bool   // of a broker config: not to be changed while the broker runs
	synonym  string // of a topic or group config: the broker config that it follows
}

// configTable is all configs of one kind of resource, sorted by name.
type configTable []configDef

// find returns the config called name, or nil.
func (t configTable) find(name string) *configDef {
	i, ok := slices.BinarySearchFunc(t, name, func(d configDef, name string) int { return strings.Compare(d.name, name) })
	if !ok {
		return nil
	}
	return &t[i]
}

// ranked are the names of all configs as Kafka lists them.
func (t configTable) ranked() []string {
	names := make([]string, len(t))
	for i := range t {
		names[t[i].rank] = t[i].name
	}
	return names
}

// sensitive tells that the value is never shown.
func (d *configDef) sensitive() bool { return d.kind == kmsg.ConfigTypePassword }

// configError is why Kafka refuses a value: the message of a ConfigException.
type configError string

func (e configError) Error() string { return string(e) }

func (d *configDef) refuse(value any, reason string) error {
	return configError(fmt.Sprintf("Invalid value %v for configuration %s: %s", value, d.name, reason))
}

// check tells whether value can be parsed and is in the range of the config, in
// the words of ConfigDef.parseType and its validators.
func (d *configDef) check(value string) error {
	trimmed := javaTrim(value)
	switch d.kind {
	case kmsg.ConfigTypeBoolean:
		if !strings.EqualFold(trimmed, "true") && !strings.EqualFold(trimmed, "false") {
			return d.refuse(value, "Expected value to be either true or false")
		}
	case kmsg.ConfigTypeShort, kmsg.ConfigTypeInt, kmsg.ConfigTypeLong:
		n, err := strconv.ParseInt(trimmed, 10, d.bits())
		if err != nil {
			return d.refuse(value, "Not a number of type "+d.kind.String())
		}
		return d.checkRange(float64(n), strconv.FormatInt(n, 10))
	case kmsg.ConfigTypeDouble:
		f, ok := parseJavaDouble(trimmed)
		if !ok {
			return d.refuse(value, "Not a number of type DOUBLE")
		}
		return d.checkRange(f, formatJavaDouble(f))
	case kmsg.ConfigTypeString:
		return d.checkString(trimmed)
	case kmsg.ConfigTypeList:
		return d.checkList(splitConfigList(value))
	}
	return nil
}

// bits is the width of the integer kinds.
func (d *configDef) bits() int {
	switch d.kind {
	case kmsg.ConfigTypeShort:
		return 16
	case kmsg.ConfigTypeInt:
		return 32
	}
	return 64
}

// checkRange mirrors ConfigDef.Range: "[1,...]", "[0,...,1]"; and the validator of
// compression.gzip.level, "[1,...,9] or -1".
func (d *configDef) checkRange(n float64, shown string) error {
	if d.valid == "" {
		return nil
	}
	bounds, alternative, _ := strings.Cut(d.valid, " or ")
	low, high, _ := strings.Cut(strings.Trim(bounds, "[]"), ",...")
	high = strings.TrimPrefix(high, ",")
	atLeast, _ := strconv.ParseFloat(low, 64)
	atMost := math.Inf(1)
	if high != "" {
		atMost, _ = strconv.ParseFloat(high, 64)
	}
	switch {
	case alternative != "" && shown != alternative && (n < atLeast || n > atMost):
		return d.refuse(shown, "Value must be between "+low+" and "+high+" or equal to "+alternative)
	case alternative != "":
		return nil
	case n < atLeast:
		return d.refuse(shown, "Value must be at least "+low)
	case n > atMost:
		return d.refuse(shown, "Value must be no more than "+high)
	}
	return nil
}

// checkString mirrors ConfigDef.ValidString, CaseInsensitiveValidString and NonEmptyString.
func (d *configDef) checkString(value string) error {
	switch {
	case d.valid == "" || d.valid == "non-null string":
		return nil
	case d.valid == "non-empty string":
		if value == "" {
			return d.refuse(value, "String must be non-empty")
		}
		return nil
	case d.name == "share.auto.offset.reset":
		return d.checkOffsetReset(value)
	}
	list, fold := strings.CutPrefix(d.valid, "(case insensitive) ")
	list = strings.Trim(list, "[]")
	for _, v := range strings.Split(list, ", ") {
		if v == value || fold && strings.EqualFold(v, value) {
			return nil
		}
	}
	if fold {
		return d.refuse(value, "String must be one of (case insensitive): "+list)
	}
	return d.refuse(value, "String must be one of: "+list)
}

// checkOffsetReset mirrors ShareGroupAutoOffsetResetStrategy.Validator.
func (d *configDef) checkOffsetReset(value string) error {
	if value == "latest" || value == "earliest" {
		return nil
	}
	if duration, ok := strings.CutPrefix(value, "by_duration:"); ok && isJavaDuration(duration) {
		return nil
	}
	return d.refuse(value, "Invalid value `"+value+"` for configuration "+d.name+
		". The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.")
}

// checkList mirrors ConfigDef.ValidList, and for the two throttles
// ThrottledReplicaListValidator.
func (d *configDef) checkList(items []string) error {
	if strings.HasPrefix(d.valid, "[partitionId]:") {
		return d.checkThrottle(items)
	}
	if d.valid == "non-empty list" {
		if len(items) == 0 {
			return d.refuse("[]", "Value must not be empty")
		}
		return nil
	}
	for _, item := range items {
		if item == "" {
			return configError("Configuration '" + d.name + "' values must not be empty.")
		}
	}
	if d.valid == "" {
		return nil
	}
	allowed := strings.Split(strings.Trim(d.valid, "[]"), ", ")
	for _, item := range items {
		if !slices.Contains(allowed, item) {
			return d.refuse(item, "String must be one of: "+strings.Join(allowed, ", "))
		}
	}
	return nil
}

func (d *configDef) checkThrottle(items []string) error {
	if len(items) == 1 && items[0] == "*" {
		return nil
	}
	for _, item := range items {
		partition, broker, _ := strings.Cut(item, ":")
		if !digits(partition) || !digits(broker) {
			return d.refuse("["+strings.Join(items, ", ")+"]", d.name+
				" must be the literal '*' or a list of replicas in the following format: "+d.valid)
		}
	}
	return nil
}

// list are the items of a LIST. What may be in it is told for most of them, and then each
// item is kept once (ConfigDef.ValidList).
func (d *configDef) list(value string) []string {
	items := splitConfigList(value)
	if strings.HasSuffix(d.name, ".throttled.replicas") {
		return items
	}
	seen := make(map[string]bool, len(items))
	return slices.DeleteFunc(items, func(item string) bool {
		again := seen[item]
		seen[item] = true
		return again
	})
}

// show is a value that was set as DescribeConfigs shows it: parsed and written
// again, as ConfigDef.convertToString does.
func (d *configDef) show(value string) string {
	trimmed := javaTrim(value)
	switch d.kind {
	case kmsg.ConfigTypeBoolean:
		return strings.ToLower(trimmed)
	case kmsg.ConfigTypeShort, kmsg.ConfigTypeInt, kmsg.ConfigTypeLong:
		if n, err := strconv.ParseInt(trimmed, 10, 64); err == nil {
			return strconv.FormatInt(n, 10)
		}
	case kmsg.ConfigTypeDouble:
		if f, ok := parseJavaDouble(trimmed); ok {
			return formatJavaDouble(f)
		}
	case kmsg.ConfigTypeList:
		return strings.Join(d.list(value), ",")
	}
	return trimmed
}
