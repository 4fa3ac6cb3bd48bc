package conformance

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// consumerRecord shows a record of a consumer group, whose layouts no client has: a key
// is the group and, of some, a member; a value is of flexible fields.
func (s *stored) consumerRecord(kind int16, key, value []byte) {
	r := flexReader{b: key}
	if group := r.text16(); group != s.group || r.bad {
		return
	}
	what := map[int16]string{3: "group epoch", 4: "old topics", 5: "member", 6: "assignment epoch", 7: "target of", 8: "current of", 16: "regex"}[kind]
	if len(r.b) > 0 {
		what += " " + s.c.names.text(r.text16())
	}
	s.wanted--
	if value == nil {
		s.c.say("    %s: none", what)
		return
	}
	v := flexReader{b: value, names: s.c.names}
	text := fmt.Sprintf("v%d", v.int16())
	switch kind {
	case 3: // the number beside the epoch is the coordinator's own
		text += fmt.Sprintf(" epoch=%d with a hash: %t", v.int32(), len(v.tag()) > 0)
	case 5:
		text += v.member()
	case 6:
		text += fmt.Sprintf(" epoch=%d with a time: %t", v.int32(), len(v.tag()) > 0)
	case 7:
		text += v.topics(false)
	case 8:
		text += fmt.Sprintf(" epoch=%d previous=%d state=%d has%s gives up%s", v.int32(), v.int32(), v.int8(), v.topics(true), v.topics(true))
	}
	if kind != 3 && kind != 5 && kind != 6 {
		v.tag()
	}
	if v.bad || len(v.b) > 0 {
		text += fmt.Sprintf(" cannot be read, %d bytes are left", len(v.b))
	}
	s.c.say("    %s: %s", what, text)
}

// flexReader reads the fields of a flexible version.
type flexReader struct {
	b     []byte
	names *names
	bad   bool
}

func (r *flexReader) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.b) {
		r.bad = true
		return make([]byte, max(0, min(n, 16)))
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *flexReader) int8() int8   { return int8(r.take(1)[0]) }
func (r *flexReader) int16() int16 { return int16(binary.BigEndian.Uint16(r.take(2))) }
func (r *flexReader) int32() int32 { return int32(binary.BigEndian.Uint32(r.take(4))) }

func (r *flexReader) text16() string { return string(r.take(int(r.int16()))) }

func (r *flexReader) uvarint() int {
	n, w := binary.Uvarint(r.b)
	if w <= 0 || n > 1<<20 {
		r.bad = true
		return 0
	}
	r.b = r.b[w:]
	return int(n)
}

// text is a compact string; null is "null".
func (r *flexReader) text() string {
	n := r.uvarint()
	if n == 0 {
		return "null"
	}
	return quote(r.names.text(string(r.take(n - 1))))
}

// tag is the content of the tagged fields, all of which have the tag 0.
func (r *flexReader) tag() (content []byte) {
	for n := r.uvarint(); n > 0 && !r.bad; n-- {
		r.uvarint()
		content = r.take(r.uvarint())
	}
	return content
}

func (r *flexReader) int32s() []int32 {
	var numbers []int32
	for n := r.uvarint() - 1; n > 0 && !r.bad; n-- {
		numbers = append(numbers, r.int32())
	}
	return numbers
}

// topics are partitions by topic, with their epochs where there are any.
func (r *flexReader) topics(epochs bool) string {
	var b strings.Builder
	for n := r.uvarint() - 1; n > 0 && !r.bad; n-- {
		id := r.names.topicID([16]byte(r.take(16)))
		fmt.Fprintf(&b, " %s%v", id, r.int32s())
		tagged := flexReader{b: r.tag()}
		if epochs && len(tagged.b) > 0 {
			fmt.Fprintf(&b, " since %v", tagged.int32s())
		}
	}
	return b.String()
}

// member is what a member said of itself.
func (r *flexReader) member() string {
	text := fmt.Sprintf(" instance=%s rack=%s client=%s", r.text(), r.text(), r.text())
	r.text() // where the client is
	text += " topics="
	for n := r.uvarint() - 1; n > 0 && !r.bad; n-- {
		text += r.text() + " "
	}
	text += fmt.Sprintf("regex=%s rebalance=%d assignor=%s", r.text(), r.int32(), r.text())
	if part := r.tag(); len(part) > 0 {
		p := flexReader{b: part, names: r.names}
		text += fmt.Sprintf(" classic (%d) session=%d", p.int8(), p.int32())
		for n := p.uvarint() - 1; n > 0 && !p.bad; n-- {
			text += fmt.Sprintf(" %s metadata of %d bytes", p.text(), len(p.take(p.uvarint()-1)))
			p.tag()
		}
		p.tag()
		r.bad = r.bad || p.bad || len(p.b) > 0
	}
	return text
}
