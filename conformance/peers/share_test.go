package peers

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/kafkatest"
)

// sharing starts a broker with some records, and makes members of a share group that
// reads them from the first one on.
func sharing(t *testing.T, partitions int32, records int) (member func() *kgo.Client) {
	k := kafkatest.Start(t, kafkatest.Config{
		Network: kafkatest.Memory, Topics: []kafkatest.Topic{{Name: "jobs", Partitions: partitions}},
	})
	admin, err := kgo.NewClient(kgo.SeedBrokers(k.Addr()), kgo.Dialer(k.Dial))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	setGroupConfig(t, admin, "workers", "share.auto.offset.reset", "earliest")
	for i := range records {
		k.Produce("jobs", int32(i)%partitions, kafkatest.Values(fmt.Sprint("job ", i))...)
	}
	return func() *kgo.Client {
		client, err := kgo.NewClient(kgo.SeedBrokers(k.Addr()), kgo.Dialer(k.Dial), kgo.ShareGroup("workers"), kgo.ConsumeTopics("jobs"))
		if err != nil {
			t.Fatal(err)
		}
		return client
	}
}

// setGroupConfig sets a config of a group.
func setGroupConfig(t *testing.T, client *kgo.Client, group, name, value string) {
	t.Helper()
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	r := kmsg.NewIncrementalAlterConfigsRequestResource()
	r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeGroupConfig, group
	r.Configs = []kmsg.IncrementalAlterConfigsRequestResourceConfig{{Name: name, Value: &value}}
	req.Resources = append(req.Resources, r)
	resp, err := req.RequestWith(t.Context(), client)
	if err != nil || resp.Resources[0].ErrorCode != 0 {
		t.Fatalf("%s=%s: %v, %v", name, value, resp, err)
	}
}

// TestShareGroup has members of a share group divide the records of one partition among
// them: each record is done once.
func TestShareGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const members, records = 3, 300
		member := sharing(t, 2, records)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var mu sync.Mutex
		done := map[string]int{}
		var running sync.WaitGroup
		for range members {
			client := member()
			running.Go(func() {
				defer client.Close()
				for ctx.Err() == nil {
					client.PollRecords(ctx, 10).EachRecord(func(r *kgo.Record) {
						r.Ack(kgo.AckAccept)
						mu.Lock()
						defer mu.Unlock()
						if done[string(r.Value)]++; len(done) == records {
							cancel()
						}
					})
				}
			})
		}
		running.Wait()
		for job, times := range done {
			if times != 1 {
				t.Errorf("%s was done %d times", job, times)
			}
		}
	})
}

// TestShareGroupReleases: a record that is released comes again, with a higher delivery
// count, and one that is rejected does not.
func TestShareGroupReleases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := sharing(t, 1, 2)()
		defer client.Close()
		var log []string
		for len(log) < 4 {
			client.PollRecords(t.Context(), 10).EachRecord(func(r *kgo.Record) {
				log = append(log, fmt.Sprintf("%s for the %d. time", r.Value, r.DeliveryCount()))
				switch {
				case r.Offset == 0:
					r.Ack(kgo.AckReject)
				case r.DeliveryCount() < 3:
					r.Ack(kgo.AckRelease)
				}
			})
		}
		want := "[job 0 for the 1. time job 1 for the 1. time job 1 for the 2. time job 1 for the 3. time]"
		if got := fmt.Sprint(log); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	})
}
