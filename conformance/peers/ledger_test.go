package peers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
)

// ledger writes down what the members of one group say about themselves, and
// holds it against the promises of a consumer group:
//
//   - a partition has one owner at a time: whoever had it gives it up first;
//   - who gets a partition reads on from the committed offset;
//   - records come from owned partitions only, without a gap and in order.
//
// It sees one topic whose records hold their own partition and offset, see [valueOf].
type ledger struct {
	group, topic string

	mu        sync.Mutex
	changed   chan struct{}    // closed and replaced at every entry
	owner     map[int32]string // members own partitions
	next      []int64          // offset that the owner of a partition reads next
	committed []int64          // what the group committed, by partition
	reads     [][]int          // how often each offset was read, by partition
	gone      map[string]bool  // members that crashed: nobody hears them any more
	fenced    map[string]bool  // members whose place another one took
	failed    map[string]error // what members failed with
	moves     []move           // every assignment and revocation, in order
	log       []string         // everything but single records, for messages
	broken    []string         // promises that were not kept
}

// move is one change of owner as a member told it.
type move struct {
	member     string
	assigned   bool // else revoked
	partitions []int32
}

func newLedger(group, topic string, partitions int) *ledger {
	return &ledger{
		group: group, topic: topic,
		changed:   make(chan struct{}),
		owner:     map[int32]string{},
		next:      make([]int64, partitions),
		committed: make([]int64, partitions),
		reads:     make([][]int, partitions),
		gone:      map[string]bool{},
		fenced:    map[string]bool{},
		failed:    map[string]error{},
	}
}

// enter makes one entry under the lock and wakes who waits.
func (l *ledger) enter(member string, entry func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone[member] {
		return
	}
	entry()
	close(l.changed)
	l.changed = make(chan struct{})
}

// tell makes an entry about partitions, unless the member has none any more.
func (l *ledger) tell(member string, entry func()) {
	l.enter(member, func() {
		if !l.fenced[member] {
			entry()
		}
	})
}

func (l *ledger) note(format string, args ...any) {
	l.log = append(l.log, fmt.Sprintf(format, args...))
}

func (l *ledger) breach(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	l.broken = append(l.broken, text)
	l.note("BROKEN: %s", text)
}

// assigned enters that member got partitions.
func (l *ledger) assigned(member string, partitions []int32) {
	l.tell(member, func() {
		l.note("%s assigned %v", member, partitions)
		l.moves = append(l.moves, move{member, true, slices.Clone(partitions)})
		for _, p := range partitions {
			if has, ok := l.owner[p]; ok {
				l.breach("partition %d assigned to %s while %s owns it", p, member, has)
			}
			l.owner[p] = member
			l.next[p] = l.committed[p]
		}
	})
}

// revoked enters that member gave partitions up, or lost them.
func (l *ledger) revoked(member string, partitions []int32) {
	l.tell(member, func() {
		l.note("%s revoked %v", member, partitions)
		l.moves = append(l.moves, move{member, false, slices.Clone(partitions)})
		for _, p := range partitions {
			if has := l.owner[p]; has != member {
				l.breach("partition %d revoked from %s, but its owner is %q", p, member, has)
				continue
			}
			delete(l.owner, p)
		}
	})
}

// record enters that member read the record at offset of partition.
func (l *ledger) record(member string, partition int32, offset int64, value string) {
	l.tell(member, func() {
		if has := l.owner[partition]; has != member {
			l.breach("%s read offset %d of partition %d, whose owner is %q", member, offset, partition, has)
		}
		if want := l.next[partition]; offset != want {
			l.breach("%s read offset %d of partition %d, next was %d", member, offset, partition, want)
		}
		if want := valueOf(partition, offset); value != want {
			l.breach("%s read %q, want %q", member, value, want)
		}
		l.next[partition] = offset + 1
		for int64(len(l.reads[partition])) <= offset {
			l.reads[partition] = append(l.reads[partition], 0)
		}
		l.reads[partition][offset]++
	})
}

// fail enters an error that a member cannot get over by itself.
func (l *ledger) fail(member string, err error) {
	l.enter(member, func() {
		l.note("%s failed: %v", member, err)
		l.failed[member] = err
	})
}

// commit enters that offsets were committed for the group.
func (l *ledger) commit(member string, offsets map[int32]int64) {
	l.enter(member, func() {
		l.note("%s committed %v", member, offsets)
		for p, offset := range offsets {
			l.committed[p] = offset
		}
	})
}

// forget enters that member crashed: what it owned is free, what it still says is not heard.
func (l *ledger) forget(member string) {
	l.enter(member, func() {
		l.note("%s crashed", member)
		l.gone[member] = true
		maps.DeleteFunc(l.owner, func(_ int32, m string) bool { return m == member })
	})
}

// renounce enters that member will be fenced: another one takes its place, and what it
// says about partitions is not heard any more, only how it fails.
func (l *ledger) renounce(member string) {
	l.enter(member, func() {
		l.note("%s is to be fenced", member)
		l.fenced[member] = true
		maps.DeleteFunc(l.owner, func(_ int32, m string) bool { return m == member })
	})
}

// back hears a member again that was forgotten, or started anew under its old name.
func (l *ledger) back(member string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.gone, member)
	delete(l.fenced, member)
	delete(l.failed, member)
	l.note("%s starts", member)
}

// wait returns when holds says so. It fails the test, with all that the ledger
// knows, when a promise is broken or ctx ends.
func (l *ledger) wait(ctx context.Context, t *testing.T, what string, holds func(*ledger) bool) {
	t.Helper()
	for {
		l.mu.Lock()
		ok, broken, changed := holds(l), len(l.broken) > 0, l.changed
		l.mu.Unlock()
		if broken {
			t.Fatalf("waiting for %s: a promise is broken\n%s", what, l)
		}
		if ok {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s: %v\n%s", what, context.Cause(ctx), l)
		}
	}
}

// String is everything that the ledger knows, for the message of a failed test.
func (l *ledger) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "group %s, topic %s\n", l.group, l.topic)
	for p := range l.next {
		fmt.Fprintf(&b, "  partition %d: owner %q, next %d, committed %d, distinct records read %d\n",
			p, l.owner[int32(p)], l.next[p], l.committed[p], len(l.reads[p]))
	}
	for _, line := range l.log {
		fmt.Fprintf(&b, "  %s\n", line)
	}
	return b.String()
}

// owned is how many partitions each member owns. Call it from a wait's condition.
func (l *ledger) owned() map[string]int {
	n := map[string]int{}
	for _, m := range l.owner {
		n[m]++
	}
	return n
}

// balanced is the condition that every partition is owned and that the members'
// shares, from the largest down, are these.
func balanced(shares ...int) func(*ledger) bool {
	return func(l *ledger) bool {
		n := slices.Sorted(maps.Values(l.owned()))
		slices.Reverse(n)
		return slices.Equal(n, shares) && len(l.owner) == len(l.next)
	}
}

// readTo is the condition that every partition was read up to offset.
func readTo(offset int64) func(*ledger) bool {
	return func(l *ledger) bool {
		return !slices.ContainsFunc(l.next, func(n int64) bool { return n != offset })
	}
}

// partitionsOf are the partitions that member owns now, in order.
func (l *ledger) partitionsOf(member string) []int32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	var ps []int32
	for p, m := range l.owner {
		if m == member {
			ps = append(ps, p)
		}
	}
	slices.Sort(ps)
	return ps
}

// movesSoFar are all assignments and revocations until now.
func (l *ledger) movesSoFar() []move {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.moves)
}

// checkReads fails the test unless every offset below end was read exactly once,
// and those in twice (partition → first and end offset) exactly two times, and no
// promise is broken.
func (l *ledger) checkReads(t *testing.T, end int64, twice map[int32][2]int64) {
	t.Helper()
	l.mu.Lock()
	var wrong []error
	for _, text := range l.broken {
		wrong = append(wrong, errors.New(text))
	}
	for p, reads := range l.reads {
		if int64(len(reads)) != end {
			wrong = append(wrong, fmt.Errorf("partition %d: read up to offset %d, want %d", p, len(reads), end))
		}
		again := twice[int32(p)]
		for offset, n := range reads {
			want := 1
			if int64(offset) >= again[0] && int64(offset) < again[1] {
				want = 2
			}
			if n != want {
				wrong = append(wrong, fmt.Errorf("partition %d: offset %d read %d times, want %d", p, offset, n, want))
			}
		}
	}
	l.mu.Unlock()
	if err := errors.Join(wrong...); err != nil {
		t.Fatalf("%v\n%s", err, l)
	}
}
