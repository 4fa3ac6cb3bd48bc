package conformance

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

func groupAdminRules() []Rule {
	return []Rule{
		must("groups.describe.every-version", "Every version of DescribeGroups shows a stable group with its members.", "DescribeGroupsRequest", func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			single(a, g)
			for v := range int16(7) {
				ask[*kmsg.DescribeGroupsResponse](a, describe(v, g))
			}
		}),
		must("groups.describe.unknown", "A group that does not exist is Dead, and from v6 on GROUP_ID_NOT_FOUND.", "KIP-1043", func(c *Conversation) {
			g := c.Group("nobody")
			for v := range int16(7) {
				ask[*kmsg.DescribeGroupsResponse](c.Conn("a"), describe(v, g))
			}
		}),
		must("groups.describe.several", "Several groups are described at once; none is none.", "DescribeGroupsRequest", func(c *Conversation) {
			g, h, a := c.Group("readers"), c.Group("nobody"), c.Conn("a")
			single(a, g)
			for _, v := range []int16{0, 5, 6} {
				ask[*kmsg.DescribeGroupsResponse](a, describe(v, g, h))
				ask[*kmsg.DescribeGroupsResponse](a, describe(v))
			}
		}),
		must("groups.describe.states", "Each state of a classic group is named as Kafka names it, with what is known of the members.", "ClassicGroup.describe", describedStates),
		must("groups.describe.authorized-operations", "Allowed operations are answered where they are asked for.", "KIP-430", func(c *Conversation) {
			g, a := c.Group("readers"), c.Conn("a")
			single(a, g)
			for _, v := range []int16{3, 5, 6} {
				req := describe(v, g, c.Name("nobody"))
				req.IncludeAuthorizedOperations = true
				ask[*kmsg.DescribeGroupsResponse](a, req)
			}
		}),
		must("groups.list.every-version", "Every version of ListGroups lists groups, with state and type as it can.", "ListGroupsRequest", func(c *Conversation) {
			a, t := c.Conn("a"), c.Topic("orders", 1)
			single(a, c.Group("readers"))
			commitNow(a, commit(9, c.Group("simple"), t, 0, 1))
			newMember(a, c.Group("pending"))
			for v := range int16(6) {
				req := kmsg.NewPtrListGroupsRequest()
				req.Version = v
				ask[*kmsg.ListGroupsResponse](a, req)
			}
		}),
		must("groups.list.states", "Groups are filtered by state, in any case of letters.", "KIP-518", func(c *Conversation) {
			a, t := c.Conn("a"), c.Topic("orders", 1)
			single(a, c.Group("readers"))
			commitNow(a, commit(9, c.Group("simple"), t, 0, 1))
			for _, states := range [][]string{{"Stable"}, {"Empty"}, {"stable"}, {"Stable", "Empty"}, {"Dead"}, {"CompletingRebalance"}, {"nonsense"}, {""}} {
				req := kmsg.NewPtrListGroupsRequest()
				req.Version, req.StatesFilter = 5, states
				ask[*kmsg.ListGroupsResponse](a, req)
			}
		}),
		must("groups.list.types", "Groups are filtered by type.", "KIP-848", func(c *Conversation) {
			a := c.Conn("a")
			single(a, c.Group("readers"))
			for _, types := range [][]string{{"classic"}, {"Classic"}, {"consumer"}, {"share"}, {"classic", "consumer"}, {"nonsense"}} {
				req := kmsg.NewPtrListGroupsRequest()
				req.Version, req.TypesFilter = 5, types
				ask[*kmsg.ListGroupsResponse](a, req)
			}
		}),
		must("groups.delete.every-version", "Every version of DeleteGroups deletes an empty group and its offsets.", "KIP-229", func(c *Conversation) {
			a, t := c.Conn("a"), c.Topic("orders", 1)
			for v := range int16(4) {
				g := c.Group("readers-" + string(rune('0'+v)))
				commitNow(a, commit(9, g, t, 0, 1))
				ask[*kmsg.DeleteGroupsResponse](a, deleteGroups(v, g))
				described(a, g)
				committedNow(a, committed(9, g, t))
			}
		}),
		must("groups.delete.refused", "A group with members is NON_EMPTY_GROUP, one that does not exist GROUP_ID_NOT_FOUND.", "KIP-229", func(c *Conversation) {
			g, h, a := c.Group("readers"), c.Group("nobody"), c.Conn("a")
			single(a, g)
			for v := range int16(4) {
				ask[*kmsg.DeleteGroupsResponse](a, deleteGroups(v, g, h))
			}
			ask[*kmsg.DeleteGroupsResponse](a, deleteGroups(2))
		}),
		must("groups.delete.twice-in-a-request", "A group named twice in a request is deleted and answered once.", "KafkaApis.handleDeleteGroupsRequest", func(c *Conversation) {
			a, t, g := c.Conn("a"), c.Topic("orders", 1), c.Group("readers")
			commitNow(a, commit(9, g, t, 0, 1))
			ask[*kmsg.DeleteGroupsResponse](a, deleteGroups(2, g, g))
		}),
		must("groups.delete.pending-members", "A group whose only members were told their ids is empty for deletion, and they are forgotten with it.", "ClassicGroup.validateDeleteGroup", func(c *Conversation) {
			a, g := c.Conn("a"), c.Group("readers")
			m := newMember(a, g)
			ask[*kmsg.DeleteGroupsResponse](a, deleteGroups(2, g))
			joinNow(a, join(9, g, m))
		}),
		must("groups.delete.left", "A group that all have left can be deleted, and starts anew.", "KIP-229", func(c *Conversation) {
			a, g := c.Conn("a"), c.Group("readers")
			leaveNow(a, leave(5, g, single(a, g)))
			ask[*kmsg.DeleteGroupsResponse](a, deleteGroups(2, g))
			described(a, g)
			single(a, g)
		}),
	}
}

func describedStates(c *Conversation) {
	g, a, b := c.Group("readers"), c.Conn("a"), c.Conn("b")
	c.Note("a member id was given out")
	leader := newMember(a, g)
	described(a, g)
	c.Note("joined")
	joinNow(a, join(9, g, leader))
	described(a, g)
	c.Note("synced")
	syncNow(a, sync(5, g, leader, 1, leader, "all"))
	described(a, g)
	c.Note("another is joining")
	joining := b.Send(join(9, g, newMember(b, g)))
	c.AwaitGroup(g, "PreparingRebalance", 2)
	described(a, g)
	c.Note("the first has left")
	leaveNow(a, leave(5, g, leader))
	follower := answer[*kmsg.JoinGroupResponse](joining).MemberID
	described(a, g)
	c.Note("both have left")
	leaveNow(b, leave(5, g, follower))
	described(a, g)
}
