package protocol

import "encoding/binary"

// ControlType is what a control record says (org.apache.kafka.common.record.ControlRecordType).
type ControlType int16

// The control records of Kafka 4.4.0.
const (
	ControlAbort          ControlType = 0
	ControlCommit         ControlType = 1
	ControlLeaderChange   ControlType = 2
	ControlSnapshotHeader ControlType = 3
	ControlSnapshotFooter ControlType = 4
	ControlKRaftVersion   ControlType = 5
	ControlKRaftVoters    ControlType = 6
)

// AppendControlKey appends the key of a control record: version 0 and its type.
func AppendControlKey(dst []byte, t ControlType) []byte {
	dst = binary.BigEndian.AppendUint16(dst, 0)
	return binary.BigEndian.AppendUint16(dst, uint16(t))
}

// ParseControlKey reads version and type from the key of a control record; ok is
// false when the key is too short. A type that is not listed here is unknown to Kafka.
func ParseControlKey(key []byte) (version int16, t ControlType, ok bool) {
	if len(key) < 4 {
		return 0, 0, false
	}
	return int16(binary.BigEndian.Uint16(key)), ControlType(binary.BigEndian.Uint16(key[2:])), true
}

// AppendEndTxnValue appends the value of a commit or abort marker: version 0 and
// the epoch of the transaction coordinator (EndTransactionMarker).
func AppendEndTxnValue(dst []byte, coordinatorEpoch int32) []byte {
	dst = binary.BigEndian.AppendUint16(dst, 0)
	return binary.BigEndian.AppendUint32(dst, uint32(coordinatorEpoch))
}

// ParseEndTxnValue reads the value of a commit or abort marker; ok is false when it is too short.
func ParseEndTxnValue(value []byte) (version int16, coordinatorEpoch int32, ok bool) {
	if len(value) < 6 {
		return 0, 0, false
	}
	return int16(binary.BigEndian.Uint16(value)), int32(binary.BigEndian.Uint32(value[2:])), true
}
