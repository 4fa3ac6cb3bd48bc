package protocol

// BatchHeader is the fixed head of a record batch of magic 2, without its CRC's meaning.
type BatchHeader struct {
	BaseOffset           int64
	Length               int32 // bytes that follow this field
	PartitionLeaderEpoch int32
	Magic                int8
	CRC                  uint32
	Attributes           int16
	LastOffsetDelta      int32
	BaseTimestampMs      int64
	MaxTimestampMs       int64
	ProducerID           int64
	ProducerEpoch        int16
	BaseSequence         int32
	NumRecords           int32
}
