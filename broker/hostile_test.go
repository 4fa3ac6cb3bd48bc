package broker

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// hostileFrame makes the n-th kind of frame that no honest client sends.
func hostileFrame(r *rand.Rand) []byte {
	row := apis[r.IntN(len(apis))]
	version := row.min + int16(r.IntN(int(row.max-row.min)+1))
	req := kmsg.RequestForKey(row.key)
	req.SetVersion(version)
	body := req.AppendTo(nil)
	switch r.IntN(8) {
	case 0: // noise
		return sized(noise(r, 1+r.IntN(200)))
	case 1: // noise behind an honest header
		return request(row.key, version, noise(r, r.IntN(200)))
	case 2: // a body cut short
		return request(row.key, version, body[:r.IntN(len(body)+1)])
	case 3: // a body with some bytes changed
		for range 1 + r.IntN(4) {
			if len(body) > 0 {
				body[r.IntN(len(body))] = byte(r.Uint32())
			}
		}
		return request(row.key, version, body)
	case 4: // lengths and counts that promise the world
		for i := range body {
			if r.IntN(3) == 0 {
				body[i] = 0x7f | byte(r.Uint32())
			}
		}
		return request(row.key, version, body)
	case 5: // a size without its bytes, or beyond the limit
		return binary.BigEndian.AppendUint32(nil, r.Uint32())
	case 6: // keys and versions that nobody serves
		return request(int16(r.IntN(1<<16)-1<<15), int16(r.IntN(1<<16)-1<<15), body)
	default: // an honest body with more behind it
		return request(row.key, version, append(body, noise(r, r.IntN(50))...))
	}
}

func noise(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func sized(b []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
}

// request is a whole frame, with a header that has an empty tag section where
// the version is a flexible one.
func request(key, version int16, body []byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(key))
	b = binary.BigEndian.AppendUint16(b, uint16(version))
	b = append(b, 0, 0, 0, 7, 0, 1, 'x')
	if req := kmsg.RequestForKey(key); req != nil {
		if req.SetVersion(version); req.IsFlexible() {
			b = append(b, 0)
		}
	}
	return sized(append(b, body...))
}

// TestHostileFrames sends 100,000 frames that no honest client sends, over 500
// connections at a time. Each frame comes over a connection that still lives, and
// each connection must end when its client is done, whatever it was sent; then an
// honest client is answered as before.
func TestHostileFrames(t *testing.T) {
	c := startTest(t, Config{Topics: []Topic{{Name: "t", Partitions: 2}}})
	const attackers = 500
	var wg sync.WaitGroup
	for i := range attackers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			r := rand.New(rand.NewPCG(uint64(i), 1))
			for range hostileFramesEach {
				if err := attack(t, c, hostileFrame(r)); err != nil {
					t.Error(err)
					return
				}
			}
		}()
	}
	wg.Wait()
	askHonestly(t, c)
	var after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&after)
	if after.HeapAlloc > 256<<20 {
		t.Errorf("the broker keeps %d MiB after the attack", after.HeapAlloc>>20)
	}
}

// attack sends one frame, says that nothing more will come, and waits until the
// broker has ended the connection.
func attack(t *testing.T, c *Cluster, frame []byte) error {
	nc, err := c.Dial(t.Context(), "tcp", c.Addr())
	if err != nil {
		return fmt.Errorf("the broker accepts no more connections: %w", err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(time.Minute))
	nc.(*net.TCPConn).SetLinger(0)
	if _, err := nc.Write(frame); err != nil {
		return nil // it has hung up already
	}
	if err := nc.(*net.TCPConn).CloseWrite(); err != nil {
		return nil
	}
	if _, err := io.Copy(io.Discard, nc); errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("the connection does not end after frame %x", frame)
	}
	return nil
}

// askHonestly makes sure that the broker still answers.
func askHonestly(t *testing.T, c *Cluster) {
	t.Helper()
	nc, err := c.Dial(t.Context(), "tcp", c.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(time.Minute))
	req := kmsg.NewPtrMetadataRequest()
	req.Version = 12
	if _, err := nc.Write(request(req.Key(), req.Version, req.AppendTo(nil))); err != nil {
		t.Fatal(err)
	}
	var size [4]byte
	if _, err := io.ReadFull(nc, size[:]); err != nil {
		t.Fatalf("no answer to an honest request: %v", err)
	}
	body := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(nc, body); err != nil {
		t.Fatal(err)
	}
	resp := req.ResponseKind().(*kmsg.MetadataResponse)
	if err := resp.ReadFrom(body[5:]); err != nil || len(resp.Brokers) != 1 {
		t.Fatalf("after the attack Metadata answers %+v, %v", resp, err)
	}
}

// startTest starts a cluster that ends with the test.
func startTest(t testing.TB, cfg Config) *Cluster {
	t.Helper()
	c, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
