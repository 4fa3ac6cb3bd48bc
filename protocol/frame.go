package protocol

import (
	"encoding/binary"
	"fmt"
)

// FrameSizeLen is the length in bytes of the size in front of each frame.
const FrameSizeLen = 4

// DefaultMaxFrame is Kafka's default of socket.request.max.bytes, in bytes.
const DefaultMaxFrame = 104_857_600

// FrameSizeError is a size prefix that Kafka ends the connection for, before it reads
// any byte of the frame.
type FrameSizeError struct {
	Size, Limit int32 // bytes
}

// Error is one line for the log.
func (e *FrameSizeError) Error() string {
	return fmt.Sprintf("frame of %d bytes, accepted are 0 to %d (socket.request.max.bytes)", e.Size, e.Limit)
}

// FrameSize reads the size of a frame from its prefix, of which at least FrameSizeLen
// bytes must be there. A frame of limit bytes is accepted, and so is one that is too
// short for a header: Kafka reads it, and hangs up when it finds no header in it.
// It mirrors org.apache.kafka.common.network.NetworkReceive.
func FrameSize(prefix []byte, limit int32) (int, error) {
	size := int32(binary.BigEndian.Uint32(prefix))
	if size < 0 || size > limit {
		return 0, &FrameSizeError{Size: size, Limit: limit}
	}
	return int(size), nil
}
