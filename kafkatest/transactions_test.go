package kafkatest_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/kafkatest"
)

// A transaction that is being completed can be looked at for as long as a test likes.
func TestHoldMarkers(t *testing.T) {
	k := kafkatest.Start(t, kafkatest.Config{Topics: []kafkatest.Topic{{Name: "orders"}}})
	if got := k.Transaction("payer"); got.State != "Dead" {
		t.Errorf("a transactional id that nobody has used: %+v", got)
	}
	c, err := dialClient(t.Context(), k.Dial, k.Addr(), "payer")
	if err != nil {
		t.Fatal(err)
	}
	defer c.conn.Close()
	ask := func(req kmsg.Request, version int16) kmsg.Response {
		resp, err := c.ask(req, version)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	init := kmsg.NewPtrInitProducerIDRequest()
	init.TransactionalID, init.TransactionTimeoutMillis = kmsg.StringPtr("payer"), 60_000
	producer := ask(init, 4).(*kmsg.InitProducerIDResponse)
	add := kmsg.NewPtrAddPartitionsToTxnRequest()
	add.TransactionalID, add.ProducerID, add.ProducerEpoch = "payer", producer.ProducerID, producer.ProducerEpoch
	add.Topics = []kmsg.AddPartitionsToTxnRequestTopic{{Topic: "orders", Partitions: []int32{0}}}
	ask(add, 3)
	if got := k.WaitTransaction("payer", "Ongoing"); len(got.Partitions) != 1 || got.Partitions[0].Topic != "orders" {
		t.Errorf("%+v", got)
	}
	k.HoldMarkers()
	end := kmsg.NewPtrEndTxnRequest()
	end.TransactionalID, end.ProducerID, end.ProducerEpoch, end.Commit = "payer", producer.ProducerID, producer.ProducerEpoch, true
	ask(end, 4)
	k.WaitTransaction("payer", "PrepareCommit")
	k.ReleaseMarkers()
	k.WaitTransaction("payer", "CompleteCommit")
}
