package kafkatest

import (
	"bytes"
	"log/slog"
	"sync"
)

// logLimit is how many bytes of log a test keeps; what is older is dropped.
const logLimit = 64 << 10

// testLog keeps what the broker logs until it is known whether the test fails.
type testLog struct {
	mu      sync.Mutex
	text    []byte
	dropped bool
}

func newTestLog() *testLog { return new(testLog) }

// logger logs into l. Times are left out: those of a test's log are the reader's
// least concern, and in a bubble they are made up.
func (l *testLog) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey && len(groups) == 0 {
				return slog.Attr{}
			}
			return a
		},
	}))
}

// Write takes one line.
func (l *testLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, line...)
	if over := len(l.text) - logLimit; over > 0 {
		l.dropped = true
		if end := bytes.IndexByte(l.text[over:], '\n'); end >= 0 {
			over += end + 1
		}
		l.text = append(l.text[:0], l.text[over:]...)
	}
	return len(line), nil
}

// String is what was logged last.
func (l *testLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dropped {
		return "...\n" + string(l.text)
	}
	return string(l.text)
}
