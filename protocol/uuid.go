package protocol

import (
	"encoding/base64"
	"fmt"
)

// UUID is a topic id, a cluster id or another 128-bit identity. The zero UUID
// means "none". It mirrors org.apache.kafka.common.Uuid.
type UUID [16]byte

// String is Kafka's text form: URL-safe base64 without padding, 22 characters.
func (u UUID) String() string { return base64.RawURLEncoding.EncodeToString(u[:]) }

// ParseUUID reads Kafka's text form. The error names the text and what is accepted.
func ParseUUID(s string) (UUID, error) {
	var u UUID
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) != len(u) {
		return u, fmt.Errorf("UUID %q: want 16 bytes as 22 characters of URL-safe base64", s)
	}
	copy(u[:], b)
	return u, nil
}
