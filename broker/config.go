package broker

import (
	"fmt"
	"log/slog"
	"net"
	"strconv"
)

// Network is what clients reach a cluster over.
type Network int

const (
	// TCP listens on the loopback interface, or where Config.Listen says.
	TCP Network = iota
	// Memory has no sockets: clients connect through Cluster.Dial. It blocks
	// durably, so that a client and the broker can live in a testing/synctest bubble.
	Memory
)

// Config is how a cluster starts. The zero value starts one node, as a fresh
// single-node Kafka, on a free port of 127.0.0.1.
type Config struct {
	// Listen is the HOST:PORT to listen on; empty means 127.0.0.1:0, and port 0 any free one.
	Listen string
	// Advertise is the HOST:PORT that clients are told. Empty means: the address
	// that they reached the broker by.
	Advertise string
	// Network is TCP unless told otherwise.
	Network Network
	// Configs are broker configs by Kafka's names, such as "num.partitions": "3".
	Configs map[string]string
	// Topics exist when Start returns.
	Topics []Topic
	// Logger takes what happens; nil discards it.
	Logger *slog.Logger
	// Seed makes random choices (member ids, topic ids, the cluster id) repeatable. 0 means a random seed.
	Seed uint64
}

// check tells what cannot be started, of what is not found out by doing it.
func (cfg *Config) check() error {
	if cfg.Network != TCP && cfg.Network != Memory {
		return fmt.Errorf("Config.Network: %d is neither TCP nor Memory", cfg.Network)
	}
	if cfg.Advertise == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(cfg.Advertise)
	if n, bad := strconv.ParseUint(port, 10, 16); err != nil || host == "" || bad != nil || n == 0 {
		return fmt.Errorf("Config.Advertise: %q is not HOST:PORT", cfg.Advertise)
	}
	return nil
}

// Topic is a topic to create.
type Topic struct {
	Name string
	// Partitions is the number of partitions; 0 means num.partitions.
	Partitions int32
	// Configs are topic configs by Kafka's names.
	Configs map[string]string
}
