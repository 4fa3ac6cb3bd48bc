package groupcoord

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// Overview is one group as ListGroups shows it.
type Overview struct {
	State        string // Kafka's name, such as "PreparingRebalance"
	ProtocolType string // such as "consumer"; empty for a simple group
	Type         string // "classic" or another of Kafka's group types
}

// Overview tells state, protocol type and type of the group.
func (g *Group) Overview() Overview { return g.kind.overview() }

// overview is for kind.
func (c *classic) overview() Overview {
	return Overview{State: c.state.String(), ProtocolType: c.protocolType, Type: "classic"}
}

// Describe is the group as DescribeGroups shows it, authorized operations left out.
// A group that does not exist, or is not classic, is Dead; from version 6 on Kafka adds
// the error GROUP_ID_NOT_FOUND and a message, which is left to the owner, who knows the
// version: "Group NAME not found." or "Group NAME is not a classic group."
func (g *Group) Describe() kmsg.DescribeGroupsResponseGroup {
	d := kmsg.NewDescribeGroupsResponseGroup()
	d.Group, d.State = g.id, "Dead"
	if g.Listed() {
		g.kind.describe(&d)
	}
	return d
}

// describe is for kind.
func (c *classic) describe(d *kmsg.DescribeGroupsResponseGroup) {
	d.State, d.ProtocolType = c.state.String(), c.protocolType
	if c.state == stable {
		d.Protocol = *c.protocol
	}
	for m := range c.all() {
		one := kmsg.NewDescribeGroupsResponseGroupMember()
		one.MemberID, one.InstanceID, one.ClientID, one.ClientHost = m.id, m.instance, m.clientID, m.clientHost
		one.MemberAssignment = m.assignment
		if c.state == stable {
			one.ProtocolMetadata = m.metadata(d.Protocol)
		}
		d.Members = append(d.Members, one)
	}
}

// RebalanceReason tells why the last rebalance began, and the reason that the
// client gave (KIP-800), if it did. It is empty before the first one; Kafka only
// logs it.
func (g *Group) RebalanceReason() string { return g.classic().reason }

// checkCommit is for kind: it judges a commit by its member
// id, generation and instance id, as ClassicGroup.validateOffsetCommit does. The
// commit of a member of a group that is Stable or prepares a rebalance counts as a
// heartbeat. Anybody may commit to a group without members, with generation -1.
func (c *classic) checkCommit(g *Group, now time.Time, e OffsetCommit) protocol.ErrorCode {
	req := e.Req
	if e.Txn != nil {
		return c.checkTxnCommit(g, e)
	}
	if req.Generation < 0 && c.isEmpty() {
		return protocol.None
	}
	if g.Vacant() {
		if req.Version >= 9 {
			return protocol.GroupIdNotFound
		}
		return protocol.IllegalGeneration
	}
	if req.Generation < 0 && req.MemberID == "" && req.InstanceID == nil {
		return unknownMember
	}
	m, code := c.validate(req.MemberID, req.InstanceID)
	switch {
	case code != protocol.None:
		return code
	case req.Generation != c.generation:
		return protocol.IllegalGeneration
	case c.state == completingRebalance:
		return protocol.RebalanceInProgress
	}
	c.sessions.set(&m.session, now.Add(m.sessionTimeout()))
	return protocol.None
}

// metadataValue is the membership as Kafka stores it: protocol, generation, leader,
// and the members with their metadata for that protocol and their assignment.
func (c *classic) metadataValue() kmsg.GroupMetadataValue {
	v := kmsg.NewGroupMetadataValue()
	v.ProtocolType, v.Generation, v.Protocol = c.protocolType, c.generation, c.protocol
	if c.leader != "" {
		v.Leader = &c.leader
	}
	v.CurrentStateTimestamp = c.since.UnixMilli()
	for m := range c.all() {
		one := kmsg.NewGroupMetadataValueMember()
		one.MemberID, one.InstanceID, one.ClientID, one.ClientHost = m.id, m.instance, m.clientID, m.clientHost
		one.RebalanceTimeoutMillis, one.SessionTimeoutMillis = m.rebalanceTimeoutMs, m.sessionTimeoutMs
		one.Subscription, one.Assignment = m.metadata(*c.protocol), m.assignment
		v.Members = append(v.Members, one)
	}
	return v
}

// loaded rebuilds the membership from the stored group metadata. Its members have a
// session timeout to be heard of. A group that is above group.max.size now
// rebalances at once. It mirrors GroupMetadataManager.replay and onLoaded.
func (s *step) loaded() {
	c, v := s.c, s.c.stored
	*c = classic{stored: v}
	if v == nil {
		return
	}
	c.protocolType, c.generation, c.protocol = v.ProtocolType, v.Generation, v.Protocol
	if v.Leader != nil {
		c.leader = *v.Leader
	}
	if v.CurrentStateTimestamp != -1 {
		c.since = time.UnixMilli(v.CurrentStateTimestamp)
	}
	if len(v.Members) > 0 {
		c.state = stable
		if c.protocol == nil {
			c.protocol = new(string) // no Kafka writes that
		}
	}
	for _, one := range v.Members {
		m := &member{
			id: one.MemberID, instance: one.InstanceID, clientID: one.ClientID, clientHost: one.ClientHost,
			rebalanceTimeoutMs: one.RebalanceTimeoutMillis, sessionTimeoutMs: one.SessionTimeoutMillis,
			assignment: one.Assignment, session: newSession(one.MemberID),
		}
		if m.rebalanceTimeoutMs == -1 {
			m.rebalanceTimeoutMs = m.sessionTimeoutMs
		}
		m.protocols = []assignor{{*c.protocol, one.Subscription}}
		c.add(m)
		s.keepAlive(m)
	}
	c.noteSubscriptions()
	if size := s.g.cfg.MaxSize; size > 0 && len(c.members) > size {
		s.prepareRebalance("the group is larger than group.max.size")
	}
}

// forceRebalance begins a rebalance unless the group is empty or prepares one.
func (s *step) forceRebalance(reason string) {
	if s.c.state == stable || s.c.state == completingRebalance {
		s.prepareRebalance(reason)
	}
}

// checkFetch is for kind: member id and epoch mean nothing to a classic group.
func (c *classic) checkFetch(*string, int32) protocol.ErrorCode { return protocol.None }

// checkOffsetDelete is for kind. Nobody but the consumers tells what they are subscribed to.
func (c *classic) checkOffsetDelete() protocol.ErrorCode {
	if !c.isEmpty() && !c.usesConsumerProtocol() {
		return protocol.NonEmptyGroup
	}
	return protocol.None
}

// tombstones is for kind.
func (c *classic) tombstones(g *Group, records []Record) []Record {
	return append(records, g.metadataTombstone())
}
