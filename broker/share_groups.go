package broker

import (
	"time"
	"unicode/utf16"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/groupcoord"
	"klamm/protocol"
)

// Share groups (KIP-932). The rules of membership are groupcoord's; here each request
// finds its group, and what a group wants of the share coordinator is carried out.

// shareGroupHeartbeat answers ShareGroupHeartbeat v1.
func (c *Cluster) shareGroupHeartbeat(call *call, req *kmsg.ShareGroupHeartbeatRequest, resp *kmsg.ShareGroupHeartbeatResponse) {
	if !isShareMemberID(&req.MemberID) {
		resp.ErrorCode = int16(protocol.InvalidRequest)
		return
	}
	if refused := groupcoord.CheckShareHeartbeat(req); refused != nil {
		give(resp, refused)
		return
	}
	give(resp, call.ask(req.GroupID, func(_ *group, to groupcoord.Token) groupcoord.Event {
		return groupcoord.ShareGroupHeartbeat{
			To: to, Req: req, Topics: c.image.Load(),
			ClientID: call.header.ClientID, ClientHost: call.conn.clientHost(),
		}
	}))
	c.settleShareStates(req.GroupID, call.now)
}

// isShareMemberID is KafkaApis.isMemberIdValid: as long as a UUID at most.
func isShareMemberID(id *string) bool {
	return id != nil && *id != "" && len(utf16.Encode([]rune(*id))) <= 36
}

// shareGroupDescribe answers ShareGroupDescribe v1.
func (c *Cluster) shareGroupDescribe(call *call, req *kmsg.ShareGroupDescribeRequest, resp *kmsg.ShareGroupDescribeResponse) {
	for _, id := range req.GroupIDs {
		d := c.describeShareGroup(id)
		if req.IncludeAuthorizedOperations && d.ErrorCode == 0 {
			d.AuthorizedOperations = groupOperations
		}
		resp.Groups = append(resp.Groups, d)
		if call.grows(describedShareGroupSize(&d)) {
			return
		}
	}
}

// describedShareGroupSize is about how many bytes a group takes in an answer.
func describedShareGroupSize(d *kmsg.ShareGroupDescribeResponseGroup) int {
	size := 0
	for i := range d.Members {
		m := &d.Members[i]
		size += 256 + len(m.MemberID) + len(m.ClientID) + len(m.SubscribedTopicNames)*16
		for _, t := range m.Assignment.TopicPartitions {
			size += 128 + 4*len(t.Partitions)
		}
	}
	return size
}

func (c *Cluster) describeShareGroup(id string) kmsg.ShareGroupDescribeResponseGroup {
	d := kmsg.NewShareGroupDescribeResponseGroup()
	d.GroupID = id
	if id == "" {
		d.ErrorCode = int16(protocol.InvalidGroupId)
		return d
	}
	why := "Group " + id + " not found."
	if g := c.groups.get(id); g != nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		if !g.gone && g.machine.Listed() {
			if d, ok := g.machine.DescribeShare(c.image.Load()); ok {
				return d
			}
			why = "Group " + id + " is not a share group."
		}
	}
	d.ErrorCode, d.ErrorMessage = int16(protocol.GroupIdNotFound), &why
	return d
}

// settleShareStates carries out what a group wants of the share coordinator. It holds no
// lock: the topic of the states may have to be made first.
func (c *Cluster) settleShareStates(groupID string, now time.Time) {
	g := c.groups.get(groupID)
	if g == nil {
		return
	}
	g.mu.Lock()
	todo := g.shareTodo
	g.shareTodo = nil
	g.mu.Unlock()
	for _, effect := range todo {
		switch effect := effect.(type) {
		case groupcoord.InitializeShareState:
			done := groupcoord.ShareStateInitialized{Starts: effect.Starts}
			for _, start := range effect.Starts {
				if c.initializeShareState(now, groupID, effect.StateEpoch, start) != protocol.None {
					done.Failed = true
				}
			}
			g.tell(now, done)
		case groupcoord.DeleteShareState:
			for _, start := range effect.Starts {
				c.deleteShareState(now, shareKey(groupID, start.Topic, start.Partition))
			}
			g.tell(now, groupcoord.ShareStateDeleted(effect))
		}
	}
}

// deleteShareGroupState deletes what the share coordinator knows of a share group that is
// to be deleted, if it has no members.
func (call *call) deleteShareGroupState(id string) {
	if g := call.cluster.groups.get(id); g == nil || !g.isShare() {
		return
	}
	call.ask(id, func(_ *group, to groupcoord.Token) groupcoord.Event { return groupcoord.DeleteShareOffsets{To: to} })
	call.cluster.settleShareStates(id, call.now)
}

func (g *group) isShare() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, ok := g.machine.ShareStates()
	return ok && !g.gone
}
