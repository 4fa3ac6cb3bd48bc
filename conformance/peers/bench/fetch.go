package main

import (
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// fetchSize is how much each fetch asks for.
const fetchSize = 1 << 20

func fetchFrame(partition int32, offset int64, maxWait time.Duration) []byte {
	req := kmsg.NewPtrFetchRequest()
	req.Version = 12
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes = int32(maxWait.Milliseconds()), 1, fetchSize
	req.SessionEpoch = -1
	t := kmsg.NewFetchRequestTopic()
	t.Topic = topicName
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes = partition, offset, fetchSize
	p.CurrentLeaderEpoch = -1
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return frameOf(req, 1)
}

// fetchLoad reads logBytes that were produced before, with each of conns
// connections reading its share of the log's passes.
func fetchLoad(kind string, conns int, logBytes int64, passes int) (load, error) {
	var l load
	err := withServer(kind, func(s *server) error {
		batch := batchOf(16 << 10)
		n := int(logBytes) / len(batch)
		if kind != "canned" {
			c, err := s.dial()
			if err != nil {
				return err
			}
			defer c.Close()
			if err := pump(c, produceFrame(0, batch), n, 16); err != nil {
				return err
			}
		}
		frames, err := fetchOffsets(kind, s, len(batch), n)
		if err != nil {
			return err
		}
		if _, err := readAll(s, frames, 1); err != nil { // warmed up
			return err
		}
		sizes := make([]int64, conns)
		err = l.measure(s, conns, func(i int, c net.Conn) error {
			size, err := readFrames(c, frames, passes)
			sizes[i] = size
			return err
		})
		for _, size := range sizes {
			l.bytes += size
		}
		return err
	})
	return l, err
}

// fetchOffsets are the requests that walk through the log once.
func fetchOffsets(kind string, s *server, batchSize, n int) ([][]byte, error) {
	each := fetchSize / batchSize
	records := int64(recordsOf(16 << 10))
	var frames [][]byte
	for first := 0; first+each <= n; first += each {
		frames = append(frames, fetchFrame(0, int64(first)*records, 0))
	}
	if kind == "canned" {
		return frames, nil
	}
	c, err := s.dial()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	resp := kmsg.NewPtrFetchResponse()
	resp.Version = 12
	if err := roundTrip(c, frames[len(frames)-1], resp); err != nil {
		return nil, err
	}
	if p := resp.Topics[0].Partitions[0]; p.ErrorCode != 0 || len(p.RecordBatches) < fetchSize/2 {
		return nil, fmt.Errorf("a fetch gives %d bytes, error %d", len(p.RecordBatches), p.ErrorCode)
	}
	return frames, nil
}

func readAll(s *server, frames [][]byte, passes int) (int64, error) {
	c, err := s.dial()
	if err != nil {
		return 0, err
	}
	defer c.Close()
	return readFrames(c, frames, passes)
}

// readFrames sends each fetch with two unanswered at most, and counts the bytes.
func readFrames(c net.Conn, frames [][]byte, passes int) (size int64, err error) {
	in := frameReader{src: c}
	n := len(frames) * passes
	for i := range min(2, n) {
		if _, err := c.Write(frames[i%len(frames)]); err != nil {
			return size, err
		}
	}
	for i := range n {
		answer, err := in.next()
		if err != nil {
			return size, err
		}
		size += int64(len(answer))
		if next := i + 2; next < n {
			if _, err := c.Write(frames[next%len(frames)]); err != nil {
				return size, err
			}
		}
	}
	return size, nil
}

// wakeUps measures how long after the sending of a small produce a fetch that was
// parked before has its answer: n times, one after another.
func wakeUps(kind string, n int) (times []time.Duration, err error) {
	batch := batchOf(170)
	produce := produceFrame(0, batch)
	err = withServer(kind, func(s *server) error {
		fetching, err := s.dial()
		if err != nil {
			return err
		}
		defer fetching.Close()
		producing, err := s.dial()
		if err != nil {
			return err
		}
		defer producing.Close()
		for i := range n {
			if _, err := fetching.Write(fetchFrame(0, int64(i), 30*time.Second)); err != nil {
				return err
			}
			letItPark()
			began := time.Now()
			if _, err := producing.Write(produce); err != nil {
				return err
			}
			if _, err := readFrame(fetching); err != nil {
				return err
			}
			times = append(times, time.Since(began))
			if _, err := readFrame(producing); err != nil {
				return err
			}
		}
		return nil
	})
	return times, err
}

// letItPark gives the server the time to park a fetch: nothing on the wire says
// that it has.
func letItPark() {
	<-time.After(500 * time.Microsecond)
}

// besideBulk measures small produces on one connection while another one streams
// batches of 1 MiB: n of them, or fewer if the stream ends before, which is bounded
// because a broker keeps all of it.
func besideBulk(kind string, n int) (times []time.Duration, err error) {
	bulk, small := produceFrame(1, batchOf(1<<20)), produceFrame(0, batchOf(170))
	err = withServer(kind, func(s *server) error {
		stream, err := s.dial()
		if err != nil {
			return err
		}
		quick, err := s.dial()
		if err != nil {
			return err
		}
		defer quick.Close()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			pump(stream, bulk, 2*n, 2)
		}()
		defer func() {
			stream.Close()
			<-ended
		}()
		for len(times) < n {
			began := time.Now()
			if _, err := quick.Write(small); err != nil {
				return err
			}
			if _, err := readFrame(quick); err != nil {
				return err
			}
			select {
			case <-ended:
				if len(times) < n/4 {
					return fmt.Errorf("the stream ended after %d small produces", len(times))
				}
				return nil
			default:
				times = append(times, time.Since(began))
			}
		}
		return nil
	})
	return times, err
}

// percentile is the p-th part of 100 of times.
func percentile(times []time.Duration, p int) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[min(len(sorted)-1, len(sorted)*p/100)]
}
