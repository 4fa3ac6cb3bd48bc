package protocol

import (
	"errors"
	"testing"
)

func TestFrameSize(t *testing.T) {
	tests := []struct {
		prefix string
		limit  int32
		size   int
		ok     bool
	}{
		{"\x00\x00\x00\x00", DefaultMaxFrame, 0, true},
		{"\x00\x00\x00\x03", DefaultMaxFrame, 3, true},
		{"\x00\x00\x01\x00the frame", DefaultMaxFrame, 256, true},
		{"\x06\x40\x00\x00", DefaultMaxFrame, 104_857_600, true},
		{"\x06\x40\x00\x01", DefaultMaxFrame, 104_857_601, false},
		{"\x7f\xff\xff\xff", 1<<31 - 1, 1<<31 - 1, true},
		{"\x7f\xff\xff\xff", DefaultMaxFrame, 1<<31 - 1, false},
		{"\x80\x00\x00\x00", 1<<31 - 1, -1 << 31, false},
		{"\xff\xff\xff\xff", DefaultMaxFrame, -1, false},
	}
	for _, tt := range tests {
		size, err := FrameSize([]byte(tt.prefix), tt.limit)
		if tt.ok && (err != nil || size != tt.size) {
			t.Errorf("%q: %d, %v, want %d", tt.prefix, size, err, tt.size)
		}
		var refused *FrameSizeError
		if !tt.ok && (!errors.As(err, &refused) || *refused != FrameSizeError{int32(tt.size), tt.limit}) {
			t.Errorf("%q: %d, %v, want it refused", tt.prefix, size, err)
		}
	}
}

// A frame too short for a header is a frame, and its header is what cannot be read.
func TestShortFramesHaveNoHeader(t *testing.T) {
	frame := make([]byte, 9)
	frame[1] = 3
	for n := range 10 {
		if _, _, err := ParseRequestHeader(frame[:n], ""); err == nil {
			t.Errorf("%d bytes have a header", n)
		}
	}
}
