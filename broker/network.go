package broker

import (
	"context"
	"net"
)

// network is what a cluster listens on and is dialled through. Its zero value is
// TCP; listen decides. It is not changed after listen has returned.
type network struct {
	memory *memoryListener // nil: TCP
}

// listen opens the listener that cfg asks for.
func (n *network) listen(cfg Config) (net.Listener, error) {
	if cfg.Network == Memory {
		l, err := listenMemory(cfg.Listen, cfg.Advertise)
		if err != nil {
			return nil, err
		}
		n.memory = l
		return l, nil
	}
	addr := cfg.Listen
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	// No keep-alive probes, which take four system calls a connection: a client that
	// vanished is found by connections.max.idle.ms.
	lc := net.ListenConfig{KeepAlive: -1}
	return lc.Listen(context.Background(), "tcp", addr)
}

// dial connects to addr, as net.Dialer.DialContext does.
func (n *network) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if n.memory != nil {
		return n.memory.dial(ctx, network, addr)
	}
	var d net.Dialer
	return d.DialContext(ctx, network, addr)
}
