package broker

import (
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// volumeBytes is the size of the volume that the log directories claim to lie on:
// there is none, and a client that looks for room shall find some.
const volumeBytes = 1 << 40

// logDirs are the log directories of the broker configs. No file is ever written
// there. All partitions are in the first one.
func (s *settings) logDirs() []string {
	if dirs := splitConfigList(s.value("log.dirs")); len(dirs) > 0 {
		return dirs
	}
	return splitConfigList(s.value("log.dir"))
}

// describeLogDirs answers DescribeLogDirs v1-5 (ReplicaManager.describeLogDirs):
// what does not exist is left out.
func (c *Cluster) describeLogDirs(call *call, req *kmsg.DescribeLogDirsRequest, resp *kmsg.DescribeLogDirsResponse) {
	image, free := c.image.Load(), int64(volumeBytes)
	var topics []kmsg.DescribeLogDirsResponseDirTopic
	if req.Topics == nil {
		for _, t := range image.list {
			topics = append(topics, describeLogs(t, nil, true))
		}
	} else {
		wanted := make(map[string][]int32, len(req.Topics))
		for _, rt := range req.Topics {
			wanted[rt.Topic] = append(wanted[rt.Topic], rt.Partitions...)
		}
		for _, name := range inJavaOrder(wanted) {
			if t := image.byName.get(name); t != nil {
				topics = append(topics, describeLogs(t, wanted[name], false))
			}
		}
	}
	kept := topics[:0]
	for _, t := range topics {
		for _, p := range t.Partitions {
			free -= p.Size
		}
		if len(t.Partitions) > 0 {
			kept = append(kept, t)
		}
	}
	for i, name := range c.settings.Load().logDirs() {
		dir := kmsg.NewDescribeLogDirsResponseDir()
		dir.Dir, dir.TotalBytes, dir.UsableBytes = name, volumeBytes, max(free, 0)
		if i == 0 {
			dir.Topics = kept
		}
		resp.Dirs = append(resp.Dirs, dir)
	}
}

// describeLogs describes the logs of the wanted partitions of a topic, each once, or of all.
func describeLogs(t *topic, wanted []int32, all bool) kmsg.DescribeLogDirsResponseDirTopic {
	d := kmsg.NewDescribeLogDirsResponseDirTopic()
	d.Topic = t.name
	asked := make(map[int32]bool, len(wanted))
	for _, p := range wanted {
		asked[p] = true
	}
	for _, p := range t.partitions {
		if !all && !asked[p.index] {
			continue
		}
		dp := kmsg.NewDescribeLogDirsResponseDirTopicPartition()
		p.mu.Lock()
		dp.Partition, dp.Size = p.index, p.log.Size()
		p.mu.Unlock()
		d.Partitions = append(d.Partitions, dp)
	}
	return d
}

// alterReplicaLogDirs answers AlterReplicaLogDirs v1-2 (ReplicaManager.alterReplicaLogDirs):
// a replica may move to a directory that there is, and nothing comes of it. Of two
// directories for one partition the last counts.
func (c *Cluster) alterReplicaLogDirs(call *call, req *kmsg.AlterReplicaLogDirsRequest, resp *kmsg.AlterReplicaLogDirsResponse) {
	known := make(map[string]bool)
	for _, dir := range c.settings.Load().logDirs() {
		known[dir] = true
	}
	image := c.image.Load()
	places := make(map[string]int)
	answered := make(map[TopicPartition]int)
	for i := range req.Dirs {
		for _, rt := range req.Dirs[i].Topics {
			for _, partition := range rt.Partitions {
				code := protocol.LogDirNotFound
				switch {
				case !hasFutureDir(rt.Topic, partition):
					code = protocol.InvalidTopicException
				case known[req.Dirs[i].Dir]:
					code = protocol.None
					if image.byName.get(rt.Topic).partition(partition) == nil {
						code = protocol.UnknownTopicOrPartition
					}
				}
				place, ok := places[rt.Topic]
				if !ok {
					place = len(resp.Topics)
					places[rt.Topic] = place
					t := kmsg.NewAlterReplicaLogDirsResponseTopic()
					t.Topic = rt.Topic
					resp.Topics = append(resp.Topics, t)
				}
				t := &resp.Topics[place]
				at, ok := answered[TopicPartition{rt.Topic, partition}]
				if !ok {
					at = len(t.Partitions)
					answered[TopicPartition{rt.Topic, partition}] = at
					p := kmsg.NewAlterReplicaLogDirsResponseTopicPartition()
					p.Partition = partition
					t.Partitions = append(t.Partitions, p)
				}
				t.Partitions[at].ErrorCode = int16(code)
			}
		}
	}
}

// hasFutureDir tells whether the name of the directory of a replica that moves is one
// that a file system takes (UnifiedLog.logFutureDirName).
func hasFutureDir(topic string, partition int32) bool {
	const longest, uuid = 255, 32
	return len(topic)+len("-")+len(strconv.Itoa(int(partition)))+len(".")+uuid+len("-future") <= longest
}
