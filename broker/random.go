package broker

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"

	"klamm/protocol"
)

// random is the randomness of the counter-th thing of a kind and name. It
// depends on the seed and its arguments alone, so that the order in which
// goroutines run cannot change it.
func (c *Cluster) random(kind, name string, counter uint64) [16]byte {
	b := make([]byte, 0, 64)
	b = binary.LittleEndian.AppendUint64(b, c.seed)
	b = binary.LittleEndian.AppendUint64(b, counter)
	b = append(b, kind...)
	b = append(b, 0)
	b = append(b, name...)
	sum := sha256.Sum256(b)
	return [16]byte(sum[:16])
}

// randomID is random as an id of Kafka's: never the zero id, and its text never
// starts with a dash, which tools would take for an option (Uuid.randomUuid).
func (c *Cluster) randomID(kind, name string, counter uint64) protocol.UUID {
	id := protocol.UUID(c.random(kind, name, counter))
	id[0] &= 0x7f
	id[15] |= 1
	return id
}

func randomSeed() uint64 {
	var b [8]byte
	rand.Read(b[:])
	return binary.LittleEndian.Uint64(b[:])
}
