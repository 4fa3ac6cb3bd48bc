package protocol

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseRequestHeader(t *testing.T) {
	long := strings.Repeat("x", 32_767)
	tests := []struct {
		name  string
		frame string
		want  RequestHeader
		body  string
	}{
		{"version 1", "\x00\x03\x00\x08\x00\x00\x00\x07\x00\x02meBODY", RequestHeader{3, 8, 7, "me"}, "BODY"},
		{"version 2", "\x00\x03\x00\x09\x00\x00\x00\x07\x00\x02me\x00BODY", RequestHeader{3, 9, 7, "me"}, "BODY"},
		{"null client id", "\x00\x03\x00\x08\xff\xff\xff\xff\xff\xffB", RequestHeader{3, 8, -1, ""}, "B"},
		{"null client id by another negative length", "\x00\x03\x00\x08\x00\x00\x00\x07\x80\x00B", RequestHeader{3, 8, 7, ""}, "B"},
		{"empty client id, no body", "\x00\x03\x00\x08\x00\x00\x00\x07\x00\x00", RequestHeader{3, 8, 7, ""}, ""},
		{"longest client id", "\x00\x03\x00\x08\x00\x00\x00\x07\x7f\xff" + long, RequestHeader{3, 8, 7, long}, ""},
		{"tags, falling and twice", "\x00\x03\x00\x09\x00\x00\x00\x07\x00\x00\x03\x05\x01x\x04\x00\x04\x02yyB", RequestHeader{3, 9, 7, ""}, "B"},
		{"tag above two bytes", "\x00\x03\x00\x09\x00\x00\x00\x07\x00\x00\x01\xff\xff\xff\xff\x0f\x01xB", RequestHeader{3, 9, 7, ""}, "B"},
		{"unserved version of a served API", "\x00\x03\x7f\xff\x00\x00\x00\x07\x00\x00\x00B", RequestHeader{3, 32767, 7, ""}, "B"},
		{"negative version", "\x00\x03\xff\xff\x00\x00\x00\x07\x00\x00B", RequestHeader{3, -1, 7, ""}, "B"},
		{"ApiVersions of the future", "\x00\x12\x7f\xff\x00\x00\x00\x07\x00\x01c\x00anything", RequestHeader{18, 32767, 7, "c"}, "anything"},
		{"ApiVersions of version 2", "\x00\x12\x00\x02\x00\x00\x00\x07\x00\x01c", RequestHeader{18, 2, 7, "c"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, last := range []string{"", tt.want.ClientID, "m", "other"} {
				got, body, err := ParseRequestHeader([]byte(tt.frame), last)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("header after client id %q (-want +got):\n%s", last, diff)
				}
				if string(body) != tt.body {
					t.Errorf("body after client id %q = %q, want %q", last, body, tt.body)
				}
				for n := range len(tt.frame) - len(tt.body) {
					if _, _, err := ParseRequestHeader([]byte(tt.frame[:n]), last); err == nil {
						t.Fatalf("the first %d bytes pass for a header", n)
					}
				}
			}
		})
	}
}

func TestParseRequestHeaderRefuses(t *testing.T) {
	tests := []struct {
		name  string
		frame string
		want  ReadError
	}{
		{"unknown key", "\x03\xe8\x00\x00\x00\x00\x00\x07\x00\x00", ReadError{Key: 1000, Offset: 4, Reason: ReasonUnknownKey, Value: 1000}},
		{"negative key", "\xff\xff\x00\x00\x00\x00\x00\x07\x00\x00", ReadError{Key: -1, Offset: 4, Reason: ReasonUnknownKey, Value: -1}},
		{"retired key", "\x00\x04\x00\x00\x00\x00\x00\x07\x00\x00", ReadError{Key: 4, Offset: 4, Reason: ReasonUnknownKey, Value: 4}},
		{"key of the controller's listener", "\x00\x34\x00\x00\x00\x00\x00\x07\x00\x00\x00", ReadError{Key: 52, Offset: 4, Reason: ReasonUnknownKey, Value: 52}},
		{"client id past the end", "\x00\x03\x00\x08\x00\x00\x00\x07\x00\x09me", ReadError{Key: 3, Version: 8, Offset: 10, Reason: ReasonTruncated, Value: 9}},
		{"too many tags", "\x00\x03\x00\x09\x00\x00\x00\x07\x00\x00\x91\x4e" + strings.Repeat("\x01\x00", 10_001),
			ReadError{Key: 3, Version: 9, Offset: 12, Reason: ReasonTooManyTags, Value: 10_001}},
		{"more tags than bytes", "\x00\x03\x00\x09\x00\x00\x00\x07\x00\x00\x03\x00\x00", ReadError{Key: 3, Version: 9, Offset: 11, Reason: ReasonTooManyTags, Value: 3}},
		{"negative tag count", "\x00\x03\x00\x09\x00\x00\x00\x07\x00\x00\xff\xff\xff\xff\x0f", ReadError{Key: 3, Version: 9, Offset: 15, Reason: ReasonNegativeLength, Value: -1}},
		{"negative tag size", "\x00\x03\x00\x09\x00\x00\x00\x07\x00\x00\x01\x00\xff\xff\xff\xff\x0f", ReadError{Key: 3, Version: 9, Offset: 17, Reason: ReasonNegativeLength, Value: -1}},
		{"tag past the end", "\x00\x03\x00\x09\x00\x00\x00\x07\x00\x00\x01\x00\x02x", ReadError{Key: 3, Version: 9, Offset: 13, Reason: ReasonTruncated, Value: 2}},
		{"varint of six bytes", "\x00\x03\x00\x09\x00\x00\x00\x07\x00\x00\x80\x80\x80\x80\x80\x00", ReadError{Key: 3, Version: 9, Offset: 15, Reason: ReasonVarint}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := ParseRequestHeader([]byte(tt.frame), "")
			var got *ReadError
			if !errors.As(err, &got) {
				t.Fatalf("error = %v, want a *ReadError", err)
			}
			if diff := cmp.Diff(tt.want, *got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseRequestHeaderReusesTheClientID(t *testing.T) {
	frame := []byte("\x00\x00\x00\x0d\x00\x00\x00\x07\x00\x08producer\x00")
	last := "producer"
	if n := testing.AllocsPerRun(100, func() {
		h, _, err := ParseRequestHeader(frame, last)
		if err != nil || h.ClientID != last {
			t.Fatalf("client id %q, error %v", h.ClientID, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
	h, _, err := ParseRequestHeader(frame, "consumer")
	frame[10] = 'P'
	if err != nil || h.ClientID != "producer" {
		t.Errorf("client id %q (error %v) follows the frame or the last one", h.ClientID, err)
	}
}

func TestAppendResponseHeader(t *testing.T) {
	tests := []struct {
		name string
		h    RequestHeader
		want string
	}{
		{"version 0", RequestHeader{Key: 3, Version: 8, CorrelationID: 0x01020304}, "\x01\x02\x03\x04"},
		{"version 1", RequestHeader{Key: 3, Version: 9, CorrelationID: -1}, "\xff\xff\xff\xff\x00"},
		{"ApiVersions", RequestHeader{Key: 18, Version: 5, CorrelationID: 7}, "\x00\x00\x00\x07"},
		{"never flexible", RequestHeader{Key: 17, Version: 1, CorrelationID: 7}, "\x00\x00\x00\x07"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := AppendResponseHeader([]byte("frame"), tt.h); string(got) != "frame"+tt.want {
				t.Errorf("got %q, want %q", got, "frame"+tt.want)
			}
		})
	}
}

func FuzzParseRequestHeader(f *testing.F) {
	f.Add([]byte("\x00\x03\x00\x08\x00\x00\x00\x07\x00\x02meBODY"), "me")
	f.Add([]byte("\x00\x03\x00\x09\x00\x00\x00\x07\x00\x00\x03\x05\x01x\x04\x00\x04\x02yyB"), "")
	f.Add([]byte("\x00\x12\x7f\xff\x00\x00\x00\x07\xff\xff\x00"), "c")
	f.Add([]byte("\x00\x03\x00\x09\x00\x00\x00\x07\x00\x00\x91\x4e"), "")
	f.Add([]byte("\x00\x03\x00\x09\x00\x00\x00\x07\x00\x00\x80\x80\x80\x80\x7f"), "")
	f.Fuzz(func(t *testing.T, frame []byte, last string) {
		h, body, err := ParseRequestHeader(frame, last)
		if err != nil {
			if err.Error() == "" || body != nil {
				t.Fatalf("error %q with body %q", err, body)
			}
			return
		}
		again, _, err := ParseRequestHeader(frame, "")
		if err != nil || h != again {
			t.Fatalf("%+v with the last client id, %+v (%v) without", h, again, err)
		}
		sent := max(0, int(int16(binary.BigEndian.Uint16(frame[8:])))) // as text it may be longer
		if len(body) > len(frame)-10-sent {
			t.Fatalf("body of %d bytes in a frame of %d", len(body), len(frame))
		}
	})
}
