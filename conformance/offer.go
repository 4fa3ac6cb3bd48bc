package conformance

import (
	"cmp"
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Versions are the lowest and the highest version of an API, both inclusive.
type Versions struct {
	Min int16 `json:"min"`
	Max int16 `json:"max"`
}

// Offer is what a target advertises in its answer to ApiVersions (KIP-35): API key to
// versions. A nil Offer stands for a target that was not asked: it may have everything.
type Offer map[int16]Versions

// Has tells whether a version of an API is advertised.
func (o Offer) Has(key, version int16) bool {
	v, ok := o[key]
	return o == nil || ok && v.Min <= version && version <= v.Max
}

// Ask asks a target what it offers, in the version of ApiVersions that every broker
// has. An error means that the target cannot be reached, or is no broker.
func Ask(ctx context.Context, target Target) (Offer, error) {
	offer := Offer{}
	err := talk(ctx, target, func(c *Conversation) {
		resp, ok := c.setup.Send(apiVersions(0, "", "")).Answer().(*kmsg.ApiVersionsResponse)
		if !ok || resp.ErrorCode != 0 || len(resp.ApiKeys) == 0 {
			c.fail(fmt.Errorf("%s does not answer ApiVersions as a Kafka broker: %s", target.Addr, c.silent("it names no API")))
		}
		for _, k := range resp.ApiKeys {
			offer[k.ApiKey] = Versions{k.MinVersion, k.MaxVersion}
		}
	})
	return offer, err
}

// node is the id of the node that a target's Metadata names first.
func node(ctx context.Context, target Target) (id *int32, err error) {
	err = talk(ctx, target, func(c *Conversation) {
		resp, ok := c.setup.Send(metadata(1)).Answer().(*kmsg.MetadataResponse)
		if !ok {
			c.fail(fmt.Errorf("%s answers ApiVersions, and not Metadata: %s; does it want SASL?", target.Addr, c.silent("it cannot be read")))
		}
		if len(resp.Brokers) > 0 {
			id = &resp.Brokers[0].NodeID
		}
	})
	return id, err
}

// silent tells why the last answer that did not come did not; if all came, it is wrong.
func (c *Conversation) silent(wrong string) string {
	if c.silence == "nothing" {
		return fmt.Sprintf("nothing comes within %v", c.target.patience())
	}
	return cmp.Or(c.silence, wrong)
}

// talk holds a conversation that leaves no transcript.
func talk(ctx context.Context, target Target, run func(c *Conversation)) error {
	c := newConversation(ctx, target)
	c.whole = true
	defer c.close()
	c.hold(Rule{Run: run})
	return c.err
}

// NotOffered is why a conversation ended: the target does not advertise what it needs.
type NotOffered struct {
	Key, Version int16
}

// Error names the API and its version.
func (e NotOffered) Error() string {
	return fmt.Sprintf("%s v%d is not advertised", kmsg.Key(e.Key).Name(), e.Version)
}
