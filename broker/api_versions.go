package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// workingFeatures are the features of Kafka whose machinery is here. The others,
// streams.version and so on, are advertised once their protocols are served.
var workingFeatures = [...]string{metadataVersion, groupVersion, shareVersion, kraftVersion, transactionVersion, eligibleLeaderReplicas}

// finalizedEpoch stands for the offset in the metadata log at which Kafka read the features.
const finalizedEpoch = 1

// apiVersions answers ApiVersions v0-5 (KIP-35, KIP-511, KIP-584, KIP-1242): what
// is in the table, each with the versions of the release.
func (c *Cluster) apiVersions(call *call, req *kmsg.ApiVersionsRequest, resp *kmsg.ApiVersionsResponse) {
	resp.FinalizedFeaturesEpoch = -1
	if code := c.checkApiVersions(req); code != protocol.None {
		resp.ErrorCode = int16(code)
		return
	}
	release := protocol.Kafka440()
	for i := range c.apis {
		r, _ := release.Range(c.apis[i].key)
		key := kmsg.NewApiVersionsResponseApiKey()
		key.ApiKey, key.MinVersion, key.MaxVersion = r.Key, r.Min, r.Max
		resp.ApiKeys = append(resp.ApiKeys, key)
	}
	s := c.settings.Load()
	resp.FinalizedFeaturesEpoch = finalizedEpoch + s.featureUpdates
	for f := range release.Features() {
		f = reached(f)
		if works(f.Name) && (req.Version >= 4 || f.Min > 0) {
			supported := kmsg.NewApiVersionsResponseSupportedFeature()
			supported.Name, supported.MinVersion, supported.MaxVersion = f.Name, f.Min, f.Max
			resp.SupportedFeatures = append(resp.SupportedFeatures, supported)
		}
	}
	for f := range release.FinalizedFeatures() {
		f = reached(f)
		if level := s.level(f); works(f.Name) && level > 0 {
			finalized := kmsg.NewApiVersionsResponseFinalizedFeature()
			finalized.Name, finalized.MinVersionLevel, finalized.MaxVersionLevel = f.Name, level, level
			resp.FinalizedFeatures = append(resp.FinalizedFeatures, finalized)
		}
	}
}

func works(feature string) bool {
	for _, name := range workingFeatures {
		if name == feature {
			return true
		}
	}
	return false
}

// checkApiVersions judges what the client tells of itself, and of the node that
// it means to talk to (ApiVersionsRequest.isValid, KIP-1242).
func (c *Cluster) checkApiVersions(req *kmsg.ApiVersionsRequest) protocol.ErrorCode {
	if req.Version >= 3 && !(isSoftwareWord(req.ClientSoftwareName) && isSoftwareWord(req.ClientSoftwareVersion)) {
		return protocol.InvalidRequest
	}
	if req.Version < 5 || req.ClusterID == nil && req.NodeID == -1 {
		return protocol.None
	}
	if req.ClusterID == nil || req.NodeID == -1 {
		return protocol.InvalidRequest
	}
	if *req.ClusterID != c.id || req.NodeID != nodeID {
		return protocol.RebootstrapRequired
	}
	return protocol.None
}

// isSoftwareWord matches [a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?
func isSoftwareWord(s string) bool {
	for i := range len(s) {
		alphanumeric := s[i] >= 'a' && s[i] <= 'z' || s[i] >= 'A' && s[i] <= 'Z' || s[i] >= '0' && s[i] <= '9'
		inside := i > 0 && i < len(s)-1 && (s[i] == '-' || s[i] == '.')
		if !alphanumeric && !inside {
			return false
		}
	}
	return s != ""
}

// unsupportedApiVersions fills in the answer to an ApiVersions request of a
// version that is not served: v0, and of the versions only its own.
func (c *Cluster) unsupportedApiVersions(resp *kmsg.ApiVersionsResponse) {
	resp.ErrorCode = int16(protocol.UnsupportedVersion)
	r, _ := protocol.Kafka440().Range(int16(kmsg.ApiVersions))
	key := kmsg.NewApiVersionsResponseApiKey()
	key.ApiKey, key.MinVersion, key.MaxVersion = r.Key, r.Min, r.Max
	resp.ApiKeys = append(resp.ApiKeys, key)
}
