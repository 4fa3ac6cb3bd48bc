package conformance

import (
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const validatorSource = "org.apache.kafka.storage.internals.log.LogValidator"

// logLimitRules are about what the configs of a topic let into its log.
func logLimitRules() []Rule {
	return []Rule{
		must("logs.limits.max-message-bytes", "An altered max.message.bytes counts for the next batch, header included, and not for what is there.", "UnifiedLog.append", func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			put(a, t, 0, batchOf(strings.Repeat("x", 500)))
			alterNow(c, t, "max.message.bytes", "200")
			put(a, t, 0, batchOf(strings.Repeat("x", 500)))
			for _, size := range []int{200 - batchHeadSize - 11, 200 - batchHeadSize - 10, 200 - batchHeadSize - 9, 200 - batchHeadSize - 8} {
				put(a, t, 0, batchOf(strings.Repeat("x", size)))
			}
			get(a, fetch(12, t, 0, 0))
			logEnds(c, t)
		}),
		must("logs.limits.before-max", "A record that is older than message.timestamp.before.max.ms is INVALID_TIMESTAMP; one without a time is taken.", validatorSource, func(c *Conversation) {
			t, a := c.Topic("orders", 1, "message.timestamp.before.max.ms", "3600000"), c.Conn("a")
			now := time.Now().UnixMilli()
			for _, at := range []int64{now - 3_000_000, now - 4_000_000, now, -1} {
				put(a, t, 0, valuesAt(at, "v"))
			}
			logEnds(c, t)
		}),
		must("logs.limits.after-max", "A record that is newer than message.timestamp.after.max.ms lets come is INVALID_TIMESTAMP.", validatorSource, func(c *Conversation) {
			t, a := c.Topic("orders", 1, "message.timestamp.after.max.ms", "7200000"), c.Conn("a")
			now := time.Now().UnixMilli()
			for _, at := range []int64{now + 7_000_000, now + 8_000_000, now} {
				put(a, t, 0, valuesAt(at, "v"))
			}
			logEnds(c, t)
		}),
		must("logs.limits.times-in-batch", "All records of a batch have to be of their time: the others of it are refused with the one that is not, which is named.", validatorSource, func(c *Conversation) {
			t, a := c.Topic("orders", 1, "message.timestamp.before.max.ms", "3600000"), c.Conn("a")
			for _, codec := range []int16{codecNone, codecGzip} {
				b := newBatch()
				b.FirstTimestamp = time.Now().UnixMilli()
				records := values("a", "b", "c", "d")
				records[1].TimestampDelta64, records[3].TimestampDelta64 = -4_000_000, 80_000_000
				put(a, t, 0, seal(b, codec, records...))
			}
			logEnds(c, t)
		}),
		must("logs.limits.times-altered", "An altered message.timestamp.type counts for the next batch: what is there keeps its time.", validatorSource, func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			put(a, t, 0, batchOf("a"))
			alterNow(c, t, "message.timestamp.type", "LogAppendTime")
			put(a, t, 0, batchOf("b"))
			alterNow(c, t, "message.timestamp.type", "CreateTime")
			put(a, t, 0, batchOf("c"))
			get(a, fetch(12, t, 0, 0))
			for _, at := range []int64{-3, 0, baseTime, baseTime + 1} {
				listed(c, listOffsets(7, t.Name, 0, at))
			}
		}),
		must("logs.limits.log-append-time-limits", "With LogAppendTime no limit of times counts.", validatorSource, func(c *Conversation) {
			t, a := c.Topic("orders", 1, "message.timestamp.type", "LogAppendTime", "message.timestamp.before.max.ms", "0", "message.timestamp.after.max.ms", "0"), c.Conn("a")
			for _, at := range []int64{baseTime, time.Now().UnixMilli() + 80_000_000, -1} {
				put(a, t, 0, valuesAt(at, "v"))
			}
			get(a, fetch(12, t, 0, 0))
		}),
		must("logs.limits.keyless", "A record without a key is INVALID_RECORD wherever cleanup.policy has compact, in compressed batches too; nothing of its batch is appended.", "LogValidator.validateKey", func(c *Conversation) {
			for _, policy := range []string{"compact", "compact,delete", "delete"} {
				t, a := c.Topic("orders-"+strings.ReplaceAll(policy, ",", "-"), 1, "cleanup.policy", policy), c.Conn("a")
				for _, codec := range []int16{codecNone, codecZstd} {
					records := values("a", "b", "c")
					records[0].Key, records[2].Key = []byte("k"), []byte{}
					put(a, t, 0, seal(newBatch(), codec, records...))
				}
				logEnds(c, t)
			}
		}),
		must("logs.limits.keyless-altered", "What is there without a key stays when cleanup.policy becomes compact, and what comes is refused.", "LogValidator.validateKey", func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			put(a, t, 0, batchOf("a"))
			alterNow(c, t, "cleanup.policy", "compact")
			put(a, t, 0, batchOf("b"))
			get(a, fetch(12, t, 0, 0))
			alterNow(c, t, "cleanup.policy", "delete")
			put(a, t, 0, batchOf("c"))
		}),
		must("logs.limits.keyless-and-time", "Of a keyless record with a bad time the key is what is named.", validatorSource, func(c *Conversation) {
			t, a := c.Topic("orders", 1, "cleanup.policy", "compact", "message.timestamp.before.max.ms", "3600000"), c.Conn("a")
			records := values("a", "b", "c")
			records[1].Key = []byte("k")
			put(a, t, 0, seal(newBatch(), codecNone, records...))
		}),
		must("logs.limits.deleted-compacted", "DeleteRecords is POLICY_VIOLATION in a topic that is compacted only, by the policy that it has now.", "ReplicaManager.deleteRecords", func(c *Conversation) {
			t := c.Topic("orders", 1)
			lay(c, t, baseTime, "a=1", "b=1", "c=1")
			for i, policy := range []string{"compact", "compact,delete", "delete", "compact"} {
				alterNow(c, t, "cleanup.policy", policy)
				ask[*kmsg.DeleteRecordsResponse](c.Conn("a"), deleteRecords(2, t.Name, 0, int64(i)))
			}
			logEnds(c, t)
		}),
	}
}

// alterNow alters a config of a topic, outside the transcript, and waits until it counts.
// Kafka describes a config a moment before its log knows it, but takes one change after the
// other: when a second change is described, the first one counts.
func alterNow(c *Conversation, t Topic, name, value string) {
	c.altered++
	for _, config := range [][]string{{name, value}, {"file.delete.delay.ms", strconv.Itoa(60_000 + c.altered)}} {
		ask[*kmsg.IncrementalAlterConfigsResponse](c.setup, setConfigs(t, config...))
		awaitConfig(c, kmsg.ConfigResourceTypeTopic, t.Name, config[0], config[1])
	}
}
