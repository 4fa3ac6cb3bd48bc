package protocol

import "encoding/binary"

// RequestHeader is the head of every request. ClientID is empty when the client
// sent none (null), and as Java reads it (JavaText). It aliases nothing of the frame.
type RequestHeader struct {
	Key           int16
	Version       int16
	CorrelationID int32
	ClientID      string
}

// ParseRequestHeader reads the header at the start of a frame (without its size
// prefix) and returns the body that follows it. lastClientID is the client id of
// the connection's last request, or empty: when the client sends the same one
// again, that string is used and nothing is allocated.
//
// An error is a *ReadError and means that the connection has to be ended: Kafka
// hangs up on a header that it cannot read, unknown API keys included. The version
// is not judged here, so that ApiVersions can be answered in any version. It mirrors
// org.apache.kafka.common.requests.RequestHeader.
func ParseRequestHeader(frame []byte, lastClientID string) (h RequestHeader, body []byte, err error) {
	if h, body, ok := usualHeader(frame, lastClientID); ok {
		return h, body, nil
	}
	r := reader{buf: frame}
	h.Key = r.int16()
	h.Version = r.int16()
	if r.failed() {
		return h, nil, r.headerError(h)
	}
	schema, ok := RequestSchema(h.Key)
	if !ok {
		r.fail(ReasonUnknownKey, int64(h.Key))
		return h, nil, r.headerError(h)
	}
	h.CorrelationID = r.int32()
	// The client id keeps its two-byte length in flexible versions: a broker must
	// find it in an ApiVersions request that is newer than itself. Any negative
	// length is null.
	if n := r.int16(); n > 0 {
		if id := r.take(int(n)); string(id) == lastClientID {
			h.ClientID = lastClientID
		} else {
			h.ClientID = JavaText(string(id))
		}
	}
	if schema.FlexibleIn(h.Version) {
		r.unknownTags()
	}
	if r.failed() {
		return h, nil, r.headerError(h)
	}
	return h, frame[r.pos:], nil
}

// usualHeader reads a header that has no tags, from a client that sends the same client
// id again: nearly all are like that, and small requests feel what a header costs.
func usualHeader(frame []byte, lastClientID string) (h RequestHeader, body []byte, ok bool) {
	const upToID = 2 + 2 + 4 + 2
	end := upToID + len(lastClientID)
	if lastClientID == "" || len(frame) <= end {
		return h, nil, false
	}
	be := binary.BigEndian
	h = RequestHeader{Key: int16(be.Uint16(frame)), Version: int16(be.Uint16(frame[2:])), CorrelationID: int32(be.Uint32(frame[4:]))}
	if int(be.Uint16(frame[8:])) != len(lastClientID) || string(frame[upToID:end]) != lastClientID {
		return h, nil, false
	}
	h.ClientID = lastClientID
	schema, known := RequestSchema(h.Key)
	switch {
	case !known:
		return h, nil, false
	case !schema.FlexibleIn(h.Version):
		return h, frame[end:], true
	default:
		return h, frame[end+1:], frame[end] == 0
	}
}

// AppendResponseHeader appends the correlation id and, in flexible versions, an
// empty tag section. ApiVersions answers never have a tag section, so that a client
// can read them before it knows the broker (KIP-511).
func AppendResponseHeader(dst []byte, h RequestHeader) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(h.CorrelationID))
	const apiVersions = 18
	if s, ok := RequestSchema(h.Key); ok && s.FlexibleIn(h.Version) && h.Key != apiVersions {
		dst = append(dst, 0)
	}
	return dst
}
