package conformance

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"klamm/protocol"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const propertySource = "Jepsen's Kafka workload; the guarantees of Kafka's design"

const (
	writers       = 4  // producers at once
	writerBatches = 25 // of each of them
)

// logProperties are what must be true of records, whoever writes them at the same time.
func logProperties() []Rule {
	return []Rule{
		must("properties.log.no-lost-record", "Every record that was acknowledged is read, at the offset that the producer was told.", propertySource, func(c *Conversation) {
			done, read := c.concurrentWrites(1, 2)
			c.holds(fmt.Sprintf("each of %d acknowledged batches is read where it was acknowledged", len(done)), lost(done, read))
		}),
		must("properties.log.no-gap", "The offsets that are read are one row without a gap, and no record is there twice.", propertySource, func(c *Conversation) {
			_, read := c.concurrentWrites(2, 2)
			c.holds("the offsets of 2 partitions are one row each", gap(read))
			c.holds("each value is read once", twice(read))
		}),
		must("properties.log.order", "The records of a producer in a partition are read in the order in which they were written.", propertySource, func(c *Conversation) {
			done, read := c.concurrentWrites(3, 2)
			c.holds(fmt.Sprintf("%d producers are read in order", writers), disorder(done, read))
		}),
		must("properties.log.dense-offsets", "The offsets that concurrent producers are told share out the log without a gap or an overlap.", propertySource, func(c *Conversation) {
			done, read := c.concurrentWrites(4, 1)
			c.holds(fmt.Sprintf("%d batches share out the log", len(done)), overlap(done, int64(len(read[0]))))
		}),
		must("properties.log.no-duplicate", "With an idempotent producer a batch that is sent again, over any connection, is there once and in order.", "KIP-98", func(c *Conversation) {
			sent, read := c.retriedWrites(5)
			c.holds(fmt.Sprintf("%d records are there once and in order", len(sent)), another(sent, read))
		}),
		must("properties.log.read-your-writes", "What was acknowledged, at each level of acks, is read at once over another connection.", propertySource, func(c *Conversation) {
			c.holds("60 batches are read as soon as they are acknowledged", c.unreadWrite(6, 60))
		}),
		must("properties.fetch.sessions", "A fetch session gives the same records as plain fetches, whatever is written meanwhile.", "KIP-227", sessionsAgree),
		must("properties.offsets.by-time", "ListOffsets finds by a time, and for the latest time of all, what the records say that are read.", "KIP-79, KIP-734", func(c *Conversation) {
			c.holds("60 times and the latest of all are found where they are read", c.misplacedTime(8, 60))
		}),
	}
}

// concurrentWrites lets producers write at the same time and returns what they were
// acknowledged, and all that is read afterwards, by partition.
func (c *Conversation) concurrentWrites(seed uint64, partitions int32) (done []written, read map[int32][]logged) {
	c.seeded(seed)
	t := c.Topic("orders", partitions)
	acked := make([][]written, writers)
	var crew []func(w *Conversation)
	for i := range writers {
		r := rand.New(rand.NewPCG(seed, uint64(i)+1))
		crew = append(crew, func(w *Conversation) {
			a, next := w.fresh("writer"), 0
			for range writerBatches {
				vs := numbered(fmt.Sprintf("w%d", i), next, 1+r.IntN(5))
				next += len(vs)
				one, code := write(a, int16(1-2*r.IntN(2)), t, r.Int32N(partitions), batchOf(vs...), vs)
				if code != protocol.None {
					w.say("a batch is answered %s", code.Name())
					return
				}
				acked[i] = append(acked[i], one)
			}
		})
	}
	c.together(crew...)
	read = map[int32][]logged{}
	for p := range partitions {
		read[p] = readAll(c.fresh("reader"), t, p, 0)
	}
	return slices.Concat(acked...), read
}

func lost(done []written, read map[int32][]logged) string {
	at := map[int32]map[int64]string{}
	for p, records := range read {
		at[p] = map[int64]string{}
		for _, r := range records {
			at[p][r.offset] = r.value
		}
	}
	for _, d := range done {
		for i, v := range d.values {
			if got, ok := at[d.partition][d.base+int64(i)]; got != v {
				return fmt.Sprintf("%q was acknowledged at offset %d of partition %d, where %q is read (%v)", v, d.base+int64(i), d.partition, got, ok)
			}
		}
	}
	return ""
}

func gap(read map[int32][]logged) string {
	for _, p := range slices.Sorted(maps.Keys(read)) {
		for i, r := range read[p] {
			if r.offset != int64(i) {
				return fmt.Sprintf("record %d of partition %d has the offset %d", i, p, r.offset)
			}
		}
	}
	return ""
}

func twice(read map[int32][]logged) string {
	seen := map[string]int64{}
	for _, p := range slices.Sorted(maps.Keys(read)) {
		for _, r := range read[p] {
			if before, ok := seen[r.value]; ok {
				return fmt.Sprintf("%q is read at offset %d and again at %d (partition %d)", r.value, before, r.offset, p)
			}
			seen[r.value] = r.offset
		}
	}
	return ""
}

// disorder looks for a producer's records that are read otherwise than written: each
// producer waited for one batch before it sent the next.
func disorder(done []written, read map[int32][]logged) string {
	for _, p := range slices.Sorted(maps.Keys(read)) {
		last := map[string]int{}
		for _, r := range read[p] {
			var writer string
			var n int
			if _, err := fmt.Sscanf(r.value, "w%1s-%d", &writer, &n); err != nil {
				return fmt.Sprintf("%q was never written", r.value)
			}
			if before, ok := last[writer]; ok && n <= before {
				return fmt.Sprintf("%q is read after number %d of the same producer (partition %d, offset %d)", r.value, before, p, r.offset)
			}
			last[writer] = n
		}
	}
	return lost(done, read)
}

func overlap(done []written, end int64) string {
	slices.SortFunc(done, func(a, b written) int { return cmp.Compare(a.base, b.base) })
	next := int64(0)
	for _, d := range done {
		if d.base != next {
			return fmt.Sprintf("the batch %q begins at %d, the one before it ends at %d", d.values, d.base, next)
		}
		next += int64(len(d.values))
	}
	if next != end {
		return fmt.Sprintf("the batches end at %d, the log at %d", next, end)
	}
	return ""
}

// retriedWrites sends each batch of an idempotent producer up to three times, over new
// connections, of which some end before the answer.
func (c *Conversation) retriedWrites(seed uint64) (sent []string, read []logged) {
	r, t := c.seeded(seed), c.Topic("orders", 1)
	c.together(func(w *Conversation) {
		pid := newProducer(w.fresh("producer"))
		for range 60 {
			vs := numbered("w0", len(sent), 1+r.IntN(4))
			batch := idempotent(pid, 0, int32(len(sent)), vs...)
			for range min(r.IntN(3), 2*len(sent)) { // the first batch alone: it makes the producer known
				a := w.fresh("producer")
				a.Send(produce(9, -1, t, 0, batch))
				if r.IntN(2) == 0 {
					a.drop() // its answer will never be known
				}
			}
			if _, code := write(w.fresh("producer"), -1, t, 0, batch, vs); code != protocol.None {
				w.say("%q is answered %s", vs, code.Name())
				return
			}
			sent = append(sent, vs...)
		}
	})
	return sent, readAll(c.fresh("reader"), t, 0, 0)
}

func another(sent []string, read []logged) string {
	for i, v := range sent {
		switch {
		case i >= len(read):
			return fmt.Sprintf("%q is not read: the log ends at %d", v, len(read))
		case read[i].value != v || read[i].offset != int64(i):
			return fmt.Sprintf("%q is read at offset %d, and %q was to be at %d", read[i].value, read[i].offset, v, i)
		}
	}
	if len(read) > len(sent) {
		return fmt.Sprintf("%q is read after the last", read[len(sent)].value)
	}
	return ""
}

// unreadWrite writes with each level of acks and looks at once for what was written.
func (c *Conversation) unreadWrite(seed uint64, batches int) (witness string) {
	r, t := c.seeded(seed), c.Topic("orders", 1)
	a, b, next := c.fresh("writer"), c.fresh("reader"), int64(0)
	for n := range batches {
		vs := numbered("w0", n*10, 1+r.IntN(3))
		acks := int16(r.IntN(3) - 1)
		if acks != 0 {
			if _, code := write(a, acks, t, 0, batchOf(vs...), vs); code != protocol.None {
				return fmt.Sprintf("acks=%d: %s", acks, code.Name())
			}
		} else {
			a.Send(produce(9, 0, t, 0, batchOf(vs...))).NoAnswer()
			ask[*kmsg.ApiVersionsResponse](a, apiVersions(0, "", "")) // answered after it on this connection
		}
		got := recordsOf(get(b, fetch(12, t, 0, next)).Topics[0].Partitions[0].RecordBatches)
		if len(got) != len(vs) || got[0].offset != next || got[0].value != vs[0] {
			return fmt.Sprintf("acks=%d: %q were written at offset %d, and %d records are read there", acks, vs, next, len(got))
		}
		next += int64(len(vs))
	}
	return ""
}

// sessionsAgree reads with and without a session while producers write.
func sessionsAgree(c *Conversation) {
	c.seeded(7)
	t := c.Topic("orders", 2)
	const each = 40
	total := 2 * each
	var inSession, plain map[int32][]logged
	c.together(
		func(w *Conversation) { writeSingly(w.fresh("writer"), t, 0, each) },
		func(w *Conversation) { writeSingly(w.fresh("writer"), t, 1, each) },
		func(w *Conversation) { inSession = readInSession(w.fresh("session"), t, total) },
		func(w *Conversation) { plain = readPlainly(w.fresh("plain"), t, total) },
	)
	c.holds(fmt.Sprintf("%d records are read in a session, in one row", total), cmp.Or(gap(inSession), fewer(inSession, total)))
	witness := fewer(plain, total)
	for p := range int32(2) {
		for i := range min(len(plain[p]), len(inSession[p])) {
			if plain[p][i] != inSession[p][i] {
				witness = fmt.Sprintf("partition %d: %v without a session, %v in one", p, plain[p][i], inSession[p][i])
			}
		}
	}
	c.holds("they are the same without a session", witness)
}

func writeSingly(a *Conn, t Topic, partition int32, n int) {
	for _, v := range numbered(fmt.Sprintf("w%d", partition), 0, n) {
		write(a, -1, t, partition, batchOf(v), nil)
	}
}

func fewer(read map[int32][]logged, total int) string {
	n := 0
	for _, records := range read {
		n += len(records)
	}
	if n != total {
		return fmt.Sprintf("%d records are read", n)
	}
	return ""
}

// enough bounds how often a reader asks that waits for what others write.
const enough = 2_000

func readInSession(a *Conn, t Topic, total int) map[int32][]logged {
	read := map[int32][]logged{}
	req := fetch(12, t, 0, 0)
	req.SessionEpoch, req.MaxWaitMillis, req.MinBytes = 0, 50, 1
	req.Topics[0].Partitions = append(req.Topics[0].Partitions, fetchPartition(1, 0))
	for tries := 0; tries < enough && len(read[0])+len(read[1]) < total; tries++ {
		resp := get(a, req)
		req.SessionID, req.SessionEpoch, req.Topics = resp.SessionID, req.SessionEpoch+1, nil
		for _, rt := range resp.Topics {
			for _, p := range rt.Partitions {
				if got := take(read, p); got != nil { // tell where to go on
					req.Topics = append(req.Topics, fetchTopic(t, p.Partition, got.offset+1))
				}
			}
		}
	}
	return read
}

func readPlainly(a *Conn, t Topic, total int) map[int32][]logged {
	read := map[int32][]logged{}
	for tries := 0; tries < enough && len(read[0])+len(read[1]) < total; tries++ {
		req := fetch(12, t, 0, int64(len(read[0])))
		req.MaxWaitMillis, req.MinBytes = 50, 1
		req.Topics[0].Partitions = append(req.Topics[0].Partitions, fetchPartition(1, int64(len(read[1]))))
		for _, p := range get(a, req).Topics[0].Partitions {
			take(read, p)
		}
	}
	return read
}

// take adds what a partition was answered with; it returns the last record of it.
func take(read map[int32][]logged, p kmsg.FetchResponseTopicPartition) *logged {
	next := int64(len(read[p.Partition]))
	got := slices.DeleteFunc(recordsOf(p.RecordBatches), func(r logged) bool { return r.offset < next })
	if len(got) == 0 {
		return nil
	}
	read[p.Partition] = append(read[p.Partition], got...)
	return &got[len(got)-1]
}

// misplacedTime writes records of scattered times and looks for a time that is found
// elsewhere than the records say.
func (c *Conversation) misplacedTime(seed uint64, times int) string {
	r, t := c.seeded(seed), c.Topic("orders", 1)
	a, spread := c.fresh("writer"), r.Perm(1_000)
	for i := 0; i < 90; i += 3 {
		rs := values(numbered("w0", i, 3)...)
		for j := range rs {
			rs[j].TimestampDelta64 = int64(10 * spread[i+j])
		}
		put(a, t, 0, seal(newBatch(), codecNone, rs...))
	}
	read := readAll(a, t, 0, 0)
	latest := slices.MaxFunc(read, func(a, b logged) int { return cmp.Compare(a.timestamp, b.timestamp) })
	at := ask[*kmsg.ListOffsetsResponse](a, listOffsets(7, t.Name, 0, -3)).Topics[0].Partitions[0]
	if at.Offset != latest.offset || at.Timestamp != latest.timestamp {
		return fmt.Sprintf("the latest record is %v, found is offset %d of time %d", latest, at.Offset, at.Timestamp)
	}
	for range times {
		after := int64(baseTime) + int64(r.IntN(10_500))
		want := logged{offset: -1, timestamp: -1}
		if i := slices.IndexFunc(read, func(r logged) bool { return r.timestamp >= after }); i >= 0 {
			want = read[i]
		}
		at := ask[*kmsg.ListOffsetsResponse](a, listOffsets(7, t.Name, 0, after)).Topics[0].Partitions[0]
		if at.Offset != want.offset || at.Timestamp != want.timestamp {
			return fmt.Sprintf("the first record of time %d or later is %v, found is offset %d of time %d", after, want, at.Offset, at.Timestamp)
		}
	}
	return ""
}
