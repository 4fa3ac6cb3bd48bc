package peers

import (
	"testing"
	"testing/synctest"

	"github.com/twmb/franz-go/pkg/kgo"

	"klamm/kafkatest"
)

// TestShippingInABubble is shown by the README.
func TestShippingInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := kafkatest.Start(t, kafkatest.Config{Network: kafkatest.Memory})
		k.Produce("orders", 0, kafkatest.Values("one", "two")...)
		client, err := kgo.NewClient(kgo.SeedBrokers(k.Addr()), kgo.Dialer(k.Dial),
			kgo.ConsumerGroup("shipping"), kgo.ConsumeTopics("orders"))
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		if n := client.PollFetches(t.Context()).NumRecords(); n != 2 {
			t.Fatalf("%d records", n)
		}
		go client.PollFetches(t.Context())          // polling again says that these are done
		k.WaitCommitted("shipping", "orders", 0, 2) // kgo commits every 5 s, which nobody waits for
	})
}
