package partitions

import (
	"fmt"

	"klamm/protocol"
)

// epochStart is the first offset of a leader epoch.
type epochStart struct {
	epoch int32
	start int64
}

// EpochEnd is the end offset of a leader epoch; -1 and -1 where there is none.
type EpochEnd struct {
	Epoch     int32
	EndOffset int64
}

// LeaderEpoch is the current leader epoch.
func (p *Partition) LeaderEpoch() int32 { return p.epoch }

// BecomeLeader begins a new leader epoch at the end of the log. It panics on an
// epoch that is not above the current one: the controller hands them out.
func (p *Partition) BecomeLeader(epoch int32) {
	if epoch <= p.epoch {
		panic(fmt.Sprintf("partitions: leader epoch %d after %d", epoch, p.epoch))
	}
	if len(p.epochs) == 0 {
		p.epochs = append(p.epochs, epochStart{p.epoch, p.start})
	}
	if last := &p.epochs[len(p.epochs)-1]; last.start == p.end {
		*last = epochStart{epoch, p.end} // an epoch without records leaves no trace
	} else {
		p.epochs = append(p.epochs, epochStart{epoch, p.end})
	}
	p.epoch = epoch
}

// trimEpochs forgets epochs that lie below the log start offset, but for the last
// of them, which begins there now (LeaderEpochFileCache.truncateFromStart).
func (p *Partition) trimEpochs() {
	first := 0
	for first+1 < len(p.epochs) && p.epochs[first+1].start <= p.start {
		first++
	}
	p.epochs = p.epochs[first:]
	if len(p.epochs) > 0 {
		p.epochs[0].start = max(p.epochs[0].start, p.start)
	}
	if len(p.epochs) == 1 {
		p.epochs = nil
	}
}

// CheckLeaderEpoch compares the leader epoch that a client knows with the current
// one: FencedLeaderEpoch, UnknownLeaderEpoch or None; -1 is not checked (KIP-320).
// ListOffsets and OffsetForLeaderEpoch ask this first, and so does Fetch, which takes
// any negative epoch for -1.
func (p *Partition) CheckLeaderEpoch(current int32) protocol.ErrorCode {
	switch {
	case current == -1 || current == p.epoch:
		return protocol.None
	case current < p.epoch:
		return protocol.FencedLeaderEpoch
	default:
		return protocol.UnknownLeaderEpoch
	}
}

// EndOfEpoch is the end offset of the largest epoch not above the one asked for:
// where the next one begins, or the end of the log. For one below all it is that
// epoch itself and the start of the first; for one above all, or -1, it is -1 and -1. It answers OffsetForLeaderEpoch and mirrors
// org.apache.kafka.storage.internals.epoch.LeaderEpochFileCache.endOffsetFor.
func (p *Partition) EndOfEpoch(epoch int32) EpochEnd {
	if epoch == p.epoch {
		return EpochEnd{epoch, p.end}
	}
	if epoch == -1 || epoch > p.epoch {
		return EpochEnd{-1, -1}
	}
	floor := epoch // below all: the epoch that was asked for
	for _, e := range p.epochs {
		if e.epoch > epoch {
			return EpochEnd{floor, e.start}
		}
		floor = e.epoch
	}
	return EpochEnd{floor, p.start} // only the current epoch is left, and it is above
}

// epochOf is the leader epoch in which the record at offset was written.
func (p *Partition) epochOf(offset int64) int32 {
	for i := len(p.epochs) - 1; i >= 0; i-- {
		if p.epochs[i].start <= offset {
			return p.epochs[i].epoch
		}
	}
	return p.epoch
}
