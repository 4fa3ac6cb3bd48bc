package broker

import (
	"testing"
	"time"

	"klamm/partitions"
	"klamm/protocol"
)

// A producer whose records are old is remembered until the next time that
// producers are looked through, and only then forgotten.
func TestProducersAreForgottenInTime(t *testing.T) {
	c := startTest(t, Config{Network: Memory, Topics: oneTopic})
	p := c.image.Load().byName.get("t").partition(0)
	now := time.Now()
	old := now.Add(-48 * time.Hour).UnixMilli()
	send := func(at time.Time, sequence int32) protocol.ErrorCode {
		h := protocol.PlainBatch()
		h.ProducerID, h.ProducerEpoch, h.BaseSequence = 7, 0, sequence
		batch, err := protocol.AppendBatch(nil, h, nil, []protocol.Record{{TimestampMs: old, Value: []byte("v")}})
		if err != nil {
			t.Fatal(err)
		}
		var done partitions.Appended
		p.append(&done, at, nil, &partitions.Produced{Topic: "t", Version: 9, Records: batch})
		return done.Refusal.ErrorCode()
	}
	for i, step := range []struct {
		after    time.Duration
		sequence int32
		want     protocol.ErrorCode
	}{
		{0, 0, protocol.None},
		{time.Second, 1, protocol.None},
		{2 * time.Second, 5, protocol.OutOfOrderSequenceNumber},
		{10*time.Minute + time.Second, 5, protocol.None}, // unknown by now, so any sequence will do
	} {
		if got := send(now.Add(step.after), step.sequence); got != step.want {
			t.Errorf("step %d: %s, want %s", i, got, step.want)
		}
	}
}

// A batch that decompresses to more than usual is taken, and leaves nothing behind at
// its connection.
func TestLargeCompressedBatch(t *testing.T) {
	c := startTest(t, Config{Network: Memory, Topics: oneTopic})
	for codec := protocol.CodecGzip; codec <= protocol.CodecZstd; codec++ {
		header := protocol.PlainBatch()
		header.Attributes = int16(codec)
		batch, err := protocol.AppendBatch(nil, header, nil, []protocol.Record{
			{TimestampMs: time.Now().UnixMilli(), Value: make([]byte, 10<<20)},
		})
		if err != nil {
			t.Fatal(err)
		}
		p := c.image.Load().byName.get("t").partition(0)
		var done partitions.Appended
		p.append(&done, time.Now(), new(protocol.Decompressor), &partitions.Produced{Topic: "t", Version: 9, Records: batch})
		if done.Refusal != nil {
			t.Errorf("%v: %v", codec, done.Refusal.Code)
		}
	}
}
