package broker

import (
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// call is one request on its way from the socket to its response.
type call struct {
	cluster *Cluster
	conn    *conn
	header  protocol.RequestHeader
	now     time.Time
	// raw is the body of the answer where a handler has it encoded already; the
	// response that it was given is then left aside.
	raw []byte
	// silent means that the client wants no answer (acks=0).
	silent bool
	// hangUp, once set by a handler, ends the connection instead of an answer.
	hangUp error
	// size is about how many bytes the answer has so far, where that is counted.
	size int
}

// maxAnswer is about how many bytes an answer may have that can be much longer than its
// request, because one short name stands for much and may be named again and again.
const maxAnswer = 256 << 20

// grows counts about n bytes towards the size of the answer. When it becomes too large
// to be made, the connection is to be ended, and the handler may stop.
func (c *call) grows(n int) (tooLarge bool) {
	if c.size += n; c.size > maxAnswer {
		c.hangUp = errLargeAnswer
	}
	return c.hangUp != nil
}

var errLargeAnswer = fmt.Errorf("the answer would have more than %d bytes", maxAnswer)

// serve answers a request whose header has been read. An error ends the connection.
func (c *call) serve(body []byte) error {
	row := c.cluster.api(c.header.Key)
	if row == nil {
		return fmt.Errorf("API key %d is not served", c.header.Key)
	}
	if !row.serves(c.header.Version) {
		if c.header.Key == int16(kmsg.ApiVersions) {
			return c.refuseApiVersions()
		}
		return fmt.Errorf("%s v%d is not served, v%d to v%d are", row.name, c.header.Version, row.min, row.max)
	}
	return row.serve(c, body)
}

// answer encodes resp behind the answers that wait already.
func (c *call) answer(resp kmsg.Response) error {
	if c.hangUp != nil {
		return c.hangUp
	}
	if c.silent {
		return nil
	}
	out := &c.conn.out
	start, before := c.begin()
	if c.raw != nil {
		out.buf = append(out.buf, c.raw...)
	} else {
		out.buf = resp.AppendTo(out.buf)
	}
	out.end(start, before)
	return nil
}

// begin starts the frame of the answer with its header, for outbox.end.
func (c *call) begin() (start, before int) {
	out := &c.conn.out
	start, before = out.begin(), out.spliced
	out.buf = protocol.AppendResponseHeader(out.buf, c.header)
	return start, before
}

// refuseApiVersions answers an ApiVersions request of an unknown version in v0
// with UNSUPPORTED_VERSION and the versions that are served, so that any client
// can find out what to say instead (KIP-35, KIP-511).
func (c *call) refuseApiVersions() error {
	c.header.Version = 0
	resp := kmsg.NewPtrApiVersionsResponse()
	c.cluster.unsupportedApiVersions(resp)
	return c.answer(resp)
}
