package groupcoord

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// consumerHeartbeat finds the consumer group that a heartbeat is for: it makes one where
// there is no group, and of a classic group without members
// (GroupMetadataManager.getOrMaybeCreateConsumerGroup).
func (g *Group) consumerHeartbeat(now time.Time, e ConsumerGroupHeartbeat) []Effect {
	if _, ok := g.kind.(*consumer); ok {
		return g.kind.step(g, now, e)
	}
	leaves := e.Req.MemberEpoch == leaveEpoch || e.Req.MemberEpoch == leaveStaticEpoch
	old, isClassic := g.kind.(*classic)
	if no := checkHeartbeat(e.Req, g.cfg.ConsumerAssignors); no != nil {
		return refuseHeartbeat(e, no)
	}
	if e.Req.MemberEpoch != 0 || !isClassic || g.offsets.exists && !old.isEmpty() {
		return refuseHeartbeat(e, g.notConsumer(leaves))
	}
	s := consumerStep{g: g, c: newConsumer(), now: now}
	if g.offsets.exists {
		s.write(g.metadataTombstone())
	}
	s.heartbeat(e)
	if len(s.records) > 0 {
		g.become(s.c)
	}
	return s.effects()
}

// notConsumer says that the group is none, or none of this kind.
func (g *Group) notConsumer(leaves bool) *refusal {
	switch {
	case !g.offsets.exists && leaves:
		return &refusal{protocol.GroupIdNotFound, "Group " + g.id + " not found."}
	case !g.offsets.exists:
		return &refusal{protocol.GroupIdNotFound, "Consumer group " + g.id + " not found."}
	}
	return &refusal{protocol.GroupIdNotFound, "Group " + g.id + " is not a consumer group."}
}

func refuseHeartbeat(e ConsumerGroupHeartbeat, no *refusal) []Effect {
	resp := e.Req.ResponseKind().(*kmsg.ConsumerGroupHeartbeatResponse)
	resp.ErrorCode, resp.ErrorMessage = int16(no.code), &no.text
	return []Effect{Reply{e.To, resp}}
}
