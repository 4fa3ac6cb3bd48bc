package groupcoord

import (
	"fmt"
	"iter"
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"time"

	"klamm/protocol"
)

// resolvedRegex is what a regular expression stands for: the topics that matched when it
// was last looked at (ResolvedRegularExpression).
type resolvedRegex struct {
	topics  map[string]bool
	version int64 // of the image
	ms      int64 // when
}

func (r *resolvedRegex) names() iter.Seq[string] { return maps.Keys(r.topics) }

// regexStatus is what became of the member's regular expression
// (GroupMetadataManager.UpdateRegularExpressionStatus).
type regexStatus uint8

const (
	regexSame regexStatus = iota
	regexChanged
	regexResolved // changed, and it is known what the new one stands for
)

// regexBatch is how long regular expressions are not looked at again.
const regexBatch = 10 * time.Second

// regexRefresh is group.consumer.regex.refresh.interval.ms, a config that Kafka does not show.
const regexRefresh = 10 * time.Minute

// regexChange notes that a member changed its regular expression, and sees to it that
// those of the group are looked at again when that is due
// (GroupMetadataManager.maybeUpdateRegularExpressions).
func (s *consumerStep) regexChange(now int64, old, m *consumerMember) (regexStatus, *refusal) {
	c, status, refresh := s.c, regexSame, false
	if old.regex != m.regex {
		status = regexChanged
		if old.regex != "" && c.regexes[old.regex] == 1 {
			s.write(newRecord(s.g.key(consumerGroupRegularExpression, old.regex), nil))
		}
		_, known := c.resolved[m.regex]
		switch {
		case m.regex == "":
			status = regexResolved
		case c.regexes[m.regex] == 0:
			if no := checkRegex(m.regex); no != nil {
				return status, no
			}
			refresh = true
		case known:
			status = regexResolved
		}
	}
	if !refresh && len(c.regexes) == 0 {
		return status, nil
	}
	last, version, ever := c.lastRefresh()
	if ever && now <= last+regexBatch.Milliseconds() {
		return status, nil
	}
	wanted := maps.Clone(c.regexes)
	if old.regex != "" && s.asStored(old) != nil {
		count(wanted, old.regex, -1)
	}
	if m.regex != "" {
		count(wanted, m.regex, 1)
	}
	if refresh || len(wanted) != len(c.resolved) || version < s.image.Created() || now > last+regexRefresh.Milliseconds() {
		s.resolveLater(wanted)
	}
	return status, nil
}

// lastRefresh is when regular expressions were looked at, and how many topics had been
// created; ever is false when none was.
func (c *consumer) lastRefresh() (ms, created int64, ever bool) {
	for _, r := range c.resolved {
		return r.ms, r.version, true
	}
	return -1 << 60, 0, false
}

// resolveLater has the regular expressions looked at once the heartbeat is answered:
// Kafka does that in another thread, so that the answer never shows it.
func (s *consumerStep) resolveLater(wanted map[string]int) {
	if len(wanted) > 0 {
		s.c.toFind, s.again = wanted, true
	}
}

// checkRegex is Utils.throwIfRegularExpressionIsInvalid. Kafka's expressions are those of
// RE2/J, a translation of Go's package.
func checkRegex(regex string) *refusal {
	why := ""
	parsed, err := syntax.Parse(regex, syntax.Perl)
	e, told := err.(*syntax.Error)
	switch {
	case err == nil && !repeats(parsed.CapNames()):
		return nil
	case err == nil:
		why = "duplicate capture group name" // which Go allows
	case told && e.Code == syntax.ErrUnexpectedParen:
		why = syntax.ErrInternalError.String() // RE2/J has no text of its own for that
	case told:
		why = e.Code.String()
	default:
		why = err.Error()
	}
	return &refusal{protocol.InvalidRegularExpression,
		fmt.Sprintf("SubscribedTopicRegex `%s` is not a valid regular expression: %s.", regex, why)}
}

// repeats tells that a name is given twice.
func repeats(names []string) bool {
	seen := map[string]bool{}
	for _, name := range names {
		if name != "" && seen[name] {
			return true
		}
		seen[name] = true
	}
	return false
}

// resolve looks for the topics of the regular expressions that wait for it, and makes a
// new group epoch if there are others than before
// (TopicRegexResolver, GroupMetadataManager.handleRegularExpressionsResult).
func (s *consumerStep) resolve() {
	c := s.c
	wanted := c.toFind
	c.toFind = nil
	topics, bump := maps.Clone(c.topics), false
	for _, regex := range slices.Sorted(maps.Keys(wanted)) {
		if c.regexes[regex] == 0 {
			continue
		}
		found := &resolvedRegex{topics: matching(regex, s.image), version: s.image.Created(), ms: s.now.UnixMilli()}
		if before := c.resolved[regex].topics; !maps.Equal(before, found.topics) {
			bump = true
			for topic := range before {
				addSubscribers(topics, topic, 0, -1)
			}
			for topic := range found.topics {
				addSubscribers(topics, topic, 0, 1)
			}
		}
		s.write(s.g.regexRecord(regex, found))
	}
	if hash := s.hash(topics); bump || hash != c.hash {
		s.write(s.g.groupEpochRecord(c.epoch+1, hash))
	}
}

// matching are the topics whose whole names match.
func matching(regex string, image TopicImage) map[string]bool {
	found := map[string]bool{}
	re, err := regexp.Compile(regex)
	if err != nil {
		return found
	}
	re.Longest() // so that a match that begins with the name reaches as far as one can
	for t := range image.Topics() {
		if at := re.FindStringIndex(t.Name); at != nil && at[0] == 0 && at[1] == len(t.Name) {
			found[strings.Clone(t.Name)] = true
		}
	}
	return found
}
