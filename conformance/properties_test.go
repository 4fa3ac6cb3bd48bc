package conformance

import (
	"strings"
	"testing"
	"time"
)

// Each property sees what would break it, and nothing in what does not.
func TestWitnesses(t *testing.T) {
	row := func(values ...string) map[int32][]logged {
		var all []logged
		for i, v := range values {
			all = append(all, logged{offset: int64(i), value: v})
		}
		return map[int32][]logged{0: all}
	}
	done := []written{{0, 2, []string{"w1-0"}}, {0, 0, []string{"w0-0", "w0-1"}}}
	good := row("w0-0", "w0-1", "w1-0")
	holed := row("w0-0", "w0-1", "w1-0")
	holed[0][2].offset = 3
	early, late := time.Unix(1, 0), time.Unix(2, 0)
	for _, tc := range []struct {
		name, witness string
		broken        string // "" for kept
	}{
		{"all is read", lost(done, good), ""},
		{"a record is lost", lost(done, row("w0-0", "w0-1")), `"w1-0" was acknowledged`},
		{"a record is another", lost(done, row("w0-0", "w0-0", "w1-0")), `"w0-1" was acknowledged`},
		{"one row", gap(good), ""},
		{"a gap", gap(holed), "offset 3"},
		{"each once", twice(good), ""},
		{"one twice", twice(row("w0-0", "w0-0")), "again at 1"},
		{"in order", disorder(done, good), ""},
		{"out of order", disorder(nil, row("w0-1", "w0-0")), "after number 1"},
		{"never written", disorder(nil, row("x")), "never written"},
		{"shared out", overlap(done, 3), ""},
		{"shared out less", overlap(done, 4), "the log at 4"},
		{"two at one place", overlap([]written{{0, 0, []string{"a", "b"}}, {0, 1, []string{"c"}}}, 3), "begins at 1"},
		{"the same", another([]string{"a", "b"}, row("a", "b")[0]), ""},
		{"one more", another([]string{"a"}, row("a", "a")[0]), "after the last"},
		{"one less", another([]string{"a", "b"}, row("a")[0]), "not read"},
		{"one twice instead", another([]string{"a", "b"}, row("a", "a", "b")[0]), "at offset 1"},
		{"one owner", shared([]claim{{1, "a", []int32{0}}, {1, "b", []int32{1}}, {2, "b", []int32{0, 1}}}, nil), ""},
		{"two owners", shared([]claim{{1, "a", []int32{0}}, {1, "b", []int32{1, 0}}}, nil), "partition 0 has the owners a and b"},
		{"a commit of another", shared([]claim{{1, "a", []int32{0}}}, []owning{{generation: 1, member: "b"}}), "owners a and b"},
		{"one after the other", backwards([]owning{{1, "a", 0, early, early}, {2, "b", 0, late, late}}), ""},
		{"a commit from the past", backwards([]owning{{2, "b", 0, early, early}, {1, "a", 0, late, late}}), "a commits in generation 1 after b"},
	} {
		if tc.broken == "" && tc.witness != "" || !strings.Contains(tc.witness, tc.broken) {
			t.Errorf("%s: %q", tc.name, tc.witness)
		}
	}
}
