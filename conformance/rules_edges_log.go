package conformance

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// logEdgeRules are odd requests about logs and topics that are still well formed.
func logEdgeRules() []Rule {
	return []Rule{
		must("fetch.session.rotation", "In a session the partitions whose data was sent go to the end, so that a small limit starves none.", sessionSource, func(c *Conversation) {
			t, a := filled(c, 3, "a"), c.Conn("a")
			req := opening(12, t, 0, 1, 2)
			req.MaxBytes = 1
			id := get(a, req).SessionID
			for epoch := range int32(4) {
				req := next(12, id, epoch+1, t)
				req.MaxBytes = 1
				get(a, req)
			}
		}),
		must("fetch.session.changed-limit", "A session remembers each partition's offset and limit until they are changed.", sessionSource, func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			for _, v := range []string{"a", "b", "c"} {
				put(a, t, 0, batchOf(v))
			}
			id := get(a, opening(12, t, 0)).SessionID
			small := fetchPartition(0, 1)
			small.PartitionMaxBytes = 1
			get(a, next(12, id, 1, t, small))
			get(a, next(12, id, 2, t))
		}),
		must("fetch.session.forget-and-add", "A partition that is forgotten and added in one request is not in the session.", sessionSource, func(c *Conversation) {
			t, a := filled(c, 2, "a"), c.Conn("a")
			id := get(a, opening(12, t, 0, 1)).SessionID
			req := next(12, id, 1, t, fetchPartition(0, 0))
			req.ForgottenTopics = []kmsg.FetchRequestForgottenTopic{{Topic: t.Name, Partitions: []int32{0}}}
			get(a, req)
			get(a, next(12, id, 2, t))
		}),
		must("fetch.session.grown-topic", "A partition that a session asked for too early is read once it exists.", sessionSource, func(c *Conversation) {
			t, a := filled(c, 1, "a"), c.Conn("a")
			id := get(a, opening(12, t, 0, 1)).SessionID
			ask[*kmsg.CreatePartitionsResponse](a, createPartitions(3, t.Name, 2))
			c.ready(t.Name, 2)
			put(a, t, 1, batchOf("b"))
			get(a, next(12, id, 1, t))
		}),
		must("fetch.limits-of-nothing", "A limit of zero for the request still sends a batch, one below zero is an error that the broker did not foresee; a wait below zero is none.", "ReplicaManager.fetchMessages", func(c *Conversation) {
			t, a := filled(c, 1, "a"), c.Conn("a")
			for _, limit := range []int32{0, -1} {
				req := fetch(12, t, 0, 0)
				req.MaxBytes = limit
				get(a, req)
			}
			req := fetch(12, t, 0, 1)
			req.MaxWaitMillis, req.MinBytes = -1, 1
			get(a, req)
		}),
		must("fetch.session.old-version-between", "A fetch of a version without sessions leaves the session of its connection alone.", sessionSource, func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			req := fetch(9, t, 0, 0)
			req.SessionEpoch = 0
			id := get(a, req).SessionID
			for epoch := range int32(3) {
				old := fetch(4, t, 0, 0)
				a.Send(old).Answer()
				next := fetch(9, t, 0, 0)
				next.SessionID, next.SessionEpoch = id, epoch+1
				a.Send(next).Answer()
			}
		}),
		must("fetch.missing-order", "Partitions that do not exist are answered last, those of unknown topic ids before the others.", "KafkaApis.handleFetchRequest", func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			for _, v := range []int16{12, 13} {
				req := fetch(v, t, 7, 0)
				req.Topics = append(req.Topics, fetch(v, Topic{Name: c.Name("nowhere"), ID: [16]byte{1}}, 0, 0).Topics...)
				req.Topics = append(req.Topics, fetch(v, t, 0, 0).Topics...)
				a.Send(req).Answer()
			}
		}),
		must("fetch.session.restart-with-forgotten", "A new session may be asked for with the id of the old one and a list of forgotten partitions.", sessionSource, func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			for _, v := range []int16{12, 13, 17} {
				req := fetch(v, t, 0, 0)
				req.SessionEpoch = 0
				id := get(a, req).SessionID
				req = fetch(v, t, 0, 0)
				req.SessionID, req.SessionEpoch = id, 0
				ft := kmsg.NewFetchRequestForgottenTopic()
				ft.Topic, ft.TopicID, ft.Partitions = t.Name, t.ID, []int32{0, 0}
				req.ForgottenTopics = append(req.ForgottenTopics, ft)
				a.Send(req).Answer()
				req.Topics = append(req.Topics, fetch(v, Topic{Name: c.Name("nowhere")}, 0, 0).Topics...)
				a.Send(req).Answer()
			}
		}),
		must("listoffsets.unknown-isolation", "An isolation level that does not exist fails each partition, as often as it is named.", "ListOffsetsRequest.getErrorResponse", func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			for _, v := range []int16{2, 7} {
				req := listOffsets(v, t.Name, 0, -1)
				req.IsolationLevel = -1
				req.Topics = append(req.Topics, req.Topics...)
				req.Topics = append(req.Topics, listOffsets(v, c.Name("nowhere"), 0, -1).Topics...)
				req.Topics = append(req.Topics, kmsg.ListOffsetsRequestTopic{Topic: t.Name})
				a.Send(req).Answer()
			}
		}),
		must("fetch.topic-id-zero", "The topic id of zero is unknown as any other, and fails the whole fetch when something stands behind it in the answer.", "FetchResponse.matchingTopic", func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			none, nowhere := Topic{}, Topic{ID: [16]byte{1}}
			for _, v := range []int16{13, 18} {
				for _, topics := range [][]Topic{{none}, {t, none}, {none, t}, {none, nowhere}, {nowhere, none}} {
					req := fetch(v, topics[0], 0, 0)
					for _, more := range topics[1:] {
						req.Topics = append(req.Topics, fetch(v, more, 0, 0).Topics...)
					}
					a.Send(req).Answer()
				}
				req := fetch(v, none, 0, 0)
				req.Topics = append(req.Topics, fetch(v, none, 1, 0).Topics...)
				req.SessionEpoch = 0
				a.Send(req).Answer()
			}
		}),
		must("fetch.session.diverging-told-too-early", "A version without diverging epochs fails in a session that has one to tell.", "KIP-595, FetchResponse", func(c *Conversation) {
			t, a := c.Topic("orders", 2), c.Conn("a")
			req := fetch(12, t, 0, 5)
			req.SessionEpoch = 0
			req.Topics[0].Partitions[0].LastFetchedEpoch = 0
			id := get(a, req).SessionID
			for epoch, v := range []int16{7, 11, 12} {
				next := fetch(v, t, 1, 0)
				next.SessionID, next.SessionEpoch = id, int32(epoch)+1
				a.Send(next).Answer()
			}
		}),
		must("fetch.unknown-isolation", "A fetch at an isolation level that does not exist fails as a whole, unless none of its partitions exists.", "IsolationLevel.forId, FetchRequest.getErrorResponse", func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			nowhere := Topic{Name: c.Name("nowhere"), ID: [16]byte{1}}
			for _, v := range []int16{4, 7, 12, 13, 18} {
				req := fetch(v, nowhere, 0, 0)
				req.IsolationLevel = 2
				a.Send(req).Answer()
				req.Topics = append(req.Topics, fetch(v, t, 0, 0).Topics...)
				req.Topics = append(req.Topics, req.Topics...)
				if v >= 7 {
					req.SessionEpoch = 0
				}
				a.Send(req).Answer()
			}
		}),
		must("fetch.diverging-read-committed", "Where the log diverges there is no list of aborted transactions, even for who reads committed ones.", "KIP-595, ReplicaManager.readFromLog", func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			put(a, t, 0, batchOf("a"))
			for _, isolation := range []int8{0, 1} {
				req := fetch(12, t, 0, 5)
				req.IsolationLevel = isolation
				req.Topics[0].Partitions[0].LastFetchedEpoch = 0
				a.Send(req).Answer()
			}
		}),
		must("fetch.topic-without-partitions", "A topic without partitions is left out of the answer.", "FetchRequest", func(c *Conversation) {
			t, a := filled(c, 1, "a"), c.Conn("a")
			for _, v := range []int16{12, 13} {
				req := fetch(v, t, 0, 0)
				req.Topics[0].Partitions = nil
				get(a, req)
			}
		}),
		must("produce.same-partition-twice", "Of a partition named twice in a request the later batch is appended, and it is answered once.", "KafkaApis.handleProduceRequest", func(c *Conversation) {
			t := c.Topic("orders", 1)
			req := produce(12, -1, t, 0, batchOf("a"))
			req.Topics[0].Partitions = append(req.Topics[0].Partitions, kmsg.ProduceRequestTopicPartition{Records: batchOf("b")})
			produced(c, req)
			get(c.Conn("a"), fetch(12, t, 0, 0))
		}),
		must("produce.same-partition-bad-and-good", "Of the records for one partition the last that can be read are appended; when there are others that cannot, their error is answered.", "KafkaApis.handleProduceRequest", func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			two := append(batchOf("1"), batchOf("2")...)
			for _, v := range []int16{5, 12, 13} {
				for _, fields := range [][][]byte{
					{[]byte("garbage"), batchOf("a")}, {batchOf("b"), []byte("garbage")}, {two, batchOf("c"), batchOf("d")},
					{nil, batchOf("e")}, {{}, []byte("garbage")}, {batchOf("f"), append(batchOf("g"), make([]byte, 35)...)},
				} {
					req := produce(v, -1, t, 0, fields[0])
					for _, f := range fields[1:] {
						req.Topics = append(req.Topics, produce(v, -1, t, 0, f).Topics...)
					}
					a.Send(req).Answer()
				}
			}
			get(a, fetch(12, t, 0, 0))
		}),
		must("produce.acks-checked-last", "Wrong acks are refused where nothing else is wrong: topics that do not exist and records that cannot be read come first.", "ReplicaManager.appendRecords", func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			nowhere := Topic{Name: c.Name("nowhere"), ID: [16]byte{1}}
			for _, v := range []int16{3, 13} {
				req := produce(v, 2, t, 0, batchOf("a"))
				req.Topics = append(req.Topics, produce(v, 2, nowhere, 0, batchOf("b")).Topics...)
				req.Topics = append(req.Topics, produce(v, 2, t, 7, batchOf("c")).Topics...)
				a.Send(req).Answer()
				a.Send(produce(v, -2, t, 0, []byte("garbage"))).Answer()
			}
		}),
		must("produce.null-nowhere", "Without records a partition that does not exist is answered as such.", "KafkaApis.handleProduceRequest", func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			nowhere := Topic{Name: c.Name("nowhere"), ID: [16]byte{1}}
			for _, v := range []int16{3, 9, 13} {
				a.Send(produce(v, -1, nowhere, 0, nil)).Answer()
				a.Send(produce(v, -1, t, 7, nil)).Answer()
			}
		}),
		must("produce.unknown-codec-nowhere", "A codec that does not exist fails an old request as a whole, unless the partition does not exist.", "ProduceRequest.validateRecords", func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			records := seal(newBatch(), codecNone, values("a")...)
			records[atAttributes+1] = 7
			reseal(records)
			for _, v := range []int16{3, 6, 7} {
				a.Send(produce(v, -1, Topic{Name: c.Name("nowhere")}, 0, records)).Answer()
				req := produce(v, -1, t, 7, records)
				req.Topics = append(req.Topics, produce(v, -1, t, 0, batchOf("b")).Topics...)
				a.Send(req).Answer()
				a.Send(produce(v, -1, t, 0, records)).Answer()
			}
		}),
		must("produce.topic-without-partitions", "A topic without partitions is left out of the answer.", "ProduceRequest", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for _, v := range []int16{12, 13} {
				req := produce(v, -1, t, 0, nil)
				req.Topics[0].Partitions = nil
				produced(c, req)
			}
		}),
		must("produce.timeouts", "A timeout of zero or less does not matter where nothing is waited for.", "ReplicaManager.appendRecords", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for _, ms := range []int32{0, -1} {
				req := produce(12, -1, t, 0, batchOf("a"))
				req.TimeoutMillis = ms
				produced(c, req)
			}
		}),
		must("produce.good-beside-bad", "A partition whose batch is bad does not keep the others from being written.", "ReplicaManager.appendToLocalLog", func(c *Conversation) {
			t := c.Topic("orders", 2)
			bad := batchOf("b")
			bad[len(bad)-2] ^= 1
			req := produce(12, -1, t, 0, batchOf("a"))
			req.Topics[0].Partitions = append(req.Topics[0].Partitions, kmsg.ProduceRequestTopicPartition{Partition: 1, Records: bad})
			produced(c, req)
		}),
		must("produce.malformed-beside-good", "A partition whose records are no batch does not keep the others from being written.", "ProduceRequest.validateRecords", func(c *Conversation) {
			t := c.Topic("orders", 2)
			req := produce(12, -1, t, 0, batchOf("a"))
			req.Topics[0].Partitions = append(req.Topics[0].Partitions, kmsg.ProduceRequestTopicPartition{Partition: 1, Records: []byte{}})
			produced(c, req)
			listed(c, listOffsets(7, t.Name, 0, -1))
		}),
		must("produce.compressed-large", "A compressed batch counts by its compressed size.", "UnifiedLog.append", func(c *Conversation) {
			t := c.Topic("orders", 1, "max.message.bytes", "300")
			produced(c, produce(9, -1, t, 0, seal(newBatch(), codecGzip, values(strings.Repeat("x", 5000))...)))
		}),
		must("produce.log-append-time-ignores-future", "With LogAppendTime the records' own times are not looked at.", "LogValidator", func(c *Conversation) {
			t := c.Topic("orders", 1, "message.timestamp.type", "LogAppendTime")
			b := newBatch()
			b.FirstTimestamp = 4_000_000_000_000
			produced(c, produce(9, -1, t, 0, seal(b, codecNone, values("v")...)))
		}),
		must("produce.max-timestamp-wrong", "A batch whose maximum timestamp is not its records' is corrected.", "LogValidator", func(c *Conversation) {
			t := c.Topic("orders", 1)
			b := batchOf("a", "b")
			b[atMaxTime+7] += 99
			produced(c, produce(9, -1, t, 0, reseal(b)))
			get(c.Conn("a"), fetch(12, t, 0, 0))
			listed(c, listOffsets(7, t.Name, 0, -3))
		}),
		must("listoffsets.several", "Several partitions of several topics are answered, each with an error of its own.", "ListOffsetsRequest", func(c *Conversation) {
			t, u := filled(c, 2, "a"), c.Topic("bills", 1)
			req := listOffsets(7, t.Name, 0, -1)
			req.Topics = append(req.Topics, listOffsets(7, u.Name, 0, -2).Topics[0], listOffsets(7, u.Name, 4, -2).Topics[0], listOffsets(7, t.Name, 1, -1).Topics[0])
			listed(c, req)
		}),
		must("deleterecords.several", "Several partitions are cut, each with an error of its own.", "KIP-107", func(c *Conversation) {
			t := filled(c, 2, "a", "b")
			req := deleteRecords(2, t.Name, 0, 1)
			req.Topics[0].Partitions = append(req.Topics[0].Partitions, deleteRecords(2, t.Name, 1, 9).Topics[0].Partitions[0], deleteRecords(2, t.Name, 5, 0).Topics[0].Partitions[0])
			c.Conn("a").Send(req).Answer()
		}),
		must("topics.create.long-name", "A name of 249 characters is legal.", "Topic.validate", func(c *Conversation) {
			short := c.Name("long")
			name := short + strings.Repeat("x", 249-len(short))
			c.Mine(name)
			created(c, createTopics(7, name, 1, 1))
		}),
		must("topics.create.several", "Several topics are made, each with an error of its own.", "CreateTopicsRequest", func(c *Conversation) {
			t, name := c.Topic("orders", 1), c.Name("bills")
			c.Mine(name)
			req := createTopics(5, t.Name, 1, 1)
			req.Topics = append(req.Topics, createTopics(5, name, 2, 1).Topics[0], createTopics(5, "with space", 1, 1).Topics[0])
			created(c, req)
		}),
		must("topics.create.internal", "The names of internal topics are taken.", "KafkaApis", func(c *Conversation) {
			c.Group("warm")
			created(c, createTopics(7, "__consumer_offsets", 1, 1))
		}),
		must("topics.partitions.twice", "A topic named twice is refused.", "ControllerApis.createPartitions", func(c *Conversation) {
			t := c.Topic("orders", 1)
			req := createPartitions(3, t.Name, 2)
			req.Topics = append(req.Topics, createPartitions(3, t.Name, 3).Topics[0])
			c.Conn("a").Send(req).Answer()
		}),
		must("topics.partitions.assignment", "New partitions may be placed by hand, each once, on brokers that exist.", "ReplicationControlManager.createPartitions", func(c *Conversation) {
			t, node := c.Topic("orders", 1), c.node()
			for _, placed := range [][][]int32{{}, {{99}}, {{node}, {node}}, {{node, node}}, {{}}, {{node}}} {
				req := createPartitions(3, t.Name, 2)
				req.Topics[0].Assignment = []kmsg.CreatePartitionsRequestTopicAssignment{}
				for _, replicas := range placed {
					req.Topics[0].Assignment = append(req.Topics[0].Assignment, kmsg.CreatePartitionsRequestTopicAssignment{Replicas: replicas})
				}
				c.Conn("a").Send(req).Answer()
			}
		}),
		must("topics.delete.several", "Several topics are deleted by name and id, each with an error of its own.", "DeleteTopicsRequest", func(c *Conversation) {
			t, u := c.Topic("orders", 1), c.Topic("bills", 1)
			req := deleteTopics(6, t.Name, c.Name("nowhere"))
			req.Topics = append(req.Topics, kmsg.DeleteTopicsRequestTopic{TopicID: u.ID}, kmsg.DeleteTopicsRequestTopic{TopicID: [16]byte{1}})
			c.Conn("a").Send(req).Answer()
		}),
		must("topics.delete.name-and-its-id-twice", "A topic named by name is refused, too, when its id is there twice.", "ControllerApis.deleteTopics", func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			req := deleteTopics(6, t.Name)
			for range 2 {
				byID := kmsg.NewDeleteTopicsRequestTopic()
				byID.TopicID = t.ID
				req.Topics = append(req.Topics, byID)
			}
			a.Send(req).Answer()
			a.Send(metadata(12, t.Name)).Answer()
		}),
		must("topics.delete.name-and-its-id", "A topic named by name and again by id is refused.", "ControllerApis.deleteTopics", func(c *Conversation) {
			t := c.Topic("orders", 1)
			req := deleteTopics(6, t.Name)
			req.Topics = append(req.Topics, kmsg.DeleteTopicsRequestTopic{TopicID: t.ID})
			c.Conn("a").Send(req).Answer()
		}),
	}
}
