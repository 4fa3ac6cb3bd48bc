package broker

import (
	"bytes"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"

	"klamm/protocol"
)

// Whatever is wrong or odd with a Produce request: reading it in one pass comes to
// what the check and kmsg come to.
func TestProduceIsReadAsChecked(t *testing.T) {
	var odd, plain, refused int
	rapid.Check(t, func(t *rapid.T) {
		version := int16(rapid.IntRange(3, 13).Draw(t, "version"))
		body := drawProduce(t, version)
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			body[rapid.IntRange(0, len(body)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "to")
		}
		body = body[:len(body)-rapid.SampledFrom([]int{0, 0, 0, 1, 5, len(body)}).Draw(t, "cut")]

		want := kmsg.NewPtrProduceRequest()
		want.SetVersion(version)
		checked, wantErr := protocol.CheckRequest(int16(kmsg.Produce), version, slices.Clone(body))
		if wantErr == nil {
			if err := want.ReadFrom(checked); err != nil {
				t.Fatalf("kmsg does not read what the check accepts: %v", err)
			}
		}
		var got produceRequest
		first := wire{buf: body, flexible: version >= 9}
		got.decode(version, &first)
		err := got.read(version, body)
		switch {
		case (err != nil) != (wantErr != nil):
			t.Fatalf("%v, want %v", err, wantErr)
		case err != nil:
			refused++
		case first.odd:
			odd++
		default:
			plain++
		}
		if err == nil {
			if diff := cmp.Diff(want, asProduceRequest(&got, want), cmp.AllowUnexported(kmsg.Tags{})); diff != "" {
				t.Fatalf("-want +got:\n%s", diff)
			}
		}
	})
	if odd == 0 || plain == 0 || refused == 0 {
		t.Errorf("%d plain, %d odd, %d refused: one of them was not tried", plain, odd, refused)
	}
}

func drawProduce(t *rapid.T, version int16) []byte {
	req := kmsg.NewPtrProduceRequest()
	req.SetVersion(version)
	if rapid.Bool().Draw(t, "transactional") {
		req.TransactionID = kmsg.StringPtr("tx")
	}
	req.Acks = -1
	for range rapid.IntRange(0, 2).Draw(t, "topics") {
		rt := kmsg.NewProduceRequestTopic()
		rt.Topic, rt.TopicID = "topic", [16]byte{1, 2, 3}
		for range rapid.IntRange(0, 3).Draw(t, "partitions") {
			rp := kmsg.NewProduceRequestTopicPartition()
			rp.Partition = 7
			size := rapid.SampledFrom([]int{-1, 0, 1, 130, 17_000}).Draw(t, "size")
			if size >= 0 {
				rp.Records = bytes.Repeat([]byte{9}, size)
			}
			if version >= 9 && rapid.IntRange(0, 9).Draw(t, "tag") == 0 {
				rp.UnknownTags.Set(77, []byte("?"))
			}
			rt.Partitions = append(rt.Partitions, rp)
		}
		req.Topics = append(req.Topics, rt)
	}
	return req.AppendTo(nil)
}

// asProduceRequest is got as kmsg has it; what a broker does not look at is like's.
func asProduceRequest(got *produceRequest, like *kmsg.ProduceRequest) *kmsg.ProduceRequest {
	req := kmsg.NewPtrProduceRequest()
	*req = *like
	req.Acks, req.Topics = got.acks, nil
	if got.transactional != (like.TransactionID != nil) {
		req.TransactionID = nil
	}
	next := 0
	for i, t := range got.topics {
		rt := like.Topics[i]
		rt.Topic, rt.TopicID, rt.Partitions = string(t.name), t.id, nil
		for j := range t.partitions {
			rp := like.Topics[i].Partitions[j]
			rp.Partition, rp.Records = got.partitions[next].index, got.partitions[next].records
			rt.Partitions = append(rt.Partitions, rp)
			next++
		}
		req.Topics = append(req.Topics, rt)
	}
	return req
}
