package broker

import (
	"fmt"
	"maps"

	"github.com/twmb/franz-go/pkg/kmsg"

	"klamm/protocol"
)

// The kinds of a feature update (FeatureUpdate.UpgradeType).
const (
	featureUpgrade         = 1
	featureSafeDowngrade   = 2
	featureUnsafeDowngrade = 3
)

// The features of Kafka that rules are made for.
const (
	metadataVersion         = "metadata.version"
	groupVersion            = "group.version"
	shareVersion            = "share.version"
	kraftVersion            = "kraft.version"
	transactionVersion      = "transaction.version"
	eligibleLeaderReplicas  = "eligible.leader.replicas.version"
	featureUpdateFailedText = "The update failed for all features since the following feature had an error: "
)

// level is the finalized level of a feature.
func (s *settings) level(f protocol.Feature) int16 {
	if level, ok := s.featureLevels[f.Name]; ok {
		return level
	}
	return f.Finalized
}

// elr tells whether eligible leader replicas are on (KIP-966).
func (s *settings) elr() bool {
	level, changed := s.featureLevels[eligibleLeaderReplicas]
	return !changed || level > 0
}

// featureUpdate is one update of a request. In v0 each is an upgrade.
type featureUpdate struct {
	level int16
	kind  int8
}

// updateFeatures answers UpdateFeatures v0-2 (KIP-584, FeatureControlManager): all
// updates or none. Of two for one feature the last counts.
func (c *Cluster) updateFeatures(call *call, req *kmsg.UpdateFeaturesRequest, resp *kmsg.UpdateFeaturesResponse) {
	updates := make(map[string]featureUpdate, len(req.FeatureUpdates))
	for i := range req.FeatureUpdates {
		u := &req.FeatureUpdates[i]
		kind := u.UpgradeType
		if req.Version == 0 {
			kind = featureUpgrade
		}
		updates[u.Feature] = featureUpdate{u.MaxVersionLevel, kind}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := *c.settings.Load()
	for _, name := range inJavaOrder(updates) {
		if reason := s.refuseFeature(name, updates[name]); reason != "" {
			reason = featureUpdateFailedText + reason
			resp.ErrorCode, resp.ErrorMessage = int16(protocol.InvalidUpdateVersion), &reason
			return
		}
	}
	if !req.ValidateOnly {
		for name, u := range updates {
			s.finalize(name, u.level)
		}
		c.useSettings(&s)
	}
	none := protocol.None.Name()
	for i := range req.FeatureUpdates {
		r := kmsg.NewUpdateFeaturesResponseResult()
		r.Feature, r.ErrorMessage = req.FeatureUpdates[i].Feature, &none
		resp.Results = append(resp.Results, r)
	}
}

// refuseFeature is why a feature cannot be updated.
func (s *settings) refuseFeature(name string, u featureUpdate) string {
	f, known := workingFeature(name)
	current := s.level(f)
	invalid := func(reason string) string {
		return fmt.Sprintf("Invalid update version %d for feature %s. %s", u.level, name, reason)
	}
	switch {
	case u.kind < featureUpgrade || u.kind > featureUnsafeDowngrade:
		return invalid("The controller does not support the given upgrade type.")
	case u.level < 0:
		return invalid("A feature version cannot be less than 0.")
	case !known && u.level == 0: // which is what all features may be that are not there
		return invalid(fmt.Sprintf("Feature %s not found.", name))
	case !known:
		return invalid(fmt.Sprintf("Local controller %d does not support this feature.", nodeID))
	case u.level < f.Min || u.level > f.Max:
		return invalid(fmt.Sprintf("Local controller %d only supports versions %d-%d", nodeID, f.Min, f.Max))
	case u.level < current && u.kind == featureUpgrade:
		return invalid("Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade.")
	case u.level > current && u.kind != featureUpgrade:
		return invalid("Can't downgrade to a newer version.")
	case u.level < current && name == kraftVersion:
		return invalid("Can't downgrade the version of this feature.")
	case u.level < current && name == metadataVersion:
		reason := "Refusing to perform the requested downgrade because it might delete metadata information."
		if u.kind == featureUnsafeDowngrade {
			reason = "Unsafe metadata downgrade is not supported in this version."
		}
		return fmt.Sprintf("Unsupported metadata.version downgrade from %d to %d. %s", current, u.level, reason)
	}
	return ""
}

// reached is a feature up to the level whose machinery is here: level 2 of share.version
// has dead-letter queues (KIP-1191).
func reached(f protocol.Feature) protocol.Feature {
	if f.Name == shareVersion {
		f.Max, f.Finalized = min(f.Max, 1), min(f.Finalized, 1)
	}
	return f
}

// workingFeature is a feature of the release whose machinery is here.
func workingFeature(name string) (protocol.Feature, bool) {
	for f := range protocol.Kafka440().Features() {
		if f.Name == name && works(name) {
			return reached(f), true
		}
	}
	return protocol.Feature{}, false
}

// finalize takes a level that has been checked into settings that nobody sees yet.
func (s *settings) finalize(name string, level int16) {
	enabled := name == eligibleLeaderReplicas && level > 0 && !s.elr()
	s.featureLevels = cloneMap(s.featureLevels)
	s.featureLevels[name] = level
	s.featureUpdates++
	if !enabled {
		return
	}
	// From now on all brokers have one minimum (ConfigurationControlManager.maybeGenerateElrSafetyRecords).
	const minISR = "min.insync.replicas"
	s.node = maps.Clone(s.node)
	delete(s.node, minISR)
	if _, ok := s.cluster[minISR]; !ok {
		s.cluster = cloneMap(s.cluster)
		s.cluster[minISR] = s.value(minISR)
	}
	s.compute()
}
