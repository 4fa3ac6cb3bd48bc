package broker

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
)

// Cluster is a running broker. Start makes one, Close ends it.
type Cluster struct {
	cfg      Config
	image    atomic.Pointer[topicImage]
	settings atomic.Pointer[settings]
}

// settings are the broker configs as the code uses them, typed; a change of a
// dynamic config makes a new value.
type settings struct {
	numPartitions    int32 // num.partitions
	autoCreateTopics bool  // auto.create.topics.enable
}

// Start starts a cluster as cfg says. The error says what could not be done, and why.
func Start(cfg Config) (*Cluster, error) { return nil, errors.New("broker: not written yet") }

// Addr is the HOST:PORT of the first node.
func (c *Cluster) Addr() string { return "" }

// Addrs are the HOST:PORT of all nodes.
func (c *Cluster) Addrs() []string { return nil }

// Dial connects to the node at addr, over whatever network the cluster has. It
// fits the dialer options of Kafka clients.
func (c *Cluster) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	return nil, errors.New("broker: not written yet")
}

// Close ends all connections and waits until everything that the cluster started
// has ended. It may be called more than once.
func (c *Cluster) Close() error { return nil }
