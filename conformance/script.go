package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Script is a conversation as data: it can be drawn at random, made shorter, printed,
// and held again. Its text has a line for each step:
//
//	topic t1 2 cleanup.policy=compact
//	m1 JoinGroup v9 {"Group":"$g","MemberID":"$member@g.m1"}
//	m1 closes
//
// The first word of a request is who sends it, the last one its fields by their names in
// kmsg; what is left out has its default. What begins with a dollar sign is known only
// when the script is held: see references.
type Script struct {
	// Steps are held one after the other.
	Steps []Step
}

// Step is one line of a script.
type Step struct {
	// On is who acts: a name of lower-case letters and digits. It is "topic" in a step
	// that makes one outside the transcript.
	On string
	// Topic and its Partitions and Configs (NAME=VALUE) are of a step that makes a topic.
	Topic      string
	Partitions int32
	Configs    []string
	// Closes tells that the actor closes its connections; there is no request then.
	Closes bool
	// Key and Version are those of the request.
	Key, Version int16
	// Fields are the request's: strings, int64, float64, bool, nil, []any and
	// map[string]any, as JSON has them.
	Fields map[string]any
}

const makesTopic = "topic"

// String is the script's text, which ParseScript reads.
func (s Script) String() string {
	var out strings.Builder
	for _, step := range s.Steps {
		out.WriteString(step.String() + "\n")
	}
	return out.String()
}

// String is the step's line.
func (s Step) String() string {
	switch {
	case s.On == makesTopic:
		return strings.Join(append([]string{makesTopic, s.Topic, strconv.Itoa(int(s.Partitions))}, s.Configs...), " ")
	case s.Closes:
		return s.On + " closes"
	}
	return fmt.Sprintf("%s %s v%d %s", s.On, kmsg.Key(s.Key).Name(), s.Version, fieldsText(s.Fields))
}

// fieldsText is JSON without what JSON in a web page needs.
func fieldsText(v any) string {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // a tree of these types can be encoded
	}
	return strings.TrimSpace(out.String())
}

// ParseScript reads a script's text; empty lines and those that begin with # are left out.
func ParseScript(text string) (Script, error) {
	var s Script
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		step, err := parseStep(line)
		if err != nil {
			return s, fmt.Errorf("line %d: %w", n, err)
		}
		s.Steps = append(s.Steps, step)
	}
	if len(s.Steps) == 0 {
		return s, fmt.Errorf("the script has no steps")
	}
	return s, nil
}

func parseStep(line string) (Step, error) {
	words := strings.Fields(line)
	s := Step{On: words[0]}
	switch {
	case !isActor(s.On):
		return s, fmt.Errorf("%q is not a name of lower-case letters and digits", s.On)
	case s.On == makesTopic:
		if len(words) < 3 {
			return s, fmt.Errorf("want: topic NAME PARTITIONS [CONFIG=VALUE]...")
		}
		n, err := strconv.ParseInt(words[2], 10, 32)
		if err != nil {
			return s, fmt.Errorf("partitions: %w", err)
		}
		s.Topic, s.Partitions, s.Configs = words[1], int32(n), words[3:]
		for _, c := range s.Configs {
			if !strings.Contains(c, "=") {
				return s, fmt.Errorf("%q is no CONFIG=VALUE", c)
			}
		}
		return s, nil
	case len(words) == 2 && words[1] == "closes":
		s.Closes = true
		return s, nil
	case len(words) < 4:
		return s, fmt.Errorf("want: NAME API vVERSION {FIELDS}")
	}
	call, ok := callIn(fmt.Sprintf("x> %s %s", words[1], words[2]))
	if !ok || kmsg.RequestForKey(call.Key) == nil {
		return s, fmt.Errorf("%s %s is no request", words[1], words[2])
	}
	s.Key, s.Version = call.Key, call.Version
	fields, err := parseFields(line[strings.Index(line, "{"):])
	if err != nil {
		return s, err
	}
	s.Fields = fields
	_, err = s.request(noReferences)
	return s, err
}

func isActor(name string) bool {
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// parseFields reads one JSON object, with whole numbers as int64.
func parseFields(text string) (map[string]any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var fields map[string]any
	if err := d.Decode(&fields); err != nil {
		return nil, fmt.Errorf("fields: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("something stands behind the fields")
	}
	whole, err := numbers(fields)
	if err != nil {
		return nil, err
	}
	fields, _ = whole.(map[string]any)
	return fields, nil
}

func numbers(v any) (any, error) {
	var err error
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			if v[k], err = numbers(v[k]); err != nil {
				return nil, err
			}
		}
	case []any:
		for i := range v {
			if v[i], err = numbers(v[i]); err != nil {
				return nil, err
			}
		}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, nil
		}
		return v.Float64()
	}
	return v, nil
}

// clone is a script whose steps can be changed without changing s.
func (s Script) clone() Script {
	steps := slices.Clone(s.Steps)
	for i := range steps {
		steps[i].Fields, _ = cloneTree(steps[i].Fields).(map[string]any)
	}
	return Script{steps}
}

func cloneTree(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if v == nil {
			return v
		}
		m := make(map[string]any, len(v))
		for k := range v {
			m[k] = cloneTree(v[k])
		}
		return m
	case []any:
		l := make([]any, len(v))
		for i := range v {
			l[i] = cloneTree(v[i])
		}
		return l
	}
	return v
}
