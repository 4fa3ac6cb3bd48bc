package peers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// TestAdminTopics makes, describes, changes and deletes topics with kadm.
func TestAdminTopics(t *testing.T) {
	ctx, tg := newTarget(t)
	topic := tg.names("topic")
	retention := "60000"
	configs := map[string]*string{"retention.ms": &retention}

	_, err := tg.admin.ValidateCreateTopics(ctx, 3, 1, configs, topic)
	must(t, "validating the topic", err)
	if has, err := tg.admin.ListTopics(ctx, topic); err != nil || has.Has(topic) {
		t.Fatalf("validating made the topic (%v)", err)
	}
	_, err = tg.admin.CreateTopic(ctx, 3, 1, configs, topic)
	must(t, "creating the topic", err)
	_, err = tg.admin.CreateTopic(ctx, 3, 1, configs, topic)
	mustBe(t, "creating it again", err, kerr.TopicAlreadyExists)

	checkConfig(ctx, t, tg, topic, "retention.ms", "60000", "DYNAMIC_TOPIC_CONFIG")
	checkConfig(ctx, t, tg, topic, "cleanup.policy", "delete", "DEFAULT_CONFIG")
	policy := "compact,delete"
	altered, err := tg.admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{
		{Op: kadm.SetConfig, Name: "cleanup.policy", Value: &policy},
		{Op: kadm.DeleteConfig, Name: "retention.ms"},
	}, topic)
	must(t, "altering configs", errors.Join(err, altered[0].Err))
	checkConfig(ctx, t, tg, topic, "cleanup.policy", "compact,delete", "DYNAMIC_TOPIC_CONFIG")
	checkConfig(ctx, t, tg, topic, "retention.ms", "604800000", "DEFAULT_CONFIG")

	more, err := tg.admin.UpdatePartitions(ctx, 5, topic)
	must(t, "adding partitions", errors.Join(err, more.Error()))
	fewer, err := tg.admin.UpdatePartitions(ctx, 4, topic)
	must(t, "asking for fewer partitions", err)
	mustBe(t, "asking for fewer partitions", fewer[topic].Err, kerr.InvalidPartitions)
	tg.shows(ctx, t, func() error {
		has, err := tg.admin.ListTopics(ctx, topic)
		if n := len(has[topic].Partitions); err != nil || n != 5 {
			return fmt.Errorf("the topic has %d partitions (%v), want 5", n, err)
		}
		return nil
	})

	gone, err := tg.admin.DeleteTopics(ctx, topic)
	must(t, "deleting the topic", errors.Join(err, gone.Error()))
	gone, err = tg.admin.DeleteTopics(ctx, topic)
	must(t, "deleting it again", err)
	mustBe(t, "deleting it again", gone[topic].Err, kerr.UnknownTopicOrPartition)
}

// TestAdminRecords moves the start of a partition, and asks for offsets by every kind of time.
func TestAdminRecords(t *testing.T) {
	ctx, tg := newTarget(t)
	topic := tg.topic(ctx, t, 2)
	all := sampleRecords()
	must(t, "producing", kgoProduce(ctx, tg.endpoint, producerConfig{}, topic, all))
	checkOffset(ctx, t, tg.admin.ListStartOffsets, topic, 1, 0)
	checkOffset(ctx, t, tg.admin.ListEndOffsets, topic, 1, 30)
	checkOffset(ctx, t, tg.admin.ListEndOffsets, topic, 0, 0)
	checkOffset(ctx, t, tg.admin.ListMaxTimestampOffsets, topic, 1, 29)
	after := func(ctx context.Context, topics ...string) (kadm.ListedOffsets, error) {
		return tg.admin.ListOffsetsAfterMilli(ctx, all[11].Time.UnixMilli(), topics...)
	}
	checkOffset(ctx, t, after, topic, 1, 11)

	var to kadm.Offsets
	to.AddOffset(topic, 1, 12, -1)
	deleted, err := tg.admin.DeleteRecords(ctx, to)
	must(t, "deleting records", errors.Join(err, deleted.Error()))
	if low := deleted[topic][1].LowWatermark; low != 12 {
		t.Errorf("the low watermark is %d, want 12", low)
	}
	checkOffset(ctx, t, tg.admin.ListStartOffsets, topic, 1, 12)
	checkRead(ctx, t, tg, kgoDriver(), topic, start{offset: 12}, all[12:])

	var beyond kadm.Offsets
	beyond.AddOffset(topic, 1, 31, -1)
	deleted, err = tg.admin.DeleteRecords(ctx, beyond)
	must(t, "deleting beyond the end", err)
	mustBe(t, "deleting beyond the end", deleted[topic][1].Err, kerr.OffsetOutOfRange)
}

// TestAdminGroups looks at a group with kadm while it lives and after, and deletes it.
func TestAdminGroups(t *testing.T) {
	ctx, tg := newTarget(t)
	topic := tg.topic(ctx, t, 4)
	g := newGroup(tg, kgoDriver(), "range", topic, 4)
	id := g.ledger.group
	g.join(t, "A", "")
	g.join(t, "B", "")
	g.await(ctx, t, "two members with two partitions each", balanced(2, 2))
	g.produce(ctx, t, 0, 10)
	g.await(ctx, t, "10 records of each partition", readTo(10))
	g.commit(ctx, t, []int64{10, 5, 10, 10})

	listed, err := tg.admin.ListGroups(ctx, "Stable")
	must(t, "listing groups", err)
	if l := listed[id]; l.State != "Stable" || l.ProtocolType != "consumer" {
		t.Errorf("listed as %+v", l)
	}
	described, err := tg.admin.DescribeGroups(ctx, id)
	must(t, "describing the group", errors.Join(err, described[id].Err))
	d := described[id]
	if d.State != "Stable" || d.Protocol != "range" || len(d.Members) != 2 {
		t.Errorf("described as %+v", d)
	}
	if ps := slices.Sorted(maps.Keys(d.AssignedPartitions()[topic])); !slices.Equal(ps, []int32{0, 1, 2, 3}) {
		t.Errorf("assigned partitions %v", ps)
	}
	lags, err := tg.admin.Lag(ctx, id)
	lag := lags[id]
	must(t, "asking for the lag", errors.Join(err, lag.Error()))
	if total := lag.Lag.Total(); total != 5 {
		t.Errorf("the lag is %d, want 5", total)
	}

	var some kadm.TopicsSet
	some.Add(topic, 0)
	refused, err := tg.admin.DeleteOffsets(ctx, id, some)
	must(t, "deleting an offset of a subscribed topic", err)
	mustBe(t, "deleting an offset of a subscribed topic", refused[topic][0], kerr.GroupSubscribedToTopic)
	_, err = tg.admin.DeleteGroup(ctx, id)
	mustBe(t, "deleting a group with members", err, kerr.NonEmptyGroup)

	g.close("A")
	g.close("B")
	emptyGroup(ctx, t, g, topic)
}

// emptyGroup looks at a group that everybody has left.
func emptyGroup(ctx context.Context, t *testing.T, g *group, topic string) {
	id, admin := g.ledger.group, g.admin
	described, err := admin.DescribeGroups(ctx, id)
	must(t, "describing the empty group", err)
	if d := described[id]; d.State != "Empty" || len(d.Members) != 0 {
		t.Errorf("described as %+v", d)
	}
	var some kadm.TopicsSet
	some.Add(topic, 0)
	deleted, err := admin.DeleteOffsets(ctx, id, some)
	must(t, "deleting an offset", errors.Join(err, deleted.Error()))
	has, err := admin.FetchOffsets(ctx, id)
	must(t, "fetching offsets", err)
	if _, there := has.Lookup(topic, 0); there {
		t.Error("the deleted offset is still there")
	}
	if at, there := has.Lookup(topic, 1); !there || at.At != 5 {
		t.Errorf("the offset of partition 1 is %v, want 5", at)
	}

	var back kadm.Offsets // a reset, as an operator does it
	back.AddOffset(topic, 1, 2, -1)
	must(t, "committing without members", admin.CommitAllOffsets(ctx, id, back))
	g.checkCommitted(ctx, t, []int64{-1, 2, 10, 10})

	_, err = admin.DeleteGroup(ctx, id)
	must(t, "deleting the group", err)
	_, err = admin.DeleteGroup(ctx, id)
	mustBe(t, "deleting it again", err, kerr.GroupIDNotFound)
}

func must(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func mustBe(t *testing.T, what string, err error, want *kerr.Error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// shows fails the test unless the broker shows what it should. A broker of Kafka
// learns of a change a moment after the controller has answered, and no event tells
// when: a live one is asked again until the scenario's time is up.
func (tg *target) shows(ctx context.Context, t *testing.T, look func() error) {
	t.Helper()
	err := look()
	for tg.live && err != nil && ctx.Err() == nil {
		err = look()
	}
	if err != nil {
		t.Error(err)
	}
}

// checkConfig fails the test unless a topic has this config, from this source.
func checkConfig(ctx context.Context, t *testing.T, tg *target, topic, name, value, source string) {
	t.Helper()
	tg.shows(ctx, t, func() error {
		described, err := tg.admin.DescribeTopicConfigs(ctx, topic)
		if err != nil {
			return err
		}
		for _, c := range described[0].Configs {
			switch {
			case c.Key != name:
			case c.MaybeValue() != value || c.Source.String() != source:
				return fmt.Errorf("%s is %q from %v, want %q from %s", name, c.MaybeValue(), c.Source, value, source)
			default:
				return nil
			}
		}
		return fmt.Errorf("the topic has no config %s", name)
	})
}

func checkOffset(ctx context.Context, t *testing.T, list func(context.Context, ...string) (kadm.ListedOffsets, error), topic string, partition int32, want int64) {
	t.Helper()
	listed, err := list(ctx, topic)
	must(t, "listing offsets", errors.Join(err, listed.Error()))
	if got, _ := listed.Lookup(topic, partition); got.Offset != want {
		t.Errorf("offset %d of partition %d, want %d", got.Offset, partition, want)
	}
}
