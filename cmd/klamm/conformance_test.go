package main

import (
	"encoding/json"
	"encoding/xml"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestConformance(t *testing.T) {
	s, dir := serve(t, "--listen", "127.0.0.1:0"), filepath.Join(t.TempDir(), "reports")
	code, stdout, stderr := outcome(t, "conformance", "--bootstrap", s.addr, "--run", `^frames\.(empty|oversized)$`, "--report", dir)
	if code != 0 || stderr != "" || !strings.Contains(stdout, "kept        frames.empty\n") || !strings.Contains(stdout, "\n2 rules: 2 kept, 0 broken, 0 not offered, 0 not run\n") {
		t.Errorf("exit code %d, stderr %q\n%s", code, stderr, stdout)
	}
	if strings.ContainsAny(stdout, "\r\x1b") {
		t.Errorf("signs for a terminal in a pipe: %q", stdout)
	}
	var report struct {
		Results []struct{ ID, Verdict string }
	}
	if err := json.Unmarshal(read(t, dir, "report.json"), &report); err != nil || len(report.Results) != 2 || report.Results[1].ID != "frames.oversized" {
		t.Errorf("%v, %+v", err, report)
	}
	var suites struct {
		Suites []struct {
			Tests int `xml:"tests,attr"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(read(t, dir, "junit.xml"), &suites); err != nil || len(suites.Suites) != 1 || suites.Suites[0].Tests != 2 {
		t.Errorf("%v, %+v", err, suites)
	}
	if page := string(read(t, dir, "report.html")); !strings.Contains(page, "frames.oversized") || strings.Contains(page, " src=") || strings.Contains(page, "href=\"http") {
		t.Error("report.html lacks a rule, or needs more than itself")
	}
	// Two live brokers, one of them set otherwise: the rule is broken.
	other := serve(t, "--listen", "127.0.0.1:0", "--config", "num.partitions=3")
	broken := t.TempDir()
	code, stdout, _ = outcome(t, "conformance", "--bootstrap", other.addr, "--against", s.addr, "--run", `^metadata\.auto-create$|^frames\.empty$`, "--report", broken)
	if code != 1 || !strings.Contains(stdout, "BROKEN metadata.auto-create (must)\n") || !strings.Contains(stdout, "  + ") {
		t.Errorf("exit code %d\n%s", code, stdout)
	}
	newer, older := filepath.Join(broken, "report.json"), filepath.Join(dir, "report.json")
	if code, stdout, _ = outcome(t, "conformance", "--diff", older, newer); code != 0 || !strings.Contains(stdout, "frames.oversized: kept -> no rule\n") {
		t.Errorf("exit code %d\n%s", code, stdout)
	}
	fixed := strings.ReplaceAll(string(read(t, broken, "report.json")), `"verdict": "broken"`, `"verdict": "kept"`)
	if err := os.WriteFile(older, []byte(fixed), 0o666); err != nil {
		t.Fatal(err)
	}
	if code, stdout, _ = outcome(t, "conformance", "--diff", older, newer); code != 1 || !strings.Contains(stdout, "! metadata.auto-create: kept -> broken\n") {
		t.Errorf("exit code %d\n%s", code, stdout)
	}
}

// TestRandom: two brokers that are set alike say the same, and else a script tells.
func TestRandom(t *testing.T) {
	s, same := serve(t, "--listen", "127.0.0.1:0"), serve(t, "--listen", "127.0.0.1:0")
	code, stdout, stderr := outcome(t, "conformance", "--bootstrap", s.addr, "--against", same.addr, "--random", "5", "--seed", "7", "--themes", "groups,transactions")
	if code != 0 || stderr != "" || !strings.HasSuffix(stdout, "5 sequences without a difference\n") {
		t.Errorf("exit code %d, stderr %q\n%s", code, stderr, stdout)
	}
	file := filepath.Join(t.TempDir(), "script.txt")
	if err := os.WriteFile(file, []byte(`m1 JoinGroup v9 {"Group":"$g","SessionTimeoutMillis":70000}`), 0o666); err != nil {
		t.Fatal(err)
	}
	other := serve(t, "--listen", "127.0.0.1:0", "--config", "group.max.session.timeout.ms=60000")
	code, stdout, _ = outcome(t, "conformance", "--bootstrap", s.addr, "--against", other.addr, "--replay", file)
	if code != 1 || !strings.Contains(stdout, "\nm1 JoinGroup v9 {") || !strings.Contains(stdout, "ErrorCode=INVALID_SESSION_TIMEOUT(26)") {
		t.Errorf("exit code %d\n%s", code, stdout)
	}
	if code, stdout, _ = outcome(t, "conformance", "--bootstrap", s.addr, "--against", same.addr, "--replay", file); code != 0 || !strings.HasSuffix(stdout, "\nno difference\n") {
		t.Errorf("exit code %d\n%s", code, stdout)
	}
}

func read(t *testing.T, dir, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestConformanceCannotRun: nothing was learned, and the exit code tells.
func TestConformanceCannotRun(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	l.Close()
	file := filepath.Join(t.TempDir(), "no-report.json")
	if err := os.WriteFile(file, []byte("{}"), 0o666); err != nil {
		t.Fatal(err)
	}
	s := serve(t, "--listen", "127.0.0.1:0")
	for _, args := range [][]string{
		{"--bootstrap", nobody},
		{"--bootstrap", s.addr, "--against", nobody},
		{"--bootstrap", s.addr, "--report", file},
		{"--bootstrap", s.addr, "--tls-ca", file},
		{"--bootstrap", s.addr, "--sasl", "PLAIN:admin:secret"},
		{"--bootstrap", s.addr, "--against", nobody, "--random", "5"},
		{"--bootstrap", s.addr, "--against", s.addr, "--replay", file},
		{"--diff", file, file},
		{"--diff", file + "x", file},
	} {
		code, stdout, stderr := outcome(t, append([]string{"conformance"}, args...)...)
		if code != 2 || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "klamm: ") {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
	// Time is over before the member has expired.
	code, stdout, _ := outcome(t, "conformance", "--bootstrap", s.addr, "--run", "^groups.timers.static-session$", "--timeout", "500ms")
	if code != 2 || !strings.Contains(stdout, "groups.timers.static-session: time was over") {
		t.Errorf("exit code %d\n%s", code, stdout)
	}
}

func TestConformanceUsage(t *testing.T) {
	for _, tc := range []struct{ args, want string }{
		{"", "conformance needs --bootstrap HOST:PORT"},
		{"--bootstrap localhost", `invalid value "localhost" for flag -bootstrap: want HOST:PORT`},
		{"--bootstrap localhost:1 --against x", `invalid value "x" for flag -against: want HOST:PORT`},
		{"--bootstrap localhost:1 --kafka 3.9.0", `there are no recordings of Apache Kafka "3.9.0", but of 4.4.0`},
		{"--bootstrap localhost:1 --run (", "invalid value \"(\" for flag -run: error parsing regexp: missing closing ): `(`"},
		{"--bootstrap localhost:1 --run no-such-rule", `no rule matches --run "no-such-rule"`},
		{"--bootstrap localhost:1 --timeout 0s", `invalid value "0s" for flag -timeout: want a time above 0`},
		{"--bootstrap localhost:1 --random 5", "--random and --replay need --against HOST:PORT"},
		{"--bootstrap localhost:1 --against localhost:2 --random -1", `invalid value "-1" for flag -random: want a number above 0`},
		{"--bootstrap localhost:1 --against localhost:2 --random 1 --themes logs,no", `invalid value "logs,no" for flag -themes: there is no theme "no"`},
		{"--bootstrap localhost:1 more", `unexpected argument "more"`},
		{"--bootstrap localhost:1 --sasl GSSAPI:me:secret", "--sasl names no mechanism of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512"},
		{"--bootstrap localhost:1 --sasl PLAIN::secret", "--sasl names no user: want MECHANISM:USER or MECHANISM:USER:PASSWORD"},
		{"--bootstrap localhost:1 --sasl PLAIN:me", "--sasl needs a password: MECHANISM:USER:PASSWORD, or KLAMM_SASL_PASSWORD in the environment"},
		{"--diff --bogus a b", "flag provided but not defined: -bogus"},
		{"--diff a", "--diff needs two reports, OLD.json and NEW.json"},
	} {
		code, stdout, stderr := outcome(t, append([]string{"conformance"}, strings.Fields(tc.args)...)...)
		if want := "klamm: " + tc.want + `; see "klamm conformance --help"` + "\n"; code != 2 || stdout != "" || stderr != want {
			t.Errorf("klamm conformance %s: exit code %d, stdout %q\nstderr %q\nwant   %q", tc.args, code, stdout, stderr, want)
		}
	}
	code, stdout, stderr := outcome(t, "conformance", "--list", "--run", "^frames.empty$")
	if code != 0 || stderr != "" || !strings.HasPrefix(stdout, "frames.empty\n    ") || strings.Count(stdout, "\n") != 2 {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	code, stdout, stderr = outcome(t, "conformance", "--help")
	if code != 0 || stderr != "" || !strings.Contains(stdout, "-bootstrap HOST:PORT") || !strings.Contains(stdout, "--diff OLD.json NEW.json") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}
