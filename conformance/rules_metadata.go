package conformance

import (
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func metadataRules() []Rule {
	return []Rule{
		must("metadata.by-name", "Every version of Metadata describes a topic by its name.", "MetadataRequest", func(c *Conversation) {
			t := c.Topic("orders", 3)
			for v := range int16(14) {
				ask[*kmsg.MetadataResponse](c.Conn("a"), metadata(v, t.Name))
			}
		}),
		must("metadata.none", "From v1 on an empty list asks for no topics.", "MetadataRequest", func(c *Conversation) {
			for v := int16(1); v < 14; v++ {
				ask[*kmsg.MetadataResponse](c.Conn("a"), metadata(v))
			}
		}),
		must("metadata.all", "Null, and in v0 an empty list, asks for all topics.", "MetadataRequest", func(c *Conversation) {
			c.Topic("orders", 1)
			c.Topic("bills", 2)
			for _, v := range []int16{0, 1, 8, 13} {
				req := metadata(v)
				if v > 0 {
					req.Topics = nil
				}
				ask[*kmsg.MetadataResponse](c.Conn("a"), req)
			}
		}),
		must("metadata.unknown", "An unknown topic is UNKNOWN_TOPIC_OR_PARTITION when it may not be created, beside one that is known.", "MetadataRequest", func(c *Conversation) {
			t, unknown := c.Topic("orders", 1), c.Name("nowhere")
			for v := int16(4); v < 14; v++ {
				ask[*kmsg.MetadataResponse](c.Conn("a"), metadata(v, unknown, t.Name))
			}
		}),
		must("metadata.auto-create", "A topic that Metadata may create comes into being with one partition.", "AutoTopicCreationManager", autoCreated),
		must("metadata.auto-create-answer", "The answer that begins to create topics calls them UNKNOWN_TOPIC_OR_PARTITION, in every version and beside a topic that is known.", "AutoTopicCreationManager", autoCreatedAnswer),
		must("metadata.invalid-names", "A name that no topic can have is INVALID_TOPIC_EXCEPTION, whether or not it may be created.", "Topic.validate", invalidNames),
		must("metadata.by-id", "From v12 on topics are found by their ids, and an unknown id is UNKNOWN_TOPIC_ID.", "KIP-516", func(c *Conversation) {
			t := c.Topic("orders", 2)
			for _, v := range []int16{12, 13} {
				ask[*kmsg.MetadataResponse](c.Conn("a"), metadataByID(v, t.ID))
				ask[*kmsg.MetadataResponse](c.Conn("a"), metadataByID(v, [16]byte{1, 2, 3}))
				ask[*kmsg.MetadataResponse](c.Conn("a"), metadataByID(v, [16]byte{1, 2, 3}, t.ID))
			}
		}),
		must("metadata.id-and-name", "Where one topic is asked for by id, topics asked for by name alone are left out.", "KafkaApis.handleTopicMetadataRequest", func(c *Conversation) {
			t, u := c.Topic("orders", 1), c.Topic("bills", 1)
			req := metadataByID(12, t.ID)
			req.Topics[0].Topic = &t.Name
			ask[*kmsg.MetadataResponse](c.Conn("a"), req)
			req = metadataByID(12, t.ID)
			req.Topics = append(req.Topics, metadata(12, u.Name).Topics...)
			ask[*kmsg.MetadataResponse](c.Conn("a"), req)
		}),
		must("metadata.id-too-early", "A topic id is INVALID_REQUEST in v10 and v11, which have the field.", "MetadataRequest", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for _, v := range []int16{10, 11} {
				req := metadata(v, t.Name)
				req.Topics[0].TopicID = t.ID
				c.Conn("a").Send(req).Answer()
				req.Topics[0].Topic = nil
				c.Conn("a").Send(req).Answer()
			}
		}),
		must("metadata.zero-id", "The zero id with no name is an error that the broker did not foresee.", "KafkaApis.handleTopicMetadataRequest", func(c *Conversation) {
			c.Conn("a").Send(metadataByID(12, [16]byte{})).Answer()
		}),
		must("metadata.twice", "A topic asked for twice is described once.", "MetadataRequest", func(c *Conversation) {
			t := c.Topic("orders", 1)
			ask[*kmsg.MetadataResponse](c.Conn("a"), metadata(9, t.Name, t.Name))
		}),
		must("metadata.authorized-operations", "Allowed operations are answered as a bit field where they are asked for.", "KIP-430", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for _, v := range []int16{8, 10, 13} {
				req := metadata(v, t.Name)
				req.IncludeTopicAuthorizedOperations, req.IncludeClusterAuthorizedOperations = true, true
				ask[*kmsg.MetadataResponse](c.Conn("a"), req)
			}
		}),
		must("metadata.deleted", "A deleted topic is unknown by name and by id.", "KIP-516", func(c *Conversation) {
			t := c.Topic("orders", 1)
			ask[*kmsg.DeleteTopicsResponse](c.Conn("a"), deleteTopics(5, t.Name))
			until(c, metadata(12, t.Name), func(r *kmsg.MetadataResponse) bool { return isCold(r) })
			ask[*kmsg.MetadataResponse](c.Conn("a"), metadata(12, t.Name))
			ask[*kmsg.MetadataResponse](c.Conn("a"), metadataByID(12, t.ID))
		}),
	}
}

func autoCreated(c *Conversation) {
	for _, v := range []int16{0, 1, 4, 9, 13} {
		name := c.Name("made")
		if v > 0 {
			name = c.Name("made-by-v" + string(rune('0'+v%10)))
		}
		c.Mine(name)
		req := metadata(v, name)
		req.AllowAutoTopicCreation = true
		until(c, req, warm[*kmsg.MetadataResponse])
		ask[*kmsg.MetadataResponse](c.Conn("a"), req)
	}
}

func autoCreatedAnswer(c *Conversation) {
	known := c.Topic("orders", 1)
	for v := int16(0); v < 14; v++ {
		name := c.Name(fmt.Sprintf("made-by-v%d", v))
		c.Mine(name)
		req := metadata(v, name, known.Name, name)
		req.AllowAutoTopicCreation = true
		ask[*kmsg.MetadataResponse](c.Conn("a"), req)
		again := metadata(v, name)
		until(c, again, warm[*kmsg.MetadataResponse])
		ask[*kmsg.MetadataResponse](c.Conn("a"), again)
	}
}

func invalidNames(c *Conversation) {
	a := c.Conn("a")
	for _, name := range []string{"", ".", "..", "with space", "slash/ed", "ümlaut", strings.Repeat("x", 250)} {
		for _, create := range []bool{false, true} {
			req := metadata(9, name)
			req.AllowAutoTopicCreation = create
			a.Send(req).Answer()
		}
	}
}
