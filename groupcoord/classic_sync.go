package groupcoord

import (
	"bytes"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// syncGroup answers a SyncGroup, or parks it until the leader has sent the
// assignment. It mirrors GroupMetadataManager.classicGroupSync.
func (s *step) syncGroup(e SyncGroup) {
	c, req := s.c, e.Req
	m, code := s.validateSync(req)
	if code == protocol.None && c.state == preparingRebalance {
		code = protocol.RebalanceInProgress
	}
	if code != protocol.None {
		resp := kmsg.NewPtrSyncGroupResponse()
		resp.Version, resp.ErrorCode = req.Version, int16(code)
		s.out = append(s.out, Reply{e.To, resp})
		return
	}
	m.sync = parked{waiting: true, to: e.To, version: req.Version}
	s.hasSynced(m)
	switch {
	case c.state == stable:
		s.replySync(m, protocol.None)
	case c.leader == m.id:
		s.assign(req.GroupAssignment)
	}
}

func (s *step) validateSync(req *kmsg.SyncGroupRequest) (*member, protocol.ErrorCode) {
	c := s.c
	if req.Version >= 5 && (req.ProtocolType == nil || req.Protocol == nil) {
		return nil, protocol.InconsistentGroupProtocol
	}
	if s.g.id == "" {
		return nil, protocol.InvalidGroupId
	}
	m, code := c.validate(req.MemberID, req.InstanceID)
	switch {
	case code != protocol.None:
		return nil, code
	case req.Generation != c.generation:
		return nil, protocol.IllegalGeneration
	case req.ProtocolType != nil && *req.ProtocolType != c.protocolType,
		req.Protocol != nil && c.protocol != nil && *req.Protocol != *c.protocol:
		return nil, protocol.InconsistentGroupProtocol
	}
	return m, protocol.None
}

// hasSynced notes that a member of this generation sent its SyncGroup.
func (s *step) hasSynced(m *member) {
	delete(s.c.pendingSync, m.id)
	if len(s.c.pendingSync) == 0 {
		s.c.syncAt = time.Time{}
	}
}

// assign takes the leader's assignment: it is stored first, then the members get it
// and the group is stable. Who was left out gets an empty assignment.
func (s *step) assign(assignment []kmsg.SyncGroupRequestGroupAssignment) {
	c := s.c
	for m := range c.all() {
		m.assignment = nil
	}
	for _, a := range assignment {
		if m := c.members[a.MemberID]; m != nil {
			m.assignment = bytes.Clone(a.MemberAssignment)
		}
	}
	v := c.metadataValue()
	records := []Record{s.g.metadataRecord(&v)}
	if s.g.batchTooLarge(records) {
		s.propagate(protocol.UnknownServerError)
		s.prepareOrComplete("the assignment could not be stored: the group is too large for a record")
		return
	}
	s.out = append(s.out, Append{Records: records})
	s.answerSyncs(protocol.None)
	c.transition(s.now, stable)
}

// propagate ends the synchronization with an error.
func (s *step) propagate(code protocol.ErrorCode) {
	for m := range s.c.all() {
		m.assignment = nil
	}
	s.answerSyncs(code)
}

func (s *step) answerSyncs(code protocol.ErrorCode) {
	for m := range s.c.all() {
		if m.sync.waiting {
			s.replySync(m, code)
			s.keepAlive(m)
		}
	}
}

// replySync answers the SyncGroup that a member has parked, if it has: with its
// assignment or with an error.
func (s *step) replySync(m *member, code protocol.ErrorCode) {
	if !m.sync.waiting {
		return
	}
	resp := kmsg.NewPtrSyncGroupResponse()
	resp.Version, resp.ErrorCode = m.sync.version, int16(code)
	if code == protocol.None {
		protocolType := s.c.protocolType
		resp.ProtocolType, resp.Protocol = &protocolType, s.c.protocol
		resp.MemberAssignment = m.assignment
	}
	s.out = append(s.out, Reply{m.sync.to, resp})
	m.sync = parked{}
}

// heartbeat answers a Heartbeat. It mirrors GroupMetadataManager.classicGroupHeartbeat.
func (s *step) heartbeat(e Heartbeat) {
	resp := kmsg.NewPtrHeartbeatResponse()
	resp.Version, resp.ErrorCode = e.Req.Version, int16(s.heard(e.Req))
	s.out = append(s.out, Reply{e.To, resp})
}

func (s *step) heard(req *kmsg.HeartbeatRequest) protocol.ErrorCode {
	if s.g.id == "" {
		return protocol.InvalidGroupId
	}
	m, code := s.c.validate(req.MemberID, req.InstanceID)
	switch {
	case code != protocol.None:
		return code
	case req.Generation != s.c.generation:
		return protocol.IllegalGeneration
	}
	s.keepAlive(m)
	if s.c.state == preparingRebalance {
		return protocol.RebalanceInProgress
	}
	return protocol.None
}
