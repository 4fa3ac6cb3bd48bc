package conformance

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func logDirRules() []Rule {
	return []Rule{
		must("logdirs.every-version", "Every version of DescribeLogDirs tells the size of partitions.", "KIP-113, KIP-827", func(c *Conversation) {
			t := c.Topic("orders", 2)
			c.logDir()
			ask[*kmsg.ProduceResponse](c.setup, produce(9, -1, t, 1, batchOf("some value")))
			for v := int16(1); v <= 5; v++ {
				c.Conn("a").Send(describeLogDirs(v, t.Name, 0, 1)).Answer()
			}
		}),
		must("logdirs.all", "Null topics mean all partitions, no topics none.", "KIP-113", func(c *Conversation) {
			c.Topic("orders", 2)
			c.logDir()
			req := describeLogDirs(4, "")
			req.Topics = nil
			c.Conn("a").Send(req).Answer()
			req.Topics = []kmsg.DescribeLogDirsRequestTopic{}
			c.Conn("a").Send(req).Answer()
		}),
		must("logdirs.unknown", "Partitions that do not exist are left out, and those asked for twice are told once.", "ReplicaManager.describeLogDirs", func(c *Conversation) {
			t := c.Topic("orders", 2)
			c.logDir()
			req := describeLogDirs(5, t.Name, 1, 7, 1, -1)
			req.Topics = append(req.Topics, describeLogDirs(5, c.Name("nowhere"), 0).Topics[0], describeLogDirs(5, t.Name, 0, 1).Topics[0])
			c.Conn("a").Send(req).Answer()
			c.Conn("a").Send(describeLogDirs(5, t.Name)).Answer()
		}),
		must("logdirs.move", "A replica may move to the directory in which it is.", "ReplicaManager.alterReplicaLogDirs", func(c *Conversation) {
			t, dir := c.Topic("orders", 2), c.logDir()
			for v := int16(1); v <= 2; v++ {
				c.Conn("a").Send(moveReplica(v, dir, t.Name, 0, 1)).Answer()
			}
		}),
		must("logdirs.move-unknown", "Replicas that do not exist are UNKNOWN_TOPIC_OR_PARTITION.", "ReplicaManager.alterReplicaLogDirs", func(c *Conversation) {
			t, dir := c.Topic("orders", 1), c.logDir()
			req := moveReplica(2, dir, t.Name, 0, 7)
			req.Dirs[0].Topics = append(req.Dirs[0].Topics, moveReplica(2, dir, c.Name("nowhere"), 0).Dirs[0].Topics...)
			c.Conn("a").Send(req).Answer()
		}),
		must("logdirs.move-nowhere", "A directory that the broker does not have is LOG_DIR_NOT_FOUND, whatever shall move there.", "ReplicaManager.alterReplicaLogDirs", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for _, dir := range []string{"/no/such/dir", "relative", "", c.logDir() + "/"} {
				req := moveReplica(2, dir, t.Name, 0, 7)
				req.Dirs[0].Topics = append(req.Dirs[0].Topics, moveReplica(2, dir, c.Name("nowhere"), 0).Dirs[0].Topics...)
				c.Conn("a").Send(req).Answer()
			}
		}),
		must("logdirs.move-nothing", "Nothing to move is answered with nothing.", "ReplicaManager.alterReplicaLogDirs", func(c *Conversation) {
			req := kmsg.NewPtrAlterReplicaLogDirsRequest()
			req.Version = 2
			c.Conn("a").Send(req).Answer()
		}),
	}
}

// logDir is the directory of the target's logs, known to the transcript as <log-dir>; ""
// when the target tells of none.
func (c *Conversation) logDir() string {
	req := describeLogDirs(1, "")
	req.Topics = nil // some brokers tell only of directories that hold what was asked for
	resp := ask[*kmsg.DescribeLogDirsResponse](c.setup, req)
	if len(resp.Dirs) == 0 || resp.Dirs[0].Dir == "" {
		return ""
	}
	c.names.know(resp.Dirs[0].Dir, "log-dir")
	return resp.Dirs[0].Dir
}

func describeLogDirs(version int16, topic string, partitions ...int32) *kmsg.DescribeLogDirsRequest {
	req := kmsg.NewPtrDescribeLogDirsRequest()
	req.Version = version
	rt := kmsg.NewDescribeLogDirsRequestTopic()
	rt.Topic, rt.Partitions = topic, partitions
	req.Topics = append(req.Topics, rt)
	return req
}

func moveReplica(version int16, dir, topic string, partitions ...int32) *kmsg.AlterReplicaLogDirsRequest {
	req := kmsg.NewPtrAlterReplicaLogDirsRequest()
	req.Version = version
	rd := kmsg.NewAlterReplicaLogDirsRequestDir()
	rd.Dir = dir
	rt := kmsg.NewAlterReplicaLogDirsRequestDirTopic()
	rt.Topic, rt.Partitions = topic, partitions
	rd.Topics = append(rd.Topics, rt)
	req.Dirs = append(req.Dirs, rd)
	return req
}

func electionRules() []Rule {
	return []Rule{
		must("elections.not-needed", "A partition that its preferred leader leads needs no election, of either kind, in every version.", "KIP-183, KIP-460", func(c *Conversation) {
			t := c.Topic("orders", 2)
			for v := range int16(3) {
				c.Conn("a").Send(electLeaders(v, 0, t.Name, 0, 1)).Answer()
				if v > 0 {
					c.Conn("a").Send(electLeaders(v, 1, t.Name, 0, 1)).Answer()
				}
			}
		}),
		must("elections.unknown", "Topics and partitions that do not exist are UNKNOWN_TOPIC_OR_PARTITION.", "ReplicationControlManager.electLeader", func(c *Conversation) {
			t := c.Topic("orders", 1)
			req := electLeaders(2, 0, t.Name, 7, 0, -1)
			req.Topics = append(req.Topics, electLeaders(2, 0, c.Name("nowhere"), 0).Topics[0], electLeaders(2, 0, "", 0).Topics[0])
			c.Conn("a").Send(req).Answer()
		}),
		must("elections.unknown-type", "An election of an unknown type is refused.", "ElectionType", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for _, kind := range []int8{2, -1} {
				c.Conn("a").Send(electLeaders(2, kind, t.Name, 0)).Answer()
			}
		}),
		must("elections.all", "Null topics mean all partitions: those that need no election are left out.", "ReplicationControlManager.electLeaders", func(c *Conversation) {
			c.Topic("orders", 2)
			for v := range int16(3) {
				req := electLeaders(v, 0, "")
				req.Topics = nil
				c.Conn("a").Send(req).Answer()
			}
		}),
		must("elections.nothing", "No topics, and topics without partitions, are answered as they are.", "ReplicationControlManager.electLeaders", func(c *Conversation) {
			t := c.Topic("orders", 1)
			c.Conn("a").Send(electLeaders(2, 0, t.Name)).Answer()
			req := electLeaders(2, 0, t.Name)
			req.Topics = []kmsg.ElectLeadersRequestTopic{}
			c.Conn("a").Send(req).Answer()
		}),
		must("elections.no-time", "A request without time is REQUEST_TIMED_OUT.", "QuorumController", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for _, v := range []int16{0, 2} {
				req := electLeaders(v, 0, t.Name, 0)
				req.TimeoutMillis = 0
				c.Conn("a").Send(req).Answer()
			}
			req := electLeaders(2, 7, t.Name, 0)
			req.TimeoutMillis = 0
			c.Conn("a").Send(req).Answer()
			req.Topics = []kmsg.ElectLeadersRequestTopic{}
			c.Conn("a").Send(req).Answer()
			req.Topics = nil
			c.Conn("a").Send(req).Answer()
			req.TimeoutMillis = 1000
			c.Conn("a").Send(req).Answer()
		}),
	}
}

func electLeaders(version int16, kind int8, topic string, partitions ...int32) *kmsg.ElectLeadersRequest {
	req := kmsg.NewPtrElectLeadersRequest()
	req.Version, req.ElectionType, req.TimeoutMillis = version, kind, 10_000
	rt := kmsg.NewElectLeadersRequestTopic()
	rt.Topic, rt.Partitions = topic, partitions
	req.Topics = append(req.Topics, rt)
	return req
}

func reassignmentRules() []Rule {
	const source = "ReplicationControlManager.alterPartitionReassignment"
	return []Rule{
		must("reassignments.same", "Reassigning a partition to its replicas does nothing, in every version.", "KIP-455", func(c *Conversation) {
			t, node := c.Topic("orders", 2), c.node()
			for v := range int16(2) {
				c.Conn("a").Send(reassign(v, t.Name, 0, node)).Answer()
			}
			req := reassign(1, t.Name, 1, node)
			req.AllowReplicationFactorChange = false
			c.Conn("a").Send(req).Answer()
		}),
		must("reassignments.cancel", "Cancelling where nothing is in progress is NO_REASSIGNMENT_IN_PROGRESS.", "KIP-455", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for v := range int16(2) {
				req := reassign(v, t.Name, 0)
				req.Topics[0].Partitions[0].Replicas = nil
				c.Conn("a").Send(req).Answer()
			}
		}),
		must("reassignments.bad-replicas", "Brokers that do not exist, a broker twice, and none are refused.", source, func(c *Conversation) {
			t, node := c.Topic("orders", 1), c.node()
			for _, replicas := range [][]int32{{4711}, {node, 4711}, {node, node}, {}, {-1}, {node, -1}} {
				c.Conn("a").Send(reassign(0, t.Name, 0, replicas...)).Answer()
				req := reassign(1, t.Name, 0, replicas...)
				req.AllowReplicationFactorChange = false
				c.Conn("a").Send(req).Answer()
			}
		}),
		must("reassignments.unknown", "Topics and partitions that do not exist are UNKNOWN_TOPIC_OR_PARTITION.", source, func(c *Conversation) {
			t, node := c.Topic("orders", 1), c.node()
			req := reassign(1, t.Name, 7, node)
			req.Topics = append(req.Topics, reassign(1, t.Name, -1).Topics[0], reassign(1, c.Name("nowhere"), 0, node).Topics[0], reassign(1, "", 0, node).Topics[0])
			c.Conn("a").Send(req).Answer()
		}),
		must("reassignments.nothing", "No topics are answered with none.", "KIP-455", func(c *Conversation) {
			for _, allow := range []bool{true, false} {
				req := reassign(1, "", 0)
				req.Topics, req.AllowReplicationFactorChange = nil, allow
				c.Conn("a").Send(req).Answer()
				req.TimeoutMillis = 0
				c.Conn("a").Send(req).Answer()
			}
		}),
		must("reassignments.no-time", "A request without time is REQUEST_TIMED_OUT.", "QuorumController", func(c *Conversation) {
			t, node := c.Topic("orders", 1), c.node()
			for v := range int16(2) {
				req := reassign(v, t.Name, 0, node)
				req.TimeoutMillis, req.AllowReplicationFactorChange = 0, v == 0
				c.Conn("a").Send(req).Answer()
			}
		}),
		must("reassignments.list", "Partitions that are not being reassigned are not listed, whether they exist or not.", "KIP-455", func(c *Conversation) {
			t := c.Topic("orders", 1)
			for _, name := range []string{t.Name, c.Name("nowhere"), ""} {
				req := kmsg.NewPtrListPartitionReassignmentsRequest()
				rt := kmsg.NewListPartitionReassignmentsRequestTopic()
				rt.Topic, rt.Partitions = name, []int32{0, 7}
				req.Topics = append(req.Topics, rt)
				c.Conn("a").Send(req).Answer()
			}
			req := kmsg.NewPtrListPartitionReassignmentsRequest()
			req.Topics = nil
			c.Conn("a").Send(req).Answer()
			req.TimeoutMillis = 0
			c.Conn("a").Send(req).Answer()
		}),
	}
}

// node is the id of a broker of the target.
func (c *Conversation) node() int32 {
	return ask[*kmsg.MetadataResponse](c.setup, metadata(9)).Brokers[0].NodeID
}

// nodeName is the node's id as the name of a config resource.
func (c *Conversation) nodeName() string { return fmt.Sprint(c.node()) }

func reassign(version int16, topic string, partition int32, replicas ...int32) *kmsg.AlterPartitionAssignmentsRequest {
	req := kmsg.NewPtrAlterPartitionAssignmentsRequest()
	req.Version, req.TimeoutMillis = version, 10_000
	rt := kmsg.NewAlterPartitionAssignmentsRequestTopic()
	rt.Topic = topic
	rp := kmsg.NewAlterPartitionAssignmentsRequestTopicPartition()
	rp.Partition, rp.Replicas = partition, append([]int32{}, replicas...)
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	return req
}
