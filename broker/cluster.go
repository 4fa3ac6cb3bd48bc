package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Cluster is a running broker. Start makes one, Close ends it.
type Cluster struct {
	cfg      Config
	log      *slog.Logger
	seed     uint64
	id       string // cluster id
	apis     []api
	apiIndex *[128]uint8
	settings atomic.Pointer[settings]
	image    atomic.Pointer[topicImage]
	mu       sync.Mutex // guards changes of settings and image

	groups          groups
	txns            transactions
	sessions        fetchSessions
	shareStates     shareStates
	sharePartitions sharePartitions
	shareSessions   shareSessions
	upkeep          upkeep
	quotas          map[string]clientQuota               // by entity; guarded by mu, immutable
	scram           map[string]map[int8]*scramCredential // by user and mechanism; guarded by mu
	started         time.Time

	producerID atomic.Int64  // the next one to give out
	validated  atomic.Uint64 // topics that were only validated, for their ids
	changes    changes
	large      sync.Mutex                      // held while a batch larger than usual is decompressed
	refused    atomic.Pointer[map[string]bool] // client ids that may not talk to us, nil: none

	network  network
	listener net.Listener
	done     chan struct{} // closed by Close
	running  sync.WaitGroup
	connsMu  sync.Mutex
	connsEnd *sync.Cond         // a connection has ended, or more are allowed
	conns    map[*conn]struct{} // nil once closed
}

// nodeID is the broker id of the only node, as in a fresh single-node Kafka.
const nodeID = 1

// acceptPause is how long the broker waits after it could not accept a connection.
const acceptPause = 10 * time.Millisecond

// Start starts a cluster as cfg says. The error says what could not be done, and why.
func Start(cfg Config) (*Cluster, error) {
	s, err := newSettings(cfg.Configs)
	if err != nil {
		return nil, err
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	c := &Cluster{cfg: cfg, log: cfg.Logger, seed: cfg.Seed, apis: apis[:], apiIndex: &apiIndex, started: time.Now(), done: make(chan struct{})}
	c.connsEnd = sync.NewCond(&c.connsMu)
	c.settings.Store(s)
	c.upkeep.begin(c, s)
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.seed == 0 {
		c.seed = randomSeed()
	}
	c.id = c.randomID("cluster", "", 0).String()
	c.image.Store(emptyImage())
	for _, t := range cfg.Topics {
		if err := c.addTopic(t); err != nil {
			return nil, err
		}
	}
	if c.listener, err = c.network.listen(cfg); err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	c.running.Add(1)
	go c.accept()
	return c, nil
}

// Addr is the HOST:PORT of the first node.
func (c *Cluster) Addr() string { return c.listener.Addr().String() }

// Addrs are the HOST:PORT of all nodes.
func (c *Cluster) Addrs() []string { return []string{c.Addr()} }

// Dial connects to the node at addr, over whatever network the cluster has. It
// fits the dialer options of Kafka clients.
func (c *Cluster) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	return c.network.dial(ctx, network, addr)
}

// Close ends all connections and waits until everything that the cluster started
// has ended. It may be called more than once.
func (c *Cluster) Close() error {
	c.connsMu.Lock()
	conns := c.conns
	closed := c.isClosed()
	if !closed {
		close(c.done)
	}
	c.conns = nil
	c.connsEnd.Broadcast()
	c.connsMu.Unlock()
	if !closed {
		c.listener.Close()
		for cn := range conns {
			cn.nc.Close()
		}
	}
	c.running.Wait()
	c.upkeep.end()
	c.groups.close() // only now: a request on its way may have made one
	c.txns.unload()
	for _, p := range c.sharePartitions.all() {
		p.fence()
	}
	return nil
}

func (c *Cluster) isClosed() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// accept serves each connection in a goroutine of its own until the listener ends.
func (c *Cluster) accept() {
	defer c.running.Done()
	for {
		nc, err := c.listener.Accept()
		if err != nil && !c.acceptAgain(err) {
			return
		}
		if err != nil {
			continue
		}
		if cn := newConn(c, nc); c.register(cn) {
			go func() {
				defer c.running.Done()
				cn.serve()
			}()
		}
	}
}

// acceptAgain tells whether to go on after a failed Accept. Out of file
// descriptors is no reason to stop for good: connections that end give some back.
func (c *Cluster) acceptAgain(err error) bool {
	if c.isClosed() || errors.Is(err, net.ErrClosed) {
		return false
	}
	c.log.Error("a connection could not be accepted", "error", err)
	pause := time.NewTimer(acceptPause)
	defer pause.Stop()
	select {
	case <-pause.C:
		return true
	case <-c.done:
		return false
	}
}
