package protocol

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// UUID is a topic id, a cluster id or another 128-bit identity. The zero UUID
// means "none". It mirrors org.apache.kafka.common.Uuid.
type UUID [16]byte

// RandomUUID makes random bytes an id as Uuid.randomUuid does: a UUID of version 4
// whose text does not start with a dash, which command line tools would take for an
// option. It is never one of Kafka's reserved ids (0 and 1).
func RandomUUID(random [16]byte) UUID {
	u := UUID(random)
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	if u[0]>>2 == 62 { // the dash of URL-safe base64
		u[0] &= 0x7f
	}
	return u
}

// String is Kafka's text form: URL-safe base64 without padding, 22 characters.
func (u UUID) String() string { return base64.RawURLEncoding.EncodeToString(u[:]) }

// ParseUUID reads Kafka's text form; as in Uuid.fromString the two padding characters
// may be there. The error names the text and what is accepted.
func ParseUUID(s string) (UUID, error) {
	var u UUID
	text := s
	if len(s) == 24 {
		text = strings.TrimSuffix(s, "==")
	}
	// Go's decoder skips line ends, Kafka's does not: hence the length.
	var b [16]byte
	if len(text) != 22 {
		return u, uuidError(s)
	}
	if n, err := base64.RawURLEncoding.Decode(b[:], []byte(text)); err != nil || n != len(b) {
		return u, uuidError(s)
	}
	return b, nil
}

func uuidError(s string) error {
	return fmt.Errorf("UUID %.30q: want 16 bytes as 22 characters of URL-safe base64", s)
}
