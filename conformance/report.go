package conformance

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Report is what a run came to. It is what the JSON file holds.
type Report struct {
	Kafka   string    `json:"kafka"`             // the release that the rules are of
	Target  string    `json:"target"`            // HOST:PORT
	Against string    `json:"against,omitempty"` // HOST:PORT of the second target, if one stood in for the recordings
	Began   time.Time `json:"began"`
	Millis  int64     `json:"ms"`      // how long it took
	Offer   Offer     `json:"offer"`   // what the target advertises, by API key
	Results []Result  `json:"results"` // by rule id
	// Lost are the rules that were held when the target first took no connection any more:
	// one of them has ended it. None when that never happened.
	Lost []string `json:"lost,omitempty"`
}

// Count is how many rules have which verdict.
type Count struct {
	Kept, Broken, NotOffered, NotRun int
	Details                          int // of the broken ones, those that are broken in details only
}

// Rules is how many rules were counted.
func (c Count) Rules() int { return c.Kept + c.Broken + c.NotOffered + c.NotRun }

// Asked is how many rules were held against the target: the kept and the broken ones.
func (c Count) Asked() int { return c.Kept + c.Broken }

// Substance is how many rules are broken in substance.
func (c Count) Substance() int { return c.Broken - c.Details }

// Add counts one more rule.
func (c *Count) Add(r Result) {
	if len(r.Details) > 0 {
		c.Details++
	}
	switch r.Verdict {
	case VerdictKept:
		c.Kept++
	case VerdictBroken:
		c.Broken++
	case VerdictNotOffered:
		c.NotOffered++
	default:
		c.NotRun++
	}
}

// String is the count in words.
func (c Count) String() string {
	details := ""
	if c.Details > 0 {
		details = fmt.Sprintf(" (%d of them in details only)", c.Details)
	}
	return fmt.Sprintf("%d rules: %d kept, %d broken%s, %d not offered, %d not run", c.Rules(), c.Kept, c.Broken, details, c.NotOffered, c.NotRun)
}

// Count counts all rules.
func (r Report) Count() (c Count) {
	for _, result := range r.Results {
		c.Add(result)
	}
	return c
}

// FamilyCount is the count of one family.
type FamilyCount struct {
	Family string
	Count
}

// Families counts the rules of each family, ordered by name.
func (r Report) Families() []FamilyCount {
	var all []FamilyCount
	for _, result := range r.Results {
		i, ok := slices.BinarySearchFunc(all, result.Family(), func(f FamilyCount, name string) int { return cmp.Compare(f.Family, name) })
		if !ok {
			all = slices.Insert(all, i, FamilyCount{Family: result.Family()})
		}
		all[i].Add(result)
	}
	return all
}

// Unasked tells how many rules have no verdict because the target was lost or time was
// over: the run is not whole.
func (r Report) Unasked() (n int) {
	for _, result := range r.Results {
		if result.unasked {
			n++
		}
	}
	return n
}

// Of are the results with this verdict.
func (r Report) Of(v Verdict) []Result {
	var found []Result
	for _, result := range r.Results {
		if result.Verdict == v {
			found = append(found, result)
		}
	}
	return found
}

// WriteJSON writes the report as JSON; ReadReport reads it.
func (r Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(r)
}

// ReadReport reads what WriteJSON wrote.
func ReadReport(in io.Reader) (r Report, err error) {
	if err := json.NewDecoder(in).Decode(&r); err != nil {
		return r, fmt.Errorf("no report: %w", err)
	}
	if r.Kafka == "" || len(r.Results) == 0 {
		return r, fmt.Errorf("no report: it names no release of Kafka or has no results")
	}
	return r, nil
}

// apiName is the name of an API, and its key where it has none.
func apiName(key int16) string { return kmsg.Key(key).Name() }
