package conformance

import (
	"strconv"
	"strings"

	"klamm/protocol"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// references are what a script that is held has learned. A text in its fields that
// begins with a dollar sign is one of these:
//
//	$orders            the name of this run that the transcript shows as <orders>
//	$id@t1             the id of topic t1
//	$member@g.m1       the member id that m1 was last told in group g
//	$leader@g          the member id of the leader of group g
//	$generation@g      the generation of group g
//	$session@m1        the fetch session of m1, and $turn@m1 its next epoch
//	$producer@m1       the producer id of m1, and $epoch@m1 its epoch
//	$long@4097         a text of so many letters
//
// A number may be followed by +N or -N. What is not known yet is empty, or 0.
type references struct {
	c     *Conversation
	known map[string]string // such as "member@g.m1", with the label of the group
	names map[string]string // label → name in this run
}

func newReferences(c *Conversation) *references {
	return &references{c: c, known: map[string]string{}, names: map[string]string{}}
}

func (r *references) resolve(reference string) string {
	if !strings.Contains(reference, "@") {
		return r.name(reference)
	}
	text, known := r.known[reference]
	if known {
		return text
	}
	if n, ok := strings.CutPrefix(reference, "long@"); ok {
		length, _ := strconv.ParseUint(n, 10, 16)
		return strings.Repeat("m", int(length))
	}
	at := strings.LastIndexAny(reference, "+-")
	if at < 0 {
		return ""
	}
	n, _ := strconv.ParseInt(r.known[reference[:at]], 10, 64)
	by, _ := strconv.ParseInt(reference[at:], 10, 64)
	return strconv.FormatInt(n+by, 10)
}

// name is the name of this run for a label.
func (r *references) name(label string) string {
	if r.names[label] == "" {
		r.names[label] = r.c.Name(label)
	}
	return r.names[label]
}

// label is the label that a script uses for a name, or the name itself.
func (r *references) label(name string) string {
	return strings.TrimSuffix(name, "-"+r.c.tag)
}

// learn keeps what an answer told actor on.
func (r *references) learn(on string, req kmsg.Request, resp kmsg.Response) {
	number := func(kind, of string, n int64) { r.known[kind+"@"+of] = strconv.FormatInt(n, 10) }
	switch resp := resp.(type) {
	case *kmsg.JoinGroupResponse:
		group := r.label(req.(*kmsg.JoinGroupRequest).Group)
		if resp.MemberID != "" {
			r.known["member@"+group+"."+on] = resp.MemberID
		}
		if resp.ErrorCode == 0 {
			r.known["leader@"+group] = resp.LeaderID
			number("generation", group, int64(resp.Generation))
		}
	case *kmsg.FetchResponse:
		if resp.SessionID > 0 {
			number("session", on, int64(resp.SessionID))
			number("turn", on, int64(max(req.(*kmsg.FetchRequest).SessionEpoch, 0))+1)
		}
	case *kmsg.InitProducerIDResponse:
		if resp.ErrorCode == 0 {
			number("producer", on, resp.ProducerID)
			number("epoch", on, int64(resp.ProducerEpoch))
		}
	}
}

// topic keeps the id of a topic.
func (r *references) topic(name string, id [16]byte) {
	key := "id@" + r.label(name)
	if r.known[key] == string(id[:]) {
		return
	}
	again := ""
	if r.known[key] != "" {
		again = " again"
	}
	r.known[key] = string(id[:])
	r.c.names.know(protocol.UUID(id).String(), r.label(name)+" id"+again)
}
