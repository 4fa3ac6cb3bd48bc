package peers

import "testing"

// TestCrashedMemberOfTheConsumerProtocol is TestCrashedMember with members of the
// consumer group protocol (KIP-848), to which the broker assigns.
func TestCrashedMemberOfTheConsumerProtocol(t *testing.T) {
	eachDriver(t, nil, func(t *testing.T, d driver) {
		if !d.modern {
			t.Skip("the library does not know the protocol")
		}
		d.now = true
		for _, assignor := range []string{"uniform", "range"} {
			t.Run(assignor, func(t *testing.T) {
				t.Parallel()
				ctx, tg := newTarget(t)
				if tg.live {
					t.Skip("a live broker ends no session before 45 s (group.consumer.min.session.timeout.ms)")
				}
				crashedMember(ctx, t, tg, d, assignor)
			})
		}
	})
}
