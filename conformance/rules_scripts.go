package conformance

import (
	"embed"
	"fmt"
	"strings"
)

// scripts are what random sequences found, and are kept as rules: each is what was left
// of a sequence to which this broker and Kafka did not say the same.
//
//go:embed testdata/scripts
var scripts embed.FS

const scriptDir = "testdata/scripts"

// scriptRules are the rules of the kept scripts. Each may wait for parked answers to come,
// and is timed for that.
func scriptRules() []Rule {
	files, err := scripts.ReadDir(scriptDir)
	if err != nil {
		panic(err) // it is embedded
	}
	var rules []Rule
	for _, f := range files {
		text, err := scripts.ReadFile(scriptDir + "/" + f.Name())
		if err != nil {
			panic(err)
		}
		r, err := scriptRule("random."+strings.TrimSuffix(f.Name(), ".txt"), string(text))
		if err != nil {
			panic(fmt.Sprintf("%s: %v", f.Name(), err))
		}
		rules = append(rules, r)
	}
	return rules
}

// scriptRule is the rule of a script's file, which begins with what the rule says, and its
// source.
func scriptRule(id, text string) (Rule, error) {
	s, err := ParseScript(text)
	if err != nil {
		return Rule{}, err
	}
	says, rest, _ := strings.Cut(text, "\n")
	source, _, _ := strings.Cut(rest, "\n")
	r := Rule{
		ID: id, Says: strings.TrimPrefix(says, "# "), Source: strings.TrimPrefix(source, "# Source: "), Timed: true,
		Run: func(c *Conversation) { s.play(c, 2) },
	}
	if r.Says == says || r.Source == source {
		return r, fmt.Errorf("it does not begin with # SAYS and # Source: SOURCE")
	}
	return r, nil
}
