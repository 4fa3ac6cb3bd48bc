package conformance

import (
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const shareGroupSource = "KIP-932, GroupMetadataManager.shareGroupHeartbeat"

// shareDescribe asks for descriptions of share groups.
func shareDescribe(groups ...string) *kmsg.ShareGroupDescribeRequest {
	req := kmsg.NewPtrShareGroupDescribeRequest()
	req.Version, req.GroupIDs = 1, groups
	return req
}

// shareSettled waits, outside the transcript, until all members of a share group have
// the epoch of the group, and n partitions together.
func (c *Conversation) shareSettled(group string, n int, members ...string) {
	for range settleTries {
		d := ask[*kmsg.ShareGroupDescribeResponse](c.setup, shareDescribe(group)).Groups[0]
		have, reached := 0, len(d.Members) == len(members) && d.AssignmentEpoch == d.GroupEpoch
		for _, m := range d.Members {
			reached = reached && m.MemberEpoch == d.GroupEpoch
			for _, t := range m.Assignment.TopicPartitions {
				have += len(t.Partitions)
			}
		}
		if reached && have == n {
			return
		}
		for _, m := range d.Members {
			if slices.Contains(members, m.MemberID) {
				ask[*kmsg.ShareGroupHeartbeatResponse](c.setup, shareBeat(group, m.MemberID, m.MemberEpoch))
			}
		}
		c.pause(settlePause)
	}
}

func shareGroupRules() []Rule {
	return []Rule{
		must("share.groups.invalid", "A heartbeat that lacks something is INVALID_REQUEST.", "GroupCoordinatorService.throwIfShareGroupHeartbeatRequestIsInvalid", func(c *Conversation) {
			g, a := c.Group("workers"), c.Conn("a")
			shareAsk(a, shareEnter(g, "", Topic{Name: "x"}))
			shareAsk(a, shareEnter(g, " ", Topic{Name: "x"}))
			shareAsk(a, shareEnter(g, strings.Repeat("m", 37), Topic{Name: "x"}))
			shareAsk(a, shareEnter("", "a", Topic{Name: "x"}))
			shareAsk(a, shareEnter(" ", "a", Topic{Name: "x"}))
			shareAsk(a, shareEnter(g, "a"))
			shareAsk(a, shareBeat(g, "a", 0))
			shareAsk(a, shareBeat(g, "a", -2))
			req := shareEnter(g, "a", Topic{Name: "x"})
			req.RackID = kmsg.StringPtr("")
			shareAsk(a, req)
		}),
		must("share.groups.unknown", "A group or member that there is not is told of.", shareGroupSource, func(c *Conversation) {
			g, a := c.Group("workers"), c.Conn("a")
			shareAsk(a, shareBeat(g, "a", 1))
			shareAsk(a, shareBeat(g, "a", -1))
			shareAsk(a, shareEnter(g, "a", Topic{Name: c.Name("nowhere")}))
			shareAsk(a, shareBeat(g, "b", 2))
			shareAsk(a, shareBeat(g, "b", -1))
		}),
		must("share.groups.join-nothing", "A member can subscribe to a topic that does not exist; its epoch counts all the same.", shareGroupSource, func(c *Conversation) {
			g, a := c.Group("workers"), c.Conn("a")
			shareAsk(a, shareEnter(g, "a", Topic{Name: c.Name("nowhere")}))
			shareAsk(a, shareBeat(g, "a", 2))
			shareAsk(a, shareBeat(g, "a", 0))
			shareAsk(a, shareEnter(g, "a", Topic{Name: c.Name("nowhere")}))
		}),
		must("share.groups.epochs", "A member that says another epoch than its own or its former one is fenced.", "GroupMetadataManager.throwIfShareGroupMemberEpochIsInvalid", func(c *Conversation) {
			g, a := c.Group("workers"), c.Conn("a")
			shareAsk(a, shareEnter(g, "a", Topic{Name: c.Name("nowhere")}))
			for _, epoch := range []int32{3, 1, 2} {
				shareAsk(a, shareBeat(g, "a", epoch))
			}
			req := shareBeat(g, "a", 2)
			req.SubscribedTopicNames = []string{c.Name("elsewhere")}
			shareAsk(a, req)
		}),
		must("share.groups.leave", "A member that leaves is forgotten; the group stays, empty.", shareGroupSource, func(c *Conversation) {
			g, a := c.Group("workers"), c.Conn("a")
			shareAsk(a, shareEnter(g, "a", Topic{Name: c.Name("nowhere")}))
			shareAsk(a, shareBeat(g, "a", -1))
			shareAsk(a, shareBeat(g, "a", -1))
			shareAsk(a, shareBeat(g, "a", 2))
			ask[*kmsg.ShareGroupDescribeResponse](a, shareDescribe(g))
			shareAsk(a, shareEnter(g, "a", Topic{Name: c.Name("nowhere")}))
		}),
		must("share.groups.assigned", "A member alone is assigned all partitions; the answer to a heartbeat that says everything has them.", shareGroupSource, func(c *Conversation) {
			t := c.Topic("orders", 3)
			g := c.Sharing("workers", []Topic{t})
			shareAsk(c.setup, shareEnter(g, "a", t))
			c.shareSettled(g, 3, "a")
			epoch := ask[*kmsg.ShareGroupDescribeResponse](c.setup, shareDescribe(g)).Groups[0].GroupEpoch
			req := shareEnter(g, "a", t)
			req.MemberEpoch = epoch
			c.say("assigned: %v", partitionsOf(shareAsk(c.setup, req)))
			c.say("assigned: %v", partitionsOf(shareAsk(c.setup, shareBeat(g, "a", epoch))))
		}),
		must("share.groups.shared", "When there are more members than partitions, partitions are shared.", "SimpleAssignor", func(c *Conversation) {
			t := c.Topic("orders", 1)
			g := c.Sharing("workers", []Topic{t})
			for _, m := range []string{"a", "b", "c"} {
				shareAsk(c.setup, shareEnter(g, m, t))
			}
			c.shareSettled(g, 3, "a", "b", "c")
			for _, m := range ask[*kmsg.ShareGroupDescribeResponse](c.setup, shareDescribe(g)).Groups[0].Members {
				for _, tp := range m.Assignment.TopicPartitions {
					c.say("%s: %v", c.names.text(tp.Topic), tp.Partitions)
				}
			}
		}),
		must("share.groups.balanced", "When there are more partitions than members, each partition has one member, and members have as many as each other.", "SimpleAssignor", func(c *Conversation) {
			t := c.Topic("orders", 6)
			g := c.Sharing("workers", []Topic{t})
			for _, m := range []string{"a", "b", "c"} {
				shareAsk(c.setup, shareEnter(g, m, t))
			}
			c.shareSettled(g, 6, "a", "b", "c")
			var all []int32
			for _, m := range ask[*kmsg.ShareGroupDescribeResponse](c.setup, shareDescribe(g)).Groups[0].Members {
				for _, tp := range m.Assignment.TopicPartitions {
					c.say("%d partitions", len(tp.Partitions))
					all = append(all, tp.Partitions...)
				}
			}
			slices.Sort(all)
			c.say("together %v", all)
		}),
		must("share.groups.describe", "A description shows a share group and its members.", "KIP-932, ShareGroup.asDescribedGroup", func(c *Conversation) {
			g, a := c.Group("workers"), c.Conn("a")
			ask[*kmsg.ShareGroupDescribeResponse](a, shareDescribe(g, ""))
			req := shareEnter(g, "a", Topic{Name: c.Name("nowhere")})
			req.RackID = kmsg.StringPtr("r")
			shareAsk(a, req)
			ask[*kmsg.ShareGroupDescribeResponse](a, shareDescribe(g))
			d := shareDescribe(g)
			d.IncludeAuthorizedOperations = true
			ask[*kmsg.ShareGroupDescribeResponse](a, d)
		}),
		must("share.groups.other-kinds", "A share group is none of another kind, and another kind is none.", "GroupMetadataManager", func(c *Conversation) {
			g, a := c.Group("workers"), c.Conn("a")
			shareAsk(a, shareEnter(g, "a", Topic{Name: c.Name("nowhere")}))
			req := kmsg.NewPtrDescribeGroupsRequest()
			req.Version, req.Groups = 6, []string{g}
			ask[*kmsg.DescribeGroupsResponse](a, req)
			ask[*kmsg.JoinGroupResponse](a, join(9, g, ""))
			ask[*kmsg.HeartbeatResponse](a, heartbeat(4, g, "a", 1))
			h := c.Group("readers")
			single(a, h)
			shareAsk(a, shareEnter(h, "a", Topic{Name: c.Name("nowhere")}))
			shareAsk(a, shareBeat(h, "a", 1))
			shareAsk(a, shareBeat(h, "a", -1))
			ask[*kmsg.ShareGroupDescribeResponse](a, shareDescribe(h))
		}),
		must("share.groups.offsets-of-others", "A share group has no committed offsets.", "ShareGroup.validateOffsetCommit", func(c *Conversation) {
			g, a, t := c.Group("workers"), c.Conn("a"), c.Topic("orders", 1)
			shareAsk(a, shareEnter(g, "a", Topic{Name: c.Name("nowhere")}))
			commit := commit(9, g, t, 0, 5)
			ask[*kmsg.OffsetCommitResponse](a, commit)
			f := kmsg.NewPtrOffsetFetchRequest()
			f.Version = 9
			fg := kmsg.NewOffsetFetchRequestGroup()
			fg.Group = g
			f.Groups = append(f.Groups, fg)
			ask[*kmsg.OffsetFetchResponse](a, f)
		}),
		must("share.groups.list", "ListGroups shows share groups, by type and state.", "KIP-932", func(c *Conversation) {
			g, a := c.Group("workers"), c.Conn("a")
			shareAsk(a, shareEnter(g, "a", Topic{Name: c.Name("nowhere")}))
			for _, types := range [][]string{{"share"}, {"classic"}} {
				req := kmsg.NewPtrListGroupsRequest()
				req.Version, req.TypesFilter = 5, types
				ask[*kmsg.ListGroupsResponse](a, req)
			}
			shareAsk(a, shareBeat(g, "a", -1))
			req := kmsg.NewPtrListGroupsRequest()
			req.Version, req.StatesFilter, req.TypesFilter = 5, []string{"empty"}, []string{"Share"}
			ask[*kmsg.ListGroupsResponse](a, req)
		}),
		must("share.groups.delete", "A share group without members can be deleted.", "GroupCoordinatorService.deleteShareGroups", func(c *Conversation) {
			t := c.Topic("orders", 1)
			g, a := c.Sharing("workers", []Topic{t}), c.Conn("a")
			shareAsk(c.setup, shareEnter(g, "a", t))
			del := kmsg.NewPtrDeleteGroupsRequest()
			del.Version, del.Groups = 2, []string{g}
			ask[*kmsg.DeleteGroupsResponse](a, del)
			shareAsk(c.setup, shareBeat(g, "a", -1))
			ask[*kmsg.DeleteGroupsResponse](a, del)
			ask[*kmsg.DeleteGroupsResponse](a, del)
			ask[*kmsg.ShareGroupDescribeResponse](a, shareDescribe(g))
			ask[*kmsg.DescribeShareGroupOffsetsResponse](a, shareOffsets(g))
		}),
	}
}

func partitionsOf(resp *kmsg.ShareGroupHeartbeatResponse) (all []int32) {
	if resp.Assignment != nil {
		for _, t := range resp.Assignment.TopicPartitions {
			all = append(all, t.Partitions...)
		}
	}
	slices.Sort(all)
	return all
}

func shareOffsetRules() []Rule {
	const source = "KIP-932, GroupCoordinatorService.describeShareGroupOffsets"
	describe := func(a *Conn, g string, topics ...Topic) {
		ask[*kmsg.DescribeShareGroupOffsetsResponse](a, shareOffsets(g, topics...))
	}
	return []Rule{
		must("share.offsets.begun", "A state that nobody has written to has no offset.", source, func(c *Conversation) {
			t, g := workedOn(c, "a b")
			for _, v := range []int16{0, 1} {
				req := shareOffsets(g, t)
				req.Version = v
				ask[*kmsg.DescribeShareGroupOffsetsResponse](c.Conn("a"), req)
			}
			describe(c.Conn("a"), g)
		}),
		must("share.offsets.unknown", "Groups and topics that there are not have no offset; a partition that cannot be is UNKNOWN_SERVER_ERROR.", source, func(c *Conversation) {
			t, g := workedOn(c, "a b")
			describe(c.Conn("a"), c.Name("nobody"), t)
			describe(c.Conn("a"), c.Name("nobody"))
			describe(c.Conn("a"), g, Topic{Name: c.Name("nowhere")}, t)
			req := shareOffsets(g, t)
			req.Groups[0].Topics[0].Partitions = []int32{-1}
			ask[*kmsg.DescribeShareGroupOffsetsResponse](c.Conn("a"), req)
			req.Groups[0].Topics = []kmsg.DescribeShareGroupOffsetsRequestGroupTopic{}
			ask[*kmsg.DescribeShareGroupOffsetsResponse](c.Conn("a"), req)
		}),
		must("share.offsets.lag", "The lag counts what needs delivery: it shrinks with what is acknowledged, wherever that lies.", "KIP-1226", func(c *Conversation) {
			t, g := workedOn(c, "a b c d")
			acquire(c.Conn("a"), shareOpen(2, g, "a", t, 0))
			describe(c.Conn("a"), g, t)
			acked(c.Conn("a"), shareAck(2, g, "a", 1, t, 0, 2, 2, ackAccept))
			describe(c.Conn("a"), g, t)
			acked(c.Conn("a"), shareAck(2, g, "a", 2, t, 0, 0, 1, ackAccept))
			describe(c.Conn("a"), g, t)
			acked(c.Conn("a"), shareAck(2, g, "a", 3, t, 0, 3, 3, ackRelease))
			describe(c.Conn("a"), g, t)
			put(c.Conn("a"), t, 0, batchOf("e"))
			describe(c.Conn("a"), g, t)
		}),
		must("share.offsets.alter", "The offsets of a share group without members can be set, and it reads on from there.", "KIP-932, GroupMetadataManager.alterShareGroupOffsets", func(c *Conversation) {
			t, g := workedOn(c, "a b", "c d", "e")
			c.setup.drop()
			a := c.Conn("a")
			ask[*kmsg.AlterShareGroupOffsetsResponse](a, alterShareOffsets(g, t, 0, 2))
			describe(a, g, t)
			c.acquires(shareOpen(2, g, "a", t, 0))
		}),
		must("share.offsets.alter-refused", "Offsets of a group with members, and of what there is not, can not be set.", "KIP-932, GroupMetadataManager.alterShareGroupOffsets", func(c *Conversation) {
			t, g := workedOn(c, "a b")
			a := c.Conn("a")
			ask[*kmsg.AlterShareGroupOffsetsResponse](a, alterShareOffsets(g, t, 5, 2))
			ask[*kmsg.AlterShareGroupOffsetsResponse](a, alterShareOffsets(g, Topic{Name: c.Name("nowhere")}, 0, 2))
			ask[*kmsg.AlterShareGroupOffsetsResponse](a, alterShareOffsets("", t, 0, 2))
			shareAsk(c.setup, shareEnter(g, "a", t))
			ask[*kmsg.AlterShareGroupOffsetsResponse](a, alterShareOffsets(g, t, 0, 2))
			h := c.Group("readers")
			single(c.setup, h)
			ask[*kmsg.AlterShareGroupOffsetsResponse](a, alterShareOffsets(h, t, 0, 2))
		}),
		must("share.offsets.alter-new", "Setting offsets makes a share group that there was not.", "KIP-932, GroupMetadataManager.alterShareGroupOffsets", func(c *Conversation) {
			t := filled(c, 1, "a", "b")
			g, a := c.Group("workers"), c.Conn("a")
			until(c, alterShareOffsets(g, t, 0, 1), func(r *kmsg.AlterShareGroupOffsetsResponse) bool {
				return len(r.Topics) == 1 && len(r.Topics[0].Partitions) == 1 && r.Topics[0].Partitions[0].ErrorCode == 0
			})
			ask[*kmsg.AlterShareGroupOffsetsResponse](a, alterShareOffsets(g, t, 0, 1))
			ask[*kmsg.ShareGroupDescribeResponse](a, shareDescribe(g))
			describe(a, g)
			c.acquires(shareOpen(2, g, "a", t, 0))
		}),
		must("share.offsets.delete", "The offsets of topics can be deleted from a share group without members.", "KIP-932, GroupCoordinatorShard.initiateDeleteShareGroupOffsets", func(c *Conversation) {
			t, g := workedOn(c, "a b")
			a := c.Conn("a")
			ask[*kmsg.DeleteShareGroupOffsetsResponse](a, deleteShareOffsets(g, t, Topic{Name: c.Name("nowhere")}))
			describe(a, g)
			ask[*kmsg.DeleteShareGroupOffsetsResponse](a, deleteShareOffsets(g, t))
			ask[*kmsg.DeleteShareGroupOffsetsResponse](a, deleteShareOffsets(c.Name("nobody"), t))
			ask[*kmsg.DeleteShareGroupOffsetsResponse](a, deleteShareOffsets("", t))
			shareAsk(c.setup, shareEnter(g, "a", t))
			ask[*kmsg.DeleteShareGroupOffsetsResponse](a, deleteShareOffsets(g, t))
		}),
		must("share.offsets.kept", "A group that everybody has left goes on where it was.", "KIP-932, SharePartition.maybeInitialize", func(c *Conversation) {
			t, g := workedOn(c, "a b c d e")
			a := c.Conn("a")
			acquire(a, shareOpen(2, g, "a", t, 0))
			acked(a, shareAck(2, g, "a", 1, t, 0, 0, 3, ackAccept, ackRelease, ackAccept, ackReject))
			acked(a, shareAck(2, g, "a", -1, t, 0, 4, 4, ackRelease))
			a.Close()
			c.setup.drop()
			c.acquires(shareOpen(2, g, "b", t, 0))
		}),
		must("share.coordinator.key", "The coordinator of a share partition is asked for by group, topic id and partition.", "SharePartitionKey", func(c *Conversation) {
			for _, key := range []string{"g:AAAAAAAAAAAAAAAAAAAABw:0", "g:x:0", "g", "", "a:b:AAAAAAAAAAAAAAAAAAAABw:1", ":AAAAAAAAAAAAAAAAAAAABw:0", "g:AAAAAAAAAAAAAAAAAAAABw:z"} {
				req := kmsg.NewPtrFindCoordinatorRequest()
				req.Version, req.CoordinatorType, req.CoordinatorKeys = 6, 2, []string{key}
				until(c, req, warm[*kmsg.FindCoordinatorResponse])
				ask[*kmsg.FindCoordinatorResponse](c.Conn("a"), req)
			}
		}),
	}
}
