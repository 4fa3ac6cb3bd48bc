package peers

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"
)

// driver is what one client library brings to the scenarios: the same few things
// that all of them can do, done in each one's own way.
type driver struct {
	name        string
	skip        string   // why the library cannot be tried here; empty if it can
	noStatic    string   // why it cannot be a static member; empty if it can
	noBubble    string   // why it cannot live in a testing/synctest bubble; empty if it can
	assignors   []string // as the library offers them, by the protocol names of a group
	cooperative []string // those of them that move partitions without stopping the others
	idempotent  bool     // has an idempotent producer
	modern      bool     // knows the consumer group protocol (KIP-848), in which the broker assigns
	now         bool     // ... and members are to use it

	join    func(t *testing.T, at endpoint, m memberConfig) member
	produce func(ctx context.Context, at endpoint, p producerConfig, topic string, records []record) error
	read    func(ctx context.Context, at endpoint, topic string, partition int32, from start, n int) ([]record, error)
}

// endpoint is how a client reaches the broker.
type endpoint struct {
	addr string // to start from, HOST:PORT
	dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// memberConfig is one consumer of a group.
type memberConfig struct {
	name       string
	clientID   string
	group      string
	topic      string
	assignor   string
	instanceID string // empty for a dynamic member
	modern     bool   // by the consumer group protocol; the assignor is the broker's
	session    time.Duration
	heartbeat  time.Duration
	ledger     *ledger // told of assignments, revocations, records and failures
}

// member is a running consumer of a group. It never commits by itself.
type member struct {
	// commit commits offsets, by partition, and returns when the broker has them.
	commit func(ctx context.Context, offsets map[int32]int64) error
	// close leaves the group, unless the member is static, and ends the client.
	close func()
}

// producerConfig is how to produce.
type producerConfig struct {
	codec      string // none, gzip, snappy, lz4, zstd; empty means none
	idempotent bool
}

// record is a record as it is produced or read. The partition is the caller's choice.
type record struct {
	Partition int32
	Offset    int64
	Key       string
	Value     string
	Headers   [][2]string
	Time      time.Time // in milliseconds; the zero time means now
}

// start is where to read from: an offset, or the first record that is not older than time.
type start struct {
	offset int64
	time   time.Time
}

// drivers are all client libraries that the scenarios are tried with.
func drivers() []driver {
	return []driver{kgoDriver(), saramaDriver(), kafkaGoDriver(), confluentDriver()}
}

// eachDriver runs a test once with every client library, in parallel. One that cannot be tried is
// skipped with its reason; unfit, which may be nil, says what else is in the way.
func eachDriver(t *testing.T, unfit func(driver) string, run func(t *testing.T, d driver)) {
	for _, d := range drivers() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			why := d.skip
			if why == "" && unfit != nil {
				why = unfit(d)
			}
			if why != "" {
				t.Skip(why)
			}
			run(t, d)
		})
	}
}

// valueOf is the value of the record at an offset of a partition in the topics of the scenarios.
func valueOf(partition int32, offset int64) string {
	return fmt.Sprintf("%d/%d", partition, offset)
}

// wave is the records of offsets [from, to) of every partition.
func wave(partitions int32, from, to int64) []record {
	var rs []record
	for offset := from; offset < to; offset++ {
		for p := range partitions {
			rs = append(rs, record{Partition: p, Value: valueOf(p, offset)})
		}
	}
	return rs
}
