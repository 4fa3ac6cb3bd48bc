package broker

import (
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

func update(feature string, level int16, kind int8) *kmsg.UpdateFeaturesRequest {
	req := kmsg.NewPtrUpdateFeaturesRequest()
	u := kmsg.NewUpdateFeaturesRequestFeatureUpdate()
	u.Feature, u.MaxVersionLevel, u.UpgradeType = feature, level, kind
	req.FeatureUpdates = append(req.FeatureUpdates, u)
	return req
}

// TestFinalizedFeatures lowers a feature and raises it again: ApiVersions shows each
// level, and another epoch.
func TestFinalizedFeatures(t *testing.T) {
	cn := testBroker(t, nil)
	var epochs []int64
	shown := func() bool {
		req := kmsg.NewPtrApiVersionsRequest()
		req.ClientSoftwareName, req.ClientSoftwareVersion = "test", "1"
		resp := ask(t, cn, req, 4).(*kmsg.ApiVersionsResponse)
		epochs = append(epochs, resp.FinalizedFeaturesEpoch)
		return slices.ContainsFunc(resp.FinalizedFeatures, func(f kmsg.ApiVersionsResponseFinalizedFeature) bool {
			return f.Name == eligibleLeaderReplicas
		})
	}
	if !shown() {
		t.Error("a fresh broker does not show the feature")
	}
	ask(t, cn, update(eligibleLeaderReplicas, 0, featureSafeDowngrade), 1)
	if shown() {
		t.Error("a feature at level 0 is shown")
	}
	ask(t, cn, update(eligibleLeaderReplicas, 1, featureUpgrade), 1)
	if !shown() {
		t.Error("a feature that was raised again is not shown")
	}
	if !(epochs[0] < epochs[1] && epochs[1] < epochs[2]) {
		t.Errorf("epochs of the features are %v, want ascending", epochs)
	}
}

// TestOnlyWorkingFeaturesAreFinalized asks for features of Kafka whose protocols are
// not served.
func TestOnlyWorkingFeaturesAreFinalized(t *testing.T) {
	cn := testBroker(t, nil)
	for f := range protocol.Kafka440().Features() {
		f = reached(f)
		resp := ask(t, cn, update(f.Name, f.Max, featureUpgrade), 2).(*kmsg.UpdateFeaturesResponse)
		want := protocol.InvalidUpdateVersion
		if works(f.Name) {
			want = protocol.None
		}
		if got := protocol.ErrorCode(resp.ErrorCode); got != want {
			t.Errorf("%s to %d: %v, want %v", f.Name, f.Max, got, want)
		}
	}
}

func TestTheOnlyBrokerStaysRegistered(t *testing.T) {
	cn := testBroker(t, nil)
	req := kmsg.NewPtrUnregisterBrokerRequest()
	req.BrokerID = nodeID
	if resp := ask(t, cn, req, 0).(*kmsg.UnregisterBrokerResponse); resp.ErrorCode != int16(protocol.InvalidRequest) {
		t.Errorf("unregistering the only broker: %d", resp.ErrorCode)
	}
}
