package broker

import (
	"fmt"
	"time"

	"klamm/partitions"
)

// cleanLogs is a look of the cleaner: it compacts what is dirty enough, and deletes what
// has expired in topics that are compacted and delete (LogCleaner.CleanerThread).
func (c *Cluster) cleanLogs() { c.lookAfter(c.upkeep.cleaner, (*partition).cleanDue) }

// cleanDue compacts the log if it is dirty enough, and then deletes what has expired. What
// happened to a log that waits for a look, such as appends, does not matter to the look.
func (p *partition) cleanDue(now time.Time) {
	p.mu.Lock()
	cfg := p.cfg.Load()
	p.expireProducers(now)
	var round *partitions.Cleaning
	if due, ok := p.log.CleaningDue(now, cfg); ok && !due.After(now) {
		round = p.log.BeginCleaning(now, cfg)
	}
	p.mu.Unlock()
	p.finish(round)
	p.applyRetention(now)
}

// cleanNow compacts all of the log up to the last stable offset.
func (p *partition) cleanNow(now time.Time) {
	p.mu.Lock()
	p.expireProducers(now)
	p.log.Roll(now)
	round := p.log.BeginCleaning(now, p.cfg.Load())
	p.mu.Unlock()
	p.finish(round)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watch(now)
}

// finish does the work of a cleaning, for which nobody has to wait: the lock is taken only
// to put what it made in place. nil is one that has nothing to do.
func (p *partition) finish(round *partitions.Cleaning) {
	if round == nil {
		return
	}
	round.Run()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.deleted {
		p.log.FinishCleaning(round)
	}
}

// Compact compacts a topic at once, with all of its records that are below the last stable
// offset: it begins new segments and does not wait until min.cleanable.dirty.ratio of a
// partition is dirty, as the broker does, which looks every log.cleaner.backoff.ms (15 s)
// and leaves active segments alone. Whatever else is configured counts as ever: records stay
// for min.compaction.lag.ms, and tombstones for delete.retention.ms from the first cleaning
// on that meets them, so that it takes two to see one go. The error tells that there is no
// such topic, or that its cleanup.policy has no compact.
func (c *Cluster) Compact(topic string) error {
	found, err := c.named([]string{topic})
	if err != nil {
		return err
	}
	c.upkeep.mu.Lock()
	defer c.upkeep.mu.Unlock()
	now := time.Now()
	for _, p := range found[0].partitions {
		if !p.cfg.Load().Compacted {
			policy := c.settings.Load().topicValue(found[0].configs, "cleanup.policy")
			return fmt.Errorf("topic %q is not compacted: its cleanup.policy is %q", topic, policy)
		}
		p.cleanNow(now)
	}
	c.changes.notify()
	return nil
}
