package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// transactors is how many producers commit transactions at once, each over a connection
// of its own, with a few of them on their way.
const (
	transactors       = 4
	transactionWindow = 8
)

// transactionLoad commits total transactions of the given number of records each. The
// protocol is that before KIP-890, which both brokers have: a partition is added, one
// batch is written, and the transaction is ended.
func transactionLoad(kind string, records, total int) (load, error) {
	l := load{count: total / transactors * transactors}
	err := withServer(kind, func(s *server) error {
		return l.measure(s, transactors, func(i int, c net.Conn) error {
			p, err := newTransactor(c, i, records)
			if err != nil {
				return err
			}
			return p.run(total / transactors)
		})
	})
	return l, err
}

// transactor is one transactional producer that speaks the raw protocol.
type transactor struct {
	c                 net.Conn
	add, produce, end []byte // frames
	batch             []byte // in produce
	records, sequence int32
	out               []byte
}

func newTransactor(c net.Conn, i, records int) (*transactor, error) {
	p := &transactor{c: c, records: int32(records)}
	name, partition := fmt.Sprintf("tx-%d", i), int32(i%seedPartitions)
	init := kmsg.NewPtrInitProducerIDRequest()
	init.Version, init.TransactionalID, init.TransactionTimeoutMillis = 4, &name, 60_000
	resp := kmsg.NewPtrInitProducerIDResponse()
	resp.Version = 4
	if err := roundTrip(c, frameOf(init, 1), resp); err != nil {
		return nil, err
	}
	if resp.ErrorCode != 0 {
		return nil, fmt.Errorf("InitProducerId: %s", protocol.ErrorCode(resp.ErrorCode))
	}
	add := kmsg.NewPtrAddPartitionsToTxnRequest()
	add.Version, add.TransactionalID, add.ProducerID, add.ProducerEpoch = 3, name, resp.ProducerID, resp.ProducerEpoch
	add.Topics = []kmsg.AddPartitionsToTxnRequestTopic{{Topic: topicName, Partitions: []int32{partition}}}
	p.add = frameOf(add, 1)

	batch := batchOf(records*recordSize + protocol.BatchOverhead)
	binary.BigEndian.PutUint16(batch[21:], uint16(protocol.AttrTransactional))
	binary.BigEndian.PutUint64(batch[43:], uint64(resp.ProducerID))
	binary.BigEndian.PutUint16(batch[51:], uint16(resp.ProducerEpoch))
	produce := kmsg.NewPtrProduceRequest()
	produce.Version, produce.Acks, produce.TimeoutMillis, produce.TransactionID = 9, -1, 10_000, &name
	produce.Topics = []kmsg.ProduceRequestTopic{{
		Topic: topicName, Partitions: []kmsg.ProduceRequestTopicPartition{{Partition: partition, Records: batch}},
	}}
	p.produce = frameOf(produce, 1)
	at := bytes.Index(p.produce, batch)
	p.batch = p.produce[at : at+len(batch)]

	end := kmsg.NewPtrEndTxnRequest()
	end.Version, end.TransactionalID, end.ProducerID, end.ProducerEpoch, end.Commit = 3, name, resp.ProducerID, resp.ProducerEpoch, true
	p.end = frameOf(end, 1)
	return p, nil
}

// run commits n transactions.
func (p *transactor) run(n int) error {
	in := frameReader{src: p.c}
	for sent, done := 0, 0; done < n; done++ {
		if sent-done < transactionWindow/2 {
			more := min(n-sent, transactionWindow/2)
			if err := p.send(more); err != nil {
				return err
			}
			sent += more
		}
		if err := committed(&in); err != nil {
			return err
		}
	}
	return nil
}

// send writes n transactions at once.
func (p *transactor) send(n int) error {
	p.out = p.out[:0]
	for range n {
		binary.BigEndian.PutUint32(p.batch[53:], uint32(p.sequence))
		protocol.SealBatch(p.batch)
		p.sequence += p.records
		p.out = append(append(append(p.out, p.add...), p.produce...), p.end...)
	}
	_, err := p.c.Write(p.out)
	return err
}

// committed reads the three answers of a transaction and looks at the last one.
func committed(in *frameReader) error {
	for range 2 {
		if _, err := in.next(); err != nil {
			return err
		}
	}
	answer, err := in.next()
	if err != nil {
		return err
	}
	const errorAt = 4 + 1 + 4 // behind correlation id, tags and throttle time
	if code := protocol.ErrorCode(binary.BigEndian.Uint16(answer[errorAt:])); code != protocol.None {
		return fmt.Errorf("EndTxn: %s", code)
	}
	return nil
}
