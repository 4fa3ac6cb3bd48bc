package conformance

import (
	"strings"
	"testing"
)

const detailsSaid = `a> DeleteTopics v6 TimeoutMillis=1
a< DeleteTopics v6 ThrottleMillis=0
    Responses:
      - Topic="a" TopicID=<zero> ErrorCode=UNKNOWN_TOPIC_OR_PARTITION(3) ErrorMessage="no a" Offset=-1
      - Topic="b" TopicID=<b> ErrorCode=NONE ErrorMessage=null Offset=-1 Metadata="" Parts=[1 2] Value=null
      - Topic="c" TopicID=<c> ErrorCode=MEMBER_ID_REQUIRED(79) MemberID="m" Leader={ID=-1 Host=""}
        Parts:
          - Partition=0 ErrorCode=NONE Offset=-1`

// TestDetails: what no client can act on is a detail, and nothing else is.
func TestDetails(t *testing.T) {
	for _, tc := range []struct{ from, to, details string }{
		{`"no a"`, `"there is no a"`, "words"},
		{`Metadata=""`, `Metadata=null`, "empty"},
		{`(3) ErrorMessage="no a" Offset=-1`, `(3) ErrorMessage="no a" Offset=0`, "beside an error"},
		{`(3) ErrorMessage="no a" Offset=-1`, `(3) ErrorMessage="no a" Offset=7`, "beside an error"},
		{`(3) ErrorMessage="no a" Offset=-1`, `(3) ErrorMessage=null Offset=0`, "beside an error,words"},
		{`TopicID=<zero>`, `TopicID=<a>`, "beside an error"},
		{`ErrorMessage=null Offset=-1`, `ErrorMessage=null Offset=0`, ""},
		{`Parts=[1 2]`, `Parts=[2 1]`, ""},
		{`Value=null`, `Value=""`, ""},
		{`Topic="a"`, `Topic=""`, ""},
		{`(79) MemberID="m"`, `(79) MemberID=""`, ""},
		{`UNKNOWN_TOPIC_OR_PARTITION(3)`, `NONE`, ""},
		{`TimeoutMillis=1`, `TimeoutMillis=2`, ""},
		{`TopicID=<zero>`, `TopicID=<a id>`, "beside an error"},
		{`(3) ErrorMessage="no a" Offset=-1`, `(3) ErrorMessage="no a" Offset=-1 Parts=[]`, ""},
		{`Throttle`, `throttle`, ""},
	} {
		got := strings.Replace(detailsSaid, tc.from, tc.to, 1)
		if got == detailsSaid {
			t.Fatalf("%s is not in the text", tc.from)
		}
		text, details := mended(detailsSaid, got)
		if is := text == detailsSaid; is != (tc.details != "") || is && strings.Join(details, ",") != tc.details {
			t.Errorf("%s -> %s: details %q, want %q\n%s", tc.from, tc.to, details, tc.details, FirstDifference(detailsSaid, text))
		}
	}
	lines := strings.Split(detailsSaid, "\n")
	lines[3], lines[4] = lines[4], lines[3]
	if text, details := mended(detailsSaid, strings.Join(lines, "\n")); text != detailsSaid || strings.Join(details, ",") != "order" {
		t.Errorf("another order: details %q\n%s", details, FirstDifference(detailsSaid, text))
	}
}

// TestDetailsKeepTheText: reading a transcript as lines and words loses nothing of it.
func TestDetailsKeepTheText(t *testing.T) {
	for _, r := range Rules() {
		want, _ := r.Recorded()
		if text, details := mended(want, want); text != want || len(details) > 0 {
			t.Errorf("%s: details %q\n%s", r.ID, details, FirstDifference(want, text))
		}
	}
}

// TestEpochs: it does not matter at which number the epochs of a group begin, but how they go on.
func TestEpochs(t *testing.T) {
	const want = "a< ConsumerGroupHeartbeat v1 ErrorCode=NONE MemberEpoch=2\na> ConsumerGroupHeartbeat v1 MemberEpoch=2\na< ConsumerGroupHeartbeat v1 ErrorCode=NONE MemberEpoch=3"
	for got, details := range map[string]string{
		strings.NewReplacer("=2", "=1", "=3", "=2").Replace(want): "epochs",
		strings.NewReplacer("=2", "=1", "=3", "=1").Replace(want): "",
		strings.NewReplacer("=3", "=4").Replace(want):             "",
	} {
		var res Result
		res.compare(Rule{ID: "groups.consumer.x"}, want, got, nil)
		if strings.Join(res.Details, ",") != details {
			t.Errorf("details %q, want %q\n%s", res.Details, details, res.Why)
		}
	}
}

// TestWithoutLogs: what a coordinator writes is left out where a target has no topic for it.
func TestWithoutLogs(t *testing.T) {
	const want = "a< Heartbeat v4 ErrorCode=NONE\n\n# what is new in __transaction_state\nbatch x\n    more\nmarker y\na> Heartbeat v4\nwhat is stored:\n    members: none\na< Heartbeat v4 ErrorCode=NONE"
	const got = "a< Heartbeat v4 ErrorCode=NONE\n\n# what is new in __transaction_state\nthere is no topic x\na> Heartbeat v4\nwhat is stored:\nthere is no topic y\na< Heartbeat v4 ErrorCode=NONE"
	for _, tc := range []struct{ said, details, cause string }{
		{got, "within", "internal topic"},
		{strings.TrimSuffix(got, "NONE") + "UNKNOWN_MEMBER_ID(25)", "", "error code"},
		{strings.Replace(got, "\na> Heartbeat v4", "\na> Heartbeat v3", 1), "", "lines"},
	} {
		var res Result
		res.compare(Rule{ID: "txn.log.x"}, want, tc.said, nil)
		if strings.Join(res.Details, ",") != tc.details || res.Cause != tc.cause {
			t.Errorf("details %q because of %q\n%s", res.Details, res.Cause, res.Why)
		}
	}
}
