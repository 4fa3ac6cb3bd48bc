package peers

import (
	"strings"
	"testing"

	"klamm/conformance"

	"github.com/twmb/franz-go/pkg/kfake"
)

// TestSuiteNamesOverClaims holds the rules about what is advertised with kfake: what it
// advertises and does not serve as Kafka does is named, and what it does not advertise
// is not held against it. Malformed frames are left out: one ends kfake's process.
func TestSuiteNamesOverClaims(t *testing.T) {
	if testing.Short() {
		t.Skip("some seconds of kfake")
	}
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var rules []conformance.Rule
	for _, r := range conformance.Rules() {
		if strings.HasPrefix(r.ID, "versions.served.") {
			rules = append(rules, r)
		}
	}
	run, err := conformance.Suite{Rules: rules, Target: conformance.Target{Addr: c.ListenAddrs()[0]}}.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for r := range run.Results(t.Context()) {
		if r.Verdict != conformance.VerdictKept {
			t.Logf("%s: %s\n%s", r.ID, r.Verdict, r.Why)
		}
	}
	count := run.Report().Count()
	t.Log(count)
	if count.Kept == 0 || count.Broken == 0 || count.NotRun > 0 {
		t.Errorf("kfake: %s", count)
	}
}
