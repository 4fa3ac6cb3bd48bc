package main

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// asKlamm makes the test binary be klamm: the tests below start it as a process.
const asKlamm = "KLAMM_TEST_AS_BINARY"

func TestMain(m *testing.M) {
	if os.Getenv(asKlamm) != "" {
		main()
	}
	os.Exit(m.Run())
}

// klamm is a command that ends with the test.
func klamm(t *testing.T, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asKlamm+"=1")
	return cmd
}

// outcome runs klamm to its end.
func outcome(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := klamm(t, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// serving is a broker that has said that it is ready.
type serving struct {
	cmd    *exec.Cmd
	addr   string
	rest   *bufio.Reader // standard output after the ready line
	stderr *bytes.Buffer
}

func serve(t *testing.T, args ...string) *serving {
	t.Helper()
	s := &serving{cmd: klamm(t, args...), stderr: new(bytes.Buffer)}
	s.cmd.Stderr = s.stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.cmd.Process.Kill(); s.cmd.Wait() })
	s.rest = bufio.NewReader(out)
	line, err := s.rest.ReadString('\n')
	if err != nil {
		s.cmd.Wait()
		t.Fatalf("no ready line: %v\n%s", err, s.stderr)
	}
	match := regexp.MustCompile(`^klamm ready (\S+:\d+)\n$`).FindStringSubmatch(line)
	if match == nil {
		t.Fatalf("ready line %q", line)
	}
	s.addr = match[1]
	return s
}

// end sends a signal and waits for the process.
func (s *serving) end(t *testing.T, sig os.Signal) int {
	t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(s.rest); err != nil || len(rest) > 0 {
		t.Errorf("more on standard output: %q, %v", rest, err)
	}
	s.cmd.Wait()
	return s.cmd.ProcessState.ExitCode()
}

func TestServeUntilSignal(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no signals to send")
	}
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		for _, args := range [][]string{
			{"--listen", "127.0.0.1:0"},
			{"serve", "--listen=127.0.0.1:0", "--topic", "a", "--topic", "b:3", "--config", "num.partitions=2", "--log-level", "debug"},
		} {
			s := serve(t, args...)
			conn, err := net.Dial("tcp", s.addr) // a client that stays must not hold up the end
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if code := s.end(t, sig); code != 0 {
				t.Errorf("%v %v: exit code %d\n%s", args, sig, code, s.stderr)
			}
			if !strings.Contains(s.stderr.String(), "level=INFO msg=listening address="+s.addr) {
				t.Errorf("log does not name the address:\n%s", s.stderr)
			}
		}
	}
}

func TestReadyLineNamesAnAddressThatAnswers(t *testing.T) {
	for _, listen := range []string{"0.0.0.0:0", ":0", "localhost:0"} {
		s := serve(t, "--listen", listen)
		if !strings.HasPrefix(s.addr, "127.0.0.1:") && !strings.HasPrefix(s.addr, "[::1]:") {
			t.Errorf("--listen %s: ready at %s", listen, s.addr)
		}
		conn, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatalf("--listen %s: %v", listen, err)
		}
		conn.Close()
	}
}

func TestLogLevel(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no signals to send")
	}
	s := serve(t, "--listen", "127.0.0.1:0", "--log-level", "error")
	if code := s.end(t, syscall.SIGTERM); code != 0 || s.stderr.Len() > 0 {
		t.Errorf("exit code %d, log:\n%s", code, s.stderr)
	}
}

func TestPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	code, stdout, stderr := outcome(t, "--listen", l.Addr().String())
	if code != 1 || stdout != "" || strings.Count(stderr, "\n") != 1 ||
		!strings.HasPrefix(stderr, "klamm: ") || !strings.Contains(stderr, l.Addr().String()) {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

func TestUsageErrors(t *testing.T) {
	for _, tc := range []struct{ args, want string }{
		{"bogus", `unknown command "bogus"`},
		{"--bogus", "flag provided but not defined: -bogus"},
		{"serve --bogus", "flag provided but not defined: -bogus"},
		{"serve more", `unexpected argument "more"`},
		{"version more", `version takes no argument, but got "more"`},
		{"--listen", "flag needs an argument: -listen"},
		{"--listen nonsense", `invalid value "nonsense" for flag -listen: want HOST:PORT`},
		{"--listen 127.0.0.1:65536", `invalid value "127.0.0.1:65536" for flag -listen: want HOST:PORT`},
		{"--listen 127.0.0.1:kafka", `invalid value "127.0.0.1:kafka" for flag -listen: want HOST:PORT`},
		{"--advertise :9092", `invalid value ":9092" for flag -advertise: want HOST:PORT`},
		{"--advertise host:0", `invalid value "host:0" for flag -advertise: want HOST:PORT`},
		{"--topic :3", `invalid value ":3" for flag -topic: the topic has no name`},
		{"--topic a:0", `invalid value "a:0" for flag -topic: "0" is no number of partitions`},
		{"--topic a:x", `invalid value "a:x" for flag -topic: "x" is no number of partitions`},
		{"--topic a:b:3", `invalid value "a:b:3" for flag -topic: "b:3" is no number of partitions`},
		{"--config a", `invalid value "a" for flag -config: want KEY=VALUE`},
		{"--config =a", `invalid value "=a" for flag -config: want KEY=VALUE`},
		{"--log-level loud", `invalid value "loud" for flag -log-level: want debug, info, warn or error`},
	} {
		code, stdout, stderr := outcome(t, strings.Fields(tc.args)...)
		if want := "klamm: " + tc.want + `; see "klamm help"` + "\n"; code != 2 || stdout != "" || stderr != want {
			t.Errorf("klamm %s: exit code %d, stdout %q\nstderr %q\nwant   %q", tc.args, code, stdout, stderr, want)
		}
	}
}

// TestRefusedByTheBroker has mistakes that only the broker can see.
func TestRefusedByTheBroker(t *testing.T) {
	for _, args := range []string{
		"--topic a/b",
		"--topic a --topic a",
		"--config num.partitions=many",
		"--config num.partitions=0",
	} {
		code, stdout, stderr := outcome(t, append([]string{"--listen", "127.0.0.1:0"}, strings.Fields(args)...)...)
		if code != 2 || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "klamm: ") {
			t.Errorf("klamm %s: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
}

func TestVersionAndHelp(t *testing.T) {
	code, stdout, stderr := outcome(t, "version")
	if !regexp.MustCompile(`^klamm \S+ \(as Apache Kafka \d+\.\d+\.\d+\) go\S+ \w+/\w+\n$`).MatchString(stdout) || code != 0 || stderr != "" {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	for _, args := range []string{"help", "--help", "-h", "serve --help"} {
		code, stdout, stderr := outcome(t, strings.Fields(args)...)
		if code != 0 || stderr != "" {
			t.Errorf("klamm %s: exit code %d, stderr %q", args, code, stderr)
		}
		for _, want := range []string{"-listen HOST:PORT", "-advertise HOST:PORT", "-topic NAME[:PARTITIONS]", "-config KEY=VALUE", "-log-level LEVEL", "klamm ready HOST:PORT"} {
			if !strings.Contains(stdout, want) {
				t.Errorf("klamm %s: help does not mention %s:\n%s", args, want, stdout)
			}
		}
	}
}
