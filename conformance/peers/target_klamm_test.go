package peers

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"klamm/kafkatest"
)

// klammTarget is a broker in this process, with Kafka's own session timeout. A
// crash is the facility that kafkatest has for it, so nobody waits that long.
//
// Members that start together are to be one generation on a slow machine too. With
// two, librdkafka sometimes goes on reading what it lost in the second: its query
// for the first offset was still under way, and what it reads then comes out when
// the partition is its own again. (The wire shows fetches of partitions that the
// member does not own.)
func klammTarget(t *testing.T) *target {
	k := kafkatest.Start(t, kafkatest.Config{
		Configs: map[string]string{
			"group.initial.rebalance.delay.ms":         "500",
			"group.consumer.heartbeat.interval.ms":     "100",
			"group.consumer.min.heartbeat.interval.ms": "100",
			"group.consumer.assignment.interval.ms":    "0",
		},
	})
	at := endpoint{addr: k.Addr(), dial: k.Dial}
	var names atomic.Int64
	return &target{
		endpoint:  at,
		admin:     newAdmin(t, at),
		names:     func(kind string) string { return fmt.Sprintf("%s-%d", kind, names.Add(1)) },
		session:   sessionTimeout,
		heartbeat: 100 * time.Millisecond,
		attach: func(t *testing.T, clientID string) (endpoint, func()) {
			crash := func() { k.Crash(clientID) }
			if printed {
				return newTap(t, clientID, at).endpoint(), crash
			}
			return at, crash
		},
	}
}
