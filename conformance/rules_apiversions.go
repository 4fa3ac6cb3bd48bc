package conformance

import (
	"encoding/binary"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// advertisedRule is the one rule about which APIs are advertised.
const advertisedRule = "versions.advertised"

func apiVersionsRules() []Rule {
	return []Rule{
		must("versions.every-version", "ApiVersions answers each of its versions in that version.", "KIP-35, KIP-584", everyApiVersions),
		must(advertisedRule, "The APIs, their versions and the features are those of the release.", "KIP-35, KIP-584", func(c *Conversation) {
			c.whole = true
			ask[*kmsg.ApiVersionsResponse](c.Conn("a"), apiVersions(4, "suite", "1"))
		}),
		must("versions.too-high", "A version of ApiVersions that the broker does not know is answered in v0 with UNSUPPORTED_VERSION and the APIs, and the connection lives on.", "KIP-511", tooHighApiVersions),
		must("versions.client-software-name", "From v3 on a client software name or version must be letters, digits, dots and dashes that neither begin nor end with a dot or dash.", "KIP-511, ApiVersionsRequest.isValid", softwareNames),
		must("versions.again", "ApiVersions may be asked again and again on a connection, between other requests.", "ApiVersionsRequest", func(c *Conversation) {
			a := c.Conn("a")
			ask[*kmsg.ApiVersionsResponse](a, apiVersions(2, "", ""))
			ask[*kmsg.MetadataResponse](a, metadata(9))
			ask[*kmsg.ApiVersionsResponse](a, apiVersions(2, "", ""))
		}),
		must("versions.first-is-not-required", "A client need not ask for versions before other requests.", "protocol guide", func(c *Conversation) {
			ask[*kmsg.MetadataResponse](c.Conn("a"), metadata(12))
		}),
		must("versions.cluster-check", "From v5 on a cluster id or node id that is not the broker's is refused with REBOOTSTRAP_REQUIRED.", "KIP-1242", clusterCheck),
	}
}

func everyApiVersions(c *Conversation) {
	for v := range int16(6) {
		ask[*kmsg.ApiVersionsResponse](c.Conn("a"), apiVersions(v, "suite", "1"))
	}
}

func tooHighApiVersions(c *Conversation) {
	a := c.Conn("a")
	for _, v := range []int16{6, 99, 32767, -1} {
		c.Note("version %d", v)
		var body []byte
		body = binary.BigEndian.AppendUint16(body, uint16(kmsg.ApiVersions))
		body = binary.BigEndian.AppendUint16(body, uint16(v))
		body = binary.BigEndian.AppendUint32(body, uint32(a.next()))
		body = append(body, 0, 1, 'a', 0, 2, 'x', 2, '1', 0)
		resp := kmsg.NewPtrApiVersionsResponse()
		a.SendRaw("ApiVersions", framed(body)).AnswerAs(resp)
	}
	ask[*kmsg.ApiVersionsResponse](a, apiVersions(0, "", ""))
}

func softwareNames(c *Conversation) {
	a := c.Conn("a")
	for _, s := range [][2]string{
		{"kafka-go", "1.0"}, {"", "1.0"}, {"name", ""}, {"-name", "1"}, {"name-", "1"}, {".n", "1"}, {"n", "1."}, {"na me", "1"},
		{"name", "1.0/2"}, {"n_e", "1"}, {"N.a-m-e", "1.0-rc1"}, {"a", "b"}, {"é", "1"},
	} {
		ask[*kmsg.ApiVersionsResponse](a, apiVersions(3, s[0], s[1]))
	}
	c.Note("before v3 there is no name to check")
	ask[*kmsg.ApiVersionsResponse](a, apiVersions(2, "", ""))
}

func clusterCheck(c *Conversation) {
	a := c.Conn("a")
	meta := ask[*kmsg.MetadataResponse](c.setup, metadata(12))
	cluster := *meta.ClusterID
	c.names.know(cluster, "cluster")
	for _, check := range []struct {
		cluster *string
		node    int32
	}{
		{nil, -1}, {&cluster, -1}, {&cluster, meta.Brokers[0].NodeID}, {&cluster, 4711}, {nil, 4711}, {nil, meta.Brokers[0].NodeID},
		{kmsg.StringPtr("another"), -1}, {kmsg.StringPtr("another"), meta.Brokers[0].NodeID}, {kmsg.StringPtr(""), -1}, {&cluster, -2},
	} {
		req := apiVersions(5, "suite", "1")
		req.ClusterID, req.NodeID = check.cluster, check.node
		ask[*kmsg.ApiVersionsResponse](a, req)
	}
}
