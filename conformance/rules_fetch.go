package conformance

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func fetchRules() []Rule {
	return []Rule{
		must("fetch.every-version", "Every version of Fetch reads a batch, by topic id from v13 on.", "FetchRequest", func(c *Conversation) {
			t := filled(c, 1, "a", "b")
			for v := int16(4); v <= 18; v++ {
				get(c.Conn("a"), fetch(v, t, 0, 0))
			}
		}),
		must("fetch.empty", "An empty partition, and the end of a log, answer no records.", "ReplicaManager.readFromLog", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for _, v := range []int16{4, 7, 12, 16} {
				get(c.Conn("a"), fetch(v, t, 0, 0))
			}
			put(c.Conn("a"), t, 0, batchOf("v"))
			get(c.Conn("a"), fetch(12, t, 0, 1))
		}),
		must("fetch.offsets", "A fetch starts with the batch that holds the offset, whole.", "LogSegment.read", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for _, vs := range [][]string{{"a", "b", "c"}, {"d"}, {"e", "f"}} {
				put(c.Conn("a"), t, 0, batchOf(vs...))
			}
			for offset := range int64(7) {
				get(c.Conn("a"), fetch(12, t, 0, offset))
			}
		}),
		must("fetch.out-of-range", "An offset behind the end or before the start is OFFSET_OUT_OF_RANGE.", "ReplicaManager.readFromLog", func(c *Conversation) {
			t := filled(c, 1, "a", "b", "c")
			ask[*kmsg.DeleteRecordsResponse](c.Conn("a"), deleteRecords(2, t.Name, 0, 2))
			for _, v := range []int16{4, 11, 12, 16} {
				for _, offset := range []int64{-1, 0, 1, 4, 1 << 40} {
					get(c.Conn("a"), fetch(v, t, 0, offset))
				}
			}
		}),
		must("fetch.partition-max-bytes", "The first batch is sent whole even when it is larger than the limit, further ones only as far as the limit reaches; one below zero is an error that the broker did not foresee.", "KIP-74", partitionMaxBytes),
		must("fetch.max-bytes", "The limit of the request holds over partitions, but for the first batch.", "KIP-74", maxBytes),
		must("fetch.first-partition-empty", "The batch that is sent whole is the first there is, not that of the first partition.", "KIP-74", func(c *Conversation) {
			t := c.Topic("orders", 3)
			put(c.Conn("a"), t, 1, batchOf("a"))
			put(c.Conn("a"), t, 2, batchOf("b"))
			req := fetch(12, t, 0, 0)
			req.MaxBytes = 1
			req.Topics[0].Partitions = append(req.Topics[0].Partitions, fetchPartition(1, 0), fetchPartition(2, 0))
			get(c.Conn("a"), req)
		}),
		must("fetch.order", "Partitions are answered in the order in which they are asked for.", "KIP-74", func(c *Conversation) {
			t, u := filled(c, 3, "a"), c.Topic("bills", 1)
			req := fetch(12, t, 2, 0)
			req.Topics[0].Partitions = append(req.Topics[0].Partitions, fetchPartition(0, 0), fetchPartition(1, 0))
			req.Topics = append([]kmsg.FetchRequestTopic{fetchTopic(u, 0, 0)}, req.Topics...)
			get(c.Conn("a"), req)
		}),
		must("fetch.long-poll", "A fetch with nothing to read is answered when there is.", "DelayedFetch", func(c *Conversation) {
			t := c.Topic("orders", 1)
			parked := c.Conn("a").Send(waiting(fetch(12, t, 0, 0), 1))
			put(c.Conn("b"), t, 0, batchOf("v"))
			parked.Answer()
		}),
		must("fetch.long-poll-any-partition", "A fetch of several partitions is answered when one of them has data.", "DelayedFetch", func(c *Conversation) {
			t := c.Topic("orders", 2)
			req := waiting(fetch(16, t, 0, 0), 1)
			req.Topics[0].Partitions = append(req.Topics[0].Partitions, fetchPartition(1, 0))
			parked := c.Conn("a").Send(req)
			put(c.Conn("b"), t, 1, batchOf("v"))
			parked.Answer()
		}),
		must("fetch.min-bytes", "A fetch waits until the minimum of bytes is there.", "DelayedFetch", func(c *Conversation) {
			t := c.Topic("orders", 1)
			parked := c.Conn("a").Send(waiting(fetch(12, t, 0, 0), 150))
			for _, v := range []string{"a", "b", "c"} {
				put(c.Conn("b"), t, 0, batchOf(v))
			}
			parked.Answer()
		}),
		must("fetch.error-does-not-wait", "A fetch with an error for a partition is answered at once.", "ReplicaManager.fetchMessages", func(c *Conversation) {
			t := c.Topic("orders", 2)
			req := waiting(fetch(12, t, 0, 9), 1)
			req.Topics[0].Partitions = append(req.Topics[0].Partitions, fetchPartition(1, 0))
			get(c.Conn("a"), req)
		}),
		must("fetch.diverging-does-not-wait", "A fetch of a partition whose log has diverged is answered at once.", "ReplicaManager.fetchMessages, KIP-595", func(c *Conversation) {
			req := waiting(fetch(12, filled(c, 2, "a", "b"), 0, 3), 1_000)
			req.Topics[0].Partitions[0].LastFetchedEpoch = 0
			req.Topics[0].Partitions = append(req.Topics[0].Partitions, fetchPartition(1, 0))
			get(c.Conn("a"), req)
		}),
		must("fetch.only-unknown", "A fetch of nothing that exists is answered at once.", "KafkaApis.handleFetchRequest", func(c *Conversation) {
			get(c.Conn("a"), waiting(fetch(12, Topic{Name: c.Name("nowhere")}, 0, 0), 1))
		}),
		must("fetch.no-partitions", "A fetch of nothing is answered at once.", "ReplicaManager.fetchMessages", func(c *Conversation) {
			req := waiting(fetch(12, Topic{}, 0, 0), 1)
			req.Topics = nil
			get(c.Conn("a"), req)
		}),
		{
			ID: "fetch.max-wait", Says: "A fetch is answered with nothing when its time is over.", Source: "DelayedFetch", Severity: Timing, Timed: true,
			Run: func(c *Conversation) {
				t := c.Topic("orders", 1)
				req := waiting(fetch(12, t, 0, 0), 1)
				req.MaxWaitMillis = 300
				get(c.Conn("a"), req)
				put(c.Conn("a"), t, 0, batchOf("v"))
				req = waiting(fetch(12, t, 0, 0), 1000)
				req.MaxWaitMillis = 300
				get(c.Conn("a"), req)
			},
		},
		{
			ID: "fetch.unknown-waits", Says: "A partition that does not exist does not cut short the wait for one that does.", Source: "KafkaApis.handleFetchRequest",
			Severity: Timing, Timed: true,
			Run: func(c *Conversation) {
				t := c.Topic("orders", 1)
				req := waiting(fetch(12, t, 0, 0), 1)
				req.MaxWaitMillis = 300
				req.Topics[0].Partitions = append(req.Topics[0].Partitions, fetchPartition(7, 0))
				get(c.Conn("a"), req)
			},
		},
		must("fetch.unknown-topic", "An unknown topic is UNKNOWN_TOPIC_OR_PARTITION, or UNKNOWN_TOPIC_ID by id; an unknown partition too.", "KafkaApis.handleFetchRequest", func(c *Conversation) {
			t := filled(c, 1, "a")
			nowhere := Topic{Name: c.Name("nowhere"), ID: [16]byte{7}}
			for _, v := range []int16{4, 11, 12, 13, 18} {
				req := fetch(v, nowhere, 0, 0)
				req.Topics = append(req.Topics, fetchTopic(t, 0, 0), fetchTopic(t, 5, 0), fetchTopic(t, -1, 0))
				get(c.Conn("a"), req)
			}
			get(c.Conn("a"), fetch(13, Topic{}, 0, 0))
		}),
		must("fetch.leader-epoch", "A leader epoch from the future is UNKNOWN_LEADER_EPOCH, the current one is served.", "KIP-320", func(c *Conversation) {
			t := filled(c, 1, "a")
			for _, v := range []int16{9, 12, 16} {
				for _, epoch := range []int32{-1, 0, 1, 99} {
					req := fetch(v, t, 0, 0)
					req.Topics[0].Partitions[0].CurrentLeaderEpoch = epoch
					get(c.Conn("a"), req)
				}
			}
		}),
		must("fetch.last-fetched-epoch", "A last fetched epoch that the log does not have makes the answer name where the logs diverge.", "KIP-595", func(c *Conversation) {
			t := filled(c, 1, "a", "b")
			for _, last := range []int32{-1, 0, 1} {
				for _, offset := range []int64{0, 2, 3} {
					req := fetch(12, t, 0, offset)
					req.Topics[0].Partitions[0].LastFetchedEpoch = last
					get(c.Conn("a"), req)
				}
			}
		}),
		must("fetch.read-committed", "Read committed reads up to the last stable offset, which without transactions is the high watermark.", "FetchDataInfo", func(c *Conversation) {
			t := filled(c, 1, "a", "b")
			for _, v := range []int16{4, 11, 12, 18} {
				req := fetch(v, t, 0, 0)
				req.IsolationLevel = 1
				get(c.Conn("a"), req)
				req.Topics[0].Partitions[0].FetchOffset = 2
				get(c.Conn("a"), req)
			}
		}),
		must("fetch.log-start", "The log start offset moves when records are deleted, and reading from there goes on.", "KIP-107", func(c *Conversation) {
			t := filled(c, 1, "a", "b", "c")
			ask[*kmsg.DeleteRecordsResponse](c.Conn("a"), deleteRecords(2, t.Name, 0, 1))
			get(c.Conn("a"), fetch(12, t, 0, 1))
		}),
		must("fetch.deleted-topic", "A deleted topic is unknown to a fetch.", "KIP-516", func(c *Conversation) {
			t := filled(c, 1, "a")
			ask[*kmsg.DeleteTopicsResponse](c.Conn("a"), deleteTopics(5, t.Name))
			for _, v := range []int16{12, 13} {
				until(c, fetch(v, t, 0, 0), func(r *kmsg.FetchResponse) bool { return isCold(r) })
				get(c.Conn("a"), fetch(v, t, 0, 0))
			}
		}),
		must("fetch.same-partition-twice", "A partition asked for twice is answered once, as it was asked for last.", "FetchRequest.fetchData", func(c *Conversation) {
			t := filled(c, 1, "a", "b")
			for _, again := range []int64{1, 2} {
				req := fetch(12, t, 0, 0)
				req.Topics[0].Partitions = append(req.Topics[0].Partitions, fetchPartition(0, again))
				get(c.Conn("a"), req)
			}
		}),
		must("fetch.rack", "A rack that no replica is in changes nothing.", "KIP-392", func(c *Conversation) {
			t := filled(c, 1, "a")
			req := fetch(12, t, 0, 0)
			req.Rack = "somewhere"
			get(c.Conn("a"), req)
		}),
		must("fetch.internal-topic", "Internal topics can be read.", "KafkaApis.handleFetchRequest", func(c *Conversation) {
			c.Group("warm")
			get(c.Conn("a"), fetch(12, Topic{Name: "__consumer_offsets"}, 0, 1<<40))
		}),
	}
}

// filled is a topic with one batch of these values in each partition.
func filled(c *Conversation, partitions int32, vs ...string) Topic {
	t := c.Topic("orders", partitions)
	for p := range partitions {
		ask[*kmsg.ProduceResponse](c.setup, produce(12, -1, t, p, batchOf(vs...)))
	}
	return t
}

// waiting makes a fetch wait for a minimum of bytes, longer than any rule takes.
func waiting(req *kmsg.FetchRequest, minBytes int32) *kmsg.FetchRequest {
	req.MaxWaitMillis, req.MinBytes = 60_000, minBytes
	return req
}

func partitionMaxBytes(c *Conversation) {
	t := c.Topic("orders", 1)
	for _, v := range []string{"a", "b", "c"} { // each batch has 69 bytes
		put(c.Conn("a"), t, 0, batchOf(v))
	}
	for _, limit := range []int32{0, 1, 68, 69, 70, 137, 138, 207, -1} {
		for _, v := range []int16{4, 12} {
			req := fetch(v, t, 0, 0)
			req.Topics[0].Partitions[0].PartitionMaxBytes = limit
			get(c.Conn("a"), req)
		}
	}
}

func maxBytes(c *Conversation) {
	t := c.Topic("orders", 3)
	for p := range int32(3) {
		put(c.Conn("a"), t, p, batchOf(strings.Repeat("x", 20)))
		put(c.Conn("a"), t, p, batchOf(strings.Repeat("y", 20)))
	}
	for _, limit := range []int32{1, 88, 100, 176, 200, 264, 1000} {
		req := fetch(12, t, 0, 0)
		req.MaxBytes = limit
		req.Topics[0].Partitions = append(req.Topics[0].Partitions, fetchPartition(1, 0), fetchPartition(2, 0))
		get(c.Conn("a"), req)
	}
}
