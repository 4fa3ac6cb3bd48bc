package javatools

import (
	"fmt"
	"testing"
)

// TestStreams has Kafka Streams count words, exactly once, kills it in the middle of a
// transaction and starts it again.
func TestStreams(t *testing.T) {
	needTime(t)
	needJava(t)
	count := compile(t, "streams-pom.xml", "WordCount")
	k, at := cluster(t)
	state := t.TempDir()
	said := "$ word count\n" + count.kill(t, at, state, "begin")
	if k != nil { // another broker takes the session timeout for it
		for thread := 1; thread <= 2; thread++ {
			k.ExpireSession("word-count", fmt.Sprintf("word-count-StreamThread-%d-consumer", thread))
		}
	}
	said += count.run(t, at, state, "end")
	check(t, "testdata/streams.txt", "== streams", commands(t, said, at))
}
