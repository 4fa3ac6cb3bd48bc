package conformance

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// defaultPatience is how long an answer may take.
const defaultPatience = 20 * time.Second

// Target is a broker to ask.
type Target struct {
	// Addr is its HOST:PORT.
	Addr string
	// Dial reaches it; nil dials TCP.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// TLS has every connection speak TLS; nil speaks none. An empty ServerName is Addr's host.
	TLS *tls.Config
	// Login has every connection authenticate before it is used; nil has none do so.
	Login *Login
	// Patience is how long an answer may take; 0 means 20 seconds.
	Patience time.Duration
	// Offer is what it advertises; a conversation that needs more ends with NotOffered.
	// Nil is not looked at.
	Offer Offer
	// Node is the id of its node, which transcripts show as Kafka's; nil is Kafka's own, 1.
	Node *int32
}

func (t Target) patience() time.Duration {
	if t.Patience > 0 {
		return t.Patience
	}
	return defaultPatience
}

func (t Target) dial(ctx context.Context) (net.Conn, error) {
	dial := t.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: t.patience()}).DialContext
	}
	nc, err := dial(ctx, "tcp", t.Addr)
	if err != nil {
		return nil, err
	}
	return t.secured(ctx, nc)
}

// Conversation is one run of one rule against one target.
type Conversation struct {
	ctx       context.Context
	target    Target
	tag       string // stands in every name that this run makes
	names     *names
	printer   *printer
	out       strings.Builder
	conns     []*Conn
	setup     *Conn // not in the transcript
	topics    []string
	known     map[string]bool // topics that a coordinator of groups knows, by its partition and their names
	expires   Topic           // of lookForExpired
	marks     marks           // of lookForDirty
	topicless map[string]bool // topics of coordinators that the target does not have
	altered   int             // how often alterNow was called
	whole     bool            // nothing is left out of answers
	err       error           // the target could not be asked
	silence   string          // why the last answer that did not come did not
}

// Hold holds r's conversation with target and returns its transcript. An error means
// that the target could not be asked at all; it is NotOffered when the target does
// not advertise what the rule needs.
func (r Rule) Hold(ctx context.Context, target Target) (string, error) {
	c := newConversation(ctx, target)
	defer c.close()
	c.hold(r)
	return c.out.String(), c.err
}

func newConversation(ctx context.Context, target Target) *Conversation {
	n := newNames()
	n.node = target.Node
	c := &Conversation{ctx: ctx, target: target, tag: strings.ToLower(rand.Text()[:8]), names: n, printer: newPrinter(n), topicless: map[string]bool{}, known: map[string]bool{}}
	c.setup = &Conn{c: c, name: "setup", silent: true}
	return c
}

// hold runs the rule and ends quietly when the conversation cannot go on.
func (c *Conversation) hold(r Rule) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case ended:
			c.say("the conversation ends here")
		case runtime.Error: // the rule looked for what a broken answer does not have
			c.say("the conversation ends here: %v", e)
		default:
			panic(e)
		}
	}()
	r.Run(c)
}

func (c *Conversation) close() {
	var lacks NotOffered
	if len(c.topics) > 0 && (c.err == nil || errors.As(c.err, &lacks)) {
		c.deleteTopics()
	}
	for _, a := range append(c.conns, c.setup) {
		a.drop()
	}
}

// fail ends a conversation with a target that cannot be asked.
func (c *Conversation) fail(err error) {
	c.err = err
	panic(ended{})
}

// Conn is the connection of this name, opened when it is first used.
func (c *Conversation) Conn(name string) *Conn {
	for _, a := range c.conns {
		if a.name == name {
			return a
		}
	}
	a := &Conn{c: c, name: name}
	c.conns = append(c.conns, a)
	return a
}

// say adds a line to the transcript.
func (c *Conversation) say(format string, args ...any) {
	c.out.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " ") + "\n")
}

// Note adds a remark to the transcript, such as the heading of a step.
func (c *Conversation) Note(format string, args ...any) {
	c.say("\n# "+format, args...)
}

// Name is a fresh name that the transcript shows as <label>.
func (c *Conversation) Name(label string) string {
	name := label + "-" + c.tag
	c.names.know(name, label)
	return name
}

// covered are the APIs that have rules. The others, and the features that go with
// them, are left out of ApiVersions answers, but for the rule about what is advertised.
var covered = map[int16]bool{
	0: true, 1: true, 2: true, 3: true, 8: true, 9: true, 10: true, 11: true, 12: true, 13: true, 14: true, 15: true,
	16: true, 18: true, 19: true, 20: true, 21: true, 22: true, 23: true, 32: true, 37: true, 42: true, 44: true, 47: true,
	60: true, 75: true,
	33: true, 34: true, 35: true, 43: true, 45: true, 46: true, 48: true, 49: true, 50: true, 51: true, 55: true, 57: true,
	61: true, 64: true, 68: true, 69: true, 74: true,
	17: true, 29: true, 30: true, 31: true, 36: true, 38: true, 39: true, 40: true, 41: true,
	24: true, 25: true, 26: true, 27: true, 28: true, 65: true, 66: true,
}

// ours leaves out of an answer to "all topics" or "all groups" what others have
// made on the same target.
func (c *Conversation) ours(req kmsg.Request, resp kmsg.Response) {
	switch resp := resp.(type) {
	case *kmsg.MetadataResponse:
		if r, ok := req.(*kmsg.MetadataRequest); ok && r.Topics != nil && (len(r.Topics) > 0 || r.Version > 0) {
			return
		}
		resp.Topics = keep(resp.Topics, func(t kmsg.MetadataResponseTopic) bool {
			return t.Topic == nil || strings.Contains(*t.Topic, c.tag)
		})
	case *kmsg.ApiVersionsResponse:
		if c.whole {
			return
		}
		resp.ApiKeys = keep(resp.ApiKeys, func(k kmsg.ApiVersionsResponseApiKey) bool { return covered[k.ApiKey] })
		resp.SupportedFeatures = nil
		resp.FinalizedFeatures = nil
	case *kmsg.CreateTopicsResponse:
		if r, ok := req.(*kmsg.CreateTopicsRequest); ok && !c.whole {
			onlyConfigsOf(r, resp)
		}
	case *kmsg.DescribeClientQuotasResponse:
		resp.Entries = keep(resp.Entries, func(e kmsg.DescribeClientQuotasResponseEntry) bool {
			return c.whole || slices.ContainsFunc(e.Entity, func(e kmsg.DescribeClientQuotasResponseEntryEntity) bool {
				return e.Name == nil || strings.Contains(*e.Name, c.tag)
			})
		})
	case *kmsg.DescribeUserSCRAMCredentialsResponse:
		if r, ok := req.(*kmsg.DescribeUserSCRAMCredentialsRequest); ok && len(r.Users) == 0 {
			resp.Results = keep(resp.Results, func(r kmsg.DescribeUserSCRAMCredentialsResponseResult) bool { return strings.Contains(r.User, c.tag) })
		}
	case *kmsg.ListConfigResourcesResponse:
		resp.ConfigResources = keep(resp.ConfigResources, func(r kmsg.ListConfigResourcesResponseConfigResource) bool {
			return strings.Contains(r.Name, c.tag) || kmsg.ConfigResourceType(r.Type) == kmsg.ConfigResourceTypeBroker ||
				kmsg.ConfigResourceType(r.Type) == kmsg.ConfigResourceTypeBrokerLogger
		})
	case *kmsg.ElectLeadersResponse:
		if r, ok := req.(*kmsg.ElectLeadersRequest); ok && r.Topics == nil {
			resp.Topics = keep(resp.Topics, func(t kmsg.ElectLeadersResponseTopic) bool { return strings.Contains(t.Topic, c.tag) })
		}
	case *kmsg.DescribeLogDirsResponse:
		for i := range resp.Dirs {
			d := &resp.Dirs[i]
			d.Topics = keep(d.Topics, func(t kmsg.DescribeLogDirsResponseDirTopic) bool { return strings.Contains(t.Topic, c.tag) })
		}
	case *kmsg.DescribeTopicPartitionsResponse:
		if r, ok := req.(*kmsg.DescribeTopicPartitionsRequest); ok && len(r.Topics) == 0 && !c.whole {
			resp.NextCursor = nil
			resp.Topics = keep(resp.Topics, func(t kmsg.DescribeTopicPartitionsResponseTopic) bool {
				return t.Topic != nil && strings.Contains(*t.Topic, c.tag)
			})
		}
	case *kmsg.DescribeTransactionsResponse:
		hideOffsetsPartitions(resp)
	case *kmsg.ListTransactionsResponse:
		resp.TransactionStates = keep(resp.TransactionStates, func(t kmsg.ListTransactionsResponseTransactionState) bool {
			return strings.Contains(t.TransactionalID, c.tag)
		})
	case *kmsg.ListGroupsResponse:
		resp.Groups = keep(resp.Groups, func(g kmsg.ListGroupsResponseGroup) bool {
			return strings.Contains(g.Group, c.tag)
		})
	}
}

// hideOffsetsPartitions shows as 0 the partitions of the offsets topic: which they are
// follows from how many it has.
func hideOffsetsPartitions(resp *kmsg.DescribeTransactionsResponse) {
	for _, s := range resp.TransactionStates {
		for _, t := range s.Topics {
			if t.Topic == offsetsTopic {
				clear(t.Partitions)
			}
		}
	}
}

// onlyConfigsOf leaves the configs that the request set: one rule shows them all.
func onlyConfigsOf(req *kmsg.CreateTopicsRequest, resp *kmsg.CreateTopicsResponse) {
	set := map[string]bool{}
	for _, t := range req.Topics {
		for _, config := range t.Configs {
			set[config.Name] = true
		}
	}
	for i := range resp.Topics {
		t := &resp.Topics[i]
		t.Configs = keep(t.Configs, func(config kmsg.CreateTopicsResponseTopicConfig) bool { return set[config.Name] })
	}
}

func keep[T any](all []T, want func(T) bool) []T {
	if all == nil {
		return nil
	}
	kept := []T{}
	for _, t := range all {
		if want(t) {
			kept = append(kept, t)
		}
	}
	return kept
}
