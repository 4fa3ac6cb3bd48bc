package broker

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// ends returns a connection in memory that ends with the test.
func ends(t *testing.T) (a, b *memoryConn) {
	a, b = memoryPipe(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 2}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1})
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

// twice runs f as it is, where -race sees goroutines that run at once, and in a
// bubble, where a wait that is not durable ends the test.
func twice(t *testing.T, f func(t *testing.T)) {
	t.Run("plain", f)
	t.Run("bubble", func(t *testing.T) { synctest.Test(t, f) })
}

// later runs f and hands over its error.
func later(f func() error) <-chan error {
	result := make(chan error, 1)
	go func() { result <- f() }()
	return result
}

// stillWaits fails the test unless result has nothing when all of the bubble waits.
func stillWaits(t *testing.T, result <-chan error) {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-result:
		t.Fatalf("did not wait: %v", err)
	default:
	}
}

func randomBytes(seed uint64, n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(seed)}).Read(b)
	return b
}

// TestPipeCarriesBytes sends both ways at once, in pieces of all sizes.
func TestPipeCarriesBytes(t *testing.T) {
	twice(t, func(t *testing.T) {
		a, b := ends(t)
		const total = 3 << 20
		send := func(conn *memoryConn, seed uint64) func() error {
			return func() error {
				sizes := rand.New(rand.NewPCG(seed, 0))
				for rest := randomBytes(seed, total); len(rest) > 0; {
					n := min(len(rest), 1<<sizes.IntN(19))
					if wrote, err := conn.Write(rest[:n]); wrote != n || err != nil {
						return errors.Join(err, io.ErrShortWrite)
					}
					rest = rest[n:]
				}
				return nil
			}
		}
		receive := func(conn *memoryConn, seed uint64) func() error {
			return func() error {
				sizes := rand.New(rand.NewPCG(seed, 1))
				var got []byte
				for len(got) < total {
					piece := make([]byte, 1<<sizes.IntN(18))
					n, err := conn.Read(piece)
					if err != nil {
						return err
					}
					got = append(got, piece[:n]...)
				}
				if !bytes.Equal(got, randomBytes(seed, total)) {
					return errors.New("other bytes arrived than were sent")
				}
				return nil
			}
		}
		for _, result := range []<-chan error{
			later(send(a, 1)), later(send(b, 2)), later(receive(b, 1)), later(receive(a, 2)),
		} {
			if err := <-result; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestPipeWritesAreNotMixed(t *testing.T) {
	twice(t, func(t *testing.T) {
		a, b := ends(t)
		const size = pipeCapacity + 1000
		var writers sync.WaitGroup
		for i := range 8 {
			writers.Go(func() {
				if n, err := a.Write(bytes.Repeat([]byte{byte(i)}, size)); n != size || err != nil {
					t.Errorf("write: %d, %v", n, err)
				}
			})
		}
		for range 8 {
			got := make([]byte, size)
			if _, err := io.ReadFull(b, got); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, bytes.Repeat(got[:1], size)) {
				t.Fatal("two writes are mixed")
			}
		}
		writers.Wait()
	})
}

// TestPipeHoldsItsCapacity shows that the writer is made to wait, and when it goes on.
func TestPipeHoldsItsCapacity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := ends(t)
		if n, err := a.Write(make([]byte, pipeCapacity)); n != pipeCapacity || err != nil {
			t.Fatal(n, err)
		}
		if len(a.out.ring) != pipeCapacity {
			t.Errorf("buffer of %d bytes", len(a.out.ring))
		}
		result := later(func() error { _, err := a.Write([]byte{1}); return err })
		stillWaits(t, result)
		if n, err := b.Read(make([]byte, 1)); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if err := <-result; err != nil {
			t.Error(err)
		}
	})
}

func TestPipeEndsAfterTheLastByte(t *testing.T) {
	twice(t, func(t *testing.T) {
		a, b := ends(t)
		a.Write([]byte("last words"))
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(b)
		if string(got) != "last words" || err != nil {
			t.Errorf("read %q, %v", got, err)
		}
		if _, err := b.Write([]byte("answer")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("write to a closed peer: %v", err)
		}
		for what, err := range map[string]error{
			"read":     second(a.Read(make([]byte, 1))),
			"write":    second(a.Write([]byte{1})),
			"close":    a.Close(),
			"deadline": a.SetDeadline(time.Now()),
		} {
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s after Close: %v", what, err)
			}
		}
	})
}

func second(_ int, err error) error { return err }

// TestPipeCloseEndsWhatWaits closes either end under a Read and under two Writes,
// one of which waits for its turn.
func TestPipeCloseEndsWhatWaits(t *testing.T) {
	for name, tc := range map[string]struct {
		local       bool
		read, write error
	}{
		"own end":  {true, net.ErrClosed, net.ErrClosed},
		"peer end": {false, io.EOF, syscall.EPIPE},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := ends(t)
				read := later(func() error { return second(a.Read(make([]byte, 1))) })
				write := func() error { return second(a.Write(make([]byte, 2*pipeCapacity))) }
				writes := []<-chan error{later(write), later(write)}
				for _, result := range append(writes, read) {
					stillWaits(t, result)
				}
				if tc.local {
					a.Close()
				} else {
					b.Close()
				}
				if err := <-read; !errors.Is(err, tc.read) {
					t.Errorf("read: %v, want %v", err, tc.read)
				}
				for _, result := range writes {
					if err := <-result; !errors.Is(err, tc.write) {
						t.Errorf("write: %v, want %v", err, tc.write)
					}
				}
			})
		})
	}
}

func TestPipeDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := ends(t)
		start := time.Now()
		a.SetDeadline(start.Add(45 * time.Second))
		read := later(func() error { return second(a.Read(make([]byte, 1))) })
		n, err := a.Write(make([]byte, pipeCapacity+1))
		if n != pipeCapacity || !isTimeout(err) {
			t.Errorf("write: %d, %v", n, err)
		}
		if err := <-read; !isTimeout(err) {
			t.Errorf("read: %v", err)
		}
		if waited := time.Since(start); waited != 45*time.Second {
			t.Errorf("waited %v", waited)
		}
		if err := second(a.Read(nil)); !isTimeout(err) {
			t.Errorf("a passed deadline stays: %v", err)
		}
	})
}

// isTimeout tells whether err is what net.Conn promises for a passed deadline.
func isTimeout(err error) bool {
	var netErr net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) && errors.As(err, &netErr) && netErr.Timeout()
}

// TestPipePastDeadline shows that a deadline in the past stops what waits and
// refuses what comes, bytes or not, until it is taken away.
func TestPipePastDeadline(t *testing.T) {
	twice(t, func(t *testing.T) {
		a, b := ends(t)
		b.Write([]byte("here"))
		a.SetDeadline(time.Now().Add(-time.Hour))
		if err := second(a.Read(make([]byte, 4))); !isTimeout(err) {
			t.Errorf("read: %v", err)
		}
		if err := second(a.Write([]byte{1})); !isTimeout(err) {
			t.Errorf("write: %v", err)
		}
		a.SetDeadline(time.Time{})
		got := make([]byte, 4)
		if _, err := a.Read(got); err != nil || string(got) != "here" {
			t.Errorf("read %q, %v", got, err)
		}
		if err := second(a.Write([]byte{1})); err != nil {
			t.Errorf("write: %v", err)
		}
		read := later(func() error { return second(a.Read(make([]byte, 4))) })
		a.SetReadDeadline(time.Unix(1, 0))
		if err := <-read; !isTimeout(err) {
			t.Errorf("waiting read: %v", err)
		}
	})
}

// TestPipeDeadlineMoves moves the deadline of a waiting Read; only the last one counts.
func TestPipeDeadlineMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := ends(t)
		start := time.Now()
		a.SetReadDeadline(start.Add(time.Second))
		result := later(func() error { return second(a.Read(make([]byte, 1))) })
		synctest.Wait()
		a.SetReadDeadline(start.Add(time.Minute))
		time.Sleep(10 * time.Second)
		stillWaits(t, result)
		a.SetReadDeadline(time.Time{})
		time.Sleep(time.Hour)
		stillWaits(t, result)
		a.SetWriteDeadline(time.Now()) // is not the reader's
		stillWaits(t, result)
		b.Write([]byte{1})
		if err := <-result; err != nil {
			t.Error(err)
		}
	})
}

// TestPipeDeadlineWhileOthersWrite shows that a Write that waits for its turn
// keeps its deadline.
func TestPipeDeadlineWhileOthersWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := ends(t)
		write := func() error { return second(a.Write(make([]byte, 2*pipeCapacity))) }
		results := []<-chan error{later(write), later(write)}
		synctest.Wait()
		a.SetWriteDeadline(time.Now().Add(time.Second))
		for _, result := range results {
			if err := <-result; !isTimeout(err) {
				t.Error(err)
			}
		}
	})
}

// TestPipeManyAtOnce is for the race detector: everything that may be done at once, is.
func TestPipeManyAtOnce(t *testing.T) {
	twice(t, func(t *testing.T) {
		a, b := ends(t)
		var all sync.WaitGroup
		for _, conn := range []*memoryConn{a, b} {
			for range 3 {
				all.Go(func() { io.Copy(io.Discard, conn) })
				all.Go(func() {
					for range 100 {
						conn.Write(make([]byte, 1000))
						conn.SetDeadline(time.Now().Add(time.Hour))
						conn.LocalAddr()
						conn.RemoteAddr()
					}
				})
			}
		}
		all.Go(func() {
			b.Write(make([]byte, 10*pipeCapacity))
			a.Close()
			b.Close()
		})
		all.Wait()
	})
}
