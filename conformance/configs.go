package conformance

import (
	_ "embed"
	"fmt"
	"path"
	"strings"
)

//go:embed configs.txt
var configsText string

// ConfigEffect is what becomes of the configs that a pattern names when they are set.
type ConfigEffect struct {
	// Kind is "topic", "group" or "broker".
	Kind string
	// Pattern is a name, in which "*" stands for any text.
	Pattern string
	// Rules are the ids of the rules that see the effect; none when Why tells why.
	Rules []string
	// Inert tells that there is no effect.
	Inert bool
	// Why is why there is no effect, or why no rule sees it.
	Why string
}

// ConfigEffects are all effects of configs, in the order in which they are looked up.
// An error names a line that cannot be read.
func ConfigEffects() ([]ConfigEffect, error) { return parseConfigEffects(configsText) }

func parseConfigEffects(text string) (effects []ConfigEffect, err error) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if len(fields) < 3 || fields[0] != "topic" && fields[0] != "group" && fields[0] != "broker" {
			return nil, fmt.Errorf("configs.txt:%d: neither topic, group nor broker, with what becomes of it: %s", number, line)
		}
		e := ConfigEffect{Kind: fields[0], Pattern: fields[1], Rules: fields[2:]}
		if fields[2] == "inert:" || fields[2] == "unseen:" {
			e.Inert, e.Rules, e.Why = fields[2] == "inert:", nil, strings.Join(fields[3:], " ")
			if e.Why == "" {
				return nil, fmt.Errorf("configs.txt:%d: %s without a reason", number, fields[2])
			}
		}
		effects = append(effects, e)
	}
	return effects, nil
}

// Fits tells whether the effect is that of a config.
func (e *ConfigEffect) Fits(kind, name string) bool {
	ok, err := path.Match(e.Pattern, name)
	return ok && err == nil && e.Kind == kind
}
