package conformance

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

const textSource = "Readable.readString, java.lang.String"

// oddText are strings that are not UTF-8: a byte that none begins with, a character
// cut short, a longer form than need be, half a surrogate pair.
var oddText = []string{"\xff", "\xe2\x82", "\xc0\x80", "\xed\xa0\x80", "\xf0\x9f\x98A"}

// malformedTextRules: Java puts U+FFFD in the place of what is no UTF-8, and so Kafka
// never says again what it was told.
func malformedTextRules() []Rule {
	return []Rule{
		must("frames.malformed-text.group-ids", "A group id that is not UTF-8 is another one, with U+FFFD for what is wrong.", textSource, func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			for i, odd := range oddText {
				odd = g + string(rune('1'+i)) + odd
				joinNow(a, join(9, odd, newMember(a, odd)))
				described(a, odd)
			}
			beat(a, g+"1\ufffd", "who", 1) // the first group, by its true name
			described(a, g+"1\ufffd")
			ask[*kmsg.DeleteGroupsResponse](a, deleteGroups(2, g+"\xfe-nowhere"))
			ask[*kmsg.OffsetFetchResponse](a, committed(8, g+"\xfe-nowhere", Topic{}))
			ask[*kmsg.FindCoordinatorResponse](a, findCoordinator(4, 0, g+"\xfe"))
		}),
		must("frames.malformed-text.members", "Member ids, instance ids, protocol types and names are read with U+FFFD for what is no UTF-8.", textSource, func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			joinNow(a, join(9, g, "who\xff"))
			beat(a, g, "who\xff", 1)
			leaveNow(a, leave(5, g, "who\xe2\x82", "\xff"))
			req := static(join(9, g, ""), "one\xff")
			req.ProtocolType = "con\xffsumer"
			req.Protocols = protocols("ra\xc0\x80nge")
			joinNow(a, req)
			described(a, g)
		}),
		must("frames.malformed-text.client-id", "A client id that is not UTF-8 is shown with U+FFFD for what is wrong.", textSource, func(c *Conversation) {
			a := c.Conn("a")
			for i, odd := range oddText {
				g := c.Group("readers-" + string(rune('1'+i)))
				req := join(3, g, "")
				frame := kmsg.NewRequestFormatter(kmsg.FormatterClientID("me"+odd)).AppendRequest(nil, req, a.next())
				resp := req.ResponseKind()
				resp.SetVersion(3)
				a.SendRaw("JoinGroup v3 of an odd client id", frame).AnswerAs(resp)
				described(a, g)
			}
		}),
		must("frames.malformed-text.topics", "Topic names that are not UTF-8 are invalid, and answered with U+FFFD for what is wrong.", textSource, malformedTopics),
		must("frames.malformed-text.metadata", "The metadata of a commit is kept with U+FFFD for what is no UTF-8.", textSource, func(c *Conversation) {
			g, a, t := c.Group("readers"), c.Conn("a"), c.Topic("orders", 5)
			for i, odd := range oddText {
				req := commit(9, g, t, int32(i), 1)
				text := "note" + odd
				req.Topics[0].Partitions[0].Metadata = &text
				commitNow(a, req)
			}
			committedNow(a, committed(8, g, t, 0, 1, 2, 3, 4))
		}),
		must("frames.malformed-text.configs", "Names and values of configs are read with U+FFFD for what is no UTF-8.", textSource, func(c *Conversation) {
			a, t := c.Conn("a"), c.Topic("orders", 1)
			req := kmsg.NewPtrIncrementalAlterConfigsRequest()
			req.Version = 1
			for _, config := range [][2]string{{"cleanup.pol\xfficy", "delete"}, {"cleanup.policy", "del\xffete"}} {
				resource := kmsg.NewIncrementalAlterConfigsRequestResource()
				resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, t.Name
				rc := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
				rc.Name, rc.Value = config[0], &config[1]
				resource.Configs = append(resource.Configs, rc)
				req.Resources = []kmsg.IncrementalAlterConfigsRequestResource{resource}
				ask[*kmsg.IncrementalAlterConfigsResponse](a, req)
			}
		}),
	}
}

func malformedTopics(c *Conversation) {
	a, t := c.Conn("a"), c.Topic("orders", 1)
	odd := Topic{Name: t.Name + "\xe2\x82\xff"}
	for _, v := range []int16{1, 9, 13} {
		ask[*kmsg.MetadataResponse](a, metadata(v, odd.Name))
	}
	for _, v := range []int16{3, 8, 12} {
		ask[*kmsg.ProduceResponse](a, produce(v, -1, odd, 0, batchOf("v")))
	}
	get(a, fetch(4, odd, 0, 0))
	get(a, fetch(12, odd, 0, 0))
	ask[*kmsg.ListOffsetsResponse](a, listOffsets(7, odd.Name, 0, -1))
	ask[*kmsg.DeleteRecordsResponse](a, deleteRecords(2, odd.Name, 0, 0))
	ask[*kmsg.DeleteTopicsResponse](a, deleteTopics(5, odd.Name))
	ask[*kmsg.CreateTopicsResponse](a, createTopics(4, odd.Name, 1, 1))
	ask[*kmsg.CreateTopicsResponse](a, createTopics(7, odd.Name, 1, 1))
	ask[*kmsg.CreatePartitionsResponse](a, createPartitions(3, odd.Name, 2))
	g := c.Group("readers")
	commitNow(a, commit(8, g, odd, 0, 1))
	committedNow(a, committed(7, g, odd, 0))
}
