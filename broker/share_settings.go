package broker

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"klamm/broker/sharecoord"
	"klamm/partitions"
	"klamm/protocol"
)

// What the configs of share groups mean: what is set for the group, and else what is set
// for the broker.

// groupValue is the effective value of a group config.
func (s *settings) groupValue(group, name string) string {
	if value, ok := s.groups[group][name]; ok {
		return javaTrim(value)
	}
	if value := s.value("group." + name); value != "" {
		return javaTrim(value)
	}
	return groupConfigs.find(name).def
}

func (s *settings) groupNumber(group, name string) int64 {
	n, _ := strconv.ParseInt(s.groupValue(group, name), 10, 64)
	return n
}

func (s *settings) shareConfig(group string) partitions.ShareConfig {
	return partitions.ShareConfig{
		DeliveryLimit: int(s.groupNumber(group, "share.delivery.count.limit")),
		MaxLocks:      int(s.groupNumber(group, "share.partition.max.record.locks")),
		LockDuration:  time.Duration(s.shareLockMs(group)) * time.Millisecond,
		NoRenewal:     !strings.EqualFold(s.groupValue(group, "share.renew.acknowledge.enable"), "true"),
	}
}

func (s *settings) shareLockMs(group string) int32 {
	return int32(s.groupNumber(group, "share.record.lock.duration.ms"))
}

func (s *settings) shareReadsCommitted(group string) bool {
	return s.groupValue(group, "share.isolation.level") == "read_committed"
}

// shareReset is share.auto.offset.reset: latest, unless a field says otherwise.
type shareReset struct {
	earliest, byDuration bool
	duration             time.Duration
}

func (s *settings) shareReset(group string) shareReset {
	value := s.groupValue(group, "share.auto.offset.reset")
	if value == "earliest" {
		return shareReset{earliest: true}
	}
	if text, ok := strings.CutPrefix(value, "by_duration:"); ok {
		return shareReset{byDuration: true, duration: javaDuration(text)}
	}
	return shareReset{}
}

// javaDuration is a duration that isJavaDuration has found right, as far as a
// time.Duration reaches.
func javaDuration(text string) time.Duration {
	part := regexp.MustCompile(`(\d+)(?:[.,](\d*))?([DHMS])`)
	unit := map[string]time.Duration{"D": 24 * time.Hour, "H": time.Hour, "M": time.Minute, "S": time.Second}
	const longest = time.Duration(1<<63 - 1)
	var sum time.Duration
	for _, m := range part.FindAllStringSubmatch(strings.ToUpper(text), -1) {
		n, err := strconv.ParseInt(m[1], 10, 64)
		if err != nil || n > int64((longest-sum)/unit[m[3]]) {
			return longest
		}
		sum += time.Duration(n) * unit[m[3]]
		fraction, _ := strconv.ParseInt((m[2] + "000000000")[:9], 10, 64)
		sum += min(time.Duration(fraction), longest-sum)
	}
	return sum
}

// shareCoordinatorKey is the text by which the share coordinator of a state is found
// (SharePartitionKey.asCoordinatorKey).
func shareCoordinatorKey(k sharecoord.Key) string {
	return k.Group + ":" + k.Topic.String() + ":" + strconv.Itoa(int(k.Partition))
}

// isShareCoordinatorKey is SharePartitionKey.validate: a group id that may have colons,
// a topic id and a partition.
func isShareCoordinatorKey(key string) bool {
	parts := strings.Split(key, ":")
	if len(parts) < 3 || strings.Join(parts[:len(parts)-2], ":") == "" {
		return false
	}
	_, err := strconv.ParseInt(parts[len(parts)-1], 10, 32)
	return err == nil && isUUID(parts[len(parts)-2])
}

func isUUID(text string) bool {
	_, err := protocol.ParseUUID(text)
	return err == nil
}
