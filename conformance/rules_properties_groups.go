package conformance

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"klamm/protocol"
)

const (
	ownedPartitions = 4 // of the topic that a group shares out
	crowd           = 3 // members at once
)

// groupProperties are what must be true of a group, whoever joins, leaves and dies.
func groupProperties() []Rule {
	return []Rule{
		must("properties.groups.one-owner", "In each generation a partition has one owner, and no commit of an earlier generation is taken after one of a later.", "KIP-62, GroupMetadataManager.validateOffsetCommit", func(c *Conversation) {
			c.seeded(9)
			c.sharedOut(9, 12, longSession, func(r *rand.Rand) lastAct { return leaves })
		}),
		{
			ID: "properties.groups.one-owner-crashes", Says: "The same is true where members vanish without a word and their sessions run out.",
			Source: "KIP-62", Severity: Timing, Timed: true, Run: func(c *Conversation) {
				c.seeded(10)
				c.sharedOut(10, 5, shortSession, func(r *rand.Rand) lastAct { return lastAct(r.IntN(2)) })
			},
		},
		must("properties.offsets.resume", "Who takes over a partition reads on exactly where the last commit stands, and at the end all has been read.", "OffsetMetadataManager", func(c *Conversation) {
			c.resumed(11)
		}),
	}
}

// lastAct is how a member ends a life in the group.
type lastAct int

const (
	leaves lastAct = iota
	vanishes
)

// owning is a commit that was taken, between two moments on the clock of the whole crowd.
type owning struct {
	generation  int32
	member      string
	partition   int32
	sent, known time.Time
}

// claim is what a member was assigned in a generation.
type claim struct {
	generation int32
	member     string
	partitions []int32
}

// sharedOut lets members share a topic out, each for so many commits, and holds what
// they owned and committed to the property.
func (c *Conversation) sharedOut(seed uint64, turns int, sessionMs int32, act func(r *rand.Rand) lastAct) {
	t, g := c.Topic("orders", ownedPartitions), c.Group("readers")
	histories := make([]history, crowd)
	crew := make([]func(w *Conversation), crowd)
	for i := range crew {
		r := rand.New(rand.NewPCG(seed, uint64(i)+1))
		crew[i] = func(w *Conversation) {
			m := member{w: w, topic: t, group: g, session: sessionMs, history: &histories[i]}
			for m.committed < turns {
				m.live(1+r.IntN(4), act(r))
			}
		}
	}
	c.together(crew...)
	var claims []claim
	var commits []owning
	for _, h := range histories {
		claims, commits = append(claims, h.claims...), append(commits, h.commits...)
	}
	c.holds(fmt.Sprintf("%d members never own a partition together", crowd), shared(claims, commits))
	c.holds("commits are taken from one generation after the other", backwards(commits))
}

type history struct {
	claims  []claim
	commits []owning
}

// member is one of the crowd: it joins, commits what it owns, and leaves or vanishes.
type member struct {
	w         *Conversation
	topic     Topic
	group     string
	session   int32
	committed int // so far, of all its lives
	*history

	a          *Conn
	id         string
	generation int32
	before     int32 // the generation that a late commit will name; 0 for none
	owned      []int32
}

// live is one life: so many commits, with every rebalance on the way.
func (m *member) live(commits int, act lastAct) {
	m.a, m.id = m.w.fresh("member"), ""
	for steps := 0; commits > 0 && steps < enough; steps++ {
		if m.owned == nil && !m.join() {
			continue
		}
		if code := m.beat(); code != protocol.None {
			m.owned = nil
			m.lost(code)
			continue
		}
		if m.commit() {
			commits--
			m.committed++
		}
		m.w.pause(2 * time.Millisecond)
	}
	m.owned = nil
	if act == leaves {
		leaveNow(m.a, leave(5, m.group, m.id))
	}
	m.a.drop()
}

// lost forgets the id of a member that the group does not know any more.
func (m *member) lost(code protocol.ErrorCode) {
	if code == protocol.UnknownMemberId {
		m.id = ""
	}
}

// join takes part in a rebalance; false means that it has to be tried again.
func (m *member) join() bool {
	req := join(9, m.group, m.id)
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = m.session, m.session
	joined := joinNow(m.a, req)
	code := protocol.ErrorCode(joined.ErrorCode)
	if code == protocol.MemberIdRequired {
		m.id = joined.MemberID
		return false
	}
	if code != protocol.None {
		m.lost(code)
		return false
	}
	m.id, m.before, m.generation = joined.MemberID, m.generation, joined.Generation
	var shares []string
	for i, who := range joined.Members {
		var share []byte
		for p := i; p < ownedPartitions; p += len(joined.Members) {
			share = append(share, byte(p))
		}
		shares = append(shares, who.MemberID, string(share))
	}
	synced := syncNow(m.a, sync(5, m.group, m.id, m.generation, shares...))
	if code := protocol.ErrorCode(synced.ErrorCode); code != protocol.None {
		m.lost(code)
		return false
	}
	m.owned = []int32{}
	for _, p := range synced.MemberAssignment {
		m.owned = append(m.owned, int32(p))
	}
	m.claims = append(m.claims, claim{m.generation, m.id, m.owned})
	return true
}

func (m *member) beat() protocol.ErrorCode {
	return protocol.ErrorCode(beat(m.a, m.group, m.id, m.generation).ErrorCode)
}

// commit commits all that the member owns; false means that it owns nothing any more.
func (m *member) commit() bool {
	if len(m.owned) == 0 {
		return true // a member too many: it has done its part
	}
	if code := m.commitIn(m.generation); code != protocol.None {
		m.owned = nil
		m.lost(code)
		return false
	}
	if m.before > 0 {
		m.commitIn(m.before) // comes late, and is not to be taken
		m.before = 0
	}
	return true
}

// commitIn commits in the name of a generation, and notes what is taken.
func (m *member) commitIn(generation int32) protocol.ErrorCode {
	req := commit(8, m.group, m.topic, m.owned[0], int64(generation))
	req.MemberID, req.Generation = m.id, generation
	one := req.Topics[0].Partitions[0]
	for _, p := range m.owned[1:] {
		one.Partition = p
		req.Topics[0].Partitions = append(req.Topics[0].Partitions, one)
	}
	sent := time.Now()
	resp := commitNow(m.a, req)
	known := time.Now()
	for _, p := range resp.Topics[0].Partitions {
		if p.ErrorCode != 0 {
			return protocol.ErrorCode(p.ErrorCode)
		}
		m.commits = append(m.commits, owning{generation, m.id, p.Partition, sent, known})
	}
	return protocol.None
}

// shared looks for two owners of a partition in one generation, by what they were
// assigned and by whose commits were taken.
func shared(claims []claim, commits []owning) string {
	type place struct {
		generation, partition int32
	}
	owner := map[place]string{}
	own := func(at place, member string) string {
		if before, ok := owner[at]; ok && before != member {
			return fmt.Sprintf("partition %d has the owners %s and %s in generation %d", at.partition, before, member, at.generation)
		}
		owner[at] = member
		return ""
	}
	for _, c := range claims {
		for _, p := range c.partitions {
			if witness := own(place{c.generation, p}, c.member); witness != "" {
				return witness
			}
		}
	}
	for _, c := range commits {
		if witness := own(place{c.generation, c.partition}, c.member); witness != "" {
			return witness
		}
	}
	return ""
}

// backwards looks for a commit that was taken although one of a later generation was
// known before it was sent.
func backwards(commits []owning) string {
	for _, late := range commits {
		for _, early := range commits {
			if late.known.Before(early.sent) && late.partition == early.partition && late.generation > early.generation {
				return fmt.Sprintf("partition %d: %s commits in generation %d after %s in generation %d",
					late.partition, early.member, early.generation, late.member, late.generation)
			}
		}
	}
	return ""
}

// resumed reads a topic in many lives, each of which begins where the last one has
// committed, and ends somewhere behind its own last commit.
func (c *Conversation) resumed(seed uint64) {
	const records, perLife = 120, 30
	r, t, g := c.seeded(seed), c.Topic("orders", 1), c.Group("readers")
	writeSingly(c.fresh("writer"), t, 0, records)
	read, witness := map[int64]string{}, ""
	last := int64(0) // the commit that stands
	for lives := 0; last < records && lives < records && witness == ""; lives++ {
		a := c.fresh("reader")
		m := single(a, g)
		from := committedNow(a, committed(7, g, t, 0)).Topics[0].Partitions[0].Offset
		if from = max(from, 0); from != last {
			witness = fmt.Sprintf("life %d begins at %d, committed was %d", lives+1, from, last)
		}
		got := readAll(a, t, 0, from)
		if len(got) > 0 && got[0].offset != from {
			witness = fmt.Sprintf("life %d reads %d first, asked for was %d", lives+1, got[0].offset, from)
		}
		got = got[:min(len(got), 1+r.IntN(perLife))]
		for _, one := range got {
			read[one.offset] = one.value
		}
		if done := r.IntN(len(got) + 1); done > 0 { // the rest is read and not committed
			last = got[done-1].offset + 1
			memberCommit(a, g, m, generationOf(a, g, m), t, last)
		}
		leaveNow(a, leave(5, g, m))
		a.drop()
	}
	c.holds("each life reads on at the commit of the one before it", witness)
	want := numbered("w0", 0, records)
	missing := ""
	for i, v := range want {
		if read[int64(i)] != v {
			missing = fmt.Sprintf("offset %d: %q was read, written was %q", i, read[int64(i)], v)
		}
	}
	if len(read) != len(want) {
		missing = fmt.Sprintf("%d records are read, the last at %d", len(read), slices.Max(slices.Collect(maps.Keys(read))))
	}
	c.holds(fmt.Sprintf("%d records are read in the end", records), missing)
}

// generationOf is the generation of a stable group, as its only member is told again.
func generationOf(a *Conn, group, member string) int32 {
	resp := joinNow(a, join(9, group, member))
	syncNow(a, sync(5, group, member, resp.Generation, member, "all"))
	return resp.Generation
}
