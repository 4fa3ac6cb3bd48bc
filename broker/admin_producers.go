package broker

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// describeProducers answers DescribeProducers v0 (KIP-664, KafkaApis.handleDescribeProducersRequest).
func (c *Cluster) describeProducers(call *call, req *kmsg.DescribeProducersRequest, resp *kmsg.DescribeProducersResponse) {
	image := c.image.Load()
	for i := range req.Topics {
		rt := &req.Topics[i]
		t := kmsg.NewDescribeProducersResponseTopic()
		t.Topic = rt.Topic
		known, refused := image.byName.get(rt.Topic), apiError{}
		if reason := invalidTopicName(rt.Topic); reason != "" {
			refused = apiError{protocol.InvalidTopicException, reason}
		} else if known == nil {
			refused = apiError{code: protocol.UnknownTopicOrPartition}
		}
		for _, partition := range rt.Partitions {
			p := kmsg.NewDescribeProducersResponseTopicPartition()
			p.Partition, p.ErrorCode, p.ErrorMessage = partition, int16(refused.code), refused.pointer()
			if owner := known.partition(partition); owner != nil {
				p.ActiveProducers = owner.activeProducers()
			} else if known != nil {
				p.ErrorCode = int16(protocol.UnknownTopicOrPartition)
			}
			t.Partitions = append(t.Partitions, p)
		}
		resp.Topics = append(resp.Topics, t)
	}
}

// activeProducers are the producers that the partition remembers.
func (p *partition) activeProducers() []kmsg.DescribeProducersResponseTopicPartitionActiveProducer {
	p.mu.Lock()
	p.expireProducers(time.Now())
	active := p.log.ActiveProducers()
	p.mu.Unlock()
	var described []kmsg.DescribeProducersResponseTopicPartitionActiveProducer
	for _, a := range active {
		d := kmsg.NewDescribeProducersResponseTopicPartitionActiveProducer()
		d.ProducerID, d.ProducerEpoch = a.ID, int32(a.Epoch)
		d.LastSequence, d.LastTimestamp = a.LastSequence, a.LastTimestampMs
		d.CoordinatorEpoch, d.CurrentTxnStartOffset = a.CoordinatorEpoch, a.TxnStart
		described = append(described, d)
	}
	return described
}
