package conformance

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestPrintCoordinatorRecords: what coordinators write is told in words, and what cannot be
// read is told so.
func TestPrintCoordinatorRecords(t *testing.T) {
	n := newNames()
	n.know("payer-tag", "payer")
	p := newPrinter(n)
	key := kmsg.TxnMetadataKey{TransactionalID: "payer-tag"}
	value := kmsg.NewTxnMetadataValue()
	value.Version, value.ProducerID, value.State = 1, 4711, kmsg.TransactionStatePrepareCommit
	value.Topics = []kmsg.TxnMetadataValueTopic{{Topic: "orders", Partitions: []int32{2, 0}}, {Topic: offsetsTopic, Partitions: []int32{3}}}
	got := p.coordinatorRecord(transactionTopic, key.AppendTo(nil), value.AppendTo(nil))
	for _, want := range []string{`TransactionalID="<payer>"`, "ProducerID=<producer-1>", "TransactionStatus=PrepareCommit", "{__consumer_offsets:(1) orders:[0 2]}", "NextProducerID=-1"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s has no %s", got, want)
		}
	}
	if got := p.coordinatorRecord(transactionTopic, key.AppendTo(nil), nil); !strings.HasSuffix(got, " null") {
		t.Error(got)
	}
	if got := p.coordinatorRecord(transactionTopic, []byte{0}, nil); !strings.Contains(got, "cannot be read") {
		t.Error(got)
	}
	epoch := int32(7)
	n.coordinatorEpoch = &epoch
	for value, want := range map[string]string{"\x00\x00\x00\x00\x00\x07": "ABORT KeyVersion=0 ValueVersion=0 CoordinatorEpoch=0", "\x00\x00\x00\x00\x00\x08": "ABORT KeyVersion=0 ValueVersion=0 CoordinatorEpoch=1"} {
		if got := p.controlRecord([]byte{0, 0, 0, 0}, []byte(value)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestCutBatch: what is no whole batch is not taken for one.
func TestCutBatch(t *testing.T) {
	raw := batchOf("a", "b")
	b, rest := cutBatch(append(raw, raw[:20]...))
	if b == nil || len(b.records()) != 2 || string(b.records()[1].Value) != "b" || len(rest) != 20 {
		t.Fatalf("%+v, %d bytes left", b, len(rest))
	}
	if b, _ := cutBatch(rest); b != nil {
		t.Error("half a batch was cut")
	}
}

// TestJavaHash: as String.hashCode, by which coordinators are found.
func TestJavaHash(t *testing.T) {
	for s, want := range map[string]int32{"": 0, "a": 97, "polygenelubricants": -1 << 31} {
		if got := javaHash(s); got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
}
