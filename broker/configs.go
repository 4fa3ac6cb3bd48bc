package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

// incrementalAlterConfigs answers IncrementalAlterConfigs v0-1.
func (c *Cluster) incrementalAlterConfigs(call *call, req *kmsg.IncrementalAlterConfigsRequest, resp *kmsg.IncrementalAlterConfigsResponse) {
}

// describeConfigs answers DescribeConfigs v1-4.
func (c *Cluster) describeConfigs(call *call, req *kmsg.DescribeConfigsRequest, resp *kmsg.DescribeConfigsResponse) {
}
