package conformance

import (
	"encoding/binary"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// framed puts the size prefix before body.
func framed(body []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
}

// header is a request header of version 1, with client id "a".
func header(key, version int16, correlation int32) []byte {
	h := binary.BigEndian.AppendUint16(nil, uint16(key))
	h = binary.BigEndian.AppendUint16(h, uint16(version))
	h = binary.BigEndian.AppendUint32(h, uint32(correlation))
	return append(h, 0, 1, 'a')
}

// badFrame is a rule that one frame ends its connection, and that the next one is
// served as ever. frame gets the correlation id.
func badFrame(id, says string, frame func(correlation int32) []byte) Rule {
	return must("frames."+id, says, "SocketServer, RequestHeader, protocol guide", func(c *Conversation) {
		a := c.Conn("a")
		a.SendRaw(id, frame(a.next())).AnswerAs(nil)
		ask[*kmsg.MetadataResponse](a, metadata(9))
	})
}

func frameRules() []Rule {
	metadataKey, joinKey, produceKey := int16(kmsg.Metadata), int16(kmsg.JoinGroup), int16(kmsg.Produce)
	return []Rule{
		badFrame("unknown-api-key", "An API key that does not exist ends the connection.", func(n int32) []byte {
			return framed(header(999, 0, n))
		}),
		badFrame("negative-api-key", "A negative API key ends the connection.", func(n int32) []byte {
			return framed(header(-1, 0, n))
		}),
		badFrame("broker-only-api", "An API that only controllers serve ends the connection of a broker's listener.", func(n int32) []byte {
			return framed(append(header(52, 0, n), 0, 0, 0, 0))
		}),
		badFrame("unknown-version", "A version that the API does not have ends the connection.", func(n int32) []byte {
			return framed(append(header(metadataKey, 99, n), 0, 0, 0))
		}),
		badFrame("removed-version", "A version that was removed ends the connection.", func(n int32) []byte {
			return framed(append(header(int16(kmsg.Fetch), 3, n), make([]byte, 40)...))
		}),
		badFrame("negative-version", "A negative version ends the connection.", func(n int32) []byte {
			return framed(append(header(metadataKey, -1, n), 0, 0, 0, 0))
		}),
		badFrame("negative-size", "A negative size ends the connection.", func(int32) []byte {
			return []byte{0xff, 0xff, 0xff, 0xff}
		}),
		badFrame("oversized", "A size above socket.request.max.bytes ends the connection.", func(int32) []byte {
			return []byte{0x7f, 0xff, 0xff, 0xff}
		}),
		badFrame("empty", "A frame of no bytes ends the connection.", func(int32) []byte {
			return []byte{0, 0, 0, 0}
		}),
		badFrame("short-header", "A frame that ends within the header ends the connection.", func(int32) []byte {
			return framed([]byte{0, 3, 0, 9, 0})
		}),
		badFrame("truncated-body", "A body that ends early ends the connection.", func(n int32) []byte {
			return framed(append(header(joinKey, 2, n), 0, 5, 'g'))
		}),
		badFrame("huge-array", "An array longer than what is left of the frame ends the connection.", func(n int32) []byte {
			return framed(append(header(metadataKey, 1, n), 0x7f, 0xff, 0xff, 0xff))
		}),
		badFrame("huge-string", "A string longer than what is left of the frame ends the connection.", func(n int32) []byte {
			return framed(append(header(metadataKey, 1, n), 0, 0, 0, 1, 0x7f, 0xff, 't'))
		}),
		badFrame("huge-compact-array", "A compact array longer than what is left of the frame ends the connection.", func(n int32) []byte {
			return framed(append(append(header(metadataKey, 9, n), 0), 0xff, 0xff, 0xff, 0xff, 0x0f))
		}),
		badFrame("null-string", "Null in place of a string that the schema wants ends the connection.", func(n int32) []byte {
			return framed(append(header(int16(kmsg.Heartbeat), 0, n), 0xff, 0xff, 0, 0, 0, 0, 0, 0))
		}),
		badFrame("produce-v2", "Produce v0 to v2 are advertised and end the connection.", func(n int32) []byte {
			return framed(append(header(produceKey, 2, n), 0, 1, 0, 0, 0x10, 0, 0, 0, 0, 0))
		}),
		badFrame("null-array", "Null in place of an array that the schema wants ends the connection.", func(n int32) []byte {
			return framed(append(header(int16(kmsg.DescribeGroups), 0, n), 0xff, 0xff, 0xff, 0xff))
		}),
		must("frames.null-client-id", "A null client id is as good as any.", "RequestHeader", nullClientID),
		must("frames.trailing-bytes", "Bytes behind the body are ignored.", "AbstractRequest.parseRequest", func(c *Conversation) {
			a := c.Conn("a")
			resp := kmsg.NewPtrHeartbeatResponse()
			body := append(header(int16(kmsg.Heartbeat), 0, a.next()), 0, 1, 'g', 0, 0, 0, 0, 0, 1, 'm', 9, 9, 9)
			c.Group("other")
			a.SendRaw("Heartbeat v0 and three bytes", framed(body)).AnswerAs(resp)
		}),
		must("frames.unknown-tags", "Tags that the broker does not know are skipped, in header and body.", "KIP-482", unknownRequestTags),
		must("frames.pipelined", "Requests that were sent without waiting are answered in their order.", "protocol guide", func(c *Conversation) {
			a := c.Conn("a")
			first := a.Send(metadata(9))
			second := a.Send(apiVersions(0, "", ""))
			third := a.Send(metadata(1))
			first.Answer()
			second.Answer()
			third.Answer()
		}),
	}
}

func nullClientID(c *Conversation) {
	a := c.Conn("a")
	frame := binary.BigEndian.AppendUint16(nil, uint16(kmsg.Metadata))
	frame = binary.BigEndian.AppendUint16(frame, 1)
	frame = binary.BigEndian.AppendUint32(frame, uint32(a.next()))
	frame = append(frame, 0xff, 0xff, 0, 0, 0, 0)
	resp := kmsg.NewPtrMetadataResponse()
	resp.Version = 1
	a.SendRaw("Metadata v1 of no topics, client id null", framed(frame)).AnswerAs(resp)
}

func unknownRequestTags(c *Conversation) {
	a := c.Conn("a")
	frame := append(header(int16(kmsg.Metadata), 9, a.next()), 1, 77, 2, 'x', 'y') // one tag in the header
	frame = append(frame, 1, 0, 0, 0)                                              // no topics, three booleans
	frame = append(frame, 2, 50, 1, 'p', 51, 0)                                    // two tags in the body
	resp := kmsg.NewPtrMetadataResponse()
	resp.Version = 9
	a.SendRaw("Metadata v9 of no topics with unknown tags", framed(frame)).AnswerAs(resp)
}
