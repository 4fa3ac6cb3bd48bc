package protocol

import (
	"strings"
	"testing"
)

// What OpenJDK 17 makes of bytes that are not UTF-8; "?" stands for U+FFFD.
func TestJavaText(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                    "plain",
		"\u00e9\u20ac\U0001f600":   "\u00e9\u20ac\U0001f600",
		"\xff":                     "?",
		"41\xff42":                 "41?42",
		"\xfe\xfe":                 "??",
		"\xc0\x80":                 "??",
		"\xc3":                     "?",
		"\xc3(":                    "?(",
		"\xc2\u00a9":               "?\u00a9",
		"\xe2\x82":                 "?",
		"\xe2\x82A":                "?A",
		"\xe2(\xa1":                "?(?",
		"\xe2\u20ac":               "?\u20ac",
		"\xe0\x80\x80":             "???",
		"\xe0\xa0":                 "?",
		"\xed\xa0\x80":             "?",
		"\xed\xa0\x80\xed\xb0\x80": "??",
		"\xed\xa0":                 "?",
		"\xf0\x9f\x98":             "?",
		"\xf0\x9f\x98A":            "?A",
		"\xf0A\x9f\x98":            "?A??",
		"\xf0\x80\x80\x80":         "????",
		"\xf0\x8f\x80\x80":         "????",
		"\xf4\x90\x80\x80":         "????",
		"\xf4\x8f\xbf\xbf\x80":     "\U0010ffff?",
		"\xf5\x80\x80\x80":         "????",
		"\xf1\x80\xc0":             "??",
		"\ufffd":                   "?",
	} {
		if got := strings.ReplaceAll(JavaText(in), "\ufffd", "?"); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func TestJavaHash(t *testing.T) {
	for in, want := range map[string]int32{
		"": 0, "a": 97, "__consumer_offsets": -970371369, "polygenelubricants": -1 << 31, "\U0001f600": 1772899,
	} {
		if got := JavaHash(in); got != want {
			t.Errorf("hash of %q is %d, want %d", in, got, want)
		}
	}
}
