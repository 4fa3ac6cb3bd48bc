package broker

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// javaTrim is String.trim: it takes off everything up to and including the space.
func javaTrim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' })
}

// splitConfigList splits a LIST as ConfigDef does: by commas with blanks around
// them; what is blank as a whole has no items.
func splitConfigList(value string) []string {
	trimmed := javaTrim(value)
	if trimmed == "" {
		return nil
	}
	items := strings.Split(trimmed, ",")
	for i := range items {
		if i > 0 {
			items[i] = strings.TrimLeft(items[i], " \t\n\v\f\r")
		}
		if i < len(items)-1 {
			items[i] = strings.TrimRight(items[i], " \t\n\v\f\r")
		}
	}
	return items
}

// parseJavaDouble reads what Double.parseDouble reads, as far as Go reads it too:
// with a suffix d or f, but without underscores and Go's words for infinity.
func parseJavaDouble(s string) (float64, bool) {
	switch strings.TrimLeft(s, "+-") {
	case "NaN", "Infinity":
		f, err := strconv.ParseFloat(s, 64)
		return f, err == nil
	}
	if s == "" || strings.ContainsAny(s, "_iInN") {
		return 0, false
	}
	if !strings.ContainsAny(s, "xX") || strings.ContainsAny(s, "pP") {
		s = s[:len(s)-1] + strings.Trim(s[len(s)-1:], "dDfF")
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(f, 0) {
		return 0, false
	}
	return f, true
}

// formatJavaDouble is Double.toString.
func formatJavaDouble(f float64) string {
	abs := math.Abs(f)
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 0):
		return strings.TrimPrefix(strings.Replace(strconv.FormatFloat(f, 'g', -1, 64), "Inf", "Infinity", 1), "+")
	case abs == 0 || abs >= 1e-3 && abs < 1e7:
		s := strconv.FormatFloat(f, 'f', -1, 64)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'E', -1, 64), "E")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	n, _ := strconv.Atoi(exponent)
	return mantissa + "E" + strconv.Itoa(n)
}

func digits(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return s != ""
}

// isJavaDuration tells whether Duration.parse reads s, such as "PT36H" or
// "P2DT3.5S", and finds it not negative.
func isJavaDuration(s string) bool {
	upper := strings.ToUpper(s)
	ok, _ := regexp.MatchString(`^\+?P(\+?\d+D)?(T(\+?\d+H)?(\+?\d+M)?(\+?\d+([.,]\d{0,9})?S)?)?$`, upper)
	return ok && !strings.HasSuffix(upper, "P") && !strings.HasSuffix(upper, "T")
}
