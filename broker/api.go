package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// api is one row of the table: an API that the broker serves.
type api struct {
	key      int16
	name     string
	min, max int16
	serve    func(c *call, body []byte) error
}

// serves tells whether the row has version v.
func (a *api) serves(v int16) bool { return a.min <= v && v <= a.max }

// row makes a row of the table from a handler that fills in the response that it
// is given. Request and response have their version set.
func row[Q, R any, PQ interface {
	*Q
	kmsg.Request
	Default()
}, PR interface {
	*R
	kmsg.Response
	Default()
}](handle func(*Cluster, *call, PQ, PR)) api {
	return direct(PQ(new(Q)).Key(), func(c *call, body []byte) error {
		body, err := protocol.CheckRequest(c.header.Key, c.header.Version, body)
		if err != nil {
			return err
		}
		req, resp := PQ(new(Q)), PR(new(R))
		req.SetVersion(c.header.Version)
		if err := req.ReadFrom(body); err != nil {
			return err
		}
		resp.Default()
		resp.SetVersion(c.header.Version)
		handle(c.cluster, c, req, resp)
		return c.answer(resp)
	})
}

// direct makes a row of a handler that checks, decodes and encodes by itself: the hot path.
func direct(key int16, serve func(c *call, body []byte) error) api {
	r, ok := protocol.Kafka440().Range(key)
	if !ok {
		panic("broker: the table has an API that Kafka does not have")
	}
	return api{key: key, name: r.Name, min: r.Min, max: r.Max, serve: serve}
}

// api returns the row of an API key, or nil where there is none.
func (c *Cluster) api(key int16) *api {
	if key < 0 || int(key) >= len(c.apiIndex) || c.apiIndex[key] == 0 {
		return nil
	}
	return &c.apis[c.apiIndex[key]-1]
}

// apis is the table of everything that the broker serves: adding a request is
// adding a row.
var apis = [...]api{
	direct(0, (*call).serveProduce),
	direct(1, (*call).serveFetch),
	row((*Cluster).listOffsets),
	row((*Cluster).metadata),
	row((*Cluster).offsetCommit),
	row((*Cluster).offsetFetch),
	row((*Cluster).findCoordinator),
	row((*Cluster).joinGroup),
	row((*Cluster).heartbeat),
	row((*Cluster).leaveGroup),
	row((*Cluster).syncGroup),
	row((*Cluster).describeGroups),
	row((*Cluster).listGroups),
	row((*Cluster).saslHandshake),
	row((*Cluster).apiVersions),
	row((*Cluster).createTopics),
	row((*Cluster).deleteTopics),
	row((*Cluster).deleteRecords),
	row((*Cluster).initProducerID),
	row((*Cluster).offsetForLeaderEpoch),
	row((*Cluster).addPartitionsToTxn),
	row((*Cluster).addOffsetsToTxn),
	row((*Cluster).endTxn),
	row((*Cluster).writeTxnMarkers),
	row((*Cluster).txnOffsetCommit),
	row((*Cluster).describeACLs),
	row((*Cluster).createACLs),
	row((*Cluster).deleteACLs),
	row((*Cluster).describeConfigs),
	row((*Cluster).alterConfigs),
	row((*Cluster).alterReplicaLogDirs),
	row((*Cluster).describeLogDirs),
	row((*Cluster).saslAuthenticate),
	row((*Cluster).createPartitions),
	row((*Cluster).createDelegationToken),
	row((*Cluster).renewDelegationToken),
	row((*Cluster).expireDelegationToken),
	row((*Cluster).describeDelegationToken),
	row((*Cluster).deleteGroups),
	row((*Cluster).electLeaders),
	row((*Cluster).incrementalAlterConfigs),
	row((*Cluster).alterPartitionAssignments),
	row((*Cluster).listPartitionReassignments),
	row((*Cluster).offsetDelete),
	row((*Cluster).describeClientQuotas),
	row((*Cluster).alterClientQuotas),
	row((*Cluster).describeUserSCRAMCredentials),
	row((*Cluster).alterUserSCRAMCredentials),
	row((*Cluster).describeQuorum),
	row((*Cluster).updateFeatures),
	row((*Cluster).describeCluster),
	row((*Cluster).describeProducers),
	row((*Cluster).unregisterBroker),
	row((*Cluster).describeTransactions),
	row((*Cluster).listTransactions),
	row((*Cluster).consumerGroupHeartbeat),
	row((*Cluster).consumerGroupDescribe),
	row((*Cluster).listConfigResources),
	row((*Cluster).describeTopicPartitions),
	row((*Cluster).shareGroupHeartbeat),
	row((*Cluster).shareGroupDescribe),
	row((*Cluster).shareFetch),
	row((*Cluster).shareAcknowledge),
	row((*Cluster).describeShareGroupOffsets),
	row((*Cluster).alterShareGroupOffsets),
	row((*Cluster).deleteShareGroupOffsets),
}

// apiIndex gives the place of each API key in the table, by 1; 0 is no place.
var apiIndex = indexAPIs()

func indexAPIs() (index [128]uint8) {
	for i := range apis {
		index[apis[i].key] = uint8(i + 1)
	}
	return index
}
