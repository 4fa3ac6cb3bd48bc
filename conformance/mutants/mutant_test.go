package mutants

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// mutant is a rule of the broker that is broken on purpose.
type mutant struct {
	rule     string // the conformance rule that must notice
	says     string // what is broken, in words
	file     string // of the product, from the root of the module
	old, new string // what stands there, once, and what shall stand there instead
	at       string // where the mutant is written down
}

// readMutants reads what is written down in testdata, in files such as groups.txt.
//
// A mutant begins with a line "mutant RULE FILE" and a line "# what is broken"; lines
// that begin with "-" are what stands in the file, and lines that begin with "+" what
// shall stand there instead.
func readMutants(pattern string) ([]mutant, error) {
	files, err := filepath.Glob(pattern)
	if err != nil {
		return nil, err
	}
	var all []mutant
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		found, err := parseMutants(name, string(text))
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

var heading = regexp.MustCompile(`^mutant (\S+) (\S+)$`)

func parseMutants(name, text string) (all []mutant, err error) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		at := fmt.Sprintf("%s:%d", name, number)
		if m := heading.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			all = append(all, mutant{rule: m[1], file: m[2], at: at})
			continue
		}
		if strings.TrimSpace(line) == "" {
			continue
		}
		if len(all) == 0 {
			return nil, fmt.Errorf("%s: a mutant begins with \"mutant RULE FILE\"", at)
		}
		last := &all[len(all)-1]
		switch line[0] {
		case '#':
			last.says = strings.TrimSpace(last.says + " " + strings.TrimSpace(line[1:]))
		case '-':
			last.old += line[1:]
		case '+':
			last.new += line[1:]
		default:
			return nil, fmt.Errorf("%s: neither a mutant, nor #, - or +: %s", at, line)
		}
	}
	return all, nil
}

// apply is the text of the mutant's file with the mutant in it.
func (m *mutant) apply(text string) (string, error) {
	switch n := strings.Count(text, m.old); {
	case m.says == "" || m.old == "" || m.old == m.new:
		return "", fmt.Errorf("%s: a mutant says what it breaks, and changes something", m.at)
	case n != 1:
		return "", fmt.Errorf("%s: what it replaces stands %d times in %s and not once; has the code moved on?\n%s", m.at, n, m.file, m.old)
	}
	return strings.Replace(text, m.old, m.new, 1), nil
}
