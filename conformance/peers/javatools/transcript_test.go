package javatools

import (
	"net"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// same are the things that differ from run to run, and what stands for them in a transcript.
var same = []struct {
	pattern *regexp.Regexp
	word    string
}{
	{regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`), "UUID"},
	{regexp.MustCompile(`\b127\.0\.0\.1:\d+`), "HOST:PORT"},
	{regexp.MustCompile(`\b1\d{12}\b`), "TIME"},
	{regexp.MustCompile(`\bconsole-consumer-\d+`), "console-consumer-N"},
	{regexp.MustCompile(`\bcorrelation id \d+`), "correlation id N"},
	{regexp.MustCompile(`\b2\d{3}-\d\d-\d\d[T ]\d\d:\d\d:\d\d([.:]\d{3})?`), "DATE"},
	{regexp.MustCompile(`"/[A-Za-z0-9/._-]*"`), `"DIR"`},
	{regexp.MustCompile(`(^|[\s":=(])[A-Za-z0-9_-]{22}($|[\s",)}\]])`), "${1}ID${2}"},
	{regexp.MustCompile(`\d+(\.\d+)? (records|MB)/sec`), "N $2/sec"},
	{regexp.MustCompile(`\d+(\.\d+)? ms `), "N ms "},
	{regexp.MustCompile(`^DATE, DATE, [\d.]+, [\d.]+, (\d+), .*`), "DATE, DATE, N, N, $1, N, N, N, N, N"},
	{regexp.MustCompile(`^HighWatermark:\s+\d+`), "HighWatermark: N"},
	{regexp.MustCompile(`^1(\s+ID\s+)\d+`), "1${1}N"}, // the end of the metadata log
	{regexp.MustCompile(`\bEpoch: \d+$`), "Epoch: N"},
	{regexp.MustCompile(`^\d+(\s+\d+\s+-1\s+\d+\s+TIME)`), "N$1"},        // a producer id
	{regexp.MustCompile(`^(\S+\s+1\s+)\d+(\s+[A-Z]\w+\s*)$`), "${1}N$2"}, // the same in a list of transactions
	{regexp.MustCompile(`^(1\s+\S+\s+)\d+(\s+\d+\s+[A-Z])`), "${1}N$2"},  // and where one is described
	{regexp.MustCompile(`(\s+TIME\s+)\d+(\s|$)`), "${1}N$2"},             // how long it has been open
	{regexp.MustCompile(`"(p\w*oducerId)":\d+`), `"$1":N`},
	{regexp.MustCompile(`producerId=\d+`), "producerId=N"},
	{regexp.MustCompile(`\badminclient-\d+`), "adminclient-N"},
	{regexp.MustCompile(` {2,}`), " "}, // columns are as wide as the widest id
	{regexp.MustCompile(`(?m)[ \t]+$`), ""},
}

// cold is what a client warns of while Kafka does not serve a new topic yet.
var cold = regexp.MustCompile(`recoverable issue with correlation id .*=(UNKNOWN_TOPIC_OR_PARTITION|LEADER_NOT_AVAILABLE)}`)

// command is one of a script: its lines, and what it printed.
type command struct {
	line  string
	input []string
	said  []string
}

// partial tells whether the command lists what a broker offers. It says so line by
// line, and a broker that offers less than Kafka says less.
func (c command) partial() bool {
	return c.line == "$ broker-api-versions" || c.line == "$ features describe"
}

// commands splits what a program printed, with words for what differs from run to run.
func commands(t *testing.T, said, bootstrap string) []command {
	t.Helper()
	_, port, err := net.SplitHostPort(bootstrap)
	if err != nil {
		t.Fatal(err)
	}
	ports := regexp.MustCompile(`\b` + port + `\b`)
	var cs []command
	for line := range strings.Lines(said) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "$ ") {
			cs = append(cs, command{line: line})
			continue
		}
		if len(cs) == 0 || line == "" || cold.MatchString(line) {
			continue
		}
		c := &cs[len(cs)-1]
		if strings.HasPrefix(line, "< ") {
			c.input = append(c.input, line)
			continue
		}
		for _, s := range same {
			line = s.pattern.ReplaceAllString(line, s.word)
		}
		c.said = append(c.said, ports.ReplaceAllString(line, "PORT"))
	}
	for i, c := range cs {
		if strings.HasPrefix(c.line, "$ sorted ") {
			slices.Sort(c.said)
		}
		cs[i].said = slices.Compact(c.said) // what is retried is said more or less often
	}
	return cs
}

// text is the commands as a transcript.
func text(cs []command) string {
	var b strings.Builder
	for _, c := range cs {
		lines := slices.Concat([]string{c.line}, c.input, c.said)
		b.WriteString("\n" + strings.Join(lines, "\n") + "\n")
	}
	return b.String()
}

// offered takes away from what Kafka said what a broker does not offer, and from what
// the broker said that it does not. The last line of a list has no comma.
func offered(kafka, here []command) {
	for i := range min(len(kafka), len(here)) {
		if !kafka[i].partial() {
			continue
		}
		trimCommas(kafka[i].said)
		trimCommas(here[i].said)
		here[i].said = slices.DeleteFunc(here[i].said, func(line string) bool {
			return strings.HasSuffix(line, ": UNSUPPORTED") || strings.HasPrefix(line, lowerFeature)
		})
		kafka[i].said = slices.DeleteFunc(kafka[i].said, func(line string) bool { return !slices.Contains(here[i].said, line) })
	}
}

// lowerFeature begins the line of the feature that the broker has at a lower level than
// Kafka: level 2 is for dead letters, which there are none of yet.
const lowerFeature = "Feature: share.version "

func trimCommas(lines []string) {
	for i, line := range lines {
		lines[i] = strings.TrimSuffix(line, ",")
	}
}
