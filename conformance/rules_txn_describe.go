package conformance

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	txnDescribeSource = "TransactionCoordinator.handleDescribeTransactions"
	txnListSource     = "TransactionStateManager.listTransactionStates"
)

func txnDescribeRules() []Rule {
	return []Rule{
		must("txn.describe.unknown", "A transactional id that was never initialized is TRANSACTIONAL_ID_NOT_FOUND, the empty one INVALID_REQUEST.", txnDescribeSource, func(c *Conversation) {
			id := c.TransactionalID("forgotten")
			ask[*kmsg.DescribeTransactionsResponse](c.Conn("a"), describeTransactions(id, "", id))
		}),
		must("txn.describe.none", "Nothing asked is nothing answered.", txnDescribeSource, func(c *Conversation) {
			ask[*kmsg.DescribeTransactionsResponse](c.Conn("a"), describeTransactions())
		}),
		must("txn.describe.several", "Several are described in the order in which they were asked for, each as often.", txnDescribeSource, func(c *Conversation) {
			t, a := c.Topic("orders", 3), c.Conn("a")
			p, q := c.Payer(a, "payer"), c.Payer(a, "other-payer")
			q.put(t, 2, 0, "v")
			q.put(t, 0, 0, "v")
			ask[*kmsg.DescribeTransactionsResponse](a, describeTransactions(q.id, c.TransactionalID("forgotten"), p.id, q.id))
		}),
		must("txn.describe.several-topics", "Partitions are described by topic.", txnDescribeSource, func(c *Conversation) {
			t, u, g := c.Topic("orders", 3), c.Topic("bills", 3), c.Group("readers")
			p := c.Payer(c.Conn("a"), "payer")
			p.add(u, 2, 1)
			p.add(t, 1)
			p.put(t, 0, 0, "v")
			p.offset(g, t, 0, 5)
			p.described()
		}),
		must("txn.describe.refused-requests", "What is refused changes nothing of a description.", txnDescribeSource, func(c *Conversation) {
			t := c.Topic("orders", 3)
			p := c.Payer(c.Conn("a"), "payer")
			p.add(t, 0)
			p.with(1).add(t, 1)
			p.add(t, 7)
			endNow(p.a, p.with(1).endTxn(5, true))
			p.described()
		}),
		must("txn.coordinator.every-version", "Every version of FindCoordinator finds the coordinator of a transactional id.", "FindCoordinatorRequest", func(c *Conversation) {
			id := c.TransactionalID("payer")
			for v := int16(1); v <= 6; v++ {
				ask[*kmsg.FindCoordinatorResponse](c.Conn("a"), findCoordinator(v, 1, id))
			}
		}),
		must("txn.coordinator.batch", "From v4 on several are found at once.", "KIP-699", func(c *Conversation) {
			id, other := c.TransactionalID("payer"), c.TransactionalID("other-payer")
			for v := int16(4); v <= 6; v++ {
				ask[*kmsg.FindCoordinatorResponse](c.Conn("a"), findCoordinator(v, 1, id, other, id))
			}
			ask[*kmsg.FindCoordinatorResponse](c.Conn("a"), findCoordinator(4, 1))
		}),
		must("txn.coordinator.empty-id", "The empty transactional id has a coordinator as any other.", "KafkaApis.getCoordinator", func(c *Conversation) {
			c.TransactionalID("warm")
			for _, v := range []int16{1, 3, 4, 6} {
				ask[*kmsg.FindCoordinatorResponse](c.Conn("a"), findCoordinator(v, 1, ""))
			}
		}),
		must("txn.coordinator.topic", "The topic of the transaction coordinator is an internal one, compacted and not compressed.", "TransactionStateManager.transactionStateTopicConfigs", func(c *Conversation) {
			c.TransactionalID("warm")
			a := c.Conn("a")
			resp := ask[*kmsg.MetadataResponse](c.setup, metadata(9, transactionTopic))
			c.say("%s internal=%v", *resp.Topics[0].Topic, resp.Topics[0].IsInternal)
			req := kmsg.NewPtrDescribeConfigsRequest()
			req.Version = 4
			resource := kmsg.NewDescribeConfigsRequestResource()
			resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, transactionTopic
			resource.ConfigNames = []string{"cleanup.policy", "compression.type", "segment.bytes", "unclean.leader.election.enable"}
			req.Resources = append(req.Resources, resource)
			ask[*kmsg.DescribeConfigsResponse](a, req)
		}),
		must("txn.coordinator.topic-protected", "A client can neither write to that topic nor delete records of it.", "KafkaApis.handleProduceRequest", func(c *Conversation) {
			c.TransactionalID("warm")
			a, internal := c.Conn("a"), Topic{Name: transactionTopic}
			ask[*kmsg.ProduceResponse](a, produce(9, -1, internal, 0, batchOf("v")))
			ask[*kmsg.DeleteRecordsResponse](a, deleteRecords(2, transactionTopic, 0, 0))
		}),
	}
}

func txnListRules() []Rule {
	return []Rule{
		must("txn.list.every-version", "Every version of ListTransactions lists every transactional id with its producer id and state.", txnListSource, func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			fiveStates(c, t)
			for v := range int16(3) {
				listedTransactions(a, listTransactions(v))
			}
		}),
		must("txn.list.states", "States are a filter; those that do not exist are named in the answer, and if no other is given nothing is listed.", txnListSource, func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			fiveStates(c, t)
			for _, states := range [][]string{{"Empty"}, {"Ongoing"}, {"CompleteCommit", "CompleteAbort"}, {"Empty", "Empty"}, {"PrepareCommit", "PrepareAbort", "Dead", "PrepareEpochFence"},
				{"Open"}, {"Open", "ongoing", ""}, {"Ongoing", "Open"}} {
				listedTransactions(a, listTransactions(0, states...))
				listedTransactions(a, listTransactions(2, states...))
			}
		}),
		must("txn.list.producers", "Producer ids are a filter.", txnListSource, func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			all := fiveStates(c, t)
			for _, ids := range [][]int64{{all[0].pid}, {all[1].pid, all[3].pid}, {newProducer(c.setup)}, {-1}, {all[1].pid, all[1].pid}} {
				for _, v := range []int16{0, 1, 2} {
					req := listTransactions(v)
					req.ProducerIDFilters = ids
					listedTransactions(a, req)
				}
			}
		}),
		must("txn.list.states-and-producers", "Several filters must all let a transaction through.", txnListSource, func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			all := fiveStates(c, t)
			req := listTransactions(0, "Ongoing", "Empty")
			req.ProducerIDFilters = []int64{all[0].pid, all[3].pid}
			listedTransactions(a, req)
			req = listTransactions(2, "Ongoing")
			req.ProducerIDFilters = []int64{all[0].pid}
			listedTransactions(a, req)
		}),
		must("txn.list.duration", "The duration filter leaves out what began less than that ago; what never began is as old as time, and minus one or less is no filter.", "KIP-994", func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			fiveStates(c, t)
			c.pause(settlePause)
			for _, ms := range []int64{-1, -5, 0, 3_600_000, 1 << 60} {
				for _, v := range []int16{1, 2} {
					req := listTransactions(v)
					req.DurationFilterMillis = ms
					listedTransactions(a, req)
				}
			}
		}),
		must("txn.list.pattern", "The pattern must match all of a transactional id.", "KIP-1152", func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			fiveStates(c, t)
			for _, pattern := range []string{"new-.*", "new-", ".*", "", "new|over", ".*ew.*", "(new|kept)-.*", ".*EW-.*", "(?i)NEW-.*"} {
				req := listTransactions(2)
				req.TransactionalIDPattern = kmsg.StringPtr(pattern)
				listedTransactions(a, req)
			}
			listedTransactions(a, listTransactions(2))
		}),
		must("txn.list.bad-pattern", "A pattern that is no regular expression is INVALID_REGULAR_EXPRESSION.", "KIP-1152", func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			fiveStates(c, t)
			for _, pattern := range []string{"(", "*", "[", "a{2,1}", "\\"} {
				req := listTransactions(2, "Open")
				req.TransactionalIDPattern = kmsg.StringPtr(pattern)
				listedTransactions(a, req)
			}
		}),
		must("txn.list.all-filters", "All filters together.", txnListSource, func(c *Conversation) {
			t, a := c.Topic("orders", 1), c.Conn("a")
			all := fiveStates(c, t)
			c.pause(settlePause)
			for _, pattern := range []string{"open-.*", "new-.*"} {
				req := listTransactions(2, "Ongoing", "CompleteAbort", "Odd")
				req.ProducerIDFilters, req.DurationFilterMillis = []int64{all[1].pid, all[3].pid}, 0
				req.TransactionalIDPattern = kmsg.StringPtr(pattern)
				listedTransactions(a, req)
			}
		}),
		must("txn.list.prepared", "A transaction that was fenced is listed as aborted, with the producer id that it had.", txnListSource, func(c *Conversation) {
			t := c.Topic("orders", 1)
			p := c.Payer(c.Conn("a"), "payer")
			p.put(t, 0, 0, "v")
			p.initNow()
			c.AwaitTransaction(p.id)
			listedTransactions(p.a, listTransactions(2))
		}),
	}
}

// fiveStates are producers whose transactions are empty, ongoing, committed, aborted
// and ongoing with nothing in it.
func fiveStates(c *Conversation, t Topic) []*payer {
	a := c.Conn("a")
	all := []*payer{c.Payer(a, "new"), c.Payer(a, "open"), c.Payer(a, "kept"), c.Payer(a, "dropped"), c.Payer(a, "added")}
	all[1].put(t, 0, 0, "v")
	all[2].put(t, 0, 0, "v")
	all[2].end(4, true)
	all[3].put(t, 0, 0, "v")
	all[3].end(5, false)
	all[4].add(t, 0)
	return all
}
