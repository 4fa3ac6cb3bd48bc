package javatools

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// limit is how long one Java program may run. It takes seconds where it has a processor to itself.
const limit = 5 * time.Minute

// needJava skips the test where Java programs can be neither compiled nor fed. Tests
// that have a broker each run at the same time.
func needJava(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("a JVM takes half a minute")
	}
	for _, program := range []string{"java", "javac", "mvn"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("no Java: %v", err)
		}
	}
	if *bootstrap == "" {
		t.Parallel()
	}
}

// needTime skips a test that lasts ten seconds where its time is better spent.
func needTime(t *testing.T) {
	t.Helper()
	if raceDetector {
		t.Skip("the race detector sees what the transactions of the Go clients show it")
	}
}

// classPath is what the pom asks for, as Maven resolved it: once, for Maven takes
// seconds to say it again.
func classPath(t *testing.T, pom string) string {
	t.Helper()
	text, err := os.ReadFile(pom)
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = t.TempDir()
	}
	kept := filepath.Join(cache, "klamm", fmt.Sprintf("%x.classpath", sha256.Sum256(text)))
	if path, err := os.ReadFile(kept); err == nil && whole(string(path)) {
		return string(path)
	}
	fresh := filepath.Join(t.TempDir(), "classpath")
	mvn := exec.CommandContext(t.Context(), "mvn", "-q", "-B", "-f", pom, "dependency:build-classpath",
		"-Dmdep.outputFile="+fresh, "-Dmdep.includeScope=runtime")
	if said, err := mvn.CombinedOutput(); err != nil {
		t.Skipf("Maven cannot resolve %s: %v\n%s", pom, err, said)
	}
	path, err := os.ReadFile(fresh)
	if err != nil {
		t.Fatal(err)
	}
	if err := keep(kept, path); err != nil {
		t.Logf("the class path is not kept: %v", err)
	}
	return string(path)
}

// whole tells whether everything that a class path names is still there.
func whole(path string) bool {
	for _, jar := range filepath.SplitList(path) {
		if _, err := os.Stat(jar); err != nil {
			return false
		}
	}
	return path != ""
}

// keep writes a file that another process may read at the same time.
func keep(name string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	part, err := os.CreateTemp(filepath.Dir(name), "part")
	if err != nil {
		return err
	}
	_, err = part.Write(text)
	return errors.Join(err, part.Close(), os.Rename(part.Name(), name))
}

// program is a Java program that has been compiled.
type program struct {
	main string
	args []string // of the JVM
}

// compile compiles java/MAIN.java, with what it uses, against the jars of a pom.
func compile(t *testing.T, pom, main string) program {
	t.Helper()
	jars, classes := classPath(t, pom), t.TempDir()
	javac := exec.CommandContext(t.Context(), "javac", "-Xlint:all,-processing", "-Werror", "-sourcepath", "java", "-implicit:class",
		"-d", classes, "-cp", jars, filepath.Join("java", main+".java"))
	if said, err := javac.CombinedOutput(); err != nil {
		t.Fatalf("javac: %v\n%s", err, said)
	}
	logging, err := filepath.Abs("java/log4j2.properties")
	if err != nil {
		t.Fatal(err)
	}
	return program{main, []string{"-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
		"-Dlog4j2.configurationFile=" + logging, "-cp", classes + string(os.PathListSeparator) + jars}}
}

// run runs the program in a directory of its own and returns what it printed.
func (p program) run(t *testing.T, args ...string) string {
	t.Helper()
	java, cause := p.command(t, args)
	var said bytes.Buffer
	java.Stdout = &said
	if err := java.Run(); err != nil {
		t.Fatalf("%s: %v %v\n%s\n%s", p.main, err, cause(), java.Stderr, said.String())
	}
	if text := strings.TrimSpace(java.Stderr.(*bytes.Buffer).String()); text != "" {
		t.Logf("besides, %s said:\n%s", p.main, text)
	}
	return said.String()
}

// kill runs the program until it says READY, kills it as kill -9 does, and returns what it
// printed before.
func (p program) kill(t *testing.T, args ...string) string {
	t.Helper()
	java, cause := p.command(t, args)
	out, err := java.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := java.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "READY" {
		said.WriteString(lines.Text() + "\n")
	}
	ready := lines.Text() == "READY"
	err = errors.Join(lines.Err(), java.Process.Kill())
	if left := java.Wait(); !ready {
		t.Fatalf("%s is not READY: %v %v %v\n%s\n%s", p.main, err, left, cause(), java.Stderr, said.String())
	}
	return said.String()
}

// command is the program in a directory of its own, and why it had to end early, if it had.
func (p program) command(t *testing.T, args []string) (java *exec.Cmd, cause func() error) {
	ctx, cancel := context.WithTimeoutCause(t.Context(), limit, fmt.Errorf("%s has taken %v", p.main, limit))
	t.Cleanup(cancel)
	java = exec.CommandContext(ctx, "java", append(append(p.args[:len(p.args):len(p.args)], p.main), args...)...)
	java.Dir, java.Stderr = t.TempDir(), &bytes.Buffer{}
	return java, func() error { return context.Cause(ctx) }
}
