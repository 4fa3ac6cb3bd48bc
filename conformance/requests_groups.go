package conformance

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

// The requests of classic groups, as the rules mostly need them.

// longSession is a session timeout that no conversation outlives, in milliseconds.
const longSession = 60_000

// join joins a group of protocol type "consumer" that knows "range" with metadata "m".
func join(version int16, group, member string) *kmsg.JoinGroupRequest {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Version, req.Group, req.MemberID = version, group, member
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = longSession, longSession
	req.ProtocolType = "consumer"
	req.Protocols = protocols("range")
	return req
}

// protocols are protocols of these names, each with metadata "m".
func protocols(names ...string) []kmsg.JoinGroupRequestProtocol {
	ps := make([]kmsg.JoinGroupRequestProtocol, len(names))
	for i, n := range names {
		ps[i] = kmsg.NewJoinGroupRequestProtocol()
		ps[i].Name, ps[i].Metadata = n, []byte("m")
	}
	return ps
}

func static(req *kmsg.JoinGroupRequest, instance string) *kmsg.JoinGroupRequest {
	req.InstanceID = &instance
	return req
}

func joinNow(a *Conn, req *kmsg.JoinGroupRequest) *kmsg.JoinGroupResponse {
	return ask[*kmsg.JoinGroupResponse](a, req)
}

// newMember is the member id that a first join with v4 or later is told.
func newMember(a *Conn, group string) string {
	return joinNow(a, join(9, group, "")).MemberID
}

// sync is a sync of protocol "range"; assignments are member ids and assignments in turn.
func sync(version int16, group, member string, generation int32, assignments ...string) *kmsg.SyncGroupRequest {
	req := kmsg.NewPtrSyncGroupRequest()
	req.Version, req.Group, req.MemberID, req.Generation = version, group, member, generation
	if version >= 5 {
		req.ProtocolType, req.Protocol = kmsg.StringPtr("consumer"), kmsg.StringPtr("range")
	}
	for i := 0; i < len(assignments); i += 2 {
		ga := kmsg.NewSyncGroupRequestGroupAssignment()
		ga.MemberID, ga.MemberAssignment = assignments[i], []byte(assignments[i+1])
		req.GroupAssignment = append(req.GroupAssignment, ga)
	}
	return req
}

func syncNow(a *Conn, req *kmsg.SyncGroupRequest) *kmsg.SyncGroupResponse {
	return ask[*kmsg.SyncGroupResponse](a, req)
}

func heartbeat(version int16, group, member string, generation int32) *kmsg.HeartbeatRequest {
	req := kmsg.NewPtrHeartbeatRequest()
	req.Version, req.Group, req.MemberID, req.Generation = version, group, member, generation
	return req
}

func beat(a *Conn, group, member string, generation int32) *kmsg.HeartbeatResponse {
	return ask[*kmsg.HeartbeatResponse](a, heartbeat(4, group, member, generation))
}

// leave lets members go: by request field up to v2, in a batch from v3 on.
func leave(version int16, group string, members ...string) *kmsg.LeaveGroupRequest {
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Version, req.Group = version, group
	for _, m := range members {
		req.MemberID = m
		rm := kmsg.NewLeaveGroupRequestMember()
		rm.MemberID = m
		req.Members = append(req.Members, rm)
	}
	return req
}

func leaveNow(a *Conn, req *kmsg.LeaveGroupRequest) *kmsg.LeaveGroupResponse {
	return ask[*kmsg.LeaveGroupResponse](a, req)
}

// single makes a the only member of a stable group, of generation 1 when the group is
// new; it returns the member id.
func single(a *Conn, group string) string {
	member := newMember(a, group)
	generation := joinNow(a, join(9, group, member)).Generation
	syncNow(a, sync(5, group, member, generation, member, "all"))
	return member
}

// pair makes a (the leader) and b the members of a stable group of generation 2.
func pair(c *Conversation, a, b *Conn, group string) (leader, follower string) {
	leader = single(a, group)
	follower = newMember(b, group)
	joining := b.Send(join(9, group, follower))
	c.AwaitGroup(group, "PreparingRebalance", 2)
	joinNow(a, join(9, group, leader))
	answer[*kmsg.JoinGroupResponse](joining)
	syncNow(a, sync(5, group, leader, 2, leader, "a's", follower, "b's"))
	syncNow(b, sync(5, group, follower, 2))
	return leader, follower
}

// commit commits one offset of a simple consumer; member and generation are set by
// the rules of groups.
func commit(version int16, group string, t Topic, partition int32, offset int64) *kmsg.OffsetCommitRequest {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Version, req.Group, req.Generation = version, group, -1
	rt := kmsg.NewOffsetCommitRequestTopic()
	rt.Topic, rt.TopicID = t.Name, t.ID
	rp := kmsg.NewOffsetCommitRequestTopicPartition()
	rp.Partition, rp.Offset = partition, offset
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	return req
}

func commitNow(a *Conn, req *kmsg.OffsetCommitRequest) *kmsg.OffsetCommitResponse {
	return ask[*kmsg.OffsetCommitResponse](a, req)
}

// memberCommit commits as a member of a group.
func memberCommit(a *Conn, group, member string, generation int32, t Topic, offset int64) *kmsg.OffsetCommitResponse {
	req := commit(9, group, t, 0, offset)
	req.MemberID, req.Generation = member, generation
	return commitNow(a, req)
}

// committed fetches the committed offsets of partitions of a topic; none means all of
// the group.
func committed(version int16, group string, t Topic, partitions ...int32) *kmsg.OffsetFetchRequest {
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Version = version
	if version >= 8 {
		g := kmsg.NewOffsetFetchRequestGroup()
		g.Group = group
		if len(partitions) > 0 {
			rt := kmsg.NewOffsetFetchRequestGroupTopic()
			rt.Topic, rt.TopicID, rt.Partitions = t.Name, t.ID, partitions
			g.Topics = append(g.Topics, rt)
		}
		req.Groups = append(req.Groups, g)
		return req
	}
	req.Group = group
	if len(partitions) > 0 {
		rt := kmsg.NewOffsetFetchRequestTopic()
		rt.Topic, rt.Partitions = t.Name, partitions
		req.Topics = append(req.Topics, rt)
	}
	return req
}

func committedNow(a *Conn, req *kmsg.OffsetFetchRequest) *kmsg.OffsetFetchResponse {
	return ask[*kmsg.OffsetFetchResponse](a, req)
}

func offsetDelete(group, topic string, partitions ...int32) *kmsg.OffsetDeleteRequest {
	req := kmsg.NewPtrOffsetDeleteRequest()
	req.Group = group
	rt := kmsg.NewOffsetDeleteRequestTopic()
	rt.Topic = topic
	for _, p := range partitions {
		rp := kmsg.NewOffsetDeleteRequestTopicPartition()
		rp.Partition = p
		rt.Partitions = append(rt.Partitions, rp)
	}
	req.Topics = append(req.Topics, rt)
	return req
}

func describe(version int16, groups ...string) *kmsg.DescribeGroupsRequest {
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Version, req.Groups = version, groups
	return req
}

func described(a *Conn, groups ...string) *kmsg.DescribeGroupsResponse {
	return ask[*kmsg.DescribeGroupsResponse](a, describe(6, groups...))
}

func deleteGroups(version int16, groups ...string) *kmsg.DeleteGroupsRequest {
	req := kmsg.NewPtrDeleteGroupsRequest()
	req.Version, req.Groups = version, groups
	return req
}

func findCoordinator(version int16, keyType int8, keys ...string) *kmsg.FindCoordinatorRequest {
	req := kmsg.NewPtrFindCoordinatorRequest()
	req.Version, req.CoordinatorType = version, keyType
	if version >= 4 {
		req.CoordinatorKeys = keys
	} else {
		req.CoordinatorKey = keys[0]
	}
	return req
}
