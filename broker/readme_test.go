package broker

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"klamm/protocol"
)

var updateReadme = flag.Bool("update-readme", false, "write the generated parts of the README anew")

// TestReadme holds the generated parts of the README against the code that they
// are generated from.
func TestReadme(t *testing.T) {
	const readme = "../README.md"
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	gomod, err := os.ReadFile("../conformance/peers/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	pom, err := os.ReadFile("../conformance/peers/javatools/client-pom.xml")
	if err != nil {
		t.Fatal(err)
	}
	want := string(text)
	for name, part := range map[string]string{
		"apis":     readmeAPIs(),
		"defaults": readmeDefaults(),
		"clients":  readmeClients(string(gomod)) + readmeJavaClient(string(pom)),
	} {
		begin, end := "<!-- generated: "+name+" -->\n", "<!-- end -->"
		before, rest, ok1 := strings.Cut(want, begin)
		_, after, ok2 := strings.Cut(rest, end)
		if !ok1 || !ok2 {
			t.Fatalf("the README has no part %q between %q and %q", name, begin, end)
		}
		want = before + begin + part + end + after
	}
	if want == string(text) {
		return
	}
	if !*updateReadme {
		t.Fatal("the README says otherwise than the code; see go test ./broker -run TestReadme -update-readme")
	}
	if err := os.WriteFile(readme, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// readmeAPIs is the table of what is served.
func readmeAPIs() string {
	var b strings.Builder
	b.WriteString("| API | key | versions |\n|---|---|---|\n")
	rows := slices.Clone(apis[:])
	slices.SortFunc(rows, func(a, b api) int { return cmp.Compare(a.key, b.key) })
	for _, a := range rows {
		first := a.min
		if r, ok := protocol.Kafka440().Range(a.key); ok {
			first = r.MinServed
		}
		versions := fmt.Sprintf("%d–%d", first, a.max)
		if first == a.max {
			versions = fmt.Sprint(first)
		}
		fmt.Fprintf(&b, "| %s | %d | %s |\n", a.name, a.key, versions)
	}
	return b.String()
}

// readmeDefaults is the table of the configs whose default is not Kafka's.
func readmeDefaults() string {
	var b strings.Builder
	b.WriteString("| broker config | here | Kafka | why |\n|---|---|---|---|\n")
	for _, d := range defaultDifferences {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", d.name, d.value, brokerConfigs.find(d.name).def, d.reason)
	}
	return b.String()
}

// readmeClients are the client libraries that the tests are run with.
func readmeClients(gomod string) string {
	var b strings.Builder
	b.WriteString("| client | version |\n|---|---|\n")
	for _, client := range []struct{ name, module string }{
		{"[franz-go](https://github.com/twmb/franz-go)", "github.com/twmb/franz-go"},
		{"[Sarama](https://github.com/IBM/sarama)", "github.com/IBM/sarama"},
		{"[kafka-go](https://github.com/segmentio/kafka-go)", "github.com/segmentio/kafka-go"},
		{"[confluent-kafka-go](https://github.com/confluentinc/confluent-kafka-go) (librdkafka)", "github.com/confluentinc/confluent-kafka-go/v2"},
	} {
		version := regexp.MustCompile(`(?m)^\s*` + regexp.QuoteMeta(client.module) + ` (v\S+)$`).FindStringSubmatch(gomod)
		if version != nil {
			fmt.Fprintf(&b, "| %s | %s |\n", client.name, version[1])
		}
	}
	return b.String()
}

// readmeJavaClient is the row of Kafka's own client, which Maven brings.
func readmeJavaClient(pom string) string {
	version := regexp.MustCompile(`<artifactId>kafka-clients</artifactId>\s*<version>(\S+)</version>`).FindStringSubmatch(pom)
	if version == nil {
		return ""
	}
	return fmt.Sprintf("| [kafka-clients](https://kafka.apache.org) (Java) | %s |\n", version[1])
}

func TestReadmePartsAreWhole(t *testing.T) {
	for part, lines := range map[string]int{
		readmeAPIs():     len(apis) + 2,
		readmeDefaults(): len(defaultDifferences) + 2,
		readmeClients("\tgithub.com/IBM/sarama v1.2.3\n\tgithub.com/twmb/franz-go v1.0.0 // indirect\n\tgithub.com/twmb/franz-go/pkg/kadm v9.9.9\n"): 3,
	} {
		if got := strings.Count(part, "\n"); got != lines {
			t.Errorf("%d lines, want %d:\n%s", got, lines, part)
		}
	}
}
