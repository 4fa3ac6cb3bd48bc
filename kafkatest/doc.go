// Package kafkatest starts an in-memory Kafka broker inside a Go test.
//
//	func TestOrders(t *testing.T) {
//		k := kafkatest.Start(t, kafkatest.Config{})
//		go consumeOrders(t.Context(), k.Addr()) // your code, with any client
//		k.WaitGroupStable("orders", 1)
//		k.Produce("orders", 0, kafkatest.Values("one", "two")...)
//		k.WaitCommitted("orders", "orders", 0, 2)
//	}
//
// The broker ends with the test. What goes wrong fails the test with a message
// that shows what there was instead; the broker's log is printed only then.
// Waits neither sleep nor poll: they look again when something has changed.
//
// With Config.Network set to Memory and clients that dial through Cluster.Dial,
// all of it can run in a testing/synctest bubble, where a session timeout of 45 s
// takes no time at all.
//
// Methods that can fail the test must be called from the test's own goroutine, as
// testing.TB.FailNow must.
package kafkatest
