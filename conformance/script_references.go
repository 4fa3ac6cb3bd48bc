package conformance

import (
	"fmt"
	"maps"
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
//	$epoch@coordinator the epoch of the transaction coordinator
//	$sequence@m1.t1.0  the sequence that m1 writes next to partition 0 of topic t1
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
			r.producer(on, resp.ProducerID, resp.ProducerEpoch)
		}
	case *kmsg.EndTxnResponse:
		if resp.ErrorCode == 0 && resp.Version >= 5 {
			r.producer(on, resp.ProducerID, resp.ProducerEpoch)
		}
	case *kmsg.ProduceResponse:
		r.written(on, req.(*kmsg.ProduceRequest), resp)
	}
}

// producer keeps what on is as a producer from now on; its sequences begin anew.
func (r *references) producer(on string, id int64, epoch int16) {
	r.known["producer@"+on], r.known["epoch@"+on] = strconv.FormatInt(id, 10), strconv.Itoa(int(epoch))
	maps.DeleteFunc(r.known, func(key, _ string) bool { return strings.HasPrefix(key, "sequence@"+on+".") })
}

// written keeps which sequences come next where on has written.
func (r *references) written(on string, req *kmsg.ProduceRequest, resp *kmsg.ProduceResponse) {
	for _, t := range req.Topics {
		for _, p := range t.Partitions {
			b, _ := cutBatch(p.Records)
			if b == nil || b.producer < 0 || !taken(resp, t, p.Partition) {
				continue
			}
			label := r.label(t.Topic)
			if resp.Version >= 13 {
				label = r.labelOf(t.TopicID)
			}
			r.known[fmt.Sprintf("sequence@%s.%s.%d", on, label, p.Partition)] = strconv.Itoa(int(b.sequence + b.lastDelta + 1))
		}
	}
}

// taken tells whether what was written to a partition is in its log.
func taken(resp *kmsg.ProduceResponse, topic kmsg.ProduceRequestTopic, partition int32) bool {
	for _, t := range resp.Topics {
		if t.Topic != topic.Topic || t.TopicID != topic.TopicID {
			continue
		}
		for _, p := range t.Partitions {
			if p.Partition == partition {
				return p.ErrorCode == 0
			}
		}
	}
	return false
}

// labelOf is the label of the topic with this id.
func (r *references) labelOf(id [16]byte) string {
	for key, known := range r.known {
		if label, is := strings.CutPrefix(key, "id@"); is && known == string(id[:]) {
			return label
		}
	}
	return ""
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
