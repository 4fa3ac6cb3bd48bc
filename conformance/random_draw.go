package conformance

import (
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// drawing draws one script at random. The same seed draws the same script.
type drawing struct {
	*rand.Rand
	offer  Offer
	script Script
	// odd is how many of a hundred values are odd ones.
	odd int
	// long tells that offsets may be committed with too much metadata. Their groups are
	// there from the start, and stay: Kafka makes a group for a commit that it refuses, and
	// others see that when something else is written to the same partition.
	long bool
	// epochs tells that transactions are mostly those of KIP-890.
	epochs bool
	// static are the actors that have an instance id.
	static map[string]bool
	// joined are the actors that have joined each group, in order.
	joined map[string][]string
	// actor, group and topic are what the request that is drawn is mostly about.
	actor, group, topic string
}

// The actors, groups and topics of a script. The first two topics exist from the start.
var (
	actors = []string{"m1", "m2", "m3", "m4"}
	groups = []string{"g", "g", "g", "g", "h"}
	topics = []string{"t1", "t1", "t1", "t2", "t2", "t3", "t4"}
)

// draw draws script number n of a seed, of requests that are offered.
func draw(seed, n uint64, offer Offer, themes []string) Script {
	d := &drawing{Rand: rand.New(rand.NewPCG(seed, n)), offer: offer, static: map[string]bool{}, joined: map[string][]string{}}
	d.odd, d.epochs = pick(d, 0, 2, 5, 10), d.chance(50)
	for _, a := range actors {
		d.static[a] = d.chance(20)
	}
	d.makeTopic("t1", pick(d, int32(1), 2, 2, 3))
	d.makeTopic("t2", 1)
	if d.long = d.chance(25); d.long {
		for _, g := range []string{"g", "h"} {
			d.actor, d.group, d.topic = "m1", g, "t1"
			d.send(kmsg.OffsetCommit, 8, "MemberID", "", "Generation", int64(-1), "InstanceID", nil,
				"Topics", []any{map[string]any{"Topic": "$t1", "Partitions": []any{map[string]any{"Partition": int64(0), "Offset": int64(9)}}}})
		}
	}
	// A script has one or two themes, so that what it does comes together.
	chosen := [][]func(){d.theme(pick(d, themes...)), d.theme(pick(d, themes...))}
	for range 4 + d.IntN(14) {
		d.actor, d.group, d.topic = pick(d, actors...), pick(d, groups...), pick(d, topics...)
		if len(d.script.Steps) > 40 {
			break
		}
		pick(d, pick(d, chosen...)...)()
	}
	return d.script
}

// Themes are the names of what random scripts are about.
func Themes() []string {
	return []string{"groups", "offsets", "logs", "topics", "configs", "cluster", "transactions", "transaction-offsets"}
}

// theme are the things that a script of this theme does, the frequent ones several times.
func (d *drawing) theme(name string) []func() {
	switch name {
	case "groups":
		return d.groupTheme()
	case "offsets":
		return d.offsetTheme()
	case "logs":
		return d.logTheme()
	case "topics":
		return d.topicTheme()
	case "configs":
		return d.configTheme()
	case "cluster":
		return d.clusterTheme()
	case "transactions":
		return d.txnTheme()
	}
	return d.txnOffsetTheme()
}

// chance is true in so many of a hundred cases.
func (d *drawing) chance(percent int) bool { return d.IntN(100) < percent }

func pick[T any](d *drawing, from ...T) T { return from[d.IntN(len(from))] }

func (d *drawing) makeTopic(label string, partitions int32) {
	s := Step{On: makesTopic, Topic: label, Partitions: partitions}
	if d.chance(25) {
		s.Configs = append(s.Configs, pick(d, "cleanup.policy=compact", "cleanup.policy=compact,delete", "max.message.bytes=200",
			"message.timestamp.type=LogAppendTime", "min.insync.replicas=2", "message.timestamp.after.max.ms=1000", "max.message.bytes=0",
			"message.timestamp.before.max.ms=1000", "segment.bytes=1048576", "cleanup.policy=", "index.interval.bytes=0"))
	}
	d.script.Steps = append(d.script.Steps, s)
}

// send adds a request of the drawing's actor: its fields drawn, but for those that are
// given by name and value in turn. A version below 0 is drawn too.
func (d *drawing) send(key kmsg.Key, version int16, given ...any) {
	req := kmsg.RequestForKey(key.Int16())
	offered, ok := d.offer[key.Int16()]
	if !ok || d.long && key == kmsg.DeleteGroups {
		return
	}
	highest := min(offered.Max, req.MaxVersion())
	lowest := max(offered.Min, lowestServed(key))
	if version < 0 {
		version = lowest + int16(d.IntN(int(highest-lowest)+1))
	}
	if version < lowest || version > highest {
		return
	}
	req.SetVersion(version)
	fields := d.fields(reflect.TypeOf(req).Elem(), key.Name())
	for i := 0; i < len(given); i += 2 {
		fields[given[i].(string)] = given[i+1]
	}
	s := Step{On: d.actor, Key: key.Int16(), Version: version, Fields: fields}
	d.refine(&s, layoutOf(req))
	d.script.Steps = append(d.script.Steps, s)
}

// lowestServed is for APIs whose lowest versions Kafka advertises and does not serve.
func lowestServed(key kmsg.Key) int16 {
	if key == kmsg.Produce {
		return 3
	}
	return 0
}

// fields draws the fields of a struct; path is the API and the fields that lead to it.
func (d *drawing) fields(t reflect.Type, path string) map[string]any {
	topic := d.topicName(path)
	fields := map[string]any{}
	for i := range t.NumField() {
		f := t.Field(i)
		switch {
		case f.Name == "Version" || f.Name == "UnknownTags":
		case f.Name == "Topic" && len(pools[path+".Topic"]) == 0:
			fields[f.Name] = topic
		case f.Name == "TopicID":
			fields[f.Name] = idOf(topic)
		default:
			if value, ok := d.field(f.Type, path, f.Name); ok {
				fields[f.Name] = value
			}
		}
	}
	return fields
}

// idOf is the reference to the id of a topic that a script names.
func idOf(topic any) any {
	name, ok := topic.(string)
	switch {
	case !ok || name == "":
		return ""
	case name[0] == '$':
		return "$id@" + name[1:]
	}
	return "an unknown id"
}

// field draws one field; ok is false when it has its default.
func (d *drawing) field(t reflect.Type, path, name string) (value any, ok bool) {
	if from, special := pools[path+"."+name]; special && len(from) == 0 {
		return nil, false
	}
	if from := d.pool(path, name, t); len(from) > 0 {
		if t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8 {
			return d.list(func() any { return pick(d, from...) }), true
		}
		if d.chance(d.odd) && !keptSane[name] {
			return d.oddValue(t)
		}
		return pick(d, from...), true
	}
	switch t.Kind() {
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Struct {
			return d.list(func() any { return d.fields(t.Elem(), path+"."+name) }), true
		}
	case reflect.Pointer:
		if t.Elem().Kind() == reflect.Struct && d.chance(20) {
			return d.fields(t.Elem(), path+"."+name), true
		}
	case reflect.Bool:
		return d.chance(30), true
	}
	if d.chance(d.odd) && !keptSane[name] {
		return d.oddValue(t)
	}
	return nil, false
}

// list is mostly of one element, sometimes of several, of none, or of the same twice.
func (d *drawing) list(one func() any) []any {
	n := pick(d, 1, 1, 1, 1, 1, 1, 2, 2, 3)
	if d.chance(d.odd) {
		n = 0
	}
	l := []any{}
	for range n {
		l = append(l, one())
	}
	if n > 0 && d.chance(d.odd) {
		l = append(l, cloneTree(pick(d, l...)))
	}
	return l
}

// keptSane are fields of which an odd value would make a target slow, change what is not
// the script's, or let time decide.
var keptSane = map[string]bool{
	"TimeoutMillis": true, "SessionTimeoutMillis": true, "RebalanceTimeoutMillis": true, "MaxWaitMillis": true, "ValidateOnly": true,
	"NumPartitions": true, "Count": true, "BrokerID": true, "ResourceType": true, "ResourceName": true, "Feature": true, "ReplicationFactor": true,
	"Iterations": true, "ConfigNames": true, "Name": true, "Type": true, "Records": true, "Group": true, "Groups": true, "SaltedPassword": true, "MaxVersionLevel": true, "TransactionalID": true, "TransactionID": true, "CoordinatorType": true,
}

var oddTexts = []any{"", "$nowhere", "bad name!", "..", " "}

// oddValue is a value of a type that hardly anyone sends.
func (d *drawing) oddValue(t reflect.Type) (any, bool) {
	switch t.Kind() {
	case reflect.Pointer:
		if d.chance(40) {
			return nil, true
		}
		return d.oddValue(t.Elem())
	case reflect.String:
		return pick(d, oddTexts...), true
	case reflect.Array:
		return pick(d, any(""), "an unknown id", "$id@t2"), true
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		highest := int64(1)<<(8*t.Size()-1) - 1
		return pick(d, int64(-1), -2, 0, 1, 2, 3, 7, 100, highest, -highest-1), true
	case reflect.Bool:
		return d.chance(50), true
	case reflect.Slice:
		if d.chance(50) {
			return nil, true
		}
		if t.Elem().Kind() == reflect.Uint8 {
			return pick(d, any(""), "x"), true
		}
		return []any{}, true
	}
	return nil, false
}

// refine leaves out what does not exist in the request's version, and makes some of the
// lists odd.
func (d *drawing) refine(s *Step, l layout) {
	prune(s.Fields, "", l)
	for _, name := range []string{"Topics", "Partitions", "Groups", "Members", "Protocols"} {
		if _, ok := s.Fields[name].([]any); ok && d.chance(d.odd) {
			s.Fields[name] = pick(d, nil, any([]any{}))
		}
	}
}

func prune(fields map[string]any, prefix string, l layout) {
	for name, value := range fields {
		path := prefix + name
		if there, known := l.present[path]; known && !there {
			delete(fields, name)
			continue
		}
		switch value := value.(type) {
		case map[string]any:
			prune(value, path+".", l)
		case []any:
			for _, one := range value {
				if m, ok := one.(map[string]any); ok {
					prune(m, path+".", l)
				}
			}
		}
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// members are the actors that have joined the drawing's group.
func (d *drawing) members() []string { return d.joined[d.group] }

func (d *drawing) join(actor string) {
	if !slices.Contains(d.joined[d.group], actor) {
		d.joined[d.group] = append(d.joined[d.group], actor)
	}
}
