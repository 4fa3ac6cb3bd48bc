package broker

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// call is one request on its way from the socket to its response.
type call struct {
	cluster *Cluster
	conn    *conn
	header  protocol.RequestHeader
	now     time.Time
	req     kmsg.Request
	resp    kmsg.Response // made by the row, with the version of the request set
}
