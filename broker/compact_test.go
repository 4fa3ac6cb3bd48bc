package broker

import (
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/groupcoord"
	"klamm/partitions"
	"klamm/protocol"
)

var compacted = []Topic{{Name: "t", Partitions: 1, Configs: map[string]string{"cleanup.policy": "compact", "segment.ms": "1000"}}}

// appendKeyed appends one record with a key to "t".
func appendKeyed(t *testing.T, c *Cluster, key string) {
	t.Helper()
	if _, err := c.Append(TopicPartition{Topic: "t"}, Record{Key: []byte(key), Value: []byte("v")}); err != nil {
		t.Fatal(err)
	}
}

// armed tells whether any look at logs is planned.
func armed(c *Cluster) bool {
	for _, l := range []*lookout{c.upkeep.retention, c.upkeep.cleaner} {
		if l == nil {
			continue
		}
		l.mu.Lock()
		planned := !l.armed.IsZero()
		l.mu.Unlock()
		if planned {
			return true
		}
	}
	return false
}

// There is a timer while something can be cleaned, and none before and after.
func TestIdleCleanerHasNoTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startTest(t, Config{Network: Memory, Topics: compacted})
		appendKeyed(t, c, "a")
		if armed(c) {
			t.Fatal("a look is planned for an active segment")
		}
		for range 2 {
			time.Sleep(2 * time.Second)
			appendKeyed(t, c, "a")
		}
		if !armed(c) {
			t.Fatal("no look is planned for a dirty segment")
		}
		time.Sleep(15 * time.Second)
		if armed(c) || records(c) != "1:a 2:a " {
			t.Fatalf("%s is left, a look is planned: %t", records(c), armed(c))
		}
	})
}

// records are offsets and keys of what is in "t".
func records(c *Cluster) (text string) {
	for offset := int64(0); ; {
		some, _ := c.Read(TopicPartition{Topic: "t"}, offset)
		if len(some) == 0 {
			return text
		}
		for _, r := range some {
			text += fmt.Sprintf("%d:%s ", r.Offset, r.Key)
			offset = r.Offset + 1
		}
	}
}

func TestCleanerCanBeOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startTest(t, Config{Network: Memory, Topics: compacted, Configs: map[string]string{"log.cleaner.enable": "false"}})
		for range 3 {
			appendKeyed(t, c, "a")
			time.Sleep(2 * time.Second)
		}
		if armed(c) {
			t.Fatal("a look is planned")
		}
	})
}

// A changed cleanup.policy counts for what is there, and so does a changed interval of the cleaner.
func TestPolicyAndBackoffCanChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		topic := []Topic{{Name: "t", Partitions: 1, Configs: map[string]string{"segment.ms": "1000"}}}
		c := startTest(t, Config{Network: Memory, Topics: topic})
		for range 3 {
			appendKeyed(t, c, "a")
			time.Sleep(2 * time.Second)
		}
		cn := &conn{cluster: c}
		alter(t, cn, kmsg.ConfigResourceTypeTopic, "t", "cleanup.policy", "compact")
		alter(t, cn, kmsg.ConfigResourceTypeBroker, "", "log.cleaner.backoff.ms", "100")
		time.Sleep(101 * time.Millisecond)
		if got := records(c); got != "1:a 2:a " {
			t.Fatalf("%s is left", got)
		}
		alter(t, cn, kmsg.ConfigResourceTypeTopic, "t", "cleanup.policy", "delete")
		alter(t, cn, kmsg.ConfigResourceTypeTopic, "t", "retention.ms", "1000")
		time.Sleep(time.Minute)
		if got := records(c); got != "" {
			t.Fatalf("%s is left", got)
		}
	})
}

// A group that is read again from a cleaned log is the one that it was.
func TestGroupsReloadFromCleanedLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := startTest(t, Config{Network: Memory, Topics: []Topic{{Name: "t", Partitions: 3}}, Configs: map[string]string{"offsets.topic.num.partitions": "1"}})
		tx := dialTxn(t, c)
		tx.name = "tx"
		if code := tx.init(); code != protocol.None {
			t.Fatal(code)
		}
		for i := range int64(20) {
			commitPlainly(tx.client, int32(1+i%2), i)
			if code := tx.commitOffset(i); code != protocol.None {
				t.Fatal(code)
			}
			if code := tx.end(i%3 > 0); code != protocol.None {
				t.Fatal(code)
			}
			time.Sleep(time.Second)
		}
		p := c.image.Load().byName.get(offsetsTopicName).partitions[0]
		g := c.groups.get("g")
		g.mu.Lock()
		live, size := offsetsOf(g.machine), sizeOf(p)
		g.mu.Unlock()
		for range 3 {
			if err := c.Compact(offsetsTopicName); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(live, offsetsOf(reload(t, p))); diff != "" {
				t.Fatal(diff)
			}
			time.Sleep(25 * time.Hour)
		}
		if left := sizeOf(p); left > size/5 {
			t.Fatalf("%d bytes are left of %d", left, size)
		}
	})
}

func sizeOf(p *partition) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Size()
}

func commitPlainly(cl *client, partition int32, offset int64) {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Version, req.Group, req.Generation = 8, "g", -1
	rt := kmsg.NewOffsetCommitRequestTopic()
	rt.Topic = "t"
	rp := kmsg.NewOffsetCommitRequestTopicPartition()
	rp.Partition, rp.Offset = partition, offset
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	cl.send(req)
	cl.receive(req)
}

func offsetsOf(g *groupcoord.Group) (text string) {
	for _, t := range g.FetchOffsets(time.Now(), kmsg.OffsetFetchRequestGroup{Group: "g"}, true).Topics {
		for _, p := range t.Partitions {
			text += fmt.Sprintf("%s-%d: %d %v\n", t.Topic, p.Partition, p.Offset, protocol.ErrorCode(p.ErrorCode))
		}
	}
	return text
}

// reload reads the group "g" as a coordinator does that has just got the partition.
func reload(t *testing.T, p *partition) *groupcoord.Group {
	g := groupcoord.New("g", groupcoord.Config{})
	var r partitions.Read
	for offset := int64(0); offset < p.log.LogEndOffset(); {
		p.log.Read(&r, partitions.From{Offset: offset, LastEpoch: -1, MaxBytes: math.MaxInt, MinOne: true})
		if len(r.Batches) == 0 {
			break // nothing is left up to the end
		}
		for _, part := range r.Batches {
			for len(part) > 0 {
				h, _ := protocol.ParseBatchHeader(part)
				records, rest, err := protocol.DecodeBatch(nil, part, nil)
				if err != nil {
					t.Fatal(err)
				}
				part, offset = rest, h.LastOffset()+1
				for _, r := range records {
					g.Apply(groupRecord(&h, &r))
				}
			}
		}
	}
	return g
}

func groupRecord(h *protocol.BatchHeader, r *protocol.Record) groupcoord.Record {
	g := groupcoord.Record{Key: r.Key, Value: r.Value, Offset: r.Offset, ProducerID: h.ProducerID, ProducerEpoch: h.ProducerEpoch}
	if h.Control() {
		_, kind, _ := protocol.ParseControlKey(r.Key)
		g.Outcome = outcomeOf(partitions.Marker{Commit: kind == protocol.ControlCommit})
	}
	return g
}
