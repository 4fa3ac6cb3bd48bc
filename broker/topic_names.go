package broker

import (
	"fmt"
	"strings"
	"unicode/utf16"
)

// The internal topics (org.apache.kafka.common.internals.Topic).
const (
	offsetsTopicName         = "__consumer_offsets"
	transactionTopicName     = "__transaction_state"
	shareGroupTopicName      = "__share_group_state"
	clusterMetadataTopicName = "__cluster_metadata"
)

// maxTopicName is the longest name of a topic, in UTF-16 units.
const maxTopicName = 249

// isInternalTopic tells whether clients may not produce to the topic and
// consumers leave it out of patterns.
func isInternalTopic(name string) bool {
	return name == offsetsTopicName || name == transactionTopicName || name == shareGroupTopicName
}

// invalidTopicName is why no topic can be called name; empty if one can (Topic.validate).
func invalidTopicName(name string) string {
	const is = "Topic name is invalid: "
	switch {
	case name == "":
		return is + "the empty string is not allowed"
	case name == "." || name == "..":
		return is + "'" + name + "' is not allowed"
	case len(name) > maxTopicName && len(utf16.Encode([]rune(name))) > maxTopicName:
		return fmt.Sprintf(is+"the length of '%s' is longer than the max allowed length %d", name, maxTopicName)
	case strings.ContainsFunc(name, func(r rune) bool { return !legalInTopicName(r) }):
		return is + "'" + name + "' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
	}
	return ""
}

func legalInTopicName(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r == '.' || r == '_' || r == '-'
}

// hasCollisionChars tells whether name has what the names of metrics cannot tell apart.
func hasCollisionChars(name string) bool { return strings.ContainsAny(name, "._") }

// unifyCollisionChars makes names alike that collide.
func unifyCollisionChars(name string) string { return strings.ReplaceAll(name, ".", "_") }
