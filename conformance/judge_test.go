package conformance

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const metadataSaid = `a> ApiVersions v0
a< ApiVersions v0 ErrorCode=NONE
    ApiKeys:
      - ApiKey=3 MinVersion=0 MaxVersion=13
      - ApiKey=18 MinVersion=0 MaxVersion=5
      - ApiKey=19 MinVersion=2 MaxVersion=7
a> Metadata v9 Topics=[]
a< Metadata v9 ErrorCode=NONE ErrorMessage="no \"x\"" Leader=1
`

// TestJudge: what breaks a rule, and where.
func TestJudge(t *testing.T) {
	for _, tc := range []struct {
		name, from, to string
		verdict        Verdict
		details        string
		api, cause     string
	}{
		{"the same", "", "", VerdictKept, "", "", ""},
		{"another message", `"no \"x\""`, "null", VerdictBroken, "words", "Metadata", "field ErrorMessage"},
		{"another leader", `ErrorMessage="no \"x\"" Leader=1`, "ErrorMessage=null Leader=2", VerdictBroken, "", "Metadata", "field Leader"},
		{"another error", "NONE ErrorMessage", "NETWORK_EXCEPTION(13) ErrorMessage", VerdictBroken, "", "Metadata", "error code"},
		{"hung up", metadataSaid[strings.Index(metadataSaid, "a< Metadata"):], "a< connection closed\n", VerdictBroken, "", "Metadata", "hung up"},
		{"fewer APIs", "      - ApiKey=3 MinVersion=0 MaxVersion=13\n", "", VerdictKept, "", "", ""},
		{"other versions", "ApiKey=19 MinVersion=2", "ApiKey=19 MinVersion=0", VerdictKept, "", "", ""},
		{"other versions of ApiVersions", "MaxVersion=5", "MaxVersion=4", VerdictBroken, "", "ApiVersions", "field MaxVersion"},
	} {
		var res Result
		res.compare(Rule{ID: "versions.again"}, metadataSaid, strings.Replace(metadataSaid, tc.from, tc.to, 1), nil)
		api := ""
		if res.At != nil {
			api = res.At.API
		}
		if res.Verdict != tc.verdict || strings.Join(res.Details, ",") != tc.details || api != tc.api || res.Cause != tc.cause {
			t.Errorf("%s: %s at %q because of %q, details %q\n%s", tc.name, res.Verdict, api, res.Cause, res.Details, res.Why)
		}
	}
	var res Result
	res.compare(Rule{ID: advertisedRule}, metadataSaid, strings.Replace(metadataSaid, "ApiKey=19 MinVersion=2", "ApiKey=19 MinVersion=0", 1), nil)
	if res.Verdict != VerdictBroken {
		t.Error("the rule about what is advertised does not see it")
	}
}

// TestJudgeVersionByVersion: what is not advertised is left out, and not held against
// the target.
func TestJudgeVersionByVersion(t *testing.T) {
	r := Rule{ID: "versions.served.metadata", VersionByVersion: true}
	for _, tc := range []struct {
		offer Offer
		said  string
		want  Verdict
	}{
		{Offer{18: {0, 4}, 3: {0, 9}}, metadataSaid, VerdictKept},
		{Offer{18: {0, 4}, 3: {0, 8}}, metadataSaid[:strings.Index(metadataSaid, "a> Meta")], VerdictKept},
		{Offer{18: {0, 4}, 3: {0, 9}}, metadataSaid[:strings.Index(metadataSaid, "a> Meta")], VerdictBroken},
		{Offer{1: {0, 4}}, "", VerdictNotOffered},
	} {
		var res Result
		res.compare(r, metadataSaid, tc.said, tc.offer)
		if res.Verdict != tc.want {
			t.Errorf("%v: %s, want %s\n%s", tc.offer, res.Verdict, tc.want, res.Why)
		}
	}
}

// TestPrintNode: a node's id and rack are its own affair.
func TestPrintNode(t *testing.T) {
	resp := kmsg.NewPtrMetadataResponse()
	resp.Version = 1
	resp.ControllerID = 7
	resp.Brokers = []kmsg.MetadataResponseBroker{{NodeID: 7, Rack: kmsg.StringPtr("r")}, {NodeID: 8}}
	p := newPrinter(newNames())
	p.names.node = new(int32(7))
	got := p.message(resp)
	if !strings.Contains(got, "ControllerID=1 ") || !strings.Contains(got, `NodeID=1 Host="" Port=0 Rack=null`) || !strings.Contains(got, "NodeID=8") {
		t.Error(got)
	}
}

func TestCalls(t *testing.T) {
	want := []Call{{3, "Metadata", 9}, {18, "ApiVersions", 0}}
	if d := cmp.Diff(want, Calls(metadataSaid)); d != "" {
		t.Error(d)
	}
}

// TestEveryRuleIsDescribed: a rule says what it is, where it comes from, and is recorded.
func TestEveryRuleIsDescribed(t *testing.T) {
	for _, r := range Rules() {
		if r.Says == "" || r.Source == "" || r.Run == nil {
			t.Errorf("%s is not described", r.ID)
		}
		if _, ok := r.Recorded(); !ok {
			t.Errorf("%s is not recorded", r.ID)
		}
		if _, ok := Profiles()[r.Profile]; r.Profile != "" && !ok {
			t.Errorf("%s needs the profile %s, which does not exist", r.ID, r.Profile)
		}
	}
}

// TestReportSurvivesJSON: --diff reads what --report wrote.
func TestReportSurvivesJSON(t *testing.T) {
	report := Report{Kafka: Kafka, Target: "a:1", Offer: Offer{3: {0, 9}}, Results: []Result{
		{ID: "a.b", Severity: "must", Calls: []Call{{3, "Metadata", 9}}, Verdict: VerdictBroken, Why: "  - <a>\n  + b", At: &Call{3, "Metadata", 9}},
		{ID: "b.c", Severity: "timing", Verdict: VerdictNotOffered},
	}}
	var out bytes.Buffer
	if err := report.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	again, err := ReadReport(&out)
	if d := cmp.Diff(report, again, cmp.AllowUnexported(Result{})); d != "" || err != nil {
		t.Error(err, d)
	}
	if changes := Diff(report, again); len(changes) > 0 {
		t.Error(changes)
	}
	out.Reset()
	if err := report.WriteHTML(&out); err != nil || !strings.Contains(out.String(), `<span class="minus">  - &lt;a&gt;</span>`) || !strings.Contains(out.String(), `<td class="b">0/1`) {
		t.Error(err, out.String())
	}
}

// TestDiff: a rule that is broken in substance and was not is worse; the same difference is none.
func TestDiff(t *testing.T) {
	result := func(v Verdict, details ...string) Report {
		return Report{Results: []Result{{ID: "a.b", Verdict: v, Details: details}}}
	}
	details, not := result(VerdictBroken, "words"), result(VerdictNotOffered)
	for _, tc := range []struct {
		older, newer Report
		want         string
		worse        bool
	}{
		{result(VerdictKept), details, "! a.b: kept -> broken in details\n", true},
		{details, result(VerdictBroken), "! a.b: broken in details -> broken\n", true},
		{result(VerdictBroken), details, "  a.b: broken -> broken in details\n", false},
		{not, details, "! a.b: not offered -> broken in details\n", true},
		{not, result(VerdictKept), "  a.b: not offered -> kept\n", false},
		{result(VerdictKept), not, "! a.b: kept -> not offered\n", true},
		{Report{}, result(VerdictBroken), "  a.b: no rule -> broken\n", false},
		{details, details, "0 rules changed", false},
	} {
		var out strings.Builder
		worse, err := WriteDiff(&out, Diff(tc.older, tc.newer))
		if err != nil || worse != tc.worse || !strings.HasPrefix(out.String(), tc.want) {
			t.Errorf("worse %v, %v, want %s\n%s", worse, err, tc.want, out.String())
		}
	}
}
