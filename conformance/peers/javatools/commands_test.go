package javatools

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"klamm/kafkatest"
)

var (
	bootstrap = flag.String("bootstrap", "", "HOST:PORT of a live broker instead of one of our own; it must be fresh")
	record    = flag.Bool("record", false, "write the transcripts anew from the broker of -bootstrap")
)

// broker is the address that the programs are given.
func broker(t *testing.T) string {
	t.Helper()
	_, at := cluster(t)
	return at
}

// cluster is a broker of our own and its address, or nil and that of -bootstrap.
func cluster(t *testing.T) (*kafkatest.Cluster, string) {
	t.Helper()
	if *bootstrap != "" {
		return nil, *bootstrap
	}
	if *record {
		t.Fatal("-record records what Apache Kafka says: it needs -bootstrap")
	}
	k := kafkatest.Start(t, kafkatest.Config{Configs: map[string]string{
		// As many as the tools list, and in which they look, in the Kafka that was recorded.
		"offsets.topic.num.partitions":         "4",
		"transaction.state.log.num.partitions": "4",
	}})
	return k, k.Addr()
}

// TestTools runs every script of testdata with Kafka's command-line tools, all against
// one broker and in one JVM. Its file comes before those of the other tests, because what
// is in the internal topics is only as recorded while nobody else has used the broker.
func TestTools(t *testing.T) {
	needJava(t)
	scripts, err := filepath.Glob("testdata/tools/*.txt")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	tools := compile(t, "tools-pom.xml", "Tools")
	at := broker(t)
	args := []string{at}
	for _, script := range scripts {
		whole, err := filepath.Abs(script)
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, whole)
	}
	said := strings.Split(tools.run(t, args...), "== ")[1:]
	if len(said) != len(scripts) {
		t.Fatalf("%d transcripts of %d scripts", len(said), len(scripts))
	}
	for i, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".txt"), func(t *testing.T) {
			title, answers, _ := strings.Cut(said[i], "\n")
			check(t, script, "== "+title, commands(t, answers, at))
		})
	}
}

// check compares what was said with a transcript, or writes it.
func check(t *testing.T, transcript, title string, here []command) {
	t.Helper()
	if *record {
		if err := os.WriteFile(transcript, []byte(title+"\n"+text(here)), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	recorded, err := os.ReadFile(transcript)
	if err != nil {
		t.Fatal(err)
	}
	kafka := commands(t, string(recorded), "HOST:PORT")
	offered(kafka, here)
	diff := cmp.Diff(strings.Split(text(kafka), "\n"), strings.Split(text(here), "\n"))
	if diff != "" {
		t.Errorf("%s tells Kafka (-) and this broker (+) apart:\n%s", filepath.Base(transcript), diff)
	}
}
