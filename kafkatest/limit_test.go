package kafkatest

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// timed is a test with a deadline.
type timed struct {
	testing.TB
	deadline func() (time.Time, bool)
}

func (t timed) Deadline() (time.Time, bool) { return t.deadline() }

// untimed is a test that cannot have one, as a benchmark cannot.
type untimed struct{ testing.TB }

func TestLimitOfWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := func(d time.Duration) testing.TB {
			return timed{t, func() (time.Time, bool) { return time.Now().Add(d), true }}
		}
		for _, tc := range []struct {
			name    string
			t       testing.TB
			timeout time.Duration
			want    time.Duration
		}{
			{"no deadline possible", untimed{t}, 0, 30 * time.Second},
			{"no deadline", timed{t, func() (time.Time, bool) { return time.Time{}, false }}, 0, 30 * time.Second},
			{"far deadline", in(10 * time.Minute), 0, 30 * time.Second},
			{"near deadline", in(10 * time.Second), 0, 9 * time.Second},
			{"no time left", in(time.Millisecond), 0, 0},
			{"bubble", t, 0, 10 * time.Minute},
			{"bubble with timeout", t, time.Second, time.Second},
			{"near deadline with timeout", in(10 * time.Second), time.Minute, time.Minute},
		} {
			c := Cluster{t: tc.t}
			if got := c.Within(tc.timeout).limit(); got != tc.want {
				t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
			}
		}
	})
}

func TestLogKeepsTheLastLines(t *testing.T) {
	log := newTestLog()
	log.logger().Info("first")
	if got := log.String(); got != "level=INFO msg=first\n" {
		t.Errorf("log %q", got)
	}
	for i := range 10_000 {
		log.logger().Debug(fmt.Sprint("line ", i))
	}
	got := log.String()
	if !strings.HasPrefix(got, "...\nlevel=DEBUG msg=") || !strings.HasSuffix(got, "msg=\"line 9999\"\n") || len(got) > logLimit+10 {
		t.Errorf("log of %d bytes, from %.60q", len(got), got)
	}
}
