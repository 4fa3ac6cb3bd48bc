package conformance

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// groupTheme are members that come, stay and go, as they should and otherwise.
func (d *drawing) groupTheme() []func() {
	return []func(){
		d.enter, d.enter, d.enter, d.rejoin, d.rejoinAll, d.rejoinAll, d.syncAll, d.syncAll, d.round, d.round, d.round, d.one(kmsg.SyncGroup),
		d.one(kmsg.JoinGroup), d.beat, d.beat, d.leave, d.one(kmsg.DescribeGroups), d.one(kmsg.DescribeGroups), d.one(kmsg.ListGroups),
		d.one(kmsg.DeleteGroups), d.one(kmsg.OffsetCommit), d.one(kmsg.OffsetFetch), d.one(kmsg.OffsetDelete), d.one(kmsg.FindCoordinator),
		d.closes,
	}
}

// offsetTheme are offsets that are committed, fetched and deleted.
func (d *drawing) offsetTheme() []func() {
	return []func(){
		d.one(kmsg.OffsetCommit), d.one(kmsg.OffsetCommit), d.simpleCommit, d.simpleCommit, d.simpleCommit, d.one(kmsg.OffsetFetch), d.one(kmsg.OffsetFetch),
		d.one(kmsg.OffsetFetch), d.one(kmsg.OffsetDelete), d.one(kmsg.DescribeGroups), d.one(kmsg.DeleteGroups), d.one(kmsg.ListGroups), d.round,
		d.one(kmsg.DeleteTopics), d.one(kmsg.CreatePartitions),
	}
}

// logTheme is what is written to and read from partitions.
func (d *drawing) logTheme() []func() {
	return []func(){
		d.write, d.write, d.write, d.write, d.write, d.idempotent, d.idempotent, d.read, d.read, d.session, d.session, d.one(kmsg.ListOffsets), d.one(kmsg.ListOffsets),
		d.one(kmsg.DeleteRecords), d.one(kmsg.OffsetForLeaderEpoch), d.one(kmsg.InitProducerID), d.one(kmsg.Metadata), d.one(kmsg.CreatePartitions),
		d.one(kmsg.DeleteTopics), d.createTopic,
	}
}

// topicTheme is about topics that come, grow and go.
func (d *drawing) topicTheme() []func() {
	return []func(){
		d.createTopic, d.createTopic, d.one(kmsg.CreateTopics), d.one(kmsg.CreatePartitions), d.one(kmsg.DeleteTopics), d.one(kmsg.Metadata), d.one(kmsg.Metadata), d.one(kmsg.DescribeTopicPartitions),
		d.write,
	}
}

// one draws a request of an API.
func (d *drawing) one(key kmsg.Key) func() { return func() { d.send(key, -1) } }

func (d *drawing) closes() {
	if d.chance(20) {
		d.script.Steps = append(d.script.Steps, Step{On: d.actor, Closes: true})
	}
}

// enter is the two joins of a new member, or one of an old version.
func (d *drawing) enter() {
	version := int16(4 + d.IntN(6))
	if d.chance(25) {
		version = int16(d.IntN(4))
	}
	instance := any(nil)
	if d.static[d.actor] && version >= 5 {
		instance = "i-" + d.actor
	}
	d.join(d.actor)
	protocols := []any{map[string]any{"Name": "range", "Metadata": pick[any](d, "m", map[string]any{"Topics": []any{"$t1"}})}}
	if d.chance(30) {
		protocols = append(protocols, map[string]any{"Name": pick(d, "sticky", "cooperative"), "Metadata": "s"})
	}
	given := []any{"MemberID", "", "SessionTimeoutMillis", int64(60_000), "ProtocolType", "consumer", "Protocols", protocols, "InstanceID", instance}
	d.send(kmsg.JoinGroup, version, given...)
	if version >= 4 && instance == nil {
		given[1] = d.member()
		d.send(kmsg.JoinGroup, version, given...)
	}
}

func (d *drawing) rejoin() {
	d.send(kmsg.JoinGroup, -1, "MemberID", d.member(), "SessionTimeoutMillis", int64(60_000), "ProtocolType", "consumer",
		"Protocols", []any{map[string]any{"Name": "range", "Metadata": pick(d, any("m"), "n")}})
}

// each does something as each member of the group.
func (d *drawing) each(members []string, do func()) {
	was := d.actor
	for _, m := range members {
		d.actor = m
		do()
	}
	d.actor = was
}

func (d *drawing) rejoinAll() { d.each(d.members(), d.rejoin) }

// syncAll has every member sync; what those who do not lead assign is not looked at.
func (d *drawing) syncAll() {
	members := slices.Clone(d.members())
	d.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	d.each(members, func() {
		var assignments []any
		for _, m := range members {
			assignments = append(assignments, map[string]any{"MemberID": "$member@" + d.group + "." + m, "MemberAssignment": "for " + m})
		}
		d.send(kmsg.SyncGroup, -1, "MemberID", d.member(), "Generation", "$generation@"+d.group, "ProtocolType", "consumer", "Protocol", "range",
			"GroupAssignment", assignments)
	})
}

// round is a whole rebalance: some enter, all join, all sync.
func (d *drawing) round() {
	for range 1 + d.IntN(2) {
		d.actor = pick(d, actors...)
		d.enter()
	}
	d.rejoinAll()
	d.syncAll()
	if d.chance(50) {
		d.send(kmsg.DescribeGroups, -1, "Groups", []any{"$" + d.group})
	}
}

func (d *drawing) beat() {
	d.send(kmsg.Heartbeat, -1, "MemberID", d.member(), "Generation", "$generation@"+d.group)
}

func (d *drawing) leave() {
	members := []any{map[string]any{"MemberID": d.member()}}
	if d.static[d.actor] {
		members = []any{map[string]any{"MemberID": pick(d, d.member(), ""), "InstanceID": "i-" + d.actor}}
	}
	if d.chance(20) {
		d.send(kmsg.LeaveGroup, -1)
		return
	}
	d.send(kmsg.LeaveGroup, -1, "MemberID", d.member(), "Members", members)
}

func (d *drawing) simpleCommit() {
	d.send(kmsg.OffsetCommit, -1, "MemberID", "", "Generation", int64(-1), "InstanceID", nil)
}

// write produces, mostly one good batch.
func (d *drawing) write() {
	d.send(kmsg.Produce, -1, "Topics", d.list(func() any {
		topic := d.topicName("Produce.Topics")
		return map[string]any{"Topic": topic, "TopicID": idOf(topic), "Partitions": d.list(func() any {
			return map[string]any{"Partition": pick(d, int64(0), 0, 0, 0, 1, 1, 2, -1), "Records": d.batches(nil)}
		})}
	}))
}

// batches are mostly one.
func (d *drawing) batches(header map[string]any) any {
	if d.chance(d.odd) {
		// Null is left out: Kafka never answers it.
		return pick[any](d, []any{}, "x", "this is not a batch, but it has more bytes than the header of one has")
	}
	first := d.batch(header)
	l := []any{first}
	// Behind a batch of the wrong length another one is read with its bytes shifted, and
	// times of now can no longer be told from other numbers.
	if first["Cut"] == nil && first["Length"] == nil && d.chance(d.odd) {
		l = append(l, d.batch(header))
	}
	return l
}

func (d *drawing) batch(header map[string]any) map[string]any {
	b := map[string]any{"Values": pick(d, []any{"a"}, []any{"a"}, []any{"b", "c"}, []any{"d", nil, "e"}), "Codec": pick(d, int64(0), 0, 0, 0, 1, 2, 3, 4)}
	if d.chance(40) {
		b["Keys"] = []any{"k", "l", "m"}
	}
	if d.chance(15) {
		b["SinceNow"] = pick(d, int64(0), 0, -1000, 3_500_000, 3_700_000, -86_300_000)
	}
	for name, value := range header {
		b[name] = value
	}
	if d.chance(2 * d.odd) {
		name := pick(d, "FirstOffset", "Length", "PartitionLeaderEpoch", "Magic", "CRC", "Attributes", "LastOffsetDelta", "FirstTimestamp", "MaxTimestamp",
			"ProducerID", "ProducerEpoch", "FirstSequence", "NumRecords", "Cut", "Codec")
		b[name] = pick(d, int64(-1), 0, 1, 2, 5, 16, 32, -2)
		if name == "Attributes" { // but for those of transactions
			b[name] = pick(d, int64(0), 1, 4, 7, 8, 64)
		}
		if name == "Length" || name == "Cut" || name == "Codec" {
			b[name] = pick(d, int64(1), 5, 49, 50, 60)
		}
	}
	return b
}

// idempotent writes as a producer with an id, mostly in sequence.
func (d *drawing) idempotent() {
	d.actor = pick(d, "m1", "m1", "m2")
	if d.chance(40) {
		d.send(kmsg.InitProducerID, -1, "ProducerID", int64(-1), "ProducerEpoch", int64(-1))
	}
	for n := range 1 + d.IntN(3) {
		header := map[string]any{"ProducerID": "$producer@" + d.actor, "ProducerEpoch": pick[any](d, "$epoch@"+d.actor, "$epoch@"+d.actor, "$epoch@"+d.actor, int64(0), int64(1), int64(-1)),
			"FirstSequence": pick(d, int64(n), int64(n), int64(n), 0, 1, 2, 3, 5, -1), "Values": []any{"i"}, "SinceNow": int64(0)}
		topic := "$" + d.topic
		d.send(kmsg.Produce, -1, "Acks", int64(-1), "Topics", []any{map[string]any{"Topic": topic, "TopicID": idOf(topic),
			"Partitions": []any{map[string]any{"Partition": int64(0), "Records": d.batches(header)}}}})
	}
}

// read fetches without a session.
func (d *drawing) read() { d.send(kmsg.Fetch, -1, "SessionID", int64(0), "SessionEpoch", int64(-1)) }

// session opens a fetch session or goes on with one.
func (d *drawing) session() {
	switch d.IntN(4) {
	case 0:
		d.send(kmsg.Fetch, -1, "SessionID", int64(0), "SessionEpoch", int64(0))
	case 1:
		d.send(kmsg.Fetch, -1)
	case 2:
		d.send(kmsg.Fetch, -1, "Topics", []any{})
	default:
		d.send(kmsg.Fetch, -1, "Topics", []any{}, "ForgottenTopics", []any{})
	}
}

// createTopic is a good request for one topic.
func (d *drawing) createTopic() {
	d.send(kmsg.CreateTopics, -1, "Topics", []any{map[string]any{"Topic": "$" + pick(d, "t3", "t4"), "NumPartitions": pick(d, int64(1), 2, 3), "ReplicationFactor": int64(1),
		"Configs": []any{map[string]any{"Name": "retention.ms", "Value": "-1"}}}}, "ValidateOnly", false)
}
