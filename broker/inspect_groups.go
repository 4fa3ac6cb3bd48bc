package broker

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/groupcoord"
)

// Group is a consumer group as it is at one moment.
type Group struct {
	ID   string
	Type string // "classic", or "consumer" for a group of the new protocol (KIP-848)
	// State is Kafka's name: Empty, PreparingRebalance, CompletingRebalance or Stable of a
	// classic group; Empty, Assigning, Reconciling or Stable of a consumer group.
	State        string
	ProtocolType string // such as "consumer"; empty while nobody has joined
	Protocol     string // the assignor that was voted for; of a classic group empty unless Stable
	Generation   int32  // counts the rebalances that were completed; of a consumer group the group epoch
	Leader       string // member id of the member that assigns; empty without one, and where the coordinator assigns
	Members      []Member
	Commits      []Commit // committed offsets, by topic and partition
	// Reason is why the last rebalance began.
	Reason string
}

// Member is a member of a group.
type Member struct {
	ID         string // member id
	InstanceID string // group instance id of a static member (KIP-345), else empty
	ClientID   string
	ClientHost string
	// Topics are what the member subscribes to, and Assigned is what it has been
	// given, of a member that speaks the consumer protocol. Of a classic group Topics
	// are known only while it is Stable.
	Topics   []string
	Assigned []TopicPartition
	// Metadata and Assignment are the bytes that Topics and Assigned were read from.
	Metadata, Assignment []byte
}

// Commit is a committed offset.
type Commit struct {
	TopicPartition
	Offset      int64
	LeaderEpoch int32 // of the last record that was read; -1 when unknown
	Metadata    string
	// Lag is how many offsets lie between the committed one and the end of the
	// log; -1 when the partition does not exist any more.
	Lag int64
}

// Owner is the member that has been given a partition; ok is false without one.
func (g Group) Owner(tp TopicPartition) (owner Member, ok bool) {
	for _, m := range g.Members {
		if slices.Contains(m.Assigned, tp) {
			return m, true
		}
	}
	return Member{}, false
}

// Committed is what is committed for a partition; ok is false without it.
func (g Group) Committed(tp TopicPartition) (commit Commit, ok bool) {
	for _, c := range g.Commits {
		if c.TopicPartition == tp {
			return c, true
		}
	}
	return Commit{}, false
}

// Lag is the lag of all committed partitions together. Partitions that nothing is
// committed for, and those that are gone, do not count.
func (g Group) Lag() (lag int64) {
	for _, c := range g.Commits {
		lag += max(c.Lag, 0)
	}
	return lag
}

// Groups are the ids of all groups, sorted.
func (c *Cluster) Groups() []string {
	var ids []string
	for _, g := range c.groups.all() {
		ids = append(ids, g.id)
	}
	slices.Sort(ids)
	return ids
}

// Group is the group of that id; ok is false where there is none.
func (c *Cluster) Group(id string) (view Group, ok bool) {
	g := c.groups.get(id)
	if g == nil {
		return Group{}, false
	}
	if view, ok = g.view(); !ok {
		return Group{}, false
	}
	for i := range view.Commits {
		commit := &view.Commits[i]
		commit.Lag = -1
		if p := c.image.Load().byName.get(commit.Topic).partition(commit.Partition); p != nil {
			commit.Lag = max(p.view().End-commit.Offset, 0)
		}
	}
	return view, true
}

// view is all that the group knows by itself.
func (g *group) view() (Group, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.gone || g.machine.Vacant() {
		return Group{}, false
	}
	view := g.membership()
	all := kmsg.NewOffsetFetchRequestGroup()
	all.Group = g.id
	for _, t := range g.machine.FetchOffsets(time.Now(), all, false).Topics {
		for _, p := range t.Partitions {
			commit := Commit{TopicPartition: TopicPartition{t.Topic, p.Partition}, Offset: p.Offset, LeaderEpoch: p.LeaderEpoch}
			if p.Metadata != nil {
				commit.Metadata = *p.Metadata
			}
			view.Commits = append(view.Commits, commit)
		}
	}
	return view, true
}

// membership is the view without what is committed; the lock is held.
func (g *group) membership() Group {
	kind := g.machine.Overview()
	view := Group{ID: g.id, Type: kind.Type, State: kind.State, ProtocolType: kind.ProtocolType}
	if d, ok := g.machine.DescribeConsumer(g.cluster.image.Load()); ok {
		view.Protocol, view.Generation = d.AssignorName, d.Epoch
		for i := range d.Members {
			view.Members = append(view.Members, newConsumerMember(&d.Members[i]))
		}
		return view
	}
	described := g.machine.Describe()
	view.Protocol, view.Generation = described.Protocol, g.machine.Generation()
	view.Leader, view.Reason = g.machine.Leader(), g.machine.RebalanceReason()
	for i := range described.Members {
		view.Members = append(view.Members, newMember(described.ProtocolType, &described.Members[i]))
	}
	return view
}

// newConsumerMember is a member of a consumer group.
func newConsumerMember(m *kmsg.ConsumerGroupDescribeResponseGroupMember) Member {
	member := Member{ID: m.MemberID, ClientID: m.ClientID, ClientHost: m.ClientHost, Topics: slices.Clone(m.SubscribedTopics)}
	if m.InstanceID != nil {
		member.InstanceID = *m.InstanceID
	}
	for _, t := range m.Assignment.TopicPartitions {
		for _, p := range t.Partitions {
			member.Assigned = append(member.Assigned, TopicPartition{t.Topic, p})
		}
	}
	slices.SortFunc(member.Assigned, TopicPartition.compare)
	return member
}

// newMember reads what a member of the consumer protocol says. Bytes that are no
// subscription or assignment leave Topics or Assigned empty.
func newMember(protocolType string, m *kmsg.DescribeGroupsResponseGroupMember) Member {
	member := Member{
		ID: m.MemberID, ClientID: m.ClientID, ClientHost: m.ClientHost,
		Metadata: slices.Clone(m.ProtocolMetadata), Assignment: slices.Clone(m.MemberAssignment),
	}
	if m.InstanceID != nil {
		member.InstanceID = *m.InstanceID
	}
	if protocolType != "consumer" {
		return member
	}
	var subscription kmsg.ConsumerMemberMetadata
	if len(member.Metadata) > 0 && subscription.ReadFrom(member.Metadata) == nil {
		member.Topics = slices.Sorted(slices.Values(subscription.Topics))
	}
	var assignment kmsg.ConsumerMemberAssignment
	if len(member.Assignment) > 0 && assignment.ReadFrom(member.Assignment) == nil {
		for _, t := range assignment.Topics {
			for _, p := range t.Partitions {
				member.Assigned = append(member.Assigned, TopicPartition{t.Topic, p})
			}
		}
		slices.SortFunc(member.Assigned, TopicPartition.compare)
	}
	return member
}

// ExpireMember ends the session of a member now, as if its session timeout had
// passed without a heartbeat.
func (c *Cluster) ExpireMember(groupID, memberID string) error {
	return c.toGroup(groupID, groupcoord.ExpireMember{MemberID: memberID})
}

// ForceRebalance starts a rebalance of a group that is Stable or about to be, as
// if a member had asked for one.
func (c *Cluster) ForceRebalance(groupID, reason string) error {
	return c.toGroup(groupID, groupcoord.ForceRebalance{Reason: reason})
}

func (c *Cluster) toGroup(id string, e groupcoord.Event) error {
	g := c.groups.get(id)
	if g == nil {
		return fmt.Errorf("group %q does not exist", id)
	}
	g.tell(time.Now(), e)
	return nil
}

// RefuseClient makes a client disappear as a crash does: its connections are cut,
// and requests with its client id end their connection until AcceptClient. Its group
// members are left to their session timeouts. When RefuseClient returns, nothing
// that the client sent has an effect any more.
func (c *Cluster) RefuseClient(clientID string) error {
	if clientID == "" {
		return errors.New("a client without a client id cannot be told from others")
	}
	c.changeRefused(func(refused map[string]bool) { refused[clientID] = true })
	for _, cn := range c.connsOf(clientID) {
		cn.nc.Close()
		<-cn.ended
	}
	c.changes.notify()
	return nil
}

// AcceptClient ends RefuseClient.
func (c *Cluster) AcceptClient(clientID string) {
	c.changeRefused(func(refused map[string]bool) { delete(refused, clientID) })
	c.changes.notify()
}

// changeRefused replaces the set of refused clients, which the connections read
// without a lock.
func (c *Cluster) changeRefused(change func(map[string]bool)) {
	c.connsMu.Lock()
	defer c.connsMu.Unlock()
	next := make(map[string]bool)
	if old := c.refused.Load(); old != nil {
		maps.Copy(next, *old)
	}
	change(next)
	if len(next) == 0 {
		c.refused.Store(nil)
		return
	}
	c.refused.Store(&next)
}

// connsOf are the connections whose last request had the client id.
func (c *Cluster) connsOf(clientID string) (conns []*conn) {
	c.connsMu.Lock()
	defer c.connsMu.Unlock()
	for cn := range c.conns {
		if id := cn.client.Load(); id != nil && *id == clientID {
			conns = append(conns, cn)
		}
	}
	return conns
}

// Clients are the client ids that have a connection, sorted, each once.
func (c *Cluster) Clients() []string {
	c.connsMu.Lock()
	defer c.connsMu.Unlock()
	ids := make(map[string]bool)
	for cn := range c.conns {
		if id := cn.client.Load(); id != nil && *id != "" {
			ids[*id] = true
		}
	}
	return slices.Sorted(maps.Keys(ids))
}

// Membership is one member of one group.
type Membership struct{ Group, Member string }

// Memberships are all memberships of a client, those included that it has got a
// member id for and not yet joined with (KIP-394).
func (c *Cluster) Memberships(clientID string) (found []Membership) {
	for _, g := range c.groups.all() {
		g.mu.Lock()
		for _, m := range g.membership().Members {
			if m.ClientID == clientID {
				found = append(found, Membership{g.id, m.ID})
			}
		}
		for _, id := range g.machine.PendingMembers() {
			if isMemberIDOf(clientID, id) {
				found = append(found, Membership{g.id, id})
			}
		}
		g.mu.Unlock()
	}
	slices.SortFunc(found, func(a, b Membership) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Member, b.Member))
	})
	return found
}

// isMemberIDOf tells whether the coordinator made a member id for a client: the
// client id, a dash and the 36 characters of a UUID.
func isMemberIDOf(clientID, memberID string) bool {
	const uuid = 36
	rest, ok := strings.CutPrefix(memberID, clientID+"-")
	return ok && len(rest) == uuid
}
