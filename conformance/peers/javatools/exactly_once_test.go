package javatools

import "testing"

// TestExactlyOnce runs a transformer with the Java client: it is killed in the middle of a
// transaction, twice, and once leaves one open and takes over from itself. Of each record of
// the input there is one in the output for those that read what is committed.
func TestExactlyOnce(t *testing.T) {
	needTime(t)
	needJava(t)
	transform := compile(t, "client-pom.xml", "Transform")
	k, at := cluster(t)
	said := "$ exactly once\n"
	for _, run := range []struct{ client, how string }{{"transformer-0", "begin"}, {"transformer-1", "again"}} {
		said += transform.kill(t, at, run.client, run.how)
		if k != nil { // another broker takes the session timeout for it
			k.ExpireSession("transformers", run.client)
		}
	}
	said += transform.run(t, at, "transformer-2", "end")
	check(t, "testdata/exactly_once.txt", "== exactly once", commands(t, said, at))
}
