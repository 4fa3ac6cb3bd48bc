package tidy

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Room is what one package may import besides the standard library: paths below
// Module without its name, others whole.
type Room struct {
	Imports []string // what its code may import
	Tests   []string // what its tests may import besides
}

// Modules that a room may import.
const (
	kmsg       = "github.com/twmb/franz-go/pkg/kmsg"
	compress   = "github.com/klauspost/compress"
	lz4        = "github.com/pierrec/lz4/v4"
	scram      = "github.com/xdg-go/scram"
	datadriven = "github.com/cockroachdb/datadriven"
	rapid      = "pgregory.net/rapid"
	gocmp      = "github.com/google/go-cmp"
	difflib    = "github.com/pmezard/go-difflib" // of datadriven: no room imports it
	stringprep = "github.com/xdg-go/stringprep"  // of scram: no room imports it
	text       = "golang.org/x/text"             // of stringprep: no room imports it
)

// Rooms is the import graph. DO NOT CHANGE THIS DATA TO FIX A BUILD: an import
// that it does not allow is in the wrong room. A package that is not listed
// belongs to the room of the nearest directory above it.
func Rooms() map[string]Room {
	tests := []string{datadriven, rapid, gocmp, kmsg}
	return map[string]Room{
		"protocol":   {[]string{kmsg, compress, lz4}, tests},
		"groupcoord": {[]string{"protocol", kmsg}, tests},
		"partitions": {[]string{"protocol"}, tests},
		"broker":     {[]string{"groupcoord", "partitions", "broker/txncoord", "broker/sharecoord", "protocol", kmsg}, tests},
		// Beside the broker because nobody else has transactions to coordinate.
		"broker/txncoord": {[]string{"protocol", kmsg}, tests},
		// Beside the broker because nobody else keeps the state of share groups.
		"broker/sharecoord": {[]string{"protocol"}, tests},
		"kafkatest":         {[]string{"broker"}, append(tests, "protocol")},
		// The suite reads batches with codecs of its own, so that it does not trust ours.
		"conformance":       {[]string{"protocol", kmsg, compress, lz4, scram}, append(tests, "kafkatest", "broker")},
		"conformance/peers": {[]string{"kafkatest", "broker", "conformance", "protocol", "*"}, nil},
		"cmd/klamm":         {[]string{"broker", "conformance"}, append(tests, "protocol")},
		"internal/tidy":     {},
		"tools":             {},
		// Generators run by hand; nothing that is shipped imports them.
		"broker/internal":   {[]string{"protocol", kmsg}, tests},
		"protocol/internal": {nil, tests},
	}
}

// TestingRoom is the only room whose code, and not only its tests, imports "testing".
const TestingRoom = "kafkatest"

// Arrows finds imports that rooms do not allow, and packages that have no room.
func Arrows(t *Tree, rooms map[string]Room) (found []Finding) {
	for _, s := range t.Sources {
		own, room, ok := roomOf(s, rooms)
		if !ok {
			found = append(found, t.find("arrows", s, s.File.Name, "", "package %s has no room in internal/tidy/arrows.go", s.Package))
			continue
		}
		allowed := room.Imports
		if s.Test {
			allowed = append(slices.Clone(allowed), room.Tests...)
		}
		for _, spec := range s.File.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			if imported == "testing" && !s.Test && own != TestingRoom && own != "conformance/peers" {
				found = append(found, t.find("arrows", s, spec, imported, "%q is for tests and %s", imported, TestingRoom))
			}
			if !mayImport(own, allowed, imported) {
				found = append(found, t.find("arrows", s, spec, imported, "%s must not import %q", own, imported))
			}
		}
	}
	return found
}

// roomOf returns the name and the data of the room that s is in.
func roomOf(s *Source, rooms map[string]Room) (string, Room, bool) {
	for dir := path.Dir(s.Path); dir != "."; dir = path.Dir(dir) {
		if room, ok := rooms[dir]; ok {
			return dir, room, true
		}
	}
	return "", Room{}, false
}

func mayImport(own string, allowed []string, imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	if first == Module {
		inner := strings.TrimPrefix(strings.TrimPrefix(imported, Module), "/")
		return below(inner, own) || slices.ContainsFunc(allowed, func(a string) bool { return below(inner, a) })
	}
	if !strings.Contains(first, ".") { // the standard library
		return true
	}
	return slices.ContainsFunc(allowed, func(a string) bool { return a == "*" || below(imported, a) })
}

// below tells whether the path is dir or lies in it.
func below(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, dir+"/")
}

// Requirements are the modules that the root module may require. A Kafka client
// is not among them: importing klamm must never move a user's own client.
func Requirements() []string {
	return []string{kmsg, gocmp, compress, lz4, datadriven, rapid, difflib, scram, stringprep, text}
}

// Dependencies finds modules in the text of the root's go.mod that are not wanted.
func Dependencies(gomod string, wanted []string) (found []Finding) {
	inBlock := false
	for i, line := range strings.Split(gomod, "\n") {
		fields := strings.Fields(line)
		if len(fields) > 0 && fields[0] == "require" {
			fields = fields[1:]
			inBlock = len(fields) > 0 && fields[0] == "("
		} else if !inBlock {
			continue
		}
		if len(fields) > 0 && fields[0] == ")" {
			inBlock = false
		}
		if len(fields) < 2 || slices.Contains(wanted, fields[0]) {
			continue
		}
		found = append(found, Finding{Rule: "dependencies", Place: "go.mod " + fields[0],
			Message: fmt.Sprintf("go.mod:%d: module %s is not among those that klamm may require", i+1, fields[0])})
	}
	return found
}
