package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

const (
	topicName  = "bench"
	clientName = "bench"
)

// recordSize is what a record with a 100-byte value takes in a batch, at most.
const recordSize = 111

// recordsOf is how many records batchOf puts into a batch.
func recordsOf(size int) int { return max(1, (size-61)/recordSize) }

// batchOf is a record batch of at most size bytes, of records with 100-byte values.
func batchOf(size int) []byte {
	value := make([]byte, 100)
	for i := range value {
		value[i] = byte('a' + i%26)
	}
	records := make([]protocol.Record, recordsOf(size))
	for i := range records {
		records[i] = protocol.Record{TimestampMs: time.Now().UnixMilli(), Value: value}
	}
	batch, err := protocol.AppendBatch(nil, protocol.PlainBatch(), nil, records)
	if err != nil {
		panic(err)
	}
	return batch
}

// frameOf is a request with its size and header.
func frameOf(req kmsg.Request, correlation int32) []byte {
	return kmsg.NewRequestFormatter(kmsg.FormatterClientID(clientName)).AppendRequest(nil, req, correlation)
}

func produceFrame(partition int32, batch []byte) []byte {
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks, req.TimeoutMillis = 9, -1, 10_000
	t := kmsg.NewProduceRequestTopic()
	t.Topic = topicName
	p := kmsg.NewProduceRequestTopicPartition()
	p.Partition, p.Records = partition, batch
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return frameOf(req, 1)
}

// produceBatchAt is where the batch begins in a frame of produceFrame's, without its size.
func produceBatchAt(frame []byte) int {
	const header = 2 + 2 + 4 + 2 + len(clientName) + 1
	const upToRecords = 1 + 2 + 4 + 1 + 1 + len(topicName) + 1 + 4
	_, n := binary.Uvarint(frame[header+upToRecords:])
	return header + upToRecords + n
}

// pump sends frame n times with at most window unanswered, and reads the answers
// without looking at them. Half a window is sent at once, up to 32 KiB in one write:
// were each answer followed by one request, the same server would now and then be in
// step with the load and answer one by one, for eight times the system calls.
func pump(c net.Conn, frame []byte, n, window int) error {
	gathered := min(max(1, 32<<10/len(frame)), max(1, window/2))
	many := bytes.Repeat(frame, gathered)
	send := func(count int) error {
		for count > 0 {
			now := min(count, gathered)
			if _, err := c.Write(many[:now*len(frame)]); err != nil {
				return err
			}
			count -= now
		}
		return nil
	}
	in := frameReader{src: c}
	sent := min(n, window)
	if err := send(sent); err != nil {
		return err
	}
	free := 0
	for range n {
		if _, err := in.next(); err != nil {
			return fmt.Errorf("reading an answer: %w", err)
		}
		if free++; free < max(1, window/2) {
			continue
		}
		more := min(free, n-sent)
		if err := send(more); err != nil {
			return err
		}
		sent, free = sent+more, 0
	}
	return nil
}

// load is what one run of a measure did.
type load struct {
	bytes   int64
	count   int
	elapsed time.Duration
	cpu     time.Duration
	peakRSS int64
}

func (l load) rate() float64      { return float64(l.bytes) / l.elapsed.Seconds() }
func (l load) perSecond() float64 { return float64(l.count) / l.elapsed.Seconds() }
func (l load) cpuPerGiB() float64 { return l.cpu.Seconds() * (1 << 30) / float64(l.bytes) }

// produceLoad produces total bytes in batches of about batchSize over conns connections.
func produceLoad(kind string, conns, batchSize int, total int64, window int) (load, error) {
	batch := batchOf(batchSize)
	per := int(total) / conns / len(batch)
	l := load{bytes: int64(per*conns) * int64(len(batch)), count: per * conns}
	err := withServer(kind, func(s *server) error {
		frames := make([][]byte, conns)
		for i := range frames {
			frames[i] = produceFrame(int32(i%seedPartitions), batch)
		}
		if err := checkProduce(s, frames[0]); err != nil {
			return err
		}
		return l.measure(s, conns, func(i int, c net.Conn) error { return pump(c, frames[i], per, window) })
	})
	return l, err
}

// measure runs work over conns connections at once and notes time, CPU and memory.
func (l *load) measure(s *server, conns int, work func(i int, c net.Conn) error) error {
	cs := make([]net.Conn, conns)
	for i := range cs {
		c, err := s.dial()
		if err != nil {
			return err
		}
		defer c.Close()
		cs[i] = c
	}
	before, err := s.usage()
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	errs := make([]error, conns)
	began := time.Now()
	for i, c := range cs {
		wg.Add(1)
		go func() {
			defer wg.Done()
			errs[i] = work(i, c)
		}()
	}
	wg.Wait()
	l.elapsed = time.Since(began)
	after, err := s.usage()
	if err != nil {
		return err
	}
	l.cpu, l.peakRSS = after.CPU-before.CPU, after.PeakRSS
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// checkProduce makes sure that a broker takes what the load sends: an error
// answer would be fast too.
func checkProduce(s *server, frame []byte) error {
	if s.kind != "klamm" && s.kind != "kfake" {
		return nil
	}
	c, err := s.dial()
	if err != nil {
		return err
	}
	defer c.Close()
	resp := kmsg.NewPtrProduceResponse()
	resp.Version = 9
	if err := roundTrip(c, frame, resp); err != nil {
		return err
	}
	if code := resp.Topics[0].Partitions[0].ErrorCode; code != 0 {
		return fmt.Errorf("%s refuses the load: %s", s.kind, protocol.ErrorCode(code))
	}
	return nil
}

// roundTrip sends a frame and reads its answer into resp.
func roundTrip(c net.Conn, frame []byte, resp kmsg.Response) error {
	if _, err := c.Write(frame); err != nil {
		return err
	}
	body, err := readFrame(c)
	if err != nil {
		return err
	}
	head := 4
	if resp.IsFlexible() && resp.Key() != 18 {
		head = 5
	}
	return resp.ReadFrom(body[head:])
}

func readFrame(c net.Conn) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint32(size[:]))
	_, err := io.ReadFull(c, body)
	return body, err
}

// withServer runs work against a fresh server process.
func withServer(kind string, work func(*server) error) error {
	s, err := startServer(kind)
	if err != nil {
		return err
	}
	defer s.stop()
	if err := work(s); err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	return nil
}
