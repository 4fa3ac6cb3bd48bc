package broker

import (
	"fmt"
	"sync"
	"time"

	"klamm/partitions"
)

// upkeep is what looks after the logs of a cluster.
type upkeep struct {
	mu        sync.Mutex // held while logs are looked after; taken before the lock of a partition
	retention *lookout   // log.initial.task.delay.ms after the start, and then every log.retention.check.interval.ms
	cleaner   *lookout   // every log.cleaner.backoff.ms; nil without log.cleaner.enable
}

// begin plans no look yet.
func (u *upkeep) begin(c *Cluster, s *settings) {
	u.retention = newLookout(c.started.Add(s.duration("log.initial.task.delay.ms", time.Millisecond)),
		s.duration("log.retention.check.interval.ms", time.Millisecond), c.applyRetention)
	if s.truth("log.cleaner.enable") {
		u.cleaner = newLookout(c.started, s.duration("log.cleaner.backoff.ms", time.Millisecond), c.cleanLogs)
	}
}

// reconfigure makes changed broker configs count.
func (u *upkeep) reconfigure(s *settings) {
	if u.cleaner != nil {
		u.cleaner.setInterval(s.duration("log.cleaner.backoff.ms", time.Millisecond))
	}
}

// end ends all looks, and waits for one that is on its way.
func (u *upkeep) end() {
	u.retention.end()
	if u.cleaner != nil {
		u.cleaner.end()
	}
	u.mu.Lock()
	defer u.mu.Unlock()
}

// lookout is what looks after logs of such configs; nil: nothing does. As in Kafka the
// cleaner is also the one to delete segments of compacted topics.
func (u *upkeep) lookout(cfg *partitions.Config) *lookout {
	if cfg.Compacted {
		return u.cleaner
	}
	return u.retention
}

// watch has a look at the partition planned for when something is to be done for it, unless
// one is planned already: appends do not meet in the lock of a lookout. The caller holds p.mu.
func (p *partition) watch(now time.Time) {
	cfg := p.cfg.Load()
	by := p.upkeep.lookout(cfg)
	if by == nil || p.deleted || !p.looked.IsZero() && !p.looked.After(by.next(now, now)) {
		return // there can be none sooner
	}
	due, ok := p.log.RetentionDue(now, cfg)
	if clean, dirty := p.log.CleaningDue(now, cfg); dirty && (!ok || clean.Before(due)) {
		due, ok = clean, true
	}
	if !ok {
		return
	}
	if at := by.next(now, due); p.looked.IsZero() || at.Before(p.looked) {
		p.looked = at
		by.arm(now, at)
	}
}

// watchAnew is watch when the configs have changed: another one may look from now on.
func (p *partition) watchAnew(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.looked = time.Time{}
	p.watch(now)
}

// lookAfter lets a lookout do its work for the partitions for which a look was planned, and
// plans the next ones. What it does for one holds the lock of that one by itself.
func (c *Cluster) lookAfter(by *lookout, do func(*partition, time.Time)) {
	c.upkeep.mu.Lock()
	defer c.upkeep.mu.Unlock()
	if !by.fired() {
		return
	}
	now := time.Now()
	for _, t := range c.image.Load().list {
		for _, p := range t.partitions {
			if p.planned(by, now) {
				do(p, now)
			}
		}
	}
	c.changes.notify()
}

// planned tells whether it is time for a look at the partition; one that is still to come
// stays planned.
func (p *partition) planned(by *lookout, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.looked.IsZero() || p.upkeep.lookout(p.cfg.Load()) != by {
		return false
	}
	if p.looked.After(now) {
		by.arm(now, p.looked)
		return false
	}
	return true
}

func (c *Cluster) applyRetention() { c.lookAfter(c.upkeep.retention, (*partition).applyRetention) }

// applyRetention deletes what has expired.
func (p *partition) applyRetention(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.looked = time.Time{}
	p.log.ApplyRetention(now, p.cfg.Load())
	p.watch(now)
}

// ApplyRetention deletes at once what retention.ms and retention.bytes let go of in topics
// with delete in cleanup.policy, and the segments that DeleteRecords has emptied; in these
// topics, or in all when none is named. The error names a topic that there is not. The
// broker does the same by itself every log.retention.check.interval.ms (5 minutes), and for
// compacted topics every log.cleaner.backoff.ms (15 s). As in Kafka whole segments go, so
// that a record outlives its time as long as a later one of its segment, or its segment is
// one of those that make retention.bytes full.
func (c *Cluster) ApplyRetention(topics ...string) error {
	found, err := c.named(topics)
	if err != nil {
		return err
	}
	c.upkeep.mu.Lock()
	defer c.upkeep.mu.Unlock()
	now := time.Now()
	for _, t := range found {
		for _, p := range t.partitions {
			p.applyRetention(now)
		}
	}
	c.changes.notify()
	return nil
}

// named are the topics of these names, all when there are none.
func (c *Cluster) named(names []string) (found []*topic, err error) {
	image := c.image.Load()
	if len(names) == 0 {
		return image.list, nil
	}
	for _, name := range names {
		t := image.byName.get(name)
		if t == nil {
			return nil, fmt.Errorf("there is no topic %q", name)
		}
		found = append(found, t)
	}
	return found, nil
}
