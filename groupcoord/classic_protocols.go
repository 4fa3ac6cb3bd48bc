package groupcoord

import (
	"bytes"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// countProtocols adds n to the count of each protocol that the member supports.
// A name that it gives twice counts twice, as in Kafka, where such a name can then
// never be chosen.
func (c *classic) countProtocols(m *member, n int) {
	if c.supported == nil {
		c.supported = make(map[string]int)
	}
	for _, p := range m.protocols {
		c.supported[p.name] += n
		if c.supported[p.name] == 0 {
			delete(c.supported, p.name)
		}
	}
}

// supports tells that a member with these protocols fits: the type is the group's,
// and at least one protocol is supported by all members there are.
func (c *classic) supports(protocolType string, protocols []kmsg.JoinGroupRequestProtocol) bool {
	if c.isEmpty() {
		return protocolType != "" && len(protocols) > 0
	}
	if c.protocolType != protocolType {
		return false
	}
	for _, p := range protocols {
		if c.supported[p.Name] == len(c.members) {
			return true
		}
	}
	return false
}

// selectProtocol lets every member vote for the first of its protocols that all
// members support, by the count of countProtocols. Most votes win. False means that
// a member has none to vote for, or not the one that wins.
//
// Kafka decides a draw by the order in which a java.util.HashMap keeps the names,
// so the same names give the same winner here.
func (c *classic) selectProtocol() (string, bool) {
	votes := make(map[string]int, 1)
	var voted []string // in the order of their first vote
	for m := range c.all() {
		first := slices.IndexFunc(m.protocols, func(p assignor) bool { return c.supported[p.name] == len(c.members) })
		if first < 0 {
			return "", false
		}
		name := m.protocols[first].name
		if votes[name] == 0 {
			voted = append(voted, name)
		}
		votes[name]++
	}
	size := protocol.JavaTableSize(len(voted))
	best, bestBucket := voted[0], protocol.JavaBucket(voted[0], size)
	for _, name := range voted[1:] {
		bucket := protocol.JavaBucket(name, size)
		if votes[name] > votes[best] || votes[name] == votes[best] && bucket < bestBucket {
			best, bestBucket = name, bucket
		}
	}
	for m := range c.all() {
		if !slices.ContainsFunc(m.protocols, func(p assignor) bool { return p.name == best }) {
			return "", false
		}
	}
	return best, true
}

// noteSubscriptions reads from the metadata of a new generation which topics its
// members consume, as ClassicGroup.computeSubscribedTopics does.
func (c *classic) noteSubscriptions() {
	c.subscribed, c.knowsSubscribed = nil, false
	if !c.usesConsumerProtocol() {
		return
	}
	topics := make(map[string]struct{})
	var seen []byte
	for m := range c.all() {
		if c.protocol == nil {
			return
		}
		metadata := m.metadata(*c.protocol)
		if seen != nil && bytes.Equal(seen, metadata) {
			continue
		}
		names, ok := subscribedTopics(metadata)
		if !ok {
			return
		}
		for _, name := range names {
			topics[name] = struct{}{}
		}
		seen = metadata
	}
	c.subscribed, c.knowsSubscribed = topics, true
}

// subscribedTo is for kind. A group of consumers whose subscriptions cannot be read is
// taken to consume every topic.
func (c *classic) subscribedTo(topic string) bool {
	if !c.knowsSubscribed {
		return c.usesConsumerProtocol()
	}
	_, yes := c.subscribed[topic]
	return yes
}
