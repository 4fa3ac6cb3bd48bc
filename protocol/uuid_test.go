package protocol

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// What Uuid.fromString of Kafka 4.4.0 makes of each text; an empty want is an error.
func TestParseUUID(t *testing.T) {
	const id = "s4vgUlnGRznZ1LfI78SZuA"
	tests := []struct{ text, want string }{
		{id, id},
		{id + "==", id},
		{"s4vgUlnGRznZ1LfI78SZuB", id}, // the last four bits are not looked at
		{"-AAAAAAAAAAAAAAAAAAAAA", "-AAAAAAAAAAAAAAAAAAAAA"},
		{"AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAA"},
		{"", ""},
		{id + "=", ""},
		{id + "=A", ""},
		{id + "===", ""},
		{id[:21], ""},
		{id[:21] + "===", ""},
		{id + "A", ""},
		{id + "AA", ""},
		{id + "AAA", ""},
		{"s4vgUlnGRzn+1LfI78SZuA", ""},
		{"s4vgUlnGRzn/1LfI78SZuA", ""},
		{"s4vgUlnGRzn\n1LfI78SZuA", ""},
		{id + "\n\n", ""},
		{"\n" + id + "\n", ""},
		{"s4vgUlnGRznZ1LfI78S=uA", ""},
		{"é4vgUlnGRznZ1LfI78SZu", ""},
	}
	for _, tt := range tests {
		u, err := ParseUUID(tt.text)
		if tt.want == "" {
			if err == nil {
				t.Errorf("%q is read as %v", tt.text, u)
			}
			continue
		}
		if err != nil || u.String() != tt.want {
			t.Errorf("%q is read as %v, %v, want %s", tt.text, u, err, tt.want)
		}
	}
}

func TestParseUUIDErrorIsShort(t *testing.T) {
	_, err := ParseUUID(strings.Repeat("x", 1_000_000))
	if err == nil || len(err.Error()) > 200 {
		t.Errorf("error of %d bytes", len(err.Error()))
	}
}

func TestUUIDText(t *testing.T) {
	one := UUID{15: 1}
	if got := one.String(); got != "AAAAAAAAAAAAAAAAAAAAAQ" {
		t.Errorf("one is %s", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		u := UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "bytes"))
		if again, err := ParseUUID(u.String()); err != nil || again != u {
			t.Fatalf("%v is read as %v, %v", u, again, err)
		}
	})
}

func TestRandomUUID(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		random := [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "bytes"))
		random[0] = rapid.SampledFrom([]byte{0, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xff}).Draw(t, "first")
		u := RandomUUID(random)
		if u[6]>>4 != 4 || u[8]>>6 != 2 {
			t.Fatalf("%x is not of version 4", u)
		}
		if strings.HasPrefix(u.String(), "-") {
			t.Fatalf("%s starts with a dash", u)
		}
		if dash := strings.HasPrefix(UUID(random).String(), "-"); !dash && u[0] != random[0] {
			t.Fatalf("%s lost the first byte of %x", u, random)
		}
	})
}
