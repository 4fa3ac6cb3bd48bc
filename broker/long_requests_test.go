package broker

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Requests that name very many things cost about as much as they are long. Where one
// looked at all names for each name, this test would take many minutes.
func TestLongRequests(t *testing.T) {
	const many = 100_000
	c := startTest(t, Config{Network: Memory, Topics: oneTopic})
	cl := dialTest(t, c)
	names := make([]string, many)
	for i := range names {
		names[i] = fmt.Sprintf("name-%d", i)
	}

	deletion := kmsg.NewPtrDeleteGroupsRequest()
	deletion.Version, deletion.Groups = 2, names
	cl.send(deletion)
	if got := cl.receive(deletion).(*kmsg.DeleteGroupsResponse).Groups; len(got) != many {
		t.Errorf("%d groups were answered", len(got))
	}

	metadata := kmsg.NewPtrMetadataRequest()
	metadata.Version, metadata.AllowAutoTopicCreation = 9, true
	commit := kmsg.NewPtrOffsetCommitRequest()
	commit.Version, commit.Group, commit.Generation = 8, "g", -1
	for _, name := range names {
		asked := kmsg.NewMetadataRequestTopic()
		asked.Topic = &name
		metadata.Topics = append(metadata.Topics, asked)

		rt := kmsg.NewOffsetCommitRequestTopic()
		rt.Topic = name
		rt.Partitions = append(rt.Partitions, kmsg.NewOffsetCommitRequestTopicPartition())
		commit.Topics = append(commit.Topics, rt)
	}
	before := len(c.image.Load().list)
	list := kmsg.NewPtrListGroupsRequest()
	list.Version = 5
	for range 5 {
		list.StatesFilter = append(list.StatesFilter, names...)
	}
	small := kmsg.NewPtrOffsetCommitRequest()
	small.Version, small.Generation = 8, -1
	small.Topics = []kmsg.OffsetCommitRequestTopic{{Topic: "t", Partitions: make([]kmsg.OffsetCommitRequestTopicPartition, 1)}}
	for _, small.Group = range names[:5_000] {
		cl.send(small)
		cl.receive(small)
	}
	cl.send(list)
	cl.receive(list)

	cl.send(metadata)
	cl.receive(metadata)
	if made := len(c.image.Load().list) - before; made != 0 {
		t.Errorf("one request made %d topics; with more than 10,000 partitions Kafka makes none", made)
	}
	cl.send(commit)
	cl.receive(commit)
}

// An answer that can be a thousand times as long as its request is not made.
func TestAnswersOfRepeatedNames(t *testing.T) {
	c := startTest(t, Config{Network: Memory})
	cl := dialTest(t, c)
	req := kmsg.NewPtrDescribeConfigsRequest()
	req.Version, req.IncludeDocumentation = 4, true
	for range 20_000 {
		r := kmsg.NewDescribeConfigsRequestResource()
		r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeBroker, "1"
		req.Resources = append(req.Resources, r)
	}
	cl.send(req)
	if n, err := cl.nc.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("%d bytes were answered (%v), want the end of the connection", n, err)
	}
}

func TestConfigMistakes(t *testing.T) {
	for _, cfg := range []Config{
		{Network: 7},
		{Advertise: "nonsense"}, {Advertise: "host:"}, {Advertise: ":9092"}, {Advertise: "host:0"}, {Advertise: "host:99999"},
	} {
		if c, err := Start(cfg); err == nil {
			c.Close()
			t.Errorf("%+v starts", cfg)
		}
	}
}
