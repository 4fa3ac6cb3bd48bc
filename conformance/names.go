package conformance

import (
	"cmp"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"klamm/protocol"
)

// names replaces what differs from run to run by names that do not: the names that
// a conversation gave by their labels, ids of the broker by their first appearance.
type names struct {
	now   func() time.Time
	known map[string]string // real text → name
	order []string          // keys of known, longest first, so that no name is cut by another
	count map[string]int    // kind → how many were named
	mask  bool              // name without numbering: for sorting before naming
	// unsaid tells that what is printed does not get into the transcript. Producer ids are
	// not named by it: how many the setup asks for is no part of a rule.
	unsaid bool
	node   *int32 // the id of the target's node, if not recordedNode
	// coordinatorEpoch is the epoch of the target's transaction coordinator, which grows
	// when it is started again or was too slow; transcripts count from it, as if it was that
	// of a fresh one, 0.
	coordinatorEpoch *int32
}

// uuidText is the text form of java.util.UUID, as in member ids, and what other brokers
// put in its place: as many hexadecimal digits without dashes.
var uuidText = regexp.MustCompile(`\b[0-9a-f]{32}\b|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// timeRange is the range that Kafka names when it refuses a timestamp.
var timeRange = regexp.MustCompile(`within \[-?[0-9]+, [0-9]+\]`)

// timeOf is a timestamp that Kafka names when it refuses it.
var timeOf = regexp.MustCompile(`Timestamp (-?[0-9]+) of message`)

// timeWindow is how far from now a timestamp may be to count as "now": fixed
// timestamps of the rules lie years away.
const timeWindow = 24 * time.Hour

// recordedNode is the node id of the Kafka that was recorded.
const recordedNode = 1

// nodeFields are the fields that hold the id of a node.
var nodeFields = map[string]bool{
	"NodeID": true, "ControllerID": true, "Leader": true, "LeaderID": true, "Replicas": true, "ISR": true, "OfflineReplicas": true,
}

func newNames() *names {
	return &names{now: time.Now, known: map[string]string{}, count: map[string]int{}}
}

// isNode tells whether f is the name of the target's node, if that is not recordedNode.
func (n *names) isNode(f reflect.Value) bool {
	return n.node != nil && *n.node != recordedNode && f.Kind() == reflect.String && f.String() == strconv.Itoa(int(*n.node))
}

// know gives real the name <label>.
func (n *names) know(real, label string) {
	if _, ok := n.known[real]; !ok {
		n.order = append(n.order, real)
		slices.SortStableFunc(n.order, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	}
	n.known[real] = "<" + label + ">"
}

// numbered is the name of real among those of its kind, given at its first appearance.
func (n *names) numbered(kind, real string) string {
	key := kind + " " + real
	if name, ok := n.known[key]; ok {
		return name
	}
	if n.mask || n.unsaid && kind == "producer" {
		return "<" + kind + ">"
	}
	n.count[kind]++
	n.known[key] = fmt.Sprintf("<%s-%d>", kind, n.count[kind])
	return n.known[key]
}

// isKnown tells whether real has a name among those of its kind.
func (n *names) isKnown(kind string, real int64) bool {
	_, ok := n.known[kind+" "+fmt.Sprint(real)]
	return ok
}

// text is s with everything known replaced.
func (n *names) text(s string) string {
	for _, real := range n.order {
		s = strings.ReplaceAll(s, real, n.known[real])
	}
	s = timeRange.ReplaceAllString(s, "within [<then>, <now>]")
	s = timeOf.ReplaceAllStringFunc(s, func(t string) string {
		ms, _ := strconv.ParseInt(timeOf.FindStringSubmatch(t)[1], 10, 64)
		return "Timestamp " + n.millis(ms) + " of message"
	})
	return uuidText.ReplaceAllStringFunc(s, func(u string) string { return n.numbered("uuid", u) })
}

// topicID is the name of a topic id; the zero id is told apart.
func (n *names) topicID(id [16]byte) string {
	if id == [16]byte{} {
		return "<zero>"
	}
	text := protocol.UUID(id).String()
	if name, ok := n.known[text]; ok {
		return name
	}
	if n.mask {
		return "<topic-id>"
	}
	n.count["topic-id"]++
	n.know(text, fmt.Sprintf("topic-id-%d", n.count["topic-id"]))
	return n.known[text]
}

// later is a time that may lie ahead: "<now>+1h0m0s", to the minute.
func (n *names) later(ms int64) string {
	d := time.UnixMilli(ms).Sub(n.now()).Round(time.Minute)
	if d <= -timeWindow || d >= 30*timeWindow {
		return fmt.Sprint(ms)
	}
	if d == 0 {
		return "<now>"
	}
	return "<now>+" + d.String()
}

// millis is a timestamp: "<now>" when it is of about now.
func (n *names) millis(ms int64) string {
	if d := n.now().Sub(time.UnixMilli(ms)); d > -timeWindow && d < timeWindow {
		return "<now>"
	}
	return fmt.Sprint(ms)
}
