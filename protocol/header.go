package protocol

import "errors"

// RequestHeader is the head of every request. ClientID is empty when the client
// sent none (null). It aliases nothing of the frame.
type RequestHeader struct {
	Key           int16
	Version       int16
	CorrelationID int32
	ClientID      string
}

// ParseRequestHeader reads the header at the start of a frame (without its size
// prefix) and returns the body that follows it. An error means that the
// connection has to be ended: Kafka hangs up on a header that it cannot read,
// unknown API keys included. The version is not judged here, but for ApiVersions
// any version is readable. It mirrors org.apache.kafka.common.requests.RequestHeader.
func ParseRequestHeader(frame []byte) (h RequestHeader, body []byte, err error) {
	return h, nil, errors.New("protocol: not written yet")
}

// AppendResponseHeader appends correlation id and, for flexible responses, the
// empty tag section. ApiVersions answers never have a tag section (KIP-511).
func AppendResponseHeader(dst []byte, h RequestHeader) []byte {
	return dst
}

// CheckRequest walks the body of a request of a known API and version without
// allocating, and refuses what Kafka 4.4 refuses to read: arrays above 1,000,000
// elements or longer than the bytes that are left, more than 10,000 tags, null
// where the schema has none, strings and bytes that run past the end. kmsg may
// decode the body safely only after it has passed.
func CheckRequest(key, version int16, body []byte) error {
	return errors.New("protocol: not written yet")
}
