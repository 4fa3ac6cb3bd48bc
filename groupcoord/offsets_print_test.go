package groupcoord

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// record prints a record by kmsg's own reading of it, which knows nothing of ours.
func (s *offsetScript) record(r Record) string {
	switch binary.BigEndian.Uint16(r.Key) {
	case 1:
		var k kmsg.OffsetCommitKey
		mustRead(k.ReadFrom(r.Key))
		if r.Value == nil {
			return fmt.Sprintf("OffsetCommit %s-%d tombstone", k.Topic, k.Partition)
		}
		var v kmsg.OffsetCommitValue
		mustRead(v.ReadFrom(r.Value))
		text := fmt.Sprintf("OffsetCommit %s-%d v%d offset=%d", k.Topic, k.Partition, v.Version, v.Offset)
		if v.Version >= 3 {
			text += fmt.Sprintf(" epoch=%d", v.LeaderEpoch)
		}
		text += fmt.Sprintf(" metadata=%q committed=%s", v.Metadata, s.since(v.CommitTimestamp))
		if v.Version == 1 {
			text += " expires=" + s.since(v.ExpireTimestamp)
		}
		if v.TopicID != [16]byte{} {
			text += fmt.Sprintf(" id=%d", v.TopicID[15])
		}
		return text
	case 2:
		if r.Value == nil {
			return "GroupMetadata tombstone"
		}
		var v kmsg.GroupMetadataValue
		mustRead(v.ReadFrom(r.Value))
		return fmt.Sprintf("GroupMetadata v%d type=%q generation=%d members=%d state since %s", v.Version,
			v.ProtocolType, v.Generation, len(v.Members), s.since(v.CurrentStateTimestamp))
	}
	return fmt.Sprintf("%x", r.Key)
}

func mustRead(err error) {
	if err != nil {
		panic(err)
	}
}

func (s *offsetScript) since(ms int64) string { return time.UnixMilli(ms).Sub(s.start).String() }

func scriptReply(resp kmsg.Response) string {
	var b strings.Builder
	switch resp := resp.(type) {
	case *kmsg.OffsetCommitResponse:
		b.WriteString("OffsetCommit")
		for _, t := range resp.Topics {
			for _, p := range t.Partitions {
				fmt.Fprintf(&b, " %s-%d=%s", t.Topic, p.Partition, protocol.ErrorCode(p.ErrorCode))
			}
		}
	case *kmsg.OffsetDeleteResponse:
		fmt.Fprintf(&b, "OffsetDelete %s", protocol.ErrorCode(resp.ErrorCode))
		for _, t := range resp.Topics {
			for _, p := range t.Partitions {
				fmt.Fprintf(&b, " %s-%d=%s", t.Topic, p.Partition, protocol.ErrorCode(p.ErrorCode))
			}
		}
	case *kmsg.DeleteGroupsResponse:
		fmt.Fprintf(&b, "DeleteGroups %s=%s", resp.Groups[0].Group, protocol.ErrorCode(resp.Groups[0].ErrorCode))
	case *kmsg.JoinGroupResponse:
		fmt.Fprintf(&b, "JoinGroup generation=%d %s", resp.Generation, protocol.ErrorCode(resp.ErrorCode))
	case *kmsg.SyncGroupResponse:
		fmt.Fprintf(&b, "SyncGroup %s", protocol.ErrorCode(resp.ErrorCode))
	case *kmsg.LeaveGroupResponse:
		fmt.Fprintf(&b, "LeaveGroup %s", protocol.ErrorCode(resp.ErrorCode))
	}
	return b.String()
}

// scriptTopics reads lines like "t 0 1 2".
func scriptTopics(input string) func(yield func(string, []int32) bool) {
	return func(yield func(string, []int32) bool) {
		for line := range strings.Lines(input) {
			f := strings.Fields(line)
			var partitions []int32
			for _, p := range f[1:] {
				n, _ := strconv.ParseInt(p, 10, 32)
				partitions = append(partitions, int32(n))
			}
			if !yield(f[0], partitions) {
				return
			}
		}
	}
}

// subscription is a member's metadata in version 0 of the consumer protocol.
func subscription(topics ...string) []byte {
	b := binary.BigEndian.AppendUint16(nil, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(len(topics)))
	for _, t := range topics {
		b = appendText(b, t)
	}
	return append(b, 0xff, 0xff, 0xff, 0xff)
}

func arg(d *datadriven.TestData, key, absent string) string {
	for _, a := range d.CmdArgs {
		if a.Key == key && len(a.Vals) > 0 {
			return a.Vals[0]
		}
	}
	return absent
}

func intArg(d *datadriven.TestData, key string, absent int) int {
	n, err := strconv.Atoi(arg(d, key, strconv.Itoa(absent)))
	if err != nil {
		panic(err)
	}
	return n
}

func unhex(t *testing.T, s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
