package peers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"klamm/kafkatest"
)

// TestCrashedMemberInBubble is the same scenario with client and broker in one
// testing/synctest bubble, over the network in memory. The session timeout is Kafka's
// own, nothing cuts it short, and the clock of the bubble jumps over it.
func TestCrashedMemberInBubble(t *testing.T) {
	eachDriver(t, func(d driver) string { return d.noBubble }, func(t *testing.T, d driver) {
		for _, assignor := range d.assignors {
			t.Run(assignor, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					began := time.Now()
					ctx, cancel := context.WithTimeoutCause(t.Context(), time.Hour, errors.New("an hour of the bubble's time has passed"))
					defer cancel()
					crashedMember(ctx, t, bubbleTarget(t), d, assignor)
					passed := time.Since(began)
					if passed < sessionTimeout {
						t.Errorf("%v of the bubble's time have passed, less than a session timeout", passed)
					}
					t.Logf("%v have passed, all of them the bubble's", passed.Round(time.Millisecond))
				})
			})
		}
	})
}

// sessionTimeout is the default of Kafka's consumers.
const sessionTimeout = 45 * time.Second

func bubbleTarget(t *testing.T) *target {
	k := kafkatest.Start(t, kafkatest.Config{Network: kafkatest.Memory})
	at := endpoint{addr: k.Addr(), dial: k.Dial}
	var names atomic.Int64
	return &target{
		endpoint:  at,
		admin:     newAdmin(t, at),
		names:     func(kind string) string { return fmt.Sprintf("%s-%d", kind, names.Add(1)) },
		session:   sessionTimeout,
		heartbeat: 3 * time.Second,
		attach: func(*testing.T, string) (endpoint, func()) {
			g := &gate{to: at}
			return endpoint{addr: at.addr, dial: g.dial}, g.cut
		},
	}
}

// gate is a dialer that can be cut, with all connections that went through it.
type gate struct {
	to    endpoint
	mu    sync.Mutex
	shut  bool
	conns []net.Conn
}

var errCut = errors.New("the client has crashed")

func (g *gate) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := g.to.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		c.Close()
		return nil, errCut
	}
	g.conns = append(g.conns, c)
	return c, nil
}

func (g *gate) cut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
	for _, c := range g.conns {
		c.Close()
	}
}
