package broker

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// A batch of a megabyte that would be hundreds is refused, whatever the codec, and a
// connection keeps nothing of it.
func TestBombs(t *testing.T) {
	c := startTest(t, Config{Network: Memory, Topics: oneTopic})
	zeros := make([]byte, 8<<20)
	bombs := map[protocol.Codec][]byte{}
	for codec, times := range map[protocol.Codec]int{protocol.CodecGzip: 14, protocol.CodecLZ4: 14, protocol.CodecZstd: 14, protocol.CodecSnappy: 1} {
		packed, err := new(protocol.Compressor).Append(nil, codec, bytes.Repeat(zeros, times))
		if err != nil {
			t.Fatal(err)
		}
		bombs[codec] = packed
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

// Batches that are well formed and grow, beside one that cannot be taken, to topics that have
// them compressed anew: what is too large is refused, and nothing of it is kept.
func TestBombsAreNotRebuilt(t *testing.T) {
	c := startTest(t, Config{Network: Memory})
	admin := dialTest(t, c)
	names := []string{"uncompressed", "gzip", "snappy", "lz4", "zstd"}
	for _, name := range names {
		createRecompressed(t, admin, name)
	}
	record := protocol.AppendRecord(nil, 0, 0, &protocol.Record{Value: make([]byte, 64<<20)})
	var clients sync.WaitGroup
	for _, codec := range []protocol.Codec{protocol.CodecGzip, protocol.CodecLZ4, protocol.CodecZstd} {
		packed, err := new(protocol.Compressor).Append(nil, codec, record)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			cl, bomb := dialTest(t, c), bombOf(codec, packed)
			bomb.Topics[0].Topic = name
			clients.Go(func() {
				cl.send(bomb)
				got := cl.receive(bomb).(*kmsg.ProduceResponse).Topics[0].Partitions[0]
				code := protocol.ErrorCode(got.ErrorCode)
				if plain := name == "uncompressed" || name == "snappy"; plain && code != protocol.MessageTooLarge || !plain && code != protocol.None {
					t.Errorf("%v to %s: %v", codec, name, code)
				}
			})
		}
	}
	clients.Wait()
	runtime.GC()
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	if after.HeapAlloc > 128<<20 {
		t.Errorf("%d MiB are kept by connections that do nothing", after.HeapAlloc>>20)
	}
}

func createRecompressed(t *testing.T, cl *client, name string) {
	t.Helper()
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Version = 7
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, 1, 1
	topic.Configs = []kmsg.CreateTopicsRequestTopicConfig{{Name: "compression.type", Value: &name}}
	req.Topics = append(req.Topics, topic)
	cl.send(req)
	if code := cl.receive(req).(*kmsg.CreateTopicsResponse).Topics[0].ErrorCode; code != 0 {
		t.Fatalf("%s: error code %d", name, code)
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
