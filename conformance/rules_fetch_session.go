package conformance

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

const sessionSource = "KIP-227, FetchSession"

func fetchSessionRules() []Rule {
	return []Rule{
		must("fetch.session.create", "Epoch 0 makes a session and answers all its partitions.", sessionSource, func(c *Conversation) {
			t := filled(c, 2, "a")
			for _, v := range []int16{7, 12, 13, 18} {
				get(c.Conn("a"), opening(v, t, 0, 1))
			}
		}),
		must("fetch.session.incremental", "A session answers only the partitions that have something new.", sessionSource, func(c *Conversation) {
			t, a := filled(c, 2, "a"), c.Conn("a")
			for _, v := range []int16{7, 12, 16} {
				c.Note("version %d", v)
				id := get(a, opening(v, t, 0, 1)).SessionID
				moved := next(v, id, 1, t, fetchPartition(0, 1), fetchPartition(1, 1))
				get(a, moved)
				get(a, next(v, id, 2, t))
			}
			id := get(a, opening(12, t, 0, 1)).SessionID
			get(a, next(12, id, 1, t, fetchPartition(0, 1), fetchPartition(1, 1)))
			put(a, t, 1, batchOf("b"))
			get(a, next(12, id, 2, t))
			c.Note("what was not fetched on is sent again")
			get(a, next(12, id, 3, t))
		}),
		must("fetch.session.high-watermark-news", "A partition whose high watermark moved is news even when its records lie beyond the limit.", sessionSource, func(c *Conversation) {
			t, a := filled(c, 2, "a"), c.Conn("a")
			id := get(a, opening(12, t, 0, 1)).SessionID
			get(a, next(12, id, 1, t, fetchPartition(0, 1), fetchPartition(1, 1)))
			put(a, t, 0, batchOf("b"))
			put(a, t, 1, batchOf("c"))
			req := next(12, id, 2, t)
			req.MaxBytes = 1
			get(a, req)
		}),
		must("fetch.session.add", "Partitions are added to a session as it goes on.", sessionSource, func(c *Conversation) {
			t, a := filled(c, 2, "a"), c.Conn("a")
			id := get(a, opening(12, t, 0)).SessionID
			get(a, next(12, id, 1, t, fetchPartition(1, 0)))
			get(a, next(12, id, 2, t))
		}),
		must("fetch.session.forget", "A forgotten partition is answered no more.", sessionSource, func(c *Conversation) {
			t, a := filled(c, 2, "a"), c.Conn("a")
			for _, v := range []int16{7, 13} {
				id := get(a, opening(v, t, 0, 1)).SessionID
				req := next(v, id, 1, t)
				req.ForgottenTopics = []kmsg.FetchRequestForgottenTopic{{Topic: t.Name, TopicID: t.ID, Partitions: []int32{0, 9}}}
				get(a, req)
				get(a, next(v, id, 2, t))
			}
		}),
		must("fetch.session.wrong-epoch", "An epoch that is not the next is INVALID_FETCH_SESSION_EPOCH, and the session lives on.", sessionSource, func(c *Conversation) {
			t, a := filled(c, 1, "a"), c.Conn("a")
			id := get(a, opening(12, t, 0)).SessionID
			for _, epoch := range []int32{2, 5, 1, 1, 2} {
				get(a, next(12, id, epoch, t))
			}
		}),
		must("fetch.session.wrong-id", "A session that does not exist is FETCH_SESSION_ID_NOT_FOUND.", sessionSource, func(c *Conversation) {
			t, a := filled(c, 1, "a"), c.Conn("a")
			for _, v := range []int16{7, 12, 18} {
				get(a, next(v, 0x7ffffff0, 1, t))
				get(a, next(v, 0x7ffffff0, 1, t, fetchPartition(0, 0)))
			}
		}),
		must("fetch.session.epoch-without-id", "An epoch above 0 with session id 0 is refused.", sessionSource, func(c *Conversation) {
			t := filled(c, 1, "a")
			get(c.Conn("a"), next(12, 0, 1, t, fetchPartition(0, 0)))
		}),
		must("fetch.session.close", "The final epoch ends the session and still reads.", sessionSource, func(c *Conversation) {
			t, a := filled(c, 1, "a"), c.Conn("a")
			id := get(a, opening(12, t, 0)).SessionID
			get(a, next(12, id, -1, t, fetchPartition(0, 0)))
			get(a, next(12, id, 1, t))
			id = get(a, opening(12, t, 0)).SessionID
			get(a, next(12, id, -1, t))
			get(a, next(12, id, 1, t))
		}),
		must("fetch.session.replace", "Epoch 0 with the id of a session ends that session and makes another.", sessionSource, func(c *Conversation) {
			t, a := filled(c, 1, "a"), c.Conn("a")
			id := get(a, opening(12, t, 0)).SessionID
			req := opening(12, t, 0)
			req.SessionID = id
			get(a, req)
			get(a, next(12, id, 1, t))
		}),
		must("fetch.session.other-connection", "A session belongs to no connection.", sessionSource, func(c *Conversation) {
			t := filled(c, 1, "a")
			id := get(c.Conn("a"), opening(12, t, 0)).SessionID
			get(c.Conn("b"), next(12, id, 1, t))
			get(c.Conn("a"), next(12, id, 2, t))
		}),
		must("fetch.session.empty", "A session may be made over no partitions.", sessionSource, func(c *Conversation) {
			get(c.Conn("a"), opening(12, Topic{}))
		}),
		must("fetch.session.unknown-topic", "A partition that does not exist is answered with its error each time.", sessionSource, func(c *Conversation) {
			t, a := filled(c, 1, "a"), c.Conn("a")
			nowhere := Topic{Name: c.Name("nowhere"), ID: [16]byte{3}}
			for _, v := range []int16{12, 13} {
				req := opening(v, t, 0)
				req.Topics[0].Partitions[0].FetchOffset = 1
				req.Topics = append(req.Topics, fetchTopic(nowhere, 0, 0))
				id := get(a, req).SessionID
				get(a, next(v, id, 1, t))
				get(a, next(v, id, 2, t))
			}
		}),
		must("fetch.session.names-then-ids", "A session made with names cannot go on with ids, nor the other way; it outlives the attempt.", "KIP-516, FETCH_SESSION_TOPIC_ID_ERROR", func(c *Conversation) {
			t, a := filled(c, 1, "a"), c.Conn("a")
			id := get(a, opening(12, t, 0)).SessionID
			get(a, next(13, id, 1, t))
			get(a, next(12, id, 1, t))
			id = get(a, opening(13, t, 0)).SessionID
			get(a, next(12, id, 1, t))
		}),
		must("fetch.session.deleted-topic", "A topic that is deleted under a session becomes an error in it.", "KIP-516", func(c *Conversation) {
			t, a := filled(c, 1, "a"), c.Conn("a")
			id := get(a, opening(13, t, 0)).SessionID
			ask[*kmsg.DeleteTopicsResponse](a, deleteTopics(5, t.Name))
			until(c, fetch(13, t, 0, 0), func(r *kmsg.FetchResponse) bool { return isCold(r) })
			get(a, next(13, id, 1, t))
			get(a, next(13, id, 2, t))
		}),
		must("fetch.session.long-poll", "A session's fetch waits for news as any other.", sessionSource, func(c *Conversation) {
			t, a := filled(c, 2, "a"), c.Conn("a")
			id := get(a, opening(12, t, 0, 1)).SessionID
			get(a, next(12, id, 1, t, fetchPartition(0, 1), fetchPartition(1, 1)))
			parked := a.Send(waiting(next(12, id, 2, t), 1))
			put(c.Conn("b"), t, 1, batchOf("b"))
			parked.Answer()
		}),
		must("fetch.session.error-then-fixed", "A partition that was out of range is read again once its offset is right.", sessionSource, func(c *Conversation) {
			t, a := filled(c, 1, "a"), c.Conn("a")
			req := opening(12, t, 0)
			req.Topics[0].Partitions[0].FetchOffset = 77
			id := get(a, req).SessionID
			get(a, next(12, id, 1, t))
			get(a, next(12, id, 2, t, fetchPartition(0, 0)))
		}),
	}
}

// opening asks for a session over partitions, from their starts.
func opening(version int16, t Topic, partitions ...int32) *kmsg.FetchRequest {
	req := fetch(version, t, 0, 0)
	req.SessionEpoch = 0
	req.Topics[0].Partitions = nil
	for _, p := range partitions {
		req.Topics[0].Partitions = append(req.Topics[0].Partitions, fetchPartition(p, 0))
	}
	if len(partitions) == 0 {
		req.Topics = nil
	}
	return req
}

// next goes on with a session, with what is new for it.
func next(version int16, id, epoch int32, t Topic, changed ...kmsg.FetchRequestTopicPartition) *kmsg.FetchRequest {
	req := opening(version, t)
	req.SessionID, req.SessionEpoch = id, epoch
	if len(changed) > 0 {
		rt := kmsg.NewFetchRequestTopic()
		rt.Topic, rt.TopicID, rt.Partitions = t.Name, t.ID, changed
		req.Topics = append(req.Topics, rt)
	}
	return req
}
