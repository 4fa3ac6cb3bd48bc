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
