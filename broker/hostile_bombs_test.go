package broker

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"runtime"
	"sync"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// A batch of a megabyte that would be hundreds is refused, whatever the codec, and a
// connection keeps nothing of it.
func TestBombs(t *testing.T) {
	c := startTest(t, Config{Network: Memory, Topics: oneTopic})
	zeros := make([]byte, 8<<20)
	bombs := map[protocol.Codec][]byte{
		protocol.CodecGzip: gzipped(zeros, 14), protocol.CodecLZ4: lz4ed(zeros, 14),
		protocol.CodecZstd: zstded(zeros, 14), protocol.CodecSnappy: s2.EncodeSnappy(nil, zeros),
	}
	var clients sync.WaitGroup
	for codec, packed := range bombs {
		for range 3 {
			cl, bomb := dialTest(t, c), bombOf(codec, packed)
			clients.Go(func() {
				cl.send(bomb)
				got := cl.receive(bomb).(*kmsg.ProduceResponse).Topics[0].Partitions[0]
				if code := protocol.ErrorCode(got.ErrorCode); code == protocol.None {
					t.Errorf("%v: a batch without a record is taken", codec)
				}
			})
		}
	}
	clients.Wait()
	askHonestly(t, c)
	runtime.GC()
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	if after.HeapAlloc > 128<<20 {
		t.Errorf("%d MiB are kept by 12 connections that do nothing", after.HeapAlloc>>20)
	}
}

// bombOf is a Produce request of one batch that says that it has one record.
func bombOf(codec protocol.Codec, packed []byte) *kmsg.ProduceRequest {
	h := protocol.PlainBatch()
	h.Attributes, h.NumRecords = int16(codec), 1
	h.Length = int32(protocol.BatchOverhead - protocol.LogOverhead + len(packed))
	batch := append(h.Append(nil), packed...)
	binary.BigEndian.PutUint32(batch[17:], protocol.BatchCRC(batch))
	req := produceOf("t", "")
	req.Topics[0].Partitions[0].Records = batch
	return req
}

func gzipped(piece []byte, times int) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	for range times {
		w.Write(piece)
	}
	w.Close()
	return b.Bytes()
}

func lz4ed(piece []byte, times int) []byte {
	var b bytes.Buffer
	w := lz4.NewWriter(&b)
	for range times {
		w.Write(piece)
	}
	w.Close()
	return b.Bytes()
}

func zstded(piece []byte, times int) []byte {
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b)
	if err != nil {
		panic(err)
	}
	for range times {
		w.Write(piece)
	}
	w.Close()
	return b.Bytes()
}
