package conformance

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// promise is what a level of a feature stands for: APIs in a version that is needed.
type promise struct {
	feature string
	level   int16
	apis    []Call // their names are not looked at
}

// promises are the features of Kafka 4.4.0 that clients ask for before they use
// protocols, with these protocols.
func promises() []promise {
	return []promise{
		{"group.version", 1, []Call{{Key: 68, Version: 0}, {Key: 69, Version: 0}}},
		{"transaction.version", 1, []Call{{Key: 22, Version: 4}, {Key: 24, Version: 0}, {Key: 25, Version: 0}, {Key: 26, Version: 0}, {Key: 28, Version: 0}}},
		{"transaction.version", 2, []Call{{Key: 0, Version: 12}, {Key: 26, Version: 5}, {Key: 28, Version: 5}}},
		{"share.version", 1, []Call{
			{Key: 76, Version: 1}, {Key: 77, Version: 1}, {Key: 78, Version: 1}, {Key: 79, Version: 1},
			{Key: 90, Version: 0}, {Key: 91, Version: 0}, {Key: 92, Version: 0},
		}},
		{"streams.version", 1, []Call{{Key: 88, Version: 0}, {Key: 89, Version: 0}}},
	}
}

// overClaimRules find what is advertised and not there. What they add to the transcript
// is what they find, so that every target is held to the same.
func overClaimRules() []Rule {
	return []Rule{
		must("versions.features-have-apis", "A feature that is finalized or supported has its APIs advertised, and they are answered.", "KIP-584", featuresHaveAPIs),
		must("versions.advertised-are-answered", "Every version that is advertised is answered, but for those of Produce that Kafka advertises for an old client's sake.", "KIP-35, KIP-896", advertisedAreAnswered),
	}
}

// advertised is what the target answers to ApiVersions, whole.
func (c *Conversation) advertised() *kmsg.ApiVersionsResponse {
	c.whole = true
	defer func() { c.whole = false }()
	return ask[*kmsg.ApiVersionsResponse](c.setup, apiVersions(4, "suite", "1"))
}

func featuresHaveAPIs(c *Conversation) {
	resp := c.advertised()
	offer := Offer{}
	for _, k := range resp.ApiKeys {
		offer[k.ApiKey] = Versions{k.MinVersion, k.MaxVersion}
	}
	levels := map[string]int16{}
	for _, f := range resp.SupportedFeatures {
		levels[f.Name] = f.MaxVersion
	}
	for _, f := range resp.FinalizedFeatures {
		levels[f.Name] = max(levels[f.Name], f.MaxVersionLevel)
	}
	c.Note("what is missing for the features that are advertised:")
	for _, p := range promises() {
		if levels[p.feature] < p.level {
			continue
		}
		for _, call := range p.apis {
			what := fmt.Sprintf("%s=%d needs %s v%d", p.feature, p.level, kmsg.Key(call.Key).Name(), call.Version)
			if !offer.Has(call.Key, call.Version) {
				c.say("%s, which is not advertised", what)
			} else if problem := c.probe(call.Key, call.Version); problem != "" {
				c.say("%s: %s", what, problem)
			}
		}
	}
}

// notProbed are APIs that are of no use to a client, or not answered without a plugin.
var notProbed = []int16{93}

// leastProduce is the lowest version of Produce that Kafka answers: it advertises those
// below for the sake of an old librdkafka.
const leastProduce = 3

func advertisedAreAnswered(c *Conversation) {
	resp := c.advertised()
	slices.SortFunc(resp.ApiKeys, func(a, b kmsg.ApiVersionsResponseApiKey) int { return int(a.ApiKey) - int(b.ApiKey) })
	c.Note("what is advertised and not answered:")
	for _, k := range resp.ApiKeys {
		req := kmsg.RequestForKey(k.ApiKey)
		if req == nil || slices.Contains(notProbed, k.ApiKey) {
			continue
		}
		least := k.MinVersion
		if kmsg.Key(k.ApiKey) == kmsg.Produce {
			least = max(least, leastProduce)
		}
		for v := least; v <= min(k.MaxVersion, req.MaxVersion()); v++ {
			if problem := c.probe(k.ApiKey, v); problem != "" {
				c.say("%s v%d: %s", kmsg.Key(k.ApiKey).Name(), v, problem)
			}
		}
	}
}

// probe asks an API for nothing, on a connection of its own, and tells what is wrong
// with the answer; nothing is when there is one, whatever error it has but one.
func (c *Conversation) probe(key, version int16) (problem string) {
	a := &Conn{c: c, silent: true}
	defer a.drop()
	defer func() {
		switch e := recover().(type) {
		case nil:
		case ended:
			if c.err != nil {
				panic(e)
			}
			problem = "no answer"
		default:
			panic(e)
		}
	}()
	req := c.nothing(key, version, c.tag)
	resp := a.Send(req).Answer()
	switch {
	case resp == nil:
		return "no answer"
	case slices.Contains(errorCodes(reflect.ValueOf(resp)), protocol.UnsupportedVersion):
		return "UNSUPPORTED_VERSION"
	}
	return ""
}
