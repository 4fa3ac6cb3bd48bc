package broker

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/broker/txncoord"
	"klamm/groupcoord"
	"klamm/partitions"
	"klamm/protocol"
)

// settings are the broker configs: where each value comes from, and those that
// the code uses, typed. It is immutable; a change of a dynamic config makes a
// new value.
type settings struct {
	static  map[string]string // what a server.properties would hold
	cluster map[string]string // set while running, for all brokers
	node    map[string]string // set while running, for this broker

	groups  map[string]map[string]string // set for groups, by group id
	metrics map[string]map[string]string // set for client metrics subscriptions, by name

	featureLevels  map[string]int16 // finalized levels of features, where they were changed
	featureUpdates int64            // how many there were

	numPartitions            int32         // num.partitions
	defaultReplicationFactor int16         // default.replication.factor
	autoCreateTopics         bool          // auto.create.topics.enable
	deleteTopics             bool          // delete.topic.enable
	socketRequestMaxBytes    int           // socket.request.max.bytes
	connectionsMaxIdle       time.Duration // connections.max.idle.ms
	connections              connectionLimits
	fetchMaxBytes            int           // fetch.max.bytes
	fetchSessionSlots        int           // max.incremental.fetch.session.cache.slots
	shareMaxSessions         int           // group.share.max.share.sessions
	shareUpdatesPerSnapshot  int           // share.coordinator.snapshot.update.records.per.snapshot
	maxRequestPartitions     int           // max.request.partition.size.limit
	producerIDExpiration     time.Duration // producer.id.expiration.ms
	offsetsTopicPartitions   int32         // offsets.topic.num.partitions
	group                    groupcoord.Config
	txn                      txncoord.Config
	txnMaxTimeout            int64 // transaction.max.timeout.ms
	txnVerification          bool  // transaction.partition.verification.enable
}

// difference is a broker config whose default is not Kafka's.
type difference struct {
	name, value string
	reason      string
}

// defaultDifferences are all configs whose default is not Kafka's. DescribeConfigs
// shows them as if they stood in server.properties.
var defaultDifferences = [...]difference{
	{"group.initial.rebalance.delay.ms", "0", "a test need not wait 3 s for its first generation"},
	{"offsets.topic.replication.factor", "1", "there is one node"},
	{"share.coordinator.state.topic.min.isr", "1", "there is one node"},
	{"share.coordinator.state.topic.replication.factor", "1", "there is one node"},
	{"transaction.state.log.min.isr", "1", "there is one node"},
	{"transaction.state.log.replication.factor", "1", "there is one node"},
}

// ownConfigs are broker configs that Config has fields for, or that have one
// possible value: they cannot be given in Config.Configs.
var ownConfigs = map[string]string{
	"advertised.listeners":      "set Config.Advertise (--advertise)",
	"broker.id":                 "the only node is 1",
	"controller.listener.names": "there is no controller listener",
	"listeners":                 "set Config.Listen (--listen)",
	"node.id":                   "the only node is 1",
	"process.roles":             "the node is broker and controller",
}

// newSettings makes settings of broker configs by Kafka's names. The error names
// the config, and what is accepted instead.
func newSettings(configs map[string]string) (*settings, error) {
	s := &settings{static: map[string]string{
		"broker.id":     strconv.Itoa(nodeID),
		"node.id":       strconv.Itoa(nodeID),
		"process.roles": "broker,controller",
	}}
	for _, d := range &defaultDifferences {
		s.static[d.name] = d.value
	}
	for _, name := range slices.Sorted(maps.Keys(configs)) {
		if err := checkStatic(name, configs[name]); err != nil {
			return nil, err
		}
		s.static[name] = configs[name]
	}
	// A fresh Kafka 4.4 has eligible leader replicas enabled, and has therefore
	// set min.insync.replicas for the cluster (ConfigurationControlManager).
	s.cluster = map[string]string{"min.insync.replicas": s.value("min.insync.replicas")}
	s.compute()
	return s, nil
}

// checkStatic tells why Config.Configs may not hold a config.
func checkStatic(name, value string) error {
	def := findBrokerConfig(name)
	if def == nil {
		return fmt.Errorf("broker config %q: unknown; accepted are the broker configs of Kafka 4.4.0%s", name, didYouMean(name))
	}
	if why, ok := ownConfigs[name]; ok {
		return fmt.Errorf("broker config %q cannot be set: %s", name, why)
	}
	if err := def.check(value); err != nil {
		return fmt.Errorf("broker config %q: %w", name, err)
	}
	return nil
}

// didYouMean names the broker configs that are spelled most like name.
func didYouMean(name string) string {
	best, near := 4, []string(nil)
	for i := range brokerConfigs {
		switch d := editDistance(name, brokerConfigs[i].name, best); {
		case d < best:
			best, near = d, []string{brokerConfigs[i].name}
		case d == best && near != nil:
			near = append(near, brokerConfigs[i].name)
		}
	}
	if near == nil {
		return ", such as num.partitions"
	}
	return "; did you mean " + strings.Join(near, " or ") + "?"
}

// value is the effective value of a broker config; empty where it has none.
func (s *settings) value(name string) string {
	if v, ok := s.lookup(name); ok {
		return v
	}
	if def := findBrokerConfig(name); def != nil {
		return def.def
	}
	return ""
}

// internalConfigs are broker configs that Kafka takes and does not tell of.
var internalConfigs = configTable{
	{name: "log.initial.task.delay.ms", kind: kmsg.ConfigTypeLong, def: "30000", valid: "[0,...]", readOnly: true},
	{name: "producer.id.expiration.check.interval.ms", kind: kmsg.ConfigTypeInt, def: "600000", valid: "[1,...]", readOnly: true},
}

// findBrokerConfig returns the broker config called name, an internal one too, or nil.
func findBrokerConfig(name string) *configDef {
	if def := internalConfigs.find(name); def != nil {
		return def
	}
	return brokerConfigs.find(name)
}

// lookup is what is set for a broker config. What is set while running puts aside
// what was set below for the whole family (DynamicBrokerConfig.overrideProps).
func (s *settings) lookup(name string) (string, bool) {
	family := configFamily(name)
	for _, level := range [...]map[string]string{s.node, s.cluster} {
		for _, member := range family {
			if _, ok := level[member]; ok {
				v, ok := level[name]
				return v, ok
			}
		}
	}
	v, ok := s.static[name]
	return v, ok
}

// compute fills in the typed fields.
func (s *settings) compute() {
	s.numPartitions = int32(s.number("num.partitions"))
	s.defaultReplicationFactor = int16(s.number("default.replication.factor"))
	s.autoCreateTopics = s.truth("auto.create.topics.enable")
	s.deleteTopics = s.truth("delete.topic.enable")
	s.socketRequestMaxBytes = int(s.number("socket.request.max.bytes"))
	s.connectionsMaxIdle = s.duration("connections.max.idle.ms", time.Millisecond)
	s.connections = s.connectionLimits()
	s.fetchMaxBytes = int(s.number("fetch.max.bytes"))
	s.shareMaxSessions = int(s.number("group.share.max.share.sessions"))
	s.shareUpdatesPerSnapshot = int(s.number("share.coordinator.snapshot.update.records.per.snapshot"))
	s.fetchSessionSlots = int(s.number("max.incremental.fetch.session.cache.slots"))
	s.maxRequestPartitions = int(s.number("max.request.partition.size.limit"))
	s.producerIDExpiration = s.duration("producer.id.expiration.ms", time.Millisecond)
	s.offsetsTopicPartitions = int32(s.number("offsets.topic.num.partitions"))
	s.txnVerification = s.truth("transaction.partition.verification.enable")
	s.txnMaxTimeout = s.number("transaction.max.timeout.ms")
	s.txn = txncoord.Config{
		AbortInterval:  s.duration("transaction.abort.timed.out.transaction.cleanup.interval.ms", time.Millisecond),
		Expiration:     s.duration("transactional.id.expiration.ms", time.Millisecond),
		ExpiryInterval: s.duration("transaction.remove.expired.transaction.cleanup.interval.ms", time.Millisecond),
	}
	s.group = groupcoord.Config{
		MinSessionTimeout:             s.duration("group.min.session.timeout.ms", time.Millisecond),
		MaxSessionTimeout:             s.duration("group.max.session.timeout.ms", time.Millisecond),
		InitialRebalanceDelay:         s.duration("group.initial.rebalance.delay.ms", time.Millisecond),
		MaxSize:                       int(s.number("group.max.size")),
		MaxBatchSize:                  int(s.number("message.max.bytes")),
		ShareMaxSize:                  int(s.number("group.share.max.size")),
		ConsumerMaxSize:               int(s.number("group.consumer.max.size")),
		ConsumerAssignors:             splitConfigList(s.value("group.consumer.assignors")),
		ConsumerUpgrade:               s.migrates("upgrade"),
		ConsumerDowngrade:             s.migrates("downgrade"),
		OffsetMetadataMaxSize:         int(s.number("offset.metadata.max.bytes")),
		OffsetsRetention:              s.duration("offsets.retention.minutes", time.Minute),
		OffsetsRetentionCheckInterval: s.duration("offsets.retention.check.interval.ms", time.Millisecond),
	}
}

// number is a config of an integer kind. The values have been checked.
func (s *settings) number(name string) int64 {
	n, _ := strconv.ParseInt(javaTrim(s.value(name)), 10, 64)
	return n
}

func (s *settings) truth(name string) bool {
	return strings.EqualFold(javaTrim(s.value(name)), "true")
}

// duration is a config in units of unit, as far as a time.Duration reaches.
func (s *settings) duration(name string, unit time.Duration) time.Duration {
	const longest = int64(1<<63 - 1)
	n := s.number(name)
	if n > longest/int64(unit) {
		return time.Duration(longest)
	}
	return time.Duration(n) * unit
}

// partitionConfig is what the configs of a topic mean to its partitions.
func partitionConfig(configs map[string]string, s *settings) partitions.Config {
	number := func(name string) int64 {
		n, _ := strconv.ParseInt(javaTrim(s.topicValue(configs, name)), 10, 64)
		return n
	}
	policy := splitConfigList(s.topicValue(configs, "cleanup.policy"))
	compression, byBroker := topicCompression(configs, s)
	ratio, _ := strconv.ParseFloat(javaTrim(s.topicValue(configs, "min.cleanable.dirty.ratio")), 64)
	cfg := partitions.Config{
		Recompress:           byBroker,
		Compression:          compression,
		MaxDecompressed:      int(number("max.decompressed.message.bytes")),
		MaxMessageBytes:      int(number("max.message.bytes")),
		LogAppendTime:        javaTrim(s.topicValue(configs, "message.timestamp.type")) == "LogAppendTime",
		SegmentBytes:         number("segment.bytes"),
		SegmentMs:            number("segment.ms"),
		SegmentIndexBytes:    number("segment.index.bytes"),
		IndexIntervalBytes:   number("index.interval.bytes"),
		RetentionMs:          number("retention.ms"),
		RetentionBytes:       number("retention.bytes"),
		Deletes:              slices.Contains(policy, "delete"),
		TimestampBeforeMaxMs: number("message.timestamp.before.max.ms"),
		TimestampAfterMaxMs:  number("message.timestamp.after.max.ms"),
		Compacted:            slices.Contains(policy, "compact"),
		ProducerIDExpiration: s.producerIDExpiration,
		ProducerIDCheck:      s.duration("producer.id.expiration.check.interval.ms", time.Millisecond),
		MinCompactionLagMs:   number("min.compaction.lag.ms"),
		MaxCompactionLagMs:   number("max.compaction.lag.ms"),
		MinCleanableRatio:    ratio,
		DeleteRetentionMs:    number("delete.retention.ms"),
	}
	if cfg.Compacted { // so that all is cleaned in time (LogConfig.maxSegmentMs)
		cfg.SegmentMs = min(cfg.SegmentMs, cfg.MaxCompactionLagMs)
	}
	return cfg
}

// topicCompression is the codec that all batches of a topic are to have, and its level; ok is
// false where each keeps that of its producer.
func topicCompression(configs map[string]string, s *settings) (as protocol.Compression, ok bool) {
	name := javaTrim(s.topicValue(configs, "compression.type"))
	switch name {
	case "producer":
		return as, false
	case "uncompressed":
		return as, true
	}
	for as.Codec = protocol.CodecGzip; as.Codec.String() != name; as.Codec++ {
	}
	if level := "compression." + name + ".level"; as.Codec != protocol.CodecSnappy {
		as.Level, _ = strconv.Atoi(javaTrim(s.topicValue(configs, level)))
	}
	return as, true
}

// editDistance is the Levenshtein distance of a and b, or limit+1 where it is larger.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
