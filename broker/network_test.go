package broker

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
)

// listenOn listens as cfg says and ends with the test.
func listenOn(t *testing.T, cfg Config) (*network, net.Listener) {
	t.Helper()
	n := new(network)
	l, err := n.listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return n, l
}

// connect returns both ends of a connection through l.
func connect(t *testing.T, n *network, l net.Listener) (client, server net.Conn) {
	t.Helper()
	client, err := n.dial(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

func TestNetworkRoundTrip(t *testing.T) {
	for name, cfg := range map[string]Config{
		"tcp":                {},
		"tcp, given address": {Listen: "127.0.0.1:0"},
		"memory":             {Network: Memory},
		"memory, all hosts":  {Network: Memory, Listen: ":9092"},
	} {
		t.Run(name, func(t *testing.T) {
			n, l := listenOn(t, cfg)
			client, server := connect(t, n, l)
			if got, want := client.RemoteAddr().String(), server.LocalAddr().String(); got != want {
				t.Errorf("client talks to %s, server is %s", got, want)
			}
			if got, want := server.RemoteAddr().String(), client.LocalAddr().String(); got != want {
				t.Errorf("server talks to %s, client is %s", got, want)
			}
			for _, addr := range []net.Addr{l.Addr(), client.LocalAddr(), server.LocalAddr()} {
				if tcp, ok := addr.(*net.TCPAddr); !ok || tcp.Port == 0 {
					t.Errorf("address %v (%T), want a TCP address with a port", addr, addr)
				}
			}
			go client.Write([]byte("hello"))
			got := make([]byte, 5)
			if _, err := io.ReadFull(server, got); err != nil || string(got) != "hello" {
				t.Fatalf("read %q, %v", got, err)
			}
			client.Close()
			if n, err := server.Read(got); n != 0 || err != io.EOF {
				t.Errorf("after close: %d, %v; want EOF", n, err)
			}
			l.Close()
			if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("Accept after Close: %v", err)
			}
			if _, err := n.dial(t.Context(), "tcp", l.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("dial after Close: %v", err)
			}
		})
	}
}

func TestMemoryClientsHaveTheirOwnPorts(t *testing.T) {
	n, l := listenOn(t, Config{Network: Memory})
	seen := map[string]bool{}
	for range 50 {
		client, _ := connect(t, n, l)
		if addr := client.LocalAddr().String(); seen[addr] {
			t.Fatalf("%s given out twice", addr)
		} else {
			seen[addr] = true
		}
	}
}

func TestMemoryAddresses(t *testing.T) {
	for _, tc := range []struct{ listen, advertise, dial, local, err string }{
		{dial: "127.0.0.1:1", local: "127.0.0.1:1"},
		{dial: "localhost:1", local: "127.0.0.1:1"},
		{listen: "127.0.0.1:0", dial: "127.0.0.1:1", local: "127.0.0.1:1"},
		{listen: "localhost:9092", dial: "127.0.0.1:9092", local: "127.0.0.1:9092"},
		{listen: "0.0.0.0:9092", dial: "10.1.2.3:9092", local: "10.1.2.3:9092"},
		{listen: "[::1]:9092", dial: "[::1]:9092", local: "[::1]:9092"},
		{advertise: "kafka.test:9092", dial: "kafka.test:9092", local: "127.0.0.1:1"},
		{dial: "127.0.0.1:2", err: "dial tcp 127.0.0.1:2: connection refused: the in-memory network has only 127.0.0.1:1"},
		{dial: "127.0.0.2:1", err: "dial tcp 127.0.0.2:1: connection refused: the in-memory network has only 127.0.0.1:1"},
		{dial: "kafka.test:1", err: "dial tcp kafka.test:1: connection refused: the in-memory network has only 127.0.0.1:1"},
	} {
		n, l := listenOn(t, Config{Network: Memory, Listen: tc.listen, Advertise: tc.advertise})
		conn, err := n.dial(t.Context(), "tcp", tc.dial)
		if tc.err != "" {
			if err == nil || err.Error() != tc.err || !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("%+v: error %v", tc, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%+v: %v", tc, err)
			continue
		}
		server, err := l.Accept()
		if err != nil || server.LocalAddr().String() != tc.local || conn.RemoteAddr().String() != tc.local {
			t.Errorf("%+v: server %v, client sees %v, %v", tc, server.LocalAddr(), conn.RemoteAddr(), err)
		}
	}
}

func TestListenErrors(t *testing.T) {
	_, taken := listenOn(t, Config{})
	for _, cfg := range []Config{
		{Listen: taken.Addr().String()},
		{Listen: "nonsense"},
		{Network: Memory, Listen: "nonsense"},
		{Network: Memory, Listen: "kafka.test:9092"},
	} {
		n := new(network)
		if l, err := n.listen(cfg); err == nil {
			l.Close()
			t.Errorf("%+v: no error", cfg)
		} else if !strings.Contains(err.Error(), cfg.Listen) {
			t.Errorf("%+v: error does not name the address: %v", cfg, err)
		}
	}
}

func TestMemoryDialUnknownNetwork(t *testing.T) {
	n, l := listenOn(t, Config{Network: Memory})
	_, err := n.dial(t.Context(), "udp", l.Addr().String())
	if unknown := net.UnknownNetworkError(""); !errors.As(err, &unknown) {
		t.Errorf("error %v", err)
	}
}

func TestMemoryDialStopsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, l := listenOn(t, Config{Network: Memory})
		for range memoryBacklog {
			if _, err := n.dial(t.Context(), "tcp", l.Addr().String()); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error, 1)
		go func() {
			_, err := n.dial(ctx, "tcp", l.Addr().String())
			result <- err
		}()
		synctest.Wait()
		select {
		case err := <-result:
			t.Fatalf("dial did not wait: %v", err)
		default:
		}
		cancel()
		if err := <-result; !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		if _, err := n.dial(ctx, "tcp", l.Addr().String()); !errors.Is(err, context.Canceled) {
			t.Errorf("dial with a canceled context: %v", err)
		}
	})
}

func TestMemoryListenerCloseEndsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, l := listenOn(t, Config{Network: Memory})
		var queued []net.Conn
		for range memoryBacklog {
			conn, err := n.dial(t.Context(), "tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			queued = append(queued, conn)
		}
		waiting := make(chan error, 1)
		go func() {
			_, err := n.dial(t.Context(), "tcp", l.Addr().String())
			waiting <- err
		}()
		synctest.Wait()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if err := <-waiting; !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("waiting dial: %v", err)
		}
		for _, conn := range queued {
			if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
				t.Fatalf("connection that nobody accepted: %v, want EOF", err)
			}
		}
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("second Close: %v", err)
		}
	})
}

func TestMemoryListenerCloseEndsAccept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, l := listenOn(t, Config{Network: Memory})
		result := make(chan error, 1)
		go func() {
			_, err := l.Accept()
			result <- err
		}()
		synctest.Wait()
		l.Close()
		if err := <-result; !errors.Is(err, net.ErrClosed) {
			t.Errorf("error %v", err)
		}
	})
}

// TestMemoryDialRacesWithClose has every dial end in one of two ways: refused, or
// with a connection whose other end is served or closed.
func TestMemoryDialRacesWithClose(t *testing.T) {
	for range 200 {
		n, l := listenOn(t, Config{Network: Memory})
		ended := make(chan error, 8)
		for range cap(ended) {
			go func() {
				conn, err := n.dial(t.Context(), "tcp", l.Addr().String())
				if err == nil {
					_, err = conn.Read(make([]byte, 1)) // must not wait for ever
				}
				ended <- err
			}()
		}
		go func() {
			if conn, err := l.Accept(); err == nil {
				conn.Close()
			}
			l.Close()
		}()
		for range cap(ended) {
			if err := <-ended; err != io.EOF && !errors.Is(err, syscall.ECONNREFUSED) {
				t.Fatal(err)
			}
		}
	}
}
