package conformance_test

import (
	"fmt"
	"strings"
)

// The picture of CONFORMANCE.md: for each family a bar of Klamm and one of kfake. Its
// colours are read on light and on dark pages alike.
const (
	pictureBar  = 520 // the width of all rules of a family
	pictureLeft = 165
	pictureRow  = 34 // the height of a family
	pictureTop  = 44
)

const pictureHead = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 %[1]d" width="800" height="%[1]d" role="img" aria-label="Rules kept by family, by Klamm and by kfake">
<style>
text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #57606a; } .n { font-size: 13px; fill: #24292f; }
.k { fill: #2f8f5b; } .d { fill: #d9a520; } .b { fill: #c4412f; } .o { fill: #afb8c1; }
@media (prefers-color-scheme: dark) { text { fill: #9aa4af; } .n { fill: #e6edf3; } .k { fill: #4cb37c; } .d { fill: #d6ae49; } .b { fill: #e0695a; } .o { fill: #56606c; } }
</style>
`

// picture is an SVG of the families.
func (s *standings) picture() string {
	families := s.families()
	var b strings.Builder
	fmt.Fprintf(&b, pictureHead, pictureTop+pictureRow*len(families)+4)
	x := pictureLeft
	for _, l := range []struct{ class, text string }{{"k", "kept"}, {"d", "broken in details"}, {"b", "broken in substance"}, {"o", "not offered"}} {
		fmt.Fprintf(&b, "<rect class=\"%s\" x=\"%d\" y=\"10\" width=\"12\" height=\"12\"/><text x=\"%d\" y=\"20\">%s</text>\n", l.class, x, x+17, l.text)
		x += 40 + 7*len(l.text)
	}
	for i, c := range families {
		y := pictureTop + pictureRow*i
		fmt.Fprintf(&b, "<text class=\"n\" x=\"0\" y=\"%d\">%s</text>\n", y+17, c.name)
		c.bar(&b, y, "Klamm", c.klamm, []part{{"k", c.klamm}, {"b", c.rules - c.klamm}})
		c.bar(&b, y+13, "kfake", c.kept, []part{{"k", c.kept}, {"d", c.details}, {"b", c.broken}, {"o", c.notOffered + c.newer}})
	}
	b.WriteString("</svg>\n")
	return b.String()
}

type part struct {
	class string
	rules int
}

// bar draws the parts beside each other, and says how many are kept.
func (c tally) bar(b *strings.Builder, y int, broker string, kept int, parts []part) {
	fmt.Fprintf(b, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", pictureLeft-8, y+10, broker)
	before := 0
	for _, p := range parts {
		if p.rules > 0 {
			from, to := pictureBar*before/c.rules, pictureBar*(before+p.rules)/c.rules
			fmt.Fprintf(b, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"11\"/>\n", p.class, pictureLeft+from, y, to-from)
		}
		before += p.rules
	}
	fmt.Fprintf(b, "<text x=\"%d\" y=\"%d\">%d of %d</text>\n", pictureLeft+pictureBar+8, y+10, kept, c.rules)
}
