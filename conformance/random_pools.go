package conformance

import (
	"reflect"
	"slices"
	"strings"
)

// topicName draws the topic of a struct; path tells which.
func (d *drawing) topicName(path string) any {
	if d.chance(d.odd) {
		odd := []any{"", "$nowhere", "bad name!", "..", "$" + strings.Repeat("x", 240), "$long@250", "$t1.x", "$t1_x"}
		if api, _, _ := strings.Cut(path, "."); slices.Contains([]string{"Produce", "CreateTopics", "DeleteRecords"}, api) {
			odd = append(odd, "__consumer_offsets")
		}
		return pick(d, odd...)
	}
	if d.chance(75) {
		return "$" + d.topic
	}
	return "$" + pick(d, topics...)
}

// pool is what a field is drawn from, by its name and sometimes its path; empty is its
// default.
func (d *drawing) pool(path, name string, t reflect.Type) []any {
	if from, ok := pools[path+"."+name]; ok {
		return from
	}
	switch name {
	case "Group":
		g := "$" + d.group
		if path == "OffsetCommit" { // the group without a name is there for all
			return []any{g, g, g, g, g, g, g, g, "$an odd group"}
		}
		return []any{g, g, g, g, g, g, g, g, g, g, g, g, g, g, g, g, "$an odd group", ""}
	case "Groups":
		if t.Elem().Kind() == reflect.String {
			return []any{"$g", "$g", "$h", "$nowhere", "$an odd group", ""}
		}
	case "CoordinatorKey", "CoordinatorKeys":
		return []any{"$g", "$h", "$" + d.actor, ""}
	case "MemberID":
		return []any{d.member(), d.member(), d.member(), d.member(), "$member@" + d.group + "." + pick(d, actors...), "", "nobody"}
	case "Generation":
		g := "$generation@" + d.group
		return []any{g, g, g, g, g, g, g, g + "+1", g + "-1", int64(-1), int64(0)}
	case "InstanceID":
		return d.instancePool()
	case "Metadata":
		if (path == "OffsetCommit.Topics.Partitions" || path == "TxnOffsetCommit.Topics.Partitions") && d.long {
			return []any{"", "$long@4097", "$long@4096"}
		}
	case "SessionID":
		return []any{"$session@" + d.actor}
	case "SessionEpoch":
		return []any{"$turn@" + d.actor, "$turn@" + d.actor, "$turn@" + d.actor, "$turn@" + d.actor + "+1", int64(0)}
	case "Partitions", "Partition":
		if t.Kind() != reflect.Slice || t.Elem().Kind() != reflect.Struct {
			return []any{int64(0), int64(0), int64(0), int64(0), int64(0), int64(1), int64(1), int64(2), int64(7), int64(-1)}
		}
	case "Users", "Upsertions", "Deletions", "Components", "Entity":
		return nil
	case "ResourceName":
		return []any{"$" + pick(d, topics...)}
	case "ConfigNames":
		return []any{"retention.ms", "cleanup.policy", "max.message.bytes", "no.such", "consumer.session.timeout.ms", "metrics"}
	case "ProducerID":
		return []any{"$producer@" + d.actor, int64(-1)}
	case "Records":
		return nil
	}
	return pools[name]
}

func (d *drawing) member() any { return "$member@" + d.group + "." + d.actor }

func (d *drawing) instancePool() []any {
	if d.static[d.actor] {
		return []any{"i-" + d.actor, "i-" + d.actor, "i-" + d.actor, "i-" + d.actor, "i-" + d.actor, "i-" + d.actor, "i-" + pick(d, actors...), nil}
	}
	return []any{nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, "i-" + pick(d, actors...)}
}

// pools are what fields are drawn from, by path or by name. A value that stands there
// several times is drawn as often; a field without values has its default.
var pools = map[string][]any{
	"TimeoutMillis":          {int64(10_000)},
	"ReplicaID":              {int64(-1), int64(-1), int64(-1), int64(-1), int64(-2), int64(0), int64(1), int64(5)},
	"IsolationLevel":         {int64(0), int64(0), int64(0), int64(1), int64(1)},
	"CurrentLeaderEpoch":     {int64(-1), int64(-1), int64(-1), int64(0), int64(0), int64(1), int64(-2)},
	"LeaderEpoch":            {int64(-1), int64(0), int64(0), int64(1), int64(5), int64(-2)},
	"Reason":                 {nil, "so it is", ""},
	"ProtocolType":           {"consumer", "consumer", "consumer", "consumer", "consumer", "consumer", "consumer", "connect", ""},
	"SessionTimeoutMillis":   {int64(60_000), int64(60_000), int64(60_000), int64(60_000), int64(60_000), int64(300_000), int64(1_800_000), int64(5_999), int64(1_800_001), int64(0), int64(-1)},
	"RebalanceTimeoutMillis": {int64(60_000), int64(300_000)},
	"ValidateOnly":           {false, false, false, true},

	"Produce.TransactionID":                      {nil},
	"Produce.Acks":                               {int64(-1), int64(-1), int64(-1), int64(-1), int64(1), int64(1), int64(0), int64(2), int64(-2)},
	"Produce.TimeoutMillis":                      {int64(10_000), int64(0), int64(-1)},
	"Fetch.ClusterID":                            {nil},
	"Fetch.ReplicaID":                            {int64(-1)},
	"Fetch.MaxWaitMillis":                        {int64(0), int64(0), int64(0), int64(0), int64(20), int64(-1)},
	"Fetch.MinBytes":                             {int64(0), int64(0), int64(1), int64(1), int64(1000), int64(-1)},
	"Fetch.MaxBytes":                             {int64(52_428_800), int64(52_428_800), int64(52_428_800), int64(52_428_800), int64(1), int64(0), int64(100), int64(150), int64(-1)},
	"Fetch.Rack":                                 {""},
	"Fetch.Topics.Partitions.Partition":          {int64(0), int64(0), int64(0), int64(0), int64(1), int64(1), int64(2), int64(7), int64(-1)},
	"Fetch.Topics.Partitions.FetchOffset":        {int64(0), int64(0), int64(0), int64(0), int64(1), int64(1), int64(2), int64(3), int64(4), int64(6), int64(100), int64(-1)},
	"Fetch.Topics.Partitions.LastFetchedEpoch":   {int64(-1), int64(-1), int64(-1), int64(0), int64(0), int64(1)},
	"Fetch.Topics.Partitions.LogStartOffset":     {int64(-1), int64(-1), int64(-1), int64(0), int64(5)},
	"Fetch.Topics.Partitions.PartitionMaxBytes":  {int64(1_048_576), int64(1_048_576), int64(1_048_576), int64(1), int64(0), int64(100), int64(150), int64(-1)},
	"Fetch.Topics.Partitions.HighWatermark":      {int64(9_223_372_036_854_775_807), int64(0)},
	"ListOffsets.Topics.Partitions.Timestamp":    {int64(-1), int64(-1), int64(-2), int64(-2), int64(-3), int64(-4), int64(-5), int64(-6), int64(-7), int64(0), int64(baseTime), int64(baseTime + 1), int64(baseTime + 2), int64(baseTime + 100)},
	"ListOffsets.ReplicaID":                      {int64(-1), int64(-1), int64(-1), int64(-1), int64(-2), int64(0), int64(1)},
	"OffsetCommit.RetentionTimeMillis":           {int64(-1), int64(-1), int64(0), int64(60_000)},
	"OffsetCommit.Topics.Partitions.Offset":      {int64(0), int64(1), int64(2), int64(3), int64(100), int64(-1), int64(-2)},
	"OffsetCommit.Topics.Partitions.Metadata":    {nil, "", "done"},
	"OffsetFetch.RequireStable":                  {false, true},
	"OffsetFetch.Groups.MemberID":                {nil, nil, "nobody"},
	"OffsetFetch.Groups.MemberEpoch":             {int64(-1), int64(-1), int64(0), int64(1)},
	"FindCoordinator.CoordinatorType":            {int64(0), int64(0), int64(0), int64(0), int64(3), int64(-1)},
	"JoinGroup.Protocols.Name":                   {"range", "range", "range", "sticky", "cooperative", ""},
	"JoinGroup.Protocols.Metadata":               {"", "m", map[string]any{"Topics": []any{"$t1"}}, map[string]any{"Topics": []any{"$t1", "$t2"}}, map[string]any{"Topics": []any{}}},
	"SyncGroup.Protocol":                         {"range", "range", "range", "range", "sticky", nil, ""},
	"SyncGroup.GroupAssignment.MemberAssignment": {"", "all", "some"},
	"ListGroups.StatesFilter":                    {"Stable", "stable", "Empty", "PreparingRebalance", "CompletingRebalance", "Dead", "Odd", ""},
	"ListGroups.TypesFilter":                     {"classic", "Classic", "consumer", "share", "odd", ""},
	"ApiVersions.ClientSoftwareName":             {"klamm", "a.b-c", "", "-", "a b"},
	"ApiVersions.ClientSoftwareVersion":          {"1", "1.0-a", "", "1.", "ä"},
	"ApiVersions.ClusterID":                      {nil},
	"ApiVersions.NodeID":                         {int64(-1)},
	"CreateTopics.Topics.NumPartitions":          {int64(1), int64(1), int64(2), int64(3), int64(-1), int64(0), int64(-2)},
	"CreateTopics.Topics.ReplicationFactor":      {int64(1), int64(1), int64(1), int64(1), int64(-1), int64(0), int64(2), int64(-2)},
	"CreateTopics.Topics.ReplicaAssignment":      {},
	"CreatePartitions.Topics.Count":              {int64(2), int64(3), int64(4), int64(1), int64(0), int64(-1)},
	"DeleteTopics.TopicNames":                    {"$t1", "$t2", "$t3", "$t4", "$nowhere", ""},
	"TxnOffsetCommit.Topics.Partitions.Offset":   {int64(0), int64(1), int64(2), int64(3), int64(100), int64(-1), int64(-2)},
	"TxnOffsetCommit.Topics.Partitions.Metadata": {nil, "", "done"},
	"DeleteRecords.Topics.Partitions.Offset":     {int64(0), int64(1), int64(1), int64(2), int64(-1), int64(3), int64(100), int64(-2)},
	"InitProducerID.TransactionalID":             {nil},
	"InitProducerID.TransactionTimeoutMillis":    {int64(60_000), int64(0), int64(-1)},
	"InitProducerID.ProducerID":                  {int64(-1), int64(-1), int64(-1), "$producer@m1", int64(0)},
	"InitProducerID.ProducerEpoch":               {int64(-1), int64(-1), int64(0), int64(1)},
	// Smaller pages could be full of what others have on the same target.
	"DescribeTopicPartitions.ResponsePartitionLimit": {int64(2000), int64(1000), int64(0), int64(-1)},

	"CreateTopics.Topics.Configs.Name":                     {"retention.ms", "cleanup.policy", "segment.bytes", "no.such"},
	"CreateTopics.Topics.Configs.Value":                    {"-1", "compact", "1048576", "x", nil},
	"CreatePartitions.Topics.Assignment.Replicas":          {int64(1), int64(1), int64(1), int64(2)},
	"ListConfigResources.ResourceTypes":                    {int64(2), int64(16), int64(32), int64(4), int64(8), int64(0), int64(1), int64(77)},
	"AlterReplicaLogDirs.Dirs.Dir":                         {"/nowhere", "nowhere", ""},
	"ElectLeaders.ElectionType":                            {int64(0), int64(0), int64(1), int64(2), int64(-1)},
	"AlterPartitionAssignments.Topics.Partitions.Replicas": {int64(1), int64(1), int64(1), int64(2), int64(-1)},
	"DescribeClientQuotas.Components.EntityType":           {"user", "user", "client-id", "client-id", "ip", "odd", ""},
	"DescribeClientQuotas.Components.MatchType":            {int64(0), int64(0), int64(1), int64(2), int64(3), int64(-1)},
	"DescribeClientQuotas.Components.Match":                {"$u1", "$u1", "$u2", nil, ""},
	"AlterClientQuotas.Entries.Entity.Type":                {"user", "user", "user", "client-id", "client-id", "odd"},
	"AlterClientQuotas.Entries.Entity.Name":                {"$u1", "$u1", "$u2"},
	"AlterClientQuotas.Entries.Ops.Key":                    {"consumer_byte_rate", "producer_byte_rate", "request_percentage", "controller_mutation_rate", "connection_creation_rate", "odd", ""},
	"AlterClientQuotas.Entries.Ops.Value":                  {1000.0, 0.0, -1.0, 1.5, 1e300},
	"DescribeUserSCRAMCredentials.Users.Name":              {"$u1", "$u1", "$u2", ""},
	"AlterUserSCRAMCredentials.Deletions.Name":             {"$u1", "$u2", ""},
	"AlterUserSCRAMCredentials.Deletions.Mechanism":        {int64(1), int64(1), int64(2), int64(0), int64(3)},
	"AlterUserSCRAMCredentials.Upsertions.Name":            {"$u1", "$u1", "$u1", "$u2", ""},
	"AlterUserSCRAMCredentials.Upsertions.Mechanism":       {int64(1), int64(1), int64(1), int64(2), int64(0), int64(3)},
	"AlterUserSCRAMCredentials.Upsertions.Iterations":      {int64(4096), int64(4096), int64(8192), int64(16384), int64(4095), int64(16385), int64(-1)},
	"AlterUserSCRAMCredentials.Upsertions.Salt":            {"salt", ""},
	"AlterUserSCRAMCredentials.Upsertions.SaltedPassword":  {"password", "pass"},
	"DescribeQuorum.Topics.Topic":                          {"__cluster_metadata"},
	"UpdateFeatures.FeatureUpdates.Feature":                {"metadata.version", "metadata.version", "kraft.version", "odd", ""},
	"UpdateFeatures.FeatureUpdates.MaxVersionLevel":        {int64(0), int64(1), int64(2), int64(33), int64(99), int64(-1)},
	"UpdateFeatures.FeatureUpdates.UpgradeType":            {int64(1), int64(1), int64(2), int64(3), int64(0), int64(4)},
	"DescribeCluster.EndpointType":                         {int64(1), int64(1), int64(1), int64(2), int64(0), int64(3)},
	"UnregisterBroker.BrokerID":                            {int64(2), int64(99), int64(-1), int64(0)},
	"DescribeTopicPartitions.Cursor.Topic":                 {"$t1", "$t2", "$nowhere", ""},
	"DescribeTopicPartitions.Cursor.Partition":             {int64(0), int64(1), int64(-1), int64(7)},
}
