package protocol

import (
	"regexp"
	"testing"
)

// What Errors of Kafka 4.4.0 says of some codes: the ends, the special ones, and one
// whose class is retriable only by its parent.
func TestErrorCode(t *testing.T) {
	tests := []struct {
		code      ErrorCode
		name      string
		message   string
		retriable bool
	}{
		{UnknownServerError, "UNKNOWN_SERVER_ERROR", "The server experienced an unexpected error when processing the request.", false},
		{None, "NONE", "", false},
		{OffsetOutOfRange, "OFFSET_OUT_OF_RANGE", "The requested offset is not within the range of offsets maintained by the server.", false},
		{UnknownTopicOrPartition, "UNKNOWN_TOPIC_OR_PARTITION", "This server does not host this topic-partition.", true},
		{NotLeaderOrFollower, "NOT_LEADER_OR_FOLLOWER", "For requests intended only for the leader, this error indicates that the broker is not the current leader. For requests intended for any replica, this error indicates that the broker is not a replica of the topic partition.", true},
		{InvalidTopicException, "INVALID_TOPIC_EXCEPTION", "The request attempted to perform an operation on an invalid topic.", false},
		{NotCoordinator, "NOT_COORDINATOR", "This is not the correct coordinator.", true},
		{RebalanceInProgress, "REBALANCE_IN_PROGRESS", "The group is rebalancing, so a rejoin is needed.", false},
		{UnsupportedVersion, "UNSUPPORTED_VERSION", "The version of API is not supported.", false},
		{MemberIdRequired, "MEMBER_ID_REQUIRED", "The group member needs to have a valid member id before actually entering a consumer group.", false},
		{UnknownTopicId, "UNKNOWN_TOPIC_ID", "This server does not host this topic ID.", true},
		{ControllerIdNotRegistered, "CONTROLLER_ID_NOT_REGISTERED", "The given controller ID was not registered.", false},
	}
	for _, tt := range tests {
		if tt.code.Name() != tt.name || tt.code.String() != tt.name || tt.code.Message() != tt.message || tt.code.Retriable() != tt.retriable {
			t.Errorf("%d is %s, %q, retriable %v, want %+v", int16(tt.code), tt.code, tt.code.Message(), tt.code.Retriable(), tt)
		}
	}
}

func TestErrorCodeNames(t *testing.T) {
	form := regexp.MustCompile(`^[A-Z]+(_[A-Z]+)*$`)
	seen := make(map[string]ErrorCode)
	for code := UnknownServerError; code <= ControllerIdNotRegistered; code++ {
		if other, ok := seen[code.Name()]; ok || !form.MatchString(code.Name()) {
			t.Errorf("%d is called %q, as %d", int16(code), code.Name(), int16(other))
		}
		if (code.Message() == "") != (code == None) {
			t.Errorf("the message of %s is %q", code, code.Message())
		}
		seen[code.Name()] = code
	}
	for _, code := range []ErrorCode{-1 << 15, -2, ControllerIdNotRegistered + 1, 1<<15 - 1} {
		if code.Name() != "UNKNOWN_SERVER_ERROR" || code.Retriable() {
			t.Errorf("%d is %s", int16(code), code)
		}
	}
}
