package conformance_test

import (
	"bytes"
	"context"
	"flag"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"klamm/broker"
	"klamm/conformance"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestEveryConfigHasItsEffect sees that each config that may be set is in configs.txt,
// and that each line there is of use.
func TestEveryConfigHasItsEffect(t *testing.T) {
	effects := configEffects(t)
	used := make([]bool, len(effects))
	for kind, names := range settable(t) {
		for _, name := range names {
			i := slices.IndexFunc(effects, func(e conformance.ConfigEffect) bool { return e.Fits(kind, name) })
			if i < 0 {
				t.Errorf("%s config %s is not in configs.txt", kind, name)
				continue
			}
			used[i] = true
		}
	}
	for i, e := range effects {
		if !used[i] {
			t.Errorf("configs.txt: no config is left for %s %s", e.Kind, e.Pattern)
		}
	}
}

// TestRulesSetTheirConfigs sees that a rule that is said to see the effect of a config
// sets it, in a request or by its profile.
func TestRulesSetTheirConfigs(t *testing.T) {
	rules := map[string]conformance.Rule{}
	for _, r := range conformance.Rules() {
		rules[r.ID] = r
	}
	configs := settable(t)
	for _, e := range configEffects(t) {
		for _, id := range e.Rules {
			r, ok := rules[id]
			if !ok {
				t.Errorf("configs.txt: %s is no rule", id)
				continue
			}
			sent := said(t, r)
			for _, name := range configs[e.Kind] {
				_, set := conformance.Profiles()[r.Profile].Settings[name]
				if e.Fits(e.Kind, name) && !set && !strings.Contains(sent, name) {
					t.Errorf("configs.txt: the rule %s does not set %s", id, name)
				}
			}
		}
	}
}

func configEffects(t *testing.T) []conformance.ConfigEffect {
	t.Helper()
	effects, err := conformance.ConfigEffects()
	if err != nil {
		t.Fatal(err)
	}
	return effects
}

// said is what a rule sends to a broker.
func said(t *testing.T, r conformance.Rule) (sent string) {
	synctest.Test(t, func(t *testing.T) {
		c, err := broker.Start(broker.Config{Network: broker.Memory, Configs: conformance.Profiles()[r.Profile].Settings})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		var spy tape
		hold(t, r, conformance.Target{Addr: c.Addr(), Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := c.Dial(ctx, network, addr)
			return &taped{conn, &spy}, err
		}})
		spy.mu.Lock()
		defer spy.mu.Unlock()
		sent = spy.text.String()
	})
	return sent
}

// tape keeps what was written.
type tape struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// taped is a connection that keeps what is written to it.
type taped struct {
	net.Conn
	tape *tape
}

func (c *taped) Write(b []byte) (int, error) {
	c.tape.mu.Lock()
	c.tape.text.Write(b)
	c.tape.mu.Unlock()
	return c.Conn.Write(b)
}

// settable are the names of the configs that a broker describes, by kind.
func settable(t *testing.T) map[string][]string {
	t.Helper()
	c, err := broker.Start(broker.Config{Topics: []broker.Topic{{Name: "orders", Partitions: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	names := map[string][]string{}
	target := conformance.Target{Addr: c.Addr(), Dial: c.Dial}
	for kind, resource := range map[string]kmsg.DescribeConfigsRequestResource{
		"topic":  {ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: "orders"},
		"group":  {ResourceType: kmsg.ConfigResourceTypeGroupConfig, ResourceName: "readers"},
		"broker": {ResourceType: kmsg.ConfigResourceTypeBroker, ResourceName: "1"},
	} {
		if names[kind], err = conformance.ConfigNames(t.Context(), target, resource); err != nil {
			t.Fatal(err)
		}
		if len(names[kind]) < 20 {
			t.Fatalf("%d %s configs", len(names[kind]), kind)
		}
	}
	return names
}

var updateReadme = flag.Bool("update-readme", false, "write the README's table of configs anew")

// TestReadmeListsInertConfigs holds the README's table against configs.txt.
func TestReadmeListsInertConfigs(t *testing.T) {
	const readme, begin, end = "../README.md", "<!-- generated: inert -->\n", "<!-- end -->"
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(text), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("the README has no part between %q and %q", begin, end)
	}
	want := before + begin + inertTable(configEffects(t)) + end + after
	switch {
	case want == string(text):
	case !*updateReadme:
		t.Error("the README says otherwise than configs.txt; see go test ./conformance -run TestReadme -args -update-readme")
	default:
		writeFile(t, readme, want)
	}
}

// inertTable is the configs without effect, by their reason.
func inertTable(effects []conformance.ConfigEffect) string {
	var reasons []string
	configs := map[string][]string{}
	for _, e := range effects {
		if !e.Inert {
			continue
		}
		if configs[e.Why] == nil {
			reasons = append(reasons, e.Why)
		}
		configs[e.Why] = append(configs[e.Why], e.Kind+" `"+e.Pattern+"`")
	}
	var b strings.Builder
	b.WriteString("| why | configs |\n|---|---|\n")
	for _, why := range reasons {
		b.WriteString("| " + why + " | " + strings.Join(configs[why], ", ") + " |\n")
	}
	return b.String()
}
