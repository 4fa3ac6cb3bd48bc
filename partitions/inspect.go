package partitions

import (
	"encoding/binary"
	"fmt"

	"klamm/protocol"
)

const (
	magicAt       = 16
	attributesAt  = 21
	producerIDEnd = 51
	smallestBatch = 14 // bytes behind the length that a batch of the oldest magic needs
)

// Inspect is the first look at the records field of one partition of a Produce
// request. A refusal of Inspect is the answer for every partition of the request,
// and none is appended to: Kafka finds it before it turns to the partitions, while it
// looks whether the request is part of a transaction, which transactional tells. An
// empty field passes here and is refused by Validate.
// It mirrors org.apache.kafka.common.requests.RequestUtils.hasTransactionalRecords.
func Inspect(version int16, records []byte) (transactional bool, refusal *Refusal) {
	size, problem := nextBatch(records)
	if problem != "" {
		return false, &Refusal{Code: protocol.CorruptMessage, Message: problem}
	}
	if size == 0 || records[magicAt] != 2 {
		return false, nil
	}
	attributes := int16(binary.BigEndian.Uint16(records[attributesAt:]))
	if version < 7 && !protocol.Codec(attributes&protocol.AttrCodec).Known() {
		return false, &Refusal{Code: protocol.UnknownServerError}
	}
	if size < producerIDEnd {
		// Kafka reads the producer id of a batch that has none, but only when nothing
		// is wrong with what follows the batch.
		if next, problem := nextBatch(records[size:]); next == 0 && problem == "" {
			return false, &Refusal{Code: protocol.UnknownServerError}
		}
	}
	return attributes&protocol.AttrTransactional != 0, nil
}

// nextBatch returns the size of the batch at the start of b, 0 when there is no whole
// one, or what is wrong with its length or magic in Kafka's words. It mirrors
// org.apache.kafka.common.record.ByteBufferLogInputStream.
func nextBatch(b []byte) (size int, problem string) {
	if len(b) < protocol.LogOverhead {
		return 0, ""
	}
	length := int32(binary.BigEndian.Uint32(b[8:]))
	if length < smallestBatch {
		return 0, fmt.Sprintf("Record size %d is less than the minimum record overhead (%d)", length, smallestBatch)
	}
	if len(b) <= magicAt {
		return 0, ""
	}
	if magic := int8(b[magicAt]); magic < 0 || magic > 2 {
		return 0, fmt.Sprintf("Invalid magic found in record: %d", magic)
	}
	if size = protocol.LogOverhead + int(length); size > len(b) {
		return 0, ""
	}
	return size, ""
}
