package txncoord

import "time"

// Deadline is when the owner must Step(now, Tick{}); the zero time means never. Both a
// transaction that is open too long and a transactional id that is not used are found by
// checks that Kafka makes from time to time.
func (t *Transaction) Deadline() time.Time {
	switch {
	case !t.known || t.is.state.preparing():
		return time.Time{}
	case t.is.state == Ongoing:
		// Kafka compares with less than, so that the millisecond itself is not late.
		return t.onGrid(time.UnixMilli(t.is.startMs+int64(t.is.timeoutMs)+1), t.cfg.AbortInterval)
	case t.cfg.Expiration <= 0:
		return time.Time{}
	}
	return t.onGrid(time.UnixMilli(t.is.updateMs).Add(t.cfg.Expiration), t.cfg.ExpiryInterval)
}

// onGrid is the first check at that time or later; the zero time when there are none.
func (t *Transaction) onGrid(at time.Time, interval time.Duration) time.Time {
	if interval <= 0 {
		return time.Time{}
	}
	steps := max(1, (at.Sub(t.cfg.Began)+interval-1)/interval)
	return t.cfg.Began.Add(steps * interval)
}

// tick aborts a transaction that is open too long and forgets a transactional id that
// was not used for long enough, if it is time.
func (t *Transaction) tick(now time.Time, e Tick) []Effect {
	deadline := t.Deadline()
	switch {
	case deadline.IsZero() || now.Before(deadline):
		return nil
	case t.is.state == Ongoing:
		return t.fence(now, e.Fresh)
	}
	return []Effect{Append{Record: Record{Key: t.key()}}}
}
