package conformance

import (
	"encoding/binary"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// stored looks at what a coordinator writes of one group.
type stored struct {
	c         *Conversation
	group     string
	partition int32
	next      int64 // offset of the first record that was not shown
	wanted    int   // how many records are to be shown
	there     bool  // the target has the topic
}

// stored begins to look at what is written of a group from now on.
func (c *Conversation) stored(group string) *stored {
	s := &stored{c: c, group: group}
	if s.partition, _, s.there = c.findLog(offsetsTopic, group); !s.there {
		return s
	}
	s.next = ask[*kmsg.ListOffsetsResponse](c.setup, listOffsets(7, offsetsTopic, s.partition, -1)).Topics[0].Partitions[0].Offset
	return s
}

// storedHead stands above the records that a coordinator has written.
const storedHead = "what is stored:"

// show adds to the transcript the next n records that are written of the group. Kafka
// answers some requests before it has written.
func (s *stored) show(n int) {
	s.c.say(storedHead)
	if !s.there {
		s.c.say(noTopic + offsetsTopic)
		return
	}
	s.wanted = n
	for range settleTries / 10 {
		s.read()
		if s.wanted == 0 {
			return
		}
		s.c.pause(settlePause)
	}
	s.c.say("    and no more")
}

func (s *stored) read() {
	for {
		resp := ask[*kmsg.FetchResponse](s.c.setup, fetch(12, Topic{Name: offsetsTopic}, s.partition, s.next))
		p := resp.Topics[0].Partitions[0]
		for raw := p.RecordBatches; len(raw) >= batchHeadSize && s.wanted > 0; {
			size := min(len(raw), atLength+4+int(binary.BigEndian.Uint32(raw[atLength:])))
			s.batch(raw[:size])
			raw = raw[size:]
		}
		if s.wanted == 0 || s.next >= p.HighWatermark || len(p.RecordBatches) == 0 {
			return
		}
	}
}

// batch shows the records of a batch that are the group's.
func (s *stored) batch(raw []byte) {
	base := int64(binary.BigEndian.Uint64(raw))
	data, err := decompress(int16(binary.BigEndian.Uint16(raw[atAttributes:]))&7, raw[batchHeadSize:])
	if err != nil {
		s.c.say("a batch that cannot be decompressed")
	}
	for len(data) > 0 && s.wanted > 0 {
		n, w := binary.Varint(data)
		if w <= 0 || n <= 0 || n > int64(len(data)-w) {
			break
		}
		r := recordReader{data: data[w+1 : w+int(n)]}
		data = data[w+int(n):]
		r.varint() // timestamp
		offset := base + r.varint()
		if offset < s.next {
			continue
		}
		s.next = offset + 1
		key := r.bytes()
		s.record(key, r.bytes())
	}
}

// record shows a record, if it is the group's.
func (s *stored) record(key, value []byte) {
	if len(key) < 2 {
		return
	}
	switch version := int16(binary.BigEndian.Uint16(key)); version {
	case 0, 1:
		k, v := kmsg.NewOffsetCommitKey(), kmsg.NewOffsetCommitValue()
		if k.ReadFrom(key) == nil && k.Group == s.group {
			s.say("offset of %s-%d", value, &v, &v.Version, v.ReadFrom, s.c.names.text(k.Topic), k.Partition)
		}
	case 3, 4, 5, 6, 7, 8, 16:
		s.consumerRecord(version, key[2:], value)
	case 2:
		k, v := kmsg.NewGroupMetadataKey(), kmsg.NewGroupMetadataValue()
		if k.ReadFrom(key) == nil && k.Group == s.group {
			s.say("members", value, &v, &v.Version, v.ReadFrom)
		}
	}
}

// say shows the value of a record; nil is a tombstone.
func (s *stored) say(format string, value []byte, into any, version *int16, read func([]byte) error, args ...any) {
	s.wanted--
	if value == nil {
		s.c.say("    "+format+": none", args...)
		return
	}
	*version = int16(binary.BigEndian.Uint16(value))
	text := "cannot be read"
	if read(value) == nil {
		text = s.c.printer.plain(into)
	}
	s.c.say("    "+format+": %s", append(slices.Clone(args), text)...)
}
