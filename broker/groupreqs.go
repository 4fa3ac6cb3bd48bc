package broker

import (
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/groupcoord"
	"klamm/protocol"
)

// Membership of groups, and what can be seen of them. The rules are groupcoord's;
// here each request finds its group.

func (c *Cluster) joinGroup(call *call, req *kmsg.JoinGroupRequest, resp *kmsg.JoinGroupResponse) {
	give(resp, call.ask(req.Group, func(g *group, to groupcoord.Token) groupcoord.Event {
		g.joins++
		return groupcoord.JoinGroup{
			To: to, Req: req,
			ClientID: call.header.ClientID, ClientHost: call.conn.clientHost(),
			Random: c.random("member", g.id, g.life<<32|g.joins), Topics: c.image.Load(),
		}
	}))
}

func (c *Cluster) syncGroup(call *call, req *kmsg.SyncGroupRequest, resp *kmsg.SyncGroupResponse) {
	give(resp, call.ask(req.Group, func(_ *group, to groupcoord.Token) groupcoord.Event {
		return groupcoord.SyncGroup{To: to, Req: req, Topics: c.image.Load()}
	}))
}

func (c *Cluster) heartbeat(call *call, req *kmsg.HeartbeatRequest, resp *kmsg.HeartbeatResponse) {
	give(resp, call.ask(req.Group, func(_ *group, to groupcoord.Token) groupcoord.Event {
		return groupcoord.Heartbeat{To: to, Req: req}
	}))
}

func (c *Cluster) leaveGroup(call *call, req *kmsg.LeaveGroupRequest, resp *kmsg.LeaveGroupResponse) {
	give(resp, call.ask(req.Group, func(_ *group, to groupcoord.Token) groupcoord.Event {
		return groupcoord.LeaveGroup{To: to, Req: req}
	}))
}

// give fills in resp with what a group replied; a nil reply leaves it, since
// there is nobody to answer. The version stays that of the request.
func give[R any, P interface {
	*R
	kmsg.Response
}](resp P, reply kmsg.Response) {
	if reply == nil {
		return
	}
	version := resp.GetVersion()
	*resp = *reply.(P)
	resp.SetVersion(version)
}

func (c *Cluster) describeGroups(call *call, req *kmsg.DescribeGroupsRequest, resp *kmsg.DescribeGroupsResponse) {
	for _, id := range req.Groups {
		d := c.describeGroup(id, call.header.Version)
		if req.IncludeAuthorizedOperations && d.ErrorCode == 0 {
			d.AuthorizedOperations = groupOperations
		}
		resp.Groups = append(resp.Groups, d)
		if call.grows(describedGroupSize(&d)) {
			return
		}
	}
}

// describedGroupSize is about how many bytes a group takes in an answer.
func describedGroupSize(d *kmsg.DescribeGroupsResponseGroup) int {
	size := 0
	for i := range d.Members {
		m := &d.Members[i]
		size += 128 + len(m.MemberID) + len(m.ClientID) + len(m.ProtocolMetadata) + len(m.MemberAssignment)
	}
	return size
}

// groupOperations are all operations on a group, as bits by AclOperation's codes:
// READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS and ALTER_CONFIGS. Without an
// authorizer everybody may do all of them.
const groupOperations = 1<<3 | 1<<6 | 1<<8 | 1<<10 | 1<<11

// describeGroup describes one group. One that does not exist is Dead: an error
// since v6 (KIP-1043), a success before.
func (c *Cluster) describeGroup(id string, version int16) kmsg.DescribeGroupsResponseGroup {
	if g := c.groups.get(id); g != nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		if !g.gone && g.machine.Listed() {
			d := g.machine.Describe()
			if d.State == dead && version >= 6 {
				d.ErrorCode = int16(protocol.GroupIdNotFound)
				d.ErrorMessage = kmsg.StringPtr("Group " + id + " is not a classic group.")
			}
			return d
		}
	}
	d := kmsg.NewDescribeGroupsResponseGroup()
	d.Group, d.State = id, dead
	if version >= 6 {
		d.ErrorCode = int16(protocol.GroupIdNotFound)
		d.ErrorMessage = kmsg.StringPtr("Group " + id + " not found.")
	}
	return d
}

// dead is the state of a classic group that there is not.
const dead = "Dead"

func (c *Cluster) listGroups(_ *call, req *kmsg.ListGroupsRequest, resp *kmsg.ListGroupsResponse) {
	states, types := lowered(req.StatesFilter), lowered(req.TypesFilter)
	for _, g := range c.groups.all() {
		g.mu.Lock()
		view, hidden := g.machine.Overview(), g.gone || !g.machine.Listed()
		g.mu.Unlock()
		if hidden || !inFilter(states, view.State) || !inFilter(types, view.Type) {
			continue
		}
		listed := kmsg.NewListGroupsResponseGroup()
		listed.Group, listed.ProtocolType = g.id, view.ProtocolType
		listed.GroupState, listed.GroupType = view.State, view.Type
		resp.Groups = append(resp.Groups, listed)
	}
	slices.SortFunc(resp.Groups, func(a, b kmsg.ListGroupsResponseGroup) int {
		return strings.Compare(a.Group, b.Group)
	})
}

// lowered are the names of a filter in lower case: however long it is, a group is looked
// up in it once.
func lowered(filter []string) map[string]bool {
	names := make(map[string]bool, len(filter))
	for _, name := range filter {
		names[strings.ToLower(name)] = true
	}
	return names
}

// inFilter tells whether filter names s in any case; an empty filter names everything.
func inFilter(filter map[string]bool, s string) bool {
	return len(filter) == 0 || filter[strings.ToLower(s)]
}

func (c *Cluster) deleteGroups(call *call, req *kmsg.DeleteGroupsRequest, resp *kmsg.DeleteGroupsResponse) {
	seen := make(map[string]bool, len(req.Groups))
	for _, id := range req.Groups {
		if seen[id] {
			continue // named twice, answered once
		}
		seen[id] = true
		call.deleteShareGroupState(id)
		reply := call.ask(id, func(_ *group, to groupcoord.Token) groupcoord.Event {
			return groupcoord.DeleteGroup{To: to}
		})
		if reply != nil {
			resp.Groups = append(resp.Groups, reply.(*kmsg.DeleteGroupsResponse).Groups...)
		}
	}
}
