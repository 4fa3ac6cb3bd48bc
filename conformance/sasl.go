package conformance

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"klamm/protocol"

	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/xdg-go/scram"
)

// Login is how the connections to a target authenticate (KIP-43, KIP-84, KIP-152). It
// is no part of a conversation: a transcript does not show it.
type Login struct {
	// Mechanism is one of Mechanisms.
	Mechanism string
	User      string
	Password  string
}

// Mechanisms are the SASL mechanisms that a Login may name, by Kafka's names.
func Mechanisms() []string { return []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} }

// maxLoginAnswer bounds an answer to a login, in bytes: whoever answers is not trusted yet.
const maxLoginAnswer = 1 << 16

// secured makes of a fresh connection one that conversations can use.
func (t Target) secured(ctx context.Context, nc net.Conn) (net.Conn, error) {
	if t.TLS == nil && t.Login == nil {
		return nc, nil
	}
	stop := context.AfterFunc(ctx, func() { nc.Close() })
	defer stop()
	nc.SetDeadline(time.Now().Add(t.patience()))
	if t.TLS != nil {
		config := t.TLS.Clone()
		if config.ServerName == "" {
			config.ServerName, _, _ = net.SplitHostPort(t.Addr)
		}
		secure := tls.Client(nc, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			nc.Close()
			return nil, fmt.Errorf("TLS: %w", err)
		}
		nc = secure
	}
	if t.Login != nil {
		if err := (&loginConn{nc: nc}).login(*t.Login); err != nil {
			nc.Close()
			return nil, fmt.Errorf("login of %s with %s: %w", t.Login.User, t.Login.Mechanism, err)
		}
	}
	nc.SetDeadline(time.Time{})
	return nc, nil
}

// loginConn is a connection while it authenticates.
type loginConn struct {
	nc     net.Conn
	correl int32
}

func (l *loginConn) login(as Login) error {
	handshake := kmsg.NewPtrSASLHandshakeRequest()
	handshake.Version, handshake.Mechanism = 1, as.Mechanism
	resp := kmsg.NewPtrSASLHandshakeResponse()
	if err := l.ask(handshake, resp); err != nil {
		return err
	}
	if code := protocol.ErrorCode(resp.ErrorCode); code != 0 {
		return fmt.Errorf("%v: the broker takes %q", code, resp.SupportedMechanisms)
	}
	switch as.Mechanism {
	case "PLAIN":
		_, err := l.send("\x00" + as.User + "\x00" + as.Password)
		return err
	case "SCRAM-SHA-256":
		return l.scram(scram.SHA256, as)
	case "SCRAM-SHA-512":
		return l.scram(scram.SHA512, as)
	}
	return fmt.Errorf("unknown mechanism, known are %q", Mechanisms())
}

// scram proves that the password is known, and has the broker prove it too (RFC 5802).
func (l *loginConn) scram(hash scram.HashGeneratorFcn, as Login) error {
	client, err := hash.NewClient(as.User, as.Password, "")
	if err != nil {
		return err
	}
	talk, said := client.NewConversation(), ""
	for {
		say, err := talk.Step(said)
		switch {
		case err != nil:
			return err
		case talk.Done() && !talk.Valid():
			return errors.New("the broker does not know the password itself")
		case talk.Done():
			return nil
		}
		if said, err = l.send(say); err != nil {
			return err
		}
	}
}

// send is one SaslAuthenticate.
func (l *loginConn) send(say string) (answer string, err error) {
	req := kmsg.NewPtrSASLAuthenticateRequest()
	req.Version, req.SASLAuthBytes = 1, []byte(say)
	resp := kmsg.NewPtrSASLAuthenticateResponse()
	if err := l.ask(req, resp); err != nil {
		return "", err
	}
	if code := protocol.ErrorCode(resp.ErrorCode); code != 0 {
		why := ""
		if resp.ErrorMessage != nil {
			why = ": " + *resp.ErrorMessage
		}
		return "", fmt.Errorf("%v%s", code, why)
	}
	return string(resp.SASLAuthBytes), nil
}

// ask sends req, whose version has the plain header, and reads its answer.
func (l *loginConn) ask(req kmsg.Request, resp kmsg.Response) error {
	l.correl++
	resp.SetVersion(req.GetVersion())
	frame := kmsg.NewRequestFormatter(kmsg.FormatterClientID("login")).AppendRequest(nil, req, l.correl)
	if _, err := l.nc.Write(frame); err != nil {
		return err
	}
	var head [8]byte // size and correlation id
	if _, err := io.ReadFull(l.nc, head[:]); err != nil {
		return fmt.Errorf("no answer to %s: %w", kmsg.Key(req.Key()).Name(), err)
	}
	size := int64(int32(binary.BigEndian.Uint32(head[:])))
	if size < 4 || size > maxLoginAnswer || int32(binary.BigEndian.Uint32(head[4:])) != l.correl {
		return fmt.Errorf("the answer to %s is none of a Kafka broker", kmsg.Key(req.Key()).Name())
	}
	body := make([]byte, size-4)
	if _, err := io.ReadFull(l.nc, body); err != nil {
		return err
	}
	return resp.ReadFrom(body)
}
