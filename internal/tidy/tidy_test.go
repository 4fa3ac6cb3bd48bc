package tidy

import (
	_ "embed"
	"os"
	"strings"
	"testing"
)

//go:embed exceptions.txt
var exceptions string

// TestRepository applies every rule to every file of the repository.
func TestRepository(t *testing.T) {
	tree, err := Load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	if len(tree.Sources) < 20 {
		t.Fatalf("only %d Go files found: looked in the wrong place", len(tree.Sources))
	}
	var found []Finding
	found = append(found, Arrows(tree, Rooms())...)
	found = append(found, Dependencies(string(tree.Texts["go.mod"]), Requirements())...)
	found = append(found, Purity(tree, PureRooms())...)
	found = append(found, Sleeps(tree)...)
	found = append(found, Globals(tree)...)
	found = append(found, Sizes(tree)...)
	found = append(found, Docs(tree)...)
	found = append(found, Words(tree)...)
	for _, f := range Exceptions(found, exceptions) {
		t.Errorf("%s: %s", f.Rule, f.Message)
	}
}

// parse makes a tree of one file.
func parse(t *testing.T, path, source string) *Tree {
	t.Helper()
	tree, err := Parse(map[string][]byte{path: []byte(source)})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// expect compares findings with the messages that are wanted, in order.
func expect(t *testing.T, found []Finding, want ...string) {
	t.Helper()
	var got []string
	for _, f := range found {
		got = append(got, f.Message)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("found:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestArrows(t *testing.T) {
	for _, tc := range []struct{ path, imports, want string }{
		{"protocol/x.go", "klamm/groupcoord", `protocol must not import "klamm/groupcoord"`},
		{"groupcoord/x.go", "klamm/partitions", `groupcoord must not import "klamm/partitions"`},
		{"groupcoord/x.go", "klamm/protocol", ""},
		{"partitions/x.go", "klamm/broker", `partitions must not import "klamm/broker"`},
		{"broker/x.go", "klamm/kafkatest", `broker must not import "klamm/kafkatest"`},
		{"broker/x_test.go", "klamm/kafkatest", `broker must not import "klamm/kafkatest"`},
		{"broker/x.go", "klamm/protocol/records", ""},
		{"broker/txncoord/x.go", "klamm/cmd/klamm", `broker/txncoord must not import "klamm/cmd/klamm"`},
		{"conformance/x.go", "klamm/kafkatest", `conformance must not import "klamm/kafkatest"`},
		{"conformance/x.go", "klamm/broker", `conformance must not import "klamm/broker"`},
		{"conformance/x_test.go", "klamm/kafkatest", ""},
		{"conformance/x.go", "testing", `"testing" is for tests and kafkatest`},
		{"broker/x.go", "testing", `"testing" is for tests and kafkatest`},
		{"broker/x_test.go", "testing", ""},
		{"kafkatest/x.go", "testing", ""},
		{"kafkatest/x.go", "github.com/twmb/franz-go/pkg/kgo", `kafkatest must not import "github.com/twmb/franz-go/pkg/kgo"`},
		{"conformance/peers/x.go", "github.com/twmb/franz-go/pkg/kgo", ""},
		{"groupcoord/x.go", "github.com/cockroachdb/datadriven", `groupcoord must not import "github.com/cockroachdb/datadriven"`},
		{"groupcoord/x_test.go", "github.com/cockroachdb/datadriven", ""},
		{"groupcoord/x.go", "klammer/x", ""}, // a name of the standard library's kind, not ours
		{"shed/x.go", "fmt", "package klamm/shed has no room in internal/tidy/arrows.go"},
	} {
		found := Arrows(parse(t, tc.path, "package x\n\nimport _ \""+tc.imports+"\"\n"), Rooms())
		switch {
		case tc.want == "":
			expect(t, found)
		case len(found) != 1 || !strings.HasSuffix(found[0].Message, ": "+tc.want):
			t.Errorf("%s imports %s: %v, want %s", tc.path, tc.imports, found, tc.want)
		}
	}
}

func TestDependencies(t *testing.T) {
	const gomod = `module klamm

require github.com/IBM/sarama v1.47.0

require (
	github.com/google/go-cmp v0.7.0
	github.com/twmb/franz-go v1.21.0 // indirect
)

replace example.com/a => ./a
`
	expect(t, Dependencies(gomod, Requirements()),
		"go.mod:3: module github.com/IBM/sarama is not among those that klamm may require",
		"go.mod:7: module github.com/twmb/franz-go is not among those that klamm may require")
}

func TestPurity(t *testing.T) {
	const source = `package x

import (
	"math/rand/v2"
	"net/netip"
	"sync/atomic"
	"time"
)

var _ atomic.Int32

func f(c chan int, r *rand.Rand) {
	go f(c, rand.New(rand.NewPCG(1, 2)))
	c <- rand.IntN(3)
	<-c
	select {}
	_ = time.Now().Add(time.Second)
	time.AfterFunc(0, nil)
}
`
	want := []string{
		`:5: a pure package must not import "net/netip"`,
		`:6: a pure package must not import "sync/atomic"`,
		":12: a pure package must not use channels",
		":13: a pure package must not start a goroutine",
		":14: a pure package must not use channels",
		":14: a pure package must not use rand.IntN: time and randomness come as arguments",
		":15: a pure package must not use channels",
		":16: a pure package must not use channels",
		":17: a pure package must not use time.Now: time and randomness come as arguments",
		":18: a pure package must not use time.AfterFunc: time and randomness come as arguments",
	}
	for _, path := range []string{"protocol/x.go", "protocol/records/x.go", "groupcoord/x.go", "partitions/x.go"} {
		var there []string
		for _, w := range want {
			there = append(there, path+w)
		}
		expect(t, Purity(parse(t, path, source), PureRooms()), there...)
	}
	for _, path := range []string{"broker/x.go", "groupcoord/x_test.go", "protocol/internal/gen/x.go"} {
		expect(t, Purity(parse(t, path, source), PureRooms()))
	}
}

func TestSleeps(t *testing.T) {
	expect(t, Sleeps(parse(t, "broker/x_test.go", `package x

func f() {
	time.Sleep(1)
	sleep := time.Sleep
	for range time.Tick(1) {
	}
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(45 * time.Second)
	})
	func() { time.Sleep(1) }()
}
`)),
		"broker/x_test.go:4: time.Sleep outside a synctest bubble",
		"broker/x_test.go:5: time.Sleep outside a synctest bubble",
		"broker/x_test.go:6: time.Tick: nothing here polls, wait for a signal",
		"broker/x_test.go:11: time.Sleep outside a synctest bubble")
}

func TestGlobals(t *testing.T) {
	expect(t, Globals(parse(t, "broker/x.go", `package x

import "sync"

var table = map[string]int{"a": 1}
var list []struct{ n int }
var mu sync.Mutex
var fixed = 3

func init() {}

func f(fixed int) {
	table["b"] = 2
	list[0].n++
	delete(table, "a")
	fixed = 4
	local := fixed
	local = 5
	_ = local
}

type t struct{}

func (t) init() {}
`)),
		"broker/x.go:7: package-level variable mu is a sync.Mutex",
		"broker/x.go:10: init: give the value where it is used",
		"broker/x.go:13: package-level variable table is changed by f",
		"broker/x.go:14: package-level variable list is changed by f",
		"broker/x.go:15: package-level variable table is changed by f")
}

func TestSizes(t *testing.T) {
	function := func(lines int) string { return "func f() {" + strings.Repeat("\n", lines-1) + "}\n" }
	file := func(lines int) string { return "package x\n" + strings.Repeat("\n", lines-1) }
	expect(t, Sizes(parse(t, "broker/x.go", "package x\n\n"+function(70))))
	expect(t, Sizes(parse(t, "broker/x.go", "package x\n\n"+function(71))),
		"broker/x.go:3: f has 71 lines, at most 70 fit a screen")
	table := func(kind string, inner int) *Tree {
		return parse(t, "broker/x.go", "package x\n\nfunc f() any {\nreturn "+kind+"{\n"+
			strings.Repeat("1,\n", 70)+"func() {"+strings.Repeat("\n", inner-1)+"},\n}\n}\n")
	}
	expect(t, Sizes(table("[]any", 68)))
	expect(t, Sizes(table("[]any", 69)), "broker/x.go:3: f has 71 lines, at most 70 fit a screen")
	expect(t, Sizes(table("record", 2)), "broker/x.go:3: f has 76 lines, at most 70 fit a screen")
	expect(t, Sizes(parse(t, "broker/x.go", file(601))),
		"broker/x.go:1: file of 601 lines, at most 600 fit a sitting",
		"half of the files are longer than 200 lines")
	expect(t, Sizes(parse(t, "broker/x.go", file(200))))
	expect(t, Sizes(parse(t, "broker/x.go", "// Code generated by hand. DO NOT EDIT.\n\n"+file(700)+function(100))))
}

func TestDocs(t *testing.T) {
	const source = `package x

func F() {}

// G is documented.
func G() {}

type T struct{}

func (t *T) M()  {}
func (h hidden) M() {}

type (
	U int
	// V is documented.
	V int
)

const A, b = 1, 2
const C = 1 // C is one.

// Group of constants.
const (
	D = iota
	E
)

func h() {}
`
	expect(t, Docs(parse(t, "broker/x.go", source)),
		"broker/x.go:3: F is exported and has no doc comment",
		"broker/x.go:8: T is exported and has no doc comment",
		"broker/x.go:10: T.M is exported and has no doc comment",
		"broker/x.go:14: U is exported and has no doc comment",
		"broker/x.go:19: A is exported and has no doc comment")
	expect(t, Docs(parse(t, "broker/x_test.go", source)))
}

func TestWords(t *testing.T) {
	tree := &Tree{Texts: map[string][]byte{
		"README.md": []byte("See\n`/" + "home/ann/klamm`.\n"),
		"x.sh":      []byte("cd /" + "tmp/x\n"),
		"fine.md":   []byte("https://example.com/home/page, a/tmp/b, testdata\n"),
	}}
	expect(t, Words(tree),
		"README.md:2: path of a machine: `/"+"home/ann/klamm`.",
		"x.sh:1: path of a machine: cd /"+"tmp/x")
}

func TestExceptions(t *testing.T) {
	long := Finding{Rule: "function", Place: "broker/x.go f", Size: 80, Message: "f is long"}
	for list, want := range map[string][]string{
		"":       {"f is long"},
		"# none": {"f is long"},
		"function | broker/x.go f | 80 | a table": nil,
		"function | broker/x.go f | 79 | a table": {"f is long"},
		"function | broker/x.go f | 81 | a table": {"internal/tidy/exceptions.txt:1: broker/x.go f is down to 80: lower the exception"},
		"function | broker/x.go f | 80 |": {
			"internal/tidy/exceptions.txt:1: want RULE | PLACE | SIZE | why", "f is long"},
		"function | broker/x.go f | 80 | a table\nfunction | broker/x.go g | 90 | a table": {
			"internal/tidy/exceptions.txt:2: function broker/x.go g breaks no rule any more: remove the exception"},
	} {
		expect(t, Exceptions([]Finding{long}, list), want...)
	}
}
