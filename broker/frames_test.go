package broker

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"testing"

	"klamm/protocol"

	"pgregory.net/rapid"
)

// bitByBit is a connection that gives its bytes in pieces of the given sizes.
type bitByBit struct {
	net.Conn
	data   []byte
	pieces []int
}

func (b *bitByBit) Read(p []byte) (int, error) {
	if len(b.data) == 0 {
		return 0, io.EOF
	}
	n := len(b.data)
	if len(b.pieces) > 0 {
		n, b.pieces = min(n, b.pieces[0]), b.pieces[1:]
	}
	n = copy(p, b.data[:n])
	b.data = b.data[n:]
	return n, nil
}

// Frames come out as they were sent, however the network cuts them, and what is
// read ahead in between is not lost.
func TestFramesComeWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.OneOf(rapid.IntRange(0, 300), rapid.IntRange(3_000, 200_000)), 1, 12).Draw(t, "sizes")
		src := &bitByBit{pieces: rapid.SliceOf(rapid.IntRange(1, 70_000)).Draw(t, "pieces")}
		for i, n := range sizes {
			src.data = append(src.data, sized(bytes.Repeat([]byte{byte(i)}, n))...)
		}
		in := frames{src: src}
		for i, n := range sizes {
			got, err := in.next(1 << 20)
			if err != nil {
				t.Fatalf("frame %d: %v", i, err)
			}
			if rapid.Bool().Draw(t, "parked") {
				var err error
				for full := false; !full && err == nil; {
					full, err = in.readAhead()
				}
				if err != nil && !errors.Is(err, io.EOF) {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(got, bytes.Repeat([]byte{byte(i)}, n)) {
				t.Fatalf("frame %d of %d bytes came out changed, as %d bytes", i, n, len(got))
			}
		}
		if _, err := in.next(1 << 20); !errors.Is(err, io.EOF) {
			t.Fatalf("after the last frame: %v, want EOF", err)
		}
	})
}

func TestFrameSizes(t *testing.T) {
	for name, sent := range map[string][]byte{
		"negative":         {0xff, 0xff, 0xff, 0xff},
		"beyond the limit": {0, 0, 4, 1},
	} {
		in := frames{src: &bitByBit{data: sent}}
		var refused *protocol.FrameSizeError
		if _, err := in.next(1 << 10); !errors.As(err, &refused) {
			t.Errorf("%s: %v, want the size refused", name, err)
		}
	}
	for _, c := range []struct {
		name string
		sent []byte
		want error
	}{
		{"cut in the size", []byte{0, 0}, io.ErrUnexpectedEOF},
		{"cut in the frame", []byte{0, 0, 0, 9, 1}, io.ErrUnexpectedEOF},
		{"nothing", nil, io.EOF},
	} {
		in := frames{src: &bitByBit{data: c.sent}}
		if _, err := in.next(1 << 10); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// A frame that promises 100 MiB and sends little costs little, even when it comes
// byte by byte.
func TestMemoryGrowsAsBytesArrive(t *testing.T) {
	for _, piece := range []int{1, 100, 10_000} {
		in := frames{src: &bitByBit{
			data:   append([]byte{6, 0, 0, 0}, make([]byte, 10_000)...),
			pieces: slices.Repeat([]int{piece}, 10_000),
		}}
		if _, err := in.next(104857600); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatal(err)
		}
		if cap(in.buf) > readAheadSize {
			t.Errorf("10,000 bytes arrived in pieces of %d and %d were allocated", piece, cap(in.buf))
		}
	}
}

// Whatever bytes come, in whatever pieces: nothing panics, nothing is given that
// was not sent, and memory stays in proportion to what arrived.
func FuzzFrames(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 'a', 0, 0, 0, 0}, uint8(3))
	f.Add([]byte{0x7f, 0xff, 0xff, 0xff, 1, 2, 3}, uint8(1))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff}, uint8(9))
	f.Fuzz(func(t *testing.T, sent []byte, piece uint8) {
		src := &bitByBit{data: sent, pieces: slices.Repeat([]int{int(piece) + 1}, len(sent))}
		in := frames{src: src}
		rest := sent
		for {
			frame, err := in.next(1 << 30)
			if err != nil {
				break
			}
			if len(rest) < 4+len(frame) || !bytes.Equal(frame, rest[4:4+len(frame)]) {
				t.Fatalf("a frame came out that was not sent: %x", frame)
			}
			rest = rest[4+len(frame):]
		}
		if cap(in.buf) > 4*len(sent)+2*readAheadSize {
			t.Fatalf("%d bytes arrived and %d were allocated", len(sent), cap(in.buf))
		}
	})
}

// A client that sends many small requests at once is read in large pieces: what is
// answered together, and with how many system calls, depends on it.
func TestReadsAheadOfManySmallFrames(t *testing.T) {
	src := &bitByBit{data: bytes.Repeat(sized(make([]byte, 200)), 100)}
	in := frames{src: src}
	for range 20 {
		if _, err := in.next(1 << 20); err != nil {
			t.Fatal(err)
		}
	}
	if len(src.data) > 0 {
		t.Errorf("%d bytes could have been read ahead and were not", len(src.data))
	}
}
