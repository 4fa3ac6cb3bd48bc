package conformance

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// maxAnswer bounds an answer of a target, in bytes.
const maxAnswer = 128 << 20

// Conn is one named connection of a conversation; its name is also its client id.
// Requests are answered in the order in which they were sent.
type Conn struct {
	c       *Conversation
	name    string
	silent  bool // it is not in the transcript
	nc      net.Conn
	in      *bufio.Reader // what nc sends
	forget  func() bool   // stops the watch that closes nc when the context ends
	correl  int32
	pending []*Pending
}

// Pending is a request that was sent and not yet answered.
type Pending struct {
	on     *Conn
	req    kmsg.Request // nil for raw bytes
	correl int32
}

// ended unwinds a conversation that cannot go on.
type ended struct{}

// unreachable is why a conversation ended: no connection can be made, any more.
type unreachable struct {
	addr   string
	reason error
}

// Error names the address and the reason.
func (e unreachable) Error() string { return fmt.Sprintf("connection to %s: %v", e.addr, e.reason) }

// Unwrap is the reason.
func (e unreachable) Unwrap() error { return e.reason }

// open dials when the connection is not open.
func (a *Conn) open() {
	if a.nc != nil {
		return
	}
	nc, err := a.c.target.dial(a.c.ctx)
	if err != nil {
		a.c.fail(unreachable{a.c.target.Addr, err})
	}
	a.nc, a.in = nc, bufio.NewReader(nc)
	a.forget = context.AfterFunc(a.c.ctx, func() { nc.Close() })
}

// Close ends the connection from the client's side; the next request opens a new one.
func (a *Conn) Close() {
	if a.nc != nil {
		a.say("%s closes the connection", a.name)
	}
	a.drop()
}

func (a *Conn) drop() {
	if a.nc != nil {
		a.forget()
		a.nc.Close()
	}
	a.nc, a.pending = nil, nil
}

// Send sends req and does not wait for its answer.
func (a *Conn) Send(req kmsg.Request) *Pending {
	if !a.c.target.Offer.Has(req.Key(), req.GetVersion()) {
		a.c.fail(NotOffered{req.Key(), req.GetVersion()})
	}
	a.open()
	a.correl++
	p := &Pending{on: a, req: req, correl: a.correl}
	if !a.silent {
		a.c.say("%s> %s v%d %s", a.name, kmsg.Key(req.Key()).Name(), req.GetVersion(), a.c.printer.message(req))
	}
	frame := kmsg.NewRequestFormatter(kmsg.FormatterClientID(a.name)).AppendRequest(nil, req, p.correl)
	a.write(frame)
	a.pending = append(a.pending, p)
	return p
}

// SendRaw sends bytes as they are, size prefix included. what describes them in the
// transcript. The correlation id in them, if any, should be next().
func (a *Conn) SendRaw(what string, frame []byte) *Pending {
	a.open()
	p := &Pending{on: a, correl: a.correl}
	a.say("%s> bytes: %s", a.name, what)
	a.write(frame)
	a.pending = append(a.pending, p)
	return p
}

// next takes a correlation id for a raw frame.
func (a *Conn) next() int32 {
	a.correl++
	return a.correl
}

func (a *Conn) write(frame []byte) {
	a.nc.SetDeadline(time.Now().Add(a.c.target.patience()))
	// A target that hangs up early shows when the answer is read.
	_, _ = a.nc.Write(frame)
}

// NoAnswer tells that the request has none, as Produce with acks=0.
func (p *Pending) NoAnswer() {
	p.take()
	p.on.say("%s< (no answer is awaited)", p.on.name)
}

func (p *Pending) take() {
	if len(p.on.pending) == 0 || p.on.pending[0] != p {
		panic("conformance: a rule awaits answers out of order")
	}
	p.on.pending = p.on.pending[1:]
}

// Answer waits for the answer; nil means that there was none, and why stands in the
// transcript.
func (p *Pending) Answer() kmsg.Response {
	var resp kmsg.Response
	if p.req != nil {
		resp = p.req.ResponseKind()
		resp.SetVersion(p.req.GetVersion())
	}
	return p.AnswerAs(resp)
}

// AnswerAs reads the answer as resp, whose version is set; nil prints its size only.
func (p *Pending) AnswerAs(resp kmsg.Response) kmsg.Response {
	a := p.on
	p.take()
	frame, err := a.readFrame()
	if err != nil {
		if a.c.ctx.Err() != nil {
			a.c.fail(context.Cause(a.c.ctx))
		}
		a.c.silence = reasonOf(err)
		a.say("%s< %s", a.name, a.c.silence)
		a.drop()
		return nil
	}
	if correl := int32(binary.BigEndian.Uint32(frame)); correl != p.correl {
		a.say("%s< correlation id is not the request's", a.name)
	}
	if resp == nil {
		a.say("%s< %d bytes", a.name, len(frame)-4)
		return nil
	}
	body := frame[4:]
	if resp.IsFlexible() && resp.Key() != int16(kmsg.ApiVersions) {
		if len(body) == 0 || body[0] != 0 {
			a.say("%s< header has tags", a.name)
			return nil
		}
		body = body[1:]
	}
	if err := readBody(resp, body); err != nil {
		a.say("%s< %s v%d: %v", a.name, kmsg.Key(resp.Key()).Name(), resp.GetVersion(), err)
		return nil
	}
	a.c.ours(p.req, resp)
	if a.c.names.unsaid = a == a.c.setup; !a.silent || a.c.names.unsaid { // what comes before a rule counts when names are numbered
		a.say("%s< %s v%d %s", a.name, kmsg.Key(resp.Key()).Name(), resp.GetVersion(), a.c.printer.message(resp))
	}
	a.c.names.unsaid = false
	return resp
}

func (a *Conn) say(format string, args ...any) {
	if !a.silent {
		a.c.say(format, args...)
	}
}

func readBody(resp kmsg.Response, body []byte) error {
	if err := resp.ReadFrom(body); err != nil {
		return fmt.Errorf("body cannot be read: %w", err)
	}
	if again := resp.AppendTo(nil); len(again) < len(body) {
		return fmt.Errorf("body has %d bytes too many", len(body)-len(again))
	}
	return nil
}

func (a *Conn) readFrame() ([]byte, error) {
	a.nc.SetDeadline(time.Now().Add(a.c.target.patience()))
	var size [4]byte
	if _, err := io.ReadFull(a.in, size[:]); err != nil {
		return nil, err
	}
	n := int32(binary.BigEndian.Uint32(size[:]))
	switch {
	case string(size[:]) == "HTTP":
		return nil, errors.New("it speaks HTTP")
	case size[0] == 0x15 && size[1] == 3: // an alert
		return nil, errors.New("it speaks TLS")
	case n < 4 || n > maxAnswer:
		return nil, fmt.Errorf("an answer of %d bytes", n)
	}
	frame := make([]byte, n)
	_, err := io.ReadFull(a.in, frame)
	return frame, err
}

// arrived tells whether an answer, or the end of the connection, comes within d.
func (a *Conn) arrived(d time.Duration) bool {
	a.nc.SetReadDeadline(time.Now().Add(d))
	_, err := a.in.Peek(1)
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

// reasonOf is how the transcript puts it that no answer came.
func reasonOf(err error) string {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "nothing"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		errors.Is(err, io.ErrClosedPipe), strings.Contains(err.Error(), "connection reset"), strings.Contains(err.Error(), "broken pipe"):
		return "connection closed"
	}
	return err.Error()
}

// ask sends req and waits for the answer; the conversation ends when none comes.
func ask[T kmsg.Response](a *Conn, req kmsg.Request) T { return answer[T](a.Send(req)) }

// answer waits for the answer of a request sent earlier, as ask does.
func answer[T kmsg.Response](p *Pending) T {
	resp, ok := p.Answer().(T)
	if !ok {
		panic(ended{})
	}
	return resp
}
