package main

import (
	"archive/zip"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
)

// message is one description as Kafka writes it.
type message struct {
	APIKey         int16 `json:"apiKey"`
	Type           string
	Listeners      []string
	Name           string
	ValidVersions  string
	FlexibleText   string `json:"flexibleVersions"`
	LatestUnstable bool   `json:"latestVersionUnstable"`
	Fields         []field
	CommonStructs  []struct {
		Name   string
		Fields []field
	}

	valid    versions
	flexible versions
}

type field struct {
	Name             string
	Type             string
	Versions         string
	NullableVersions string
	TaggedVersions   string
	FlexibleVersions string
	Tag              *int16
	Fields           []field
}

// versions is a half-open range; the zero value is empty.
type versions struct{ from, until int16 }

func (v versions) and(w versions) versions {
	r := versions{max(v.from, w.from), min(v.until, w.until)}
	if r.from >= r.until {
		return versions{}
	}
	return r
}

// readJar reads the requests that a broker's listener takes, ordered by key.
func readJar(name string) ([]message, error) {
	jar, err := zip.OpenReader(name)
	if err != nil {
		return nil, err
	}
	defer jar.Close()
	var all []message
	for _, f := range jar.File {
		if ok, _ := path.Match("common/message/*Request.json", f.Name); !ok {
			continue
		}
		m, err := readMessage(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		if m.valid != (versions{}) && slices.Contains(m.Listeners, "broker") {
			all = append(all, m)
		}
	}
	slices.SortFunc(all, func(a, b message) int { return cmp.Compare(a.APIKey, b.APIKey) })
	return all, nil
}

func readMessage(f *zip.File) (m message, err error) {
	r, err := f.Open()
	if err != nil {
		return m, err
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		return m, err
	}
	if err = json.Unmarshal(withoutComments(text), &m); err != nil {
		return m, err
	}
	if m.valid, err = parseVersions(m.ValidVersions); err != nil {
		return m, err
	}
	if m.LatestUnstable {
		m.valid = m.valid.and(versions{0, m.valid.until - 1})
	}
	m.flexible, err = parseVersions(m.FlexibleText)
	return m, err
}

// withoutComments blanks the // comments, which JSON does not know, outside strings.
func withoutComments(text []byte) []byte {
	inString := false
	for i := 0; i < len(text); i++ {
		switch {
		case inString && text[i] == '\\':
			i++
		case text[i] == '"':
			inString = !inString
		case !inString && text[i] == '/' && i+1 < len(text) && text[i+1] == '/':
			for ; i < len(text) && text[i] != '\n'; i++ {
				text[i] = ' '
			}
		}
	}
	return text
}

// parseVersions reads "none", "3", "3+" and "3-7".
func parseVersions(text string) (versions, error) {
	if text == "" || text == "none" {
		return versions{}, nil
	}
	from, until, isRange := strings.Cut(text, "-")
	open := strings.HasSuffix(from, "+")
	lo, err := strconv.ParseInt(strings.TrimSuffix(from, "+"), 10, 16)
	hi := lo
	switch {
	case err != nil:
	case isRange:
		hi, err = strconv.ParseInt(until, 10, 16)
	case open:
		hi = math.MaxInt16 - 1
	}
	if err != nil {
		return versions{}, fmt.Errorf("versions %q: %w", text, err)
	}
	return versions{int16(lo), int16(hi + 1)}, nil
}
