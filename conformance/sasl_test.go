package conformance_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"klamm/broker"
	"klamm/conformance"

	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/xdg-go/scram"
)

// gate is a broker that wants SASL: it answers a login itself, and lets the rest
// through to a broker that wants none.
type gate struct {
	net.Listener
	behind string

	mu     sync.Mutex
	logins int
}

const gatePassword = "a:secret"

func newGate(t *testing.T) *gate {
	c, err := broker.Start(broker.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{Listener: l, behind: c.Addr()}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go g.serve(nc)
		}
	}()
	return g
}

func (g *gate) serve(nc net.Conn) {
	defer nc.Close()
	if !admit(nc) {
		return
	}
	g.mu.Lock()
	g.logins++
	g.mu.Unlock()
	broker, err := net.Dial("tcp", g.behind)
	if err != nil {
		return
	}
	defer broker.Close()
	go func() {
		_, _ = io.Copy(broker, nc)
		broker.Close()
	}()
	_, _ = io.Copy(nc, broker)
}

// admit tells whether the connection has logged in as admin.
func admit(nc net.Conn) bool {
	handshake := kmsg.NewPtrSASLHandshakeRequest()
	handshake.Version = 1
	correl, ok := nextRequest(nc, handshake)
	if !ok {
		return false
	}
	resp := kmsg.NewPtrSASLHandshakeResponse()
	resp.Version, resp.SupportedMechanisms = 1, []string{"PLAIN", "SCRAM-SHA-512"}
	step := func(said string) (say string, done, ok bool) {
		return "", true, said == "\x00admin\x00"+gatePassword
	}
	switch handshake.Mechanism {
	case "PLAIN":
	case "SCRAM-SHA-512":
		step = scramServer()
	default:
		resp.ErrorCode = 33
	}
	answer(nc, correl, resp)
	for resp.ErrorCode == 0 {
		req := kmsg.NewPtrSASLAuthenticateRequest()
		req.Version = 1
		if correl, ok = nextRequest(nc, req); !ok {
			return false
		}
		resp := kmsg.NewPtrSASLAuthenticateResponse()
		resp.Version = 1
		say, done, ok := step(string(req.SASLAuthBytes))
		resp.SASLAuthBytes = []byte(say)
		if !ok {
			resp.ErrorCode, resp.ErrorMessage = 58, kmsg.StringPtr("who are you?")
		}
		answer(nc, correl, resp)
		if done || !ok {
			return ok
		}
	}
	return false
}

func scramServer() func(said string) (say string, done, ok bool) {
	client, err := scram.SHA512.NewClient("admin", gatePassword, "")
	if err != nil {
		panic(err)
	}
	known, err := client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: "salt", Iters: 4096})
	if err != nil {
		panic(err)
	}
	server, err := scram.SHA512.NewServer(func(string) (scram.StoredCredentials, error) { return known, nil })
	if err != nil {
		panic(err)
	}
	talk := server.NewConversation()
	return func(said string) (say string, done, ok bool) {
		say, err := talk.Step(said)
		return say, talk.Done(), err == nil
	}
}

func nextRequest(nc net.Conn, req kmsg.Request) (correl uint32, ok bool) {
	var size [4]byte
	if _, err := io.ReadFull(nc, size[:]); err != nil {
		return 0, false
	}
	frame := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(nc, frame); err != nil || int16(binary.BigEndian.Uint16(frame)) != req.Key() {
		return 0, false
	}
	header := 10 + int(binary.BigEndian.Uint16(frame[8:]))
	return binary.BigEndian.Uint32(frame[4:]), req.ReadFrom(frame[header:]) == nil
}

func answer(nc net.Conn, correl uint32, resp kmsg.Response) {
	body := resp.AppendTo(binary.BigEndian.AppendUint32(nil, correl))
	_, _ = nc.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...))
}

// TestLogin: a target that wants SASL keeps what it keeps without, also on connections
// that are opened anew, and transcripts do not show a login.
func TestLogin(t *testing.T) {
	g := newGate(t)
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-512"} {
		g.mu.Lock()
		before := g.logins
		g.mu.Unlock()
		target := conformance.Target{Addr: g.Addr().String(), Login: &conformance.Login{Mechanism: mechanism, User: "admin", Password: gatePassword}}
		rules := chosen(t, "frames.empty", "metadata.unknown", "fetch.session.other-connection")
		run, err := conformance.Suite{Rules: rules, Target: target}.Begin(t.Context())
		if err != nil {
			t.Fatal(mechanism, err)
		}
		for r := range run.Results(t.Context()) {
			if r.Verdict != conformance.VerdictKept {
				t.Errorf("%s: %s is %s\n%s", mechanism, r.ID, r.Verdict, r.Why)
			}
		}
		g.mu.Lock()
		if g.logins-before < 8 { // three questions, then at least two connections a rule, but for one
			t.Errorf("%s: only %d connections have logged in", mechanism, g.logins-before)
		}
		g.mu.Unlock()
	}
}

// TestLoginRefused: who is refused learns why.
func TestLoginRefused(t *testing.T) {
	g := newGate(t)
	for _, tc := range []struct{ mechanism, password, want string }{
		{"PLAIN", "wrong", "SASL_AUTHENTICATION_FAILED: who are you?"},
		{"SCRAM-SHA-512", "wrong", "login of admin with SCRAM-SHA-512: "},
		{"SCRAM-SHA-256", gatePassword, `the broker takes ["PLAIN" "SCRAM-SHA-512"]`},
	} {
		target := conformance.Target{Addr: g.Addr().String(), Login: &conformance.Login{Mechanism: tc.mechanism, User: "admin", Password: tc.password}}
		_, err := conformance.Ask(t.Context(), target)
		if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), tc.password) {
			t.Errorf("%s: %v, want %q", tc.mechanism, err, tc.want)
		}
	}
}

// TestTLS: a login goes through TLS, and a certificate that nobody knows is refused.
func TestTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(nil) // for its certificate, which names example.com
	server.StartTLS()
	defer server.Close()
	g := newGate(t)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: server.TLS.Certificates})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go g.serve(nc)
		}
	}()
	known := x509.NewCertPool()
	known.AddCert(server.Certificate())
	target := conformance.Target{Addr: l.Addr().String(), TLS: &tls.Config{RootCAs: known},
		Login: &conformance.Login{Mechanism: "PLAIN", User: "admin", Password: gatePassword}}
	if offer, err := conformance.Ask(t.Context(), target); err != nil || len(offer) == 0 {
		t.Error(err, offer)
	}
	target.TLS = &tls.Config{}
	if _, err := conformance.Ask(t.Context(), target); err == nil || !strings.Contains(err.Error(), "TLS: ") {
		t.Error(err)
	}
}
