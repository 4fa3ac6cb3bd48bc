package groupcoord

// subscribedTopics reads the topics out of a member's metadata of the consumer
// protocol (ConsumerProtocolSubscription). Only what version 0 has is read, and
// what follows is left alone, so that every later version is read as well. The
// second result is false when the bytes are no subscription: then the coordinator
// does not know what the member consumes.
func subscribedTopics(metadata []byte) ([]string, bool) {
	r := fieldReader{buf: metadata}
	r.int16() // the version
	var topics []string
	for n := r.count(false); n > 0 && !r.bad; n-- {
		topics = append(topics, string(r.string()))
	}
	r.nullableBytes() // the member's own data
	return topics, !r.bad
}
