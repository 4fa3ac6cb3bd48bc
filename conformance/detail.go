package conformance

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The details in which a broken rule may differ without a client that could act on it.
const (
	detailWords  = "words"           // error messages and documentation, which are for people
	detailEmpty  = "empty"           // one way to say nothing for another: null, an empty text or an empty list
	detailBeside = "beside an error" // a field that is empty on one side, beside the same error code
	detailOrder  = "order"           // the same entries in another order
	detailEpochs = "epochs"          // the epochs of a group, which begin at another number
	detailWithin = "within"          // a rule about what goes on within a broker
)

// mended is got with want's side put in its place wherever the two differ in a detail,
// and which details these are. What is left of the difference is one in substance.
//
// Only answers have details, and of them neither error codes, the fields by which an
// entry is found, nor records.
func mended(want, got string) (text string, details []string) {
	m := &mender{}
	if shifted := withEpochs(want, got); shifted != got {
		m.found(detailEpochs)
		got = shifted
	}
	w, g := parseLines(want), parseLines(got)
	for i := range min(len(w), len(g)) {
		if !m.mend(w[i], g[i]) {
			break // from here on the conversations are not the same
		}
	}
	var out []string
	for _, n := range g {
		out = n.lines(out)
	}
	slices.Sort(m.details)
	return strings.Join(out, "\n"), slices.Compact(m.details)
}

// groupEpoch is an epoch of a consumer or share group, which a member only says again.
var groupEpoch = regexp.MustCompile(`\b(MemberEpoch|Epoch|AssignmentEpoch)=([1-9]\d*)\b`)

// withEpochs is got with all epochs of groups moved by as much as its first one lies apart
// from want's first one.
func withEpochs(want, got string) string {
	if !strings.Contains(want, "GroupHeartbeat v") {
		return got
	}
	w, g := groupEpoch.FindStringSubmatch(want), groupEpoch.FindStringSubmatch(got)
	if w == nil || g == nil || w[1] != g[1] {
		return got
	}
	by := epochOf(w[2]) - epochOf(g[2])
	return groupEpoch.ReplaceAllStringFunc(got, func(field string) string {
		name, epoch, _ := strings.Cut(field, "=")
		return fmt.Sprintf("%s=%d", name, epochOf(epoch)+by)
	})
}

func epochOf(text string) int {
	epoch, _ := strconv.Atoi(text) // a large one is none of a group
	return epoch
}

// withoutLogs leaves out of a transcript what a coordinator has written to its topic.
func withoutLogs(transcript string) string {
	var out []string
	within := false
	for _, l := range strings.Split(transcript, "\n") {
		written := strings.HasPrefix(l, "batch") || strings.HasPrefix(l, "marker") || strings.HasPrefix(l, "    ") || strings.HasPrefix(l, noTopic)
		if within = l == storedHead || strings.HasPrefix(l, "# what is new in ") || within && written; !within || !written {
			out = append(out, l)
		}
	}
	return strings.Join(out, "\n")
}

// line is one line of a transcript, as its words, and what is indented below it.
type line struct {
	indent int
	words  []string
	below  []*line
}

// word is what stands between blanks: texts, lists, structs and names are one each.
var word = regexp.MustCompile(`^(?:"(?:\\.|[^"\\])*"|=<[^<>="]*>|\[(?:"(?:\\.|[^"\\])*"|[^\]"])*\]|\{(?:"(?:\\.|[^"\\])*"|[^}"])*\}|[^ "\[{])+`)

func parseLines(transcript string) []*line {
	root := &line{indent: -1}
	open := []*line{root}
	for _, text := range strings.Split(transcript, "\n") {
		l := &line{indent: len(text) - len(strings.TrimLeft(text, " "))}
		for rest, more := text[l.indent:], true; more; {
			w := word.FindString(rest)
			after := rest[len(w):]
			if after != "" && after[0] != ' ' {
				w, after = rest, "" // no words of ours
			}
			l.words = append(l.words, w)
			rest, more = strings.CutPrefix(after, " ")
		}
		for open[len(open)-1].indent >= l.indent {
			open = open[:len(open)-1]
		}
		parent := open[len(open)-1]
		parent.below = append(parent.below, l)
		open = append(open, l)
	}
	return root.below
}

func (l *line) lines(out []string) []string {
	out = append(out, strings.Repeat(" ", l.indent)+strings.Join(l.words, " "))
	for _, b := range l.below {
		out = b.lines(out)
	}
	return out
}

func (l *line) text() string { return strings.Join(l.lines(nil), "\n") }

// field is the value of a field, or "".
func (l *line) field(name string) string {
	for _, w := range l.words {
		if value, ok := strings.CutPrefix(w, name+"="); ok {
			return value
		}
	}
	return ""
}

// isAnswer tells whether the line opens an answer: "a< Fetch v12 ...".
func (l *line) isAnswer() bool { return len(l.words) > 1 && strings.HasSuffix(l.words[0], "<") }

// isEntry tells whether the line is an entry of an array.
func (l *line) isEntry() bool { return len(l.words) > 0 && l.words[0] == "-" }

type mender struct{ details []string }

func (m *mender) found(detail string) { m.details = append(m.details, detail) }

// mend makes got want wherever they differ in a detail; ok tells whether they are then the same.
func (m *mender) mend(want, got *line) (ok bool) {
	if want.text() == got.text() {
		return true
	}
	if !want.isAnswer() || !got.isAnswer() {
		return false
	}
	return m.structure(want, got, "")
}

// structure mends a line with fields, and what is below it. fault is the error code of
// the structs around it, if any.
func (m *mender) structure(want, got *line, fault string) bool {
	if code := want.field("ErrorCode"); code != "" && code == got.field("ErrorCode") && code != "NONE" {
		fault = code
	}
	same := m.fields(want, got, fault)
	if len(want.below) != len(got.below) {
		return false
	}
	for i, w := range want.below {
		same = m.array(w, got.below[i], fault) && same
	}
	return same
}

// fields mends the fields of a line; an array with entries is none of them.
func (m *mender) fields(want, got *line, fault string) (same bool) {
	for i, g := range got.words {
		name, _, ok := strings.Cut(g, "=")
		w := name + "=" + want.field(name)
		if !ok || w == g || len(w) == len(name)+1 {
			continue
		}
		if detail := detailOf(w, g, fault); detail != "" {
			m.found(detail)
			got.words[i] = w
		}
	}
	return slices.Equal(want.words, got.words)
}

// array mends an array and its entries.
func (m *mender) array(want, got *line, fault string) bool {
	if want.text() == got.text() {
		return true
	}
	if !slices.Equal(want.words, got.words) || len(want.below) != len(got.below) ||
		!everyEntry(want.below) || !everyEntry(got.below) {
		return false
	}
	if m.inOrder(want, got) {
		m.found(detailOrder)
	}
	same := true
	for i, w := range want.below {
		same = m.structure(w, got.below[i], fault) && same
	}
	return same
}

func everyEntry(lines []*line) bool {
	return !slices.ContainsFunc(lines, func(l *line) bool { return !l.isEntry() })
}

// inOrder puts got's entries into the order of want's, if they are the same entries, and
// tells whether they were not.
func (m *mender) inOrder(want, got *line) bool {
	var order []*line
	left := slices.Clone(got.below)
	for _, w := range want.below {
		i := slices.IndexFunc(left, func(g *line) bool { return g.text() == w.text() })
		if i < 0 {
			i = slices.IndexFunc(left, func(g *line) bool { return sameEntry(w, g) })
		}
		if i < 0 {
			return false
		}
		order = append(order, left[i])
		left = slices.Delete(left, i, i+1)
	}
	moved := !slices.Equal(order, got.below)
	got.below = order
	return moved
}

// identity are the fields by which a client finds an entry in an answer.
var identity = []string{
	"Topic", "TopicID", "Partition", "Group", "GroupID", "Name", "ResourceName", "ResourceType", "User", "MemberID", "InstanceID",
	"TransactionalID", "ProducerID", "NodeID", "Dir", "Feature", "ConfigName", "ApiKey", "Type", "Key",
}

// sameEntry tells whether two entries are of the same thing.
func sameEntry(a, b *line) bool {
	return !slices.ContainsFunc(identity, func(name string) bool { return a.field(name) != b.field(name) })
}

// goOn are the fields by which a client goes on after an error.
var goOn = map[string][]string{
	"MEMBER_ID_REQUIRED(79)":        {"MemberID"},
	"NOT_LEADER_OR_FOLLOWER(6)":     {"CurrentLeader"},
	"FENCED_LEADER_EPOCH(74)":       {"CurrentLeader"},
	"DUPLICATE_SEQUENCE_NUMBER(46)": {"BaseOffset"},
	"UNKNOWN_PRODUCER_ID(59)":       {"LogStartOffset"},
}

var nothings = []string{`""`, "null", "[]"}

// empties are values that say that there is none.
var empties = append([]string{"-1", "0", "<zero>", "<topic-id>"}, nothings...)

// detailOf names the detail in which two fields differ beside an error, "" is NONE or
// no error; "" is none: they differ in substance.
func detailOf(want, got, fault string) string {
	name, w, ok1 := strings.Cut(want, "=")
	other, g, ok2 := strings.Cut(got, "=")
	switch {
	case !ok1 || !ok2 || name != other || name == "ErrorCode":
		return ""
	case name == "ErrorMessage" || name == "Documentation":
		return detailWords
	case slices.Contains(nothings, w) && slices.Contains(nothings, g) && name != "Key" && name != "Value":
		return detailEmpty
	case fault == "" || slices.Contains(goOn[fault], name):
		return ""
	case slices.Contains(empties, w) && slices.Contains(empties, g):
		return detailBeside
	case slices.Contains(identity, name) && name != "MemberID" && name != "TopicID" && name != "NodeID" && name != "ProducerID":
		return ""
	case slices.Contains(empties, w) || slices.Contains(empties, g):
		return detailBeside
	}
	return ""
}
