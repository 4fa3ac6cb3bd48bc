package conformance

import (
	"encoding/xml"
	"fmt"
	"io"
)

// WriteJUnit writes the report as JUnit XML: a test suite for each family, a failure for
// each broken rule; what is not offered or not run is skipped.
func (r Report) WriteJUnit(w io.Writer) error {
	suites := junitSuites{Name: "klamm conformance " + r.Kafka}
	for _, f := range r.Families() {
		s := junitSuite{Name: f.Family, Tests: f.Rules(), Failures: f.Broken, Skipped: f.NotOffered + f.NotRun}
		for _, result := range r.Results {
			if result.Family() == f.Family {
				s.Cases = append(s.Cases, result.junit())
				s.Time += seconds(result.Millis)
			}
		}
		suites.Suites = append(suites.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", " ")
	if err := e.Encode(suites); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

type seconds int64 // in milliseconds

// MarshalText is the number of seconds.
func (s seconds) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%d.%03d", s/1000, s%1000), nil
}

type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Name    string       `xml:"name,attr"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     seconds     `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string     `xml:"name,attr"`
	Class   string     `xml:"classname,attr"`
	Time    seconds    `xml:"time,attr"`
	Failure *junitText `xml:"failure"`
	Skipped *junitText `xml:"skipped"`
}

type junitText struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"` // "broken" or "broken in details"
	Text    string `xml:",chardata"`
}

func (res Result) junit() junitCase {
	c := junitCase{Name: res.ID, Class: "conformance." + res.Family(), Time: seconds(res.Millis)}
	switch res.Verdict {
	case VerdictKept:
	case VerdictBroken:
		c.Failure = &junitText{Message: res.First, Type: string(res.standing()), Text: res.Says + "\n" + res.Why}
	default:
		c.Skipped = &junitText{Message: string(res.Verdict) + ": " + res.Why}
	}
	return c
}
