package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"klamm/broker"
)

// serveEnv makes the program, started again by itself, one of the servers, and
// profileEnv names a directory for the CPU profiles of the servers.
const (
	serveEnv   = "KLAMM_BENCH_SERVE"
	profileEnv = "KLAMM_BENCH_PROFILE"
)

// usage is what a server process has used so far.
type usage struct {
	CPU        time.Duration
	PeakRSS    int64 // bytes
	Held       int64 // bytes of heap and stacks that starting the server took
	Goroutines int   // that it started
}

// footprint is the heap and the stacks in bytes, and the goroutines, of this process.
func footprint() (held int64, goroutines int) {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse), runtime.NumGoroutine()
}

// serve runs the server that the environment asks for until its standard input
// ends. Each line that it reads is answered with its usage.
func serve(kind string) error {
	var started usage
	heldBefore, goroutinesBefore := footprint()
	addr, err := listenAs(kind)
	if err != nil {
		return err
	}
	held, goroutines := footprint()
	started.Held, started.Goroutines = held-heldBefore, goroutines-goroutinesBefore
	stop, err := profile(kind)
	if err != nil {
		return err
	}
	defer stop()
	fmt.Printf("ready %s\n", addr)
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		u := started
		u.CPU, u.PeakRSS = processUsage()
		if err := json.NewEncoder(os.Stdout).Encode(u); err != nil {
			return err
		}
	}
	return in.Err()
}

// profile writes a CPU profile of a server until stop, where it is asked for.
func profile(kind string) (stop func(), err error) {
	dir := os.Getenv(profileEnv)
	if dir == "" {
		return func() {}, nil
	}
	f, err := os.CreateTemp(dir, kind+"-*.prof")
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		f.Close()
	}, nil
}

// seedPartitions is the number of partitions of the topic that every measure uses.
const seedPartitions = 4

// listenAs starts the server of a kind; "klamm*100" are a hundred brokers that
// nobody is to talk to.
func listenAs(kind string) (addr string, err error) {
	if broker, n, many := strings.Cut(kind, "*"); many {
		count, err := strconv.Atoi(n)
		if err != nil {
			return "", err
		}
		return "nowhere", startMany(broker, count)
	}
	switch kind {
	case "klamm":
		c, err := broker.Start(broker.Config{Topics: []broker.Topic{{Name: topicName, Partitions: seedPartitions}}})
		if err != nil {
			return "", err
		}
		return c.Addr(), nil
	case "kfake":
		c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(seedPartitions, topicName))
		if err != nil {
			return "", err
		}
		return c.ListenAddrs()[0], nil
	default:
		return listenLimit(kind)
	}
}

// server is a running server process, seen from the measuring one.
type server struct {
	kind, addr string
	cmd        *exec.Cmd
	in         io.WriteCloser
	out        *bufio.Reader
}

// startServer starts this program again as a server of the given kind.
func startServer(kind string) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &server{kind: kind, cmd: exec.Command(self)}
	s.cmd.Env = append(os.Environ(), serveEnv+"="+kind)
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	s.out = bufio.NewReader(out)
	if _, err := fmt.Fscanf(s.out, "ready %s\n", &s.addr); err != nil {
		s.stop()
		return nil, fmt.Errorf("%s did not start: %w", kind, err)
	}
	return s, nil
}

// usage asks the server what it has used.
func (s *server) usage() (u usage, err error) {
	if _, err := fmt.Fprintln(s.in, "usage"); err != nil {
		return u, err
	}
	line, err := s.out.ReadBytes('\n')
	if err != nil {
		return u, err
	}
	return u, json.Unmarshal(line, &u)
}

func (s *server) stop() {
	s.in.Close()
	s.cmd.Wait()
}

func (s *server) dial() (net.Conn, error) { return net.Dial("tcp", s.addr) }
