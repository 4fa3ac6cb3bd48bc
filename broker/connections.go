package broker

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// connectionLimits are how many connections there may be (kafka.network.ConnectionQuotas).
type connectionLimits struct {
	all       int                // max.connections
	perIP     int                // max.connections.per.ip
	overrides map[netip.Addr]int // max.connections.per.ip.overrides
}

// noConnectionLimit is the default of all limits.
const noConnectionLimit = 1<<31 - 1

// connectionLimits reads the limits. A host that is named in the overrides is an address or
// localhost: nobody is asked for other names, whose entries have no effect.
func (s *settings) connectionLimits() connectionLimits {
	l := connectionLimits{all: int(s.number("max.connections")), perIP: int(s.number("max.connections.per.ip"))}
	for entry := range strings.SplitSeq(s.value("max.connections.per.ip.overrides"), ",") {
		at := strings.LastIndexByte(entry, ':')
		if at < 0 {
			continue
		}
		host := javaTrim(entry[:at])
		if host == "localhost" {
			host = "127.0.0.1"
		}
		addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
		n, bad := strconv.Atoi(javaTrim(entry[at+1:]))
		if err != nil || bad != nil {
			continue
		}
		if l.overrides == nil {
			l.overrides = map[netip.Addr]int{}
		}
		l.overrides[addr.Unmap()] = n
	}
	return l
}

// of is how many connections an address may have.
func (l *connectionLimits) of(addr netip.Addr) int {
	if n, ok := l.overrides[addr]; ok {
		return n
	}
	return l.perIP
}

// register notes an accepted connection, so that Close ends it. Where max.connections is
// reached it waits until another one ends, and with it every client that comes later; where its
// address has as many as it may have, the connection is ended.
func (c *Cluster) register(cn *conn) bool {
	c.connsMu.Lock()
	defer c.connsMu.Unlock()
	for !c.isClosed() && len(c.conns) >= c.settings.Load().connections.all {
		c.connsEnd.Wait()
		cn.now = time.Now() // connections.max.idle.ms counts from here
	}
	if c.isClosed() || !c.mayHave(cn) {
		cn.nc.Close()
		return false
	}
	if c.conns == nil {
		c.conns = make(map[*conn]struct{})
	}
	c.conns[cn] = struct{}{}
	c.running.Add(1)
	return true
}

// mayHave tells whether the client's address may have one connection more. They are counted
// only where somebody has set a limit.
func (c *Cluster) mayHave(cn *conn) bool {
	l := &c.settings.Load().connections
	addr := cn.remoteIP()
	limit := l.of(addr)
	if limit == noConnectionLimit {
		return true
	}
	n := 0
	for other := range c.conns {
		if other.remoteIP() == addr {
			n++
		}
	}
	return n < limit
}

func (cn *conn) remoteIP() netip.Addr {
	if addr, ok := cn.nc.RemoteAddr().(*net.TCPAddr); ok {
		return addr.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// forget is the last thing that a connection does.
func (c *Cluster) forget(cn *conn) {
	c.connsMu.Lock()
	delete(c.conns, cn)
	c.connsEnd.Broadcast()
	c.connsMu.Unlock()
	close(cn.ended)
}

// useSettings has s count from now on; c.mu is held.
func (c *Cluster) useSettings(s *settings) {
	c.settings.Store(s)
	c.connsMu.Lock()
	c.connsEnd.Broadcast() // there may be room for more
	c.connsMu.Unlock()
}
