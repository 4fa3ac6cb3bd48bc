package main

import (
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

const heartbeatEvery = 100 * time.Millisecond

// crowd is a group of raw members that join together.
type crowd struct {
	s       *server
	want    int
	mu      sync.Mutex
	in      map[int32]int // generation → members that have their assignment of it
	settled chan struct{}
	once    sync.Once
}

// settle lets n members join one group and returns how long it took until all of
// them had an assignment of the same generation.
func settle(kind string, n int) (load, error) {
	var l load
	err := withServer(kind, func(s *server) error {
		g := &crowd{s: s, want: n, in: make(map[int32]int), settled: make(chan struct{})}
		if err := findCoordinator(s); err != nil {
			return err
		}
		before, err := s.usage()
		if err != nil {
			return err
		}
		began := time.Now()
		failed := make(chan error, n)
		var wg sync.WaitGroup
		for i := range n {
			wg.Add(1)
			go func() {
				defer wg.Done()
				if err := g.member(i); err != nil {
					failed <- err
				}
			}()
		}
		select {
		case <-g.settled:
		case err := <-failed:
			return err
		case <-time.After(2 * time.Minute):
			return fmt.Errorf("%d members did not settle in two minutes", n)
		}
		l.elapsed, l.count = time.Since(began), n
		after, err := s.usage()
		if err != nil {
			return err
		}
		l.cpu = after.CPU - before.CPU
		wg.Wait()
		return nil
	})
	return l, err
}

// findCoordinator has the coordinator made before the clock starts.
func findCoordinator(s *server) error {
	c, err := s.dial()
	if err != nil {
		return err
	}
	defer c.Close()
	req := kmsg.NewPtrFindCoordinatorRequest()
	req.Version, req.CoordinatorKey = 3, "crowd"
	resp := kmsg.NewPtrFindCoordinatorResponse()
	resp.Version = 3
	return roundTrip(c, frameOf(req, 1), resp)
}

// done tells whether the crowd has settled.
func (g *crowd) done() bool {
	select {
	case <-g.settled:
		return true
	default:
		return false
	}
}

// member joins, synchronizes and heartbeats until the crowd has settled.
func (g *crowd) member(i int) error {
	c, err := g.s.dial()
	if err != nil {
		return err
	}
	defer c.Close()
	id := ""
	for !g.done() {
		joined, err := g.join(c, i, &id)
		if err != nil {
			return err
		}
		code, err := g.sync(c, id, joined)
		if err != nil {
			return err
		}
		if code != protocol.None {
			continue
		}
		g.arrived(joined.Generation)
		if err := g.beat(c, id, joined.Generation); err != nil {
			return err
		}
	}
	return nil
}

func (g *crowd) arrived(generation int32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.in[generation]++
	if g.in[generation] == g.want {
		g.once.Do(func() { close(g.settled) })
	}
}

func (g *crowd) join(c net.Conn, i int, id *string) (*kmsg.JoinGroupResponse, error) {
	for {
		req := kmsg.NewPtrJoinGroupRequest()
		req.Version, req.Group, req.MemberID = 5, "crowd", *id
		req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = 45_000, 60_000
		req.ProtocolType = "consumer"
		p := kmsg.NewJoinGroupRequestProtocol()
		p.Name, p.Metadata = "range", subscription(topicName)
		req.Protocols = append(req.Protocols, p)
		resp := kmsg.NewPtrJoinGroupResponse()
		resp.Version = 5
		if err := roundTrip(c, frameOf(req, int32(i)), resp); err != nil {
			return nil, err
		}
		switch code := protocol.ErrorCode(resp.ErrorCode); code {
		case protocol.None:
			return resp, nil
		case protocol.MemberIdRequired:
			*id = resp.MemberID
		default:
			return nil, fmt.Errorf("member %d cannot join: %s", i, code)
		}
	}
}

func (g *crowd) sync(c net.Conn, id string, joined *kmsg.JoinGroupResponse) (protocol.ErrorCode, error) {
	req := kmsg.NewPtrSyncGroupRequest()
	req.Version, req.Group, req.MemberID, req.Generation = 3, "crowd", id, joined.Generation
	if joined.LeaderID == id {
		for _, m := range joined.Members {
			a := kmsg.NewSyncGroupRequestGroupAssignment()
			a.MemberID, a.MemberAssignment = m.MemberID, []byte{0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}
			req.GroupAssignment = append(req.GroupAssignment, a)
		}
	}
	resp := kmsg.NewPtrSyncGroupResponse()
	resp.Version = 3
	if err := roundTrip(c, frameOf(req, 1), resp); err != nil {
		return 0, err
	}
	return protocol.ErrorCode(resp.ErrorCode), nil
}

// beat heartbeats until the group wants the member to join again.
func (g *crowd) beat(c net.Conn, id string, generation int32) error {
	every := time.NewTicker(heartbeatEvery)
	defer every.Stop()
	for {
		select {
		case <-every.C:
		case <-g.settled:
			return nil
		}
		req := kmsg.NewPtrHeartbeatRequest()
		req.Version, req.Group, req.MemberID, req.Generation = 3, "crowd", id, generation
		resp := kmsg.NewPtrHeartbeatResponse()
		resp.Version = 3
		if err := roundTrip(c, frameOf(req, 1), resp); err != nil {
			return err
		}
		switch code := protocol.ErrorCode(resp.ErrorCode); code {
		case protocol.None:
		case protocol.RebalanceInProgress, protocol.IllegalGeneration:
			return nil
		default:
			return fmt.Errorf("a heartbeat is refused: %s", code)
		}
	}
}

// subscription is the consumer protocol's metadata of a member that wants one topic.
func subscription(topic string) []byte {
	m := kmsg.NewConsumerMemberMetadata()
	m.Topics = []string{topic}
	return m.AppendTo(nil)
}
