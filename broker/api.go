package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

// api is one row of the table: an API that the broker serves. Its versions are
// those of the release.
type api struct {
	key    int16
	handle func(*call)
}

// row makes a row from a handler that fills in the response it is given.
func row[Q, R any, PQ interface {
	*Q
	kmsg.Request
}, PR interface {
	*R
	kmsg.Response
}](handle func(*call, PQ, PR)) api {
	return api{
		key:    PQ(new(Q)).Key(),
		handle: func(c *call) { handle(c, c.req.(PQ), c.resp.(PR)) },
	}
}

// apis is the table of everything that the broker serves: adding a request is
// adding a row.
var apis = []api{}
