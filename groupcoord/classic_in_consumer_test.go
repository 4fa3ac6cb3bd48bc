package groupcoord

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// member is the id that a name stands for: "made" is the one that the group made last.
func (p *consumerPlay) member(a args) string {
	if a.name() == "made" {
		return p.made
	}
	return strings.Trim(a.name(), "-")
}

func (p *consumerPlay) classicJoin(a args) *kmsg.JoinGroupRequest {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Version, req.Group, req.MemberID, req.InstanceID = 9, "g", p.member(a), a.optional("instance")
	req.ProtocolType, req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = "consumer", 10_000, 10_000
	b := binary.BigEndian.AppendUint16(nil, 1)
	topics := words(a, "topics")
	b = binary.BigEndian.AppendUint32(b, uint32(len(topics)))
	for _, topic := range topics {
		b = appendText(b, topic)
	}
	b = append(b, 0xff, 0xff, 0xff, 0xff)
	req.Protocols = []kmsg.JoinGroupRequestProtocol{{Name: "range", Metadata: appendPairs(b, words(a, "owns"))}}
	return req
}

func (p *consumerPlay) classicSync(a args) *kmsg.SyncGroupRequest {
	req := kmsg.NewPtrSyncGroupRequest()
	req.Version, req.Group, req.MemberID, req.Generation = 4, "g", p.member(a), int32(a.number("gen", 1))
	req.InstanceID = a.optional("instance")
	if assigned := words(a, "assign"); assigned != nil {
		one := kmsg.NewSyncGroupRequestGroupAssignment()
		one.MemberID = p.member(a)
		one.MemberAssignment = append(appendPairs(binary.BigEndian.AppendUint16(nil, 1), assigned), 0xff, 0xff, 0xff, 0xff)
		req.GroupAssignment = append(req.GroupAssignment, one)
	}
	return req
}

// words are the values of an argument.
func words(a args, key string) []string {
	for _, arg := range a.d.CmdArgs {
		if arg.Key == key {
			return arg.Vals
		}
	}
	return nil
}

// appendPairs appends an array of topics with one partition each, of words like "t-0".
func appendPairs(b []byte, words []string) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(words)))
	for _, word := range words {
		topic, partition, _ := strings.Cut(word, "-")
		n := uint32(0)
		fmt.Sscan(partition, &n)
		b = binary.BigEndian.AppendUint32(appendText(b, topic), 1)
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return b
}
