package conformance

import (
	"embed"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// recordings travel with the binary, so that the suite runs anywhere.
//
//go:embed testdata/kafka-4.4.0
var recordings embed.FS

// Recorded is the transcript of Apache Kafka; ok tells whether there is one.
func (r Rule) Recorded() (transcript string, ok bool) {
	text, err := recordings.ReadFile("testdata/kafka-" + Kafka + "/" + r.ID + ".txt")
	return string(text), err == nil
}

// Call is an API in one version.
type Call struct {
	Key     int16  `json:"key"`
	API     string `json:"api"` // its name
	Version int16  `json:"version"`
}

// exchangeLine opens a request or an answer in a transcript.
var exchangeLine = regexp.MustCompile(`^\w+[<>] (\w+) v(\d+)`)

// apiKeys are the keys of APIs by name.
var apiKeys = keysByName()

func keysByName() map[string]int16 {
	keys := map[string]int16{}
	for key := range int16(kmsg.MaxKey + 1) {
		keys[kmsg.Key(key).Name()] = key
	}
	return keys
}

// callIn is the call that a line of a transcript opens.
func callIn(line string) (Call, bool) {
	m := exchangeLine.FindStringSubmatch(line)
	if m == nil {
		return Call{}, false
	}
	key, ok := apiKeys[m[1]]
	version, err := strconv.ParseInt(m[2], 10, 16)
	return Call{Key: key, API: m[1], Version: int16(version)}, ok && err == nil
}

// Calls are the APIs and versions that a transcript speaks, ordered by key and version.
func Calls(transcript string) []Call {
	var calls []Call
	for line := range strings.Lines(transcript) {
		if call, ok := callIn(line); ok {
			calls = append(calls, call)
		}
	}
	slices.SortFunc(calls, compareCalls)
	return slices.Compact(calls)
}

func compareCalls(a, b Call) int {
	if a.Key != b.Key {
		return int(a.Key) - int(b.Key)
	}
	return int(a.Version) - int(b.Version)
}

// offered leaves out of a transcript the exchanges whose request is not advertised.
func offered(transcript string, offer Offer) string {
	var out strings.Builder
	keep := true
	for line := range strings.Lines(transcript) {
		if call, ok := callIn(line); ok {
			keep = offer.Has(call.Key, call.Version)
		}
		if keep {
			out.WriteString(line)
		}
	}
	return out.String()
}

// advertisedLine is an API in an answer to ApiVersions, other than ApiVersions itself.
var advertisedLine = regexp.MustCompile(`(?m)^      - ApiKey=(?:\d|1[0-79]|[2-9]\d|\d{3,}) MinVersion=.*\n`)

// judged is a transcript without what another rule is about: which APIs a target
// advertises breaks versions.advertised, and no other rule that sees the list.
func (r Rule) judged(transcript string) string {
	if r.ID == advertisedRule {
		return transcript
	}
	return advertisedLine.ReplaceAllString(transcript, "")
}

// callAt is the exchange in which got leaves want; ok tells whether there is one.
func callAt(want, got string) (at Call, ok bool) {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	line := 0
	for line < len(w) && line < len(g) && w[line] == g[line] {
		line++
	}
	for i := min(line, len(w)-1); i >= 0; i-- {
		if at, ok = callIn(w[i]); ok {
			return at, true
		}
	}
	return at, false
}
